//! A portal that misbehaves: the run ends in an error, in words, and without the secret.

use crate::fixture::{Run, SECRET, options, portal, portal_with, read, settings};
use serde_json::json;
use sources::{Passed, bitrix24::Bitrix24Settings};
use stand_ins::bitrix24::{Company, Fault};
use std::time::Duration;

/// A run through 500 people, in which every call from the sixth on meets a fault.
fn run_with(fault: Fault) -> Run {
    let portal = portal(500);
    portal.on_call(move |call, _| (call.number > 5).then(|| fault.clone()));
    let run = read(Bitrix24Settings { timeout: Duration::from_secs(1), ..settings(&portal) });
    assert!(!run.people.is_empty(), "the first pages are good");
    run
}

#[test]
fn every_fault_is_an_error_in_words_without_the_secret() {
    let error = |status, code| Fault::Error { status, code };
    for (fault, told) in [
        (Fault::Html(200), "200 with a page of HTML: check `url`"),
        (Fault::Html(502), "502 with a page of HTML"),
        (Fault::Html(403), "403 with a page of HTML"),
        (Fault::Truncated, "ended before the answer was complete"),
        (Fault::Nothing, "cannot reach localhost:"),
        (Fault::Large(9 << 20), "larger than 8 MiB"),
        (Fault::Large(10), "with nothing"),
        (Fault::Slow(Duration::from_secs(2)), "no answer in time"),
        (
            Fault::Redirect(format!("https://other.example/rest/1/{SECRET}/user.get")),
            "redirects to https://other.example, which",
        ),
        (error(401, "INVALID_CREDENTIALS"), "refused the login"),
        (error(401, "NO_AUTH_FOUND"), "refused the login"),
        (error(401, "expired_token"), "has expired"),
        (error(403, "insufficient_scope"), "`user`"),
        (error(403, "ACCESS_DENIED"), "plan"),
        (error(503, "OVERLOAD_LIMIT"), "overload"),
        (error(500, "INTERNAL_SERVER_ERROR"), "500 INTERNAL_SERVER_ERROR"),
        (error(400, "SOMETHING_NEW"), "400 SOMETHING_NEW"),
    ] {
        let error = run_with(fault.clone()).error();
        assert!(error.contains(told), "{fault:?}: {error}");
        assert!(!error.contains(SECRET), "{fault:?}: {error}");
        assert!(!error.contains("/rest/"), "{fault:?}: {error}");
    }
}

#[test]
fn a_fault_that_passes_is_not_noticed() {
    for fault in [
        Fault::Html(200),
        Fault::Html(503),
        Fault::Truncated,
        Fault::Nothing,
        Fault::Error { status: 500, code: "INTERNAL_SERVER_ERROR" },
    ] {
        let portal = portal(500);
        let whole = read(settings(&portal)).ids();
        let told = fault.clone();
        portal.on_call(move |call, _| (call.number % 6 == 0).then(|| fault.clone()));
        let run = read(settings(&portal));
        assert!(run.end.is_ok(), "{told:?}: {}", run.error());
        assert_eq!(run.ids(), whole, "{told:?}");
    }
}

#[test]
fn a_wrong_code_is_not_repeated() {
    let portal = portal(10);
    let run = read(Bitrix24Settings { webhook: "0therSecret".into(), ..settings(&portal) });
    let error = run.error();
    assert!(
        error.contains("check `admin_userid` and `webhook`") && !error.contains("0therSecret"),
        "{error}"
    );
}

#[test]
fn nobody_is_not_an_empty_portal() {
    let run = read(settings(&portal(0)));
    assert!(run.error().contains("nobody"), "{}", run.error());
}

#[test]
fn a_portal_that_does_not_sort_is_not_read_for_ever() {
    let mut company = Company::of(200);
    company.set(4, "ID", json!("1"));
    let run = read(settings(&portal_with(options(), company)));
    assert!(run.error().contains("another order"), "{}", run.error());
    let mut company = Company::of(200);
    company.set(4, "ID", json!("x"));
    let run = read(settings(&portal_with(options(), company)));
    assert!(run.error().contains("without an identifier"), "{}", run.error());
}

#[test]
fn a_portal_whose_departments_do_not_end_is_not_read_for_ever() {
    let portal = portal(10);
    portal.on_call(|call, _| {
        let next = call.number;
        let body = json!({"result": [{"ID": "7", "NAME": "x"}], "next": next});
        (call.method == "department.get").then(|| Fault::Json(body.to_string()))
    });
    let run = read(settings(&portal));
    assert!(run.error().contains("those of earlier pages"), "{}", run.error());
    assert_eq!(portal.calls(), 2);
}

/// Texts of any length and with any character stay short, and on one line, in a report.
#[test]
fn no_text_of_the_portal_makes_a_report_long() {
    let long = format!("a\n\u{1b}[2J{}", "ж".repeat(1 << 20));
    for field in ["EMAIL", "NAME", "LAST_NAME", "WORK_PHONE", "UF_DEPARTMENT", "PERSONAL_PHOTO"] {
        let portal = portal(3);
        portal.company(|company| {
            company.set(1, field, json!(long));
            company.set(2, field, json!(long));
            company.set(2, "EMAIL", json!(format!("no address {long}")));
        });
        let run = read(Bitrix24Settings { photos: true, ..settings(&portal) });
        run.end.as_ref().unwrap();
        assert!(run.passed.iter().any(|passed| passed.keeps.is_some()), "{field}");
        for Passed { what, why, .. } in &run.passed {
            assert!(what.len() + why.len() < 2_000, "{field}: {} {}", what.len(), why.len());
            assert!(!what.chars().chain(why.chars()).any(char::is_control), "{field}: {what} {why}");
        }
    }
}

#[test]
fn a_host_that_is_not_there_is_named() {
    let url = portal(1).url();
    let mut settings = settings(&portal(1));
    settings.url = url.parse().unwrap();
    let error = read(settings).error();
    assert!(error.contains("cannot reach localhost:"), "{error}");
}
