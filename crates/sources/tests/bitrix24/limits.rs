//! The limits of a portal are waited for.

use crate::fixture::{options, portal, portal_with, read, settings};
use sources::bitrix24::{Bitrix24Settings, Patience};
use stand_ins::bitrix24::{Company, Fault, Limits, PortalOptions};
use std::time::{Duration, Instant};

#[test]
fn a_portal_that_takes_few_requests_is_read_slowly() {
    let limits = Some(Limits { bucket: 5.0, drained_per_second: 20.0 });
    let company = Company::of(1_000);
    let (employees, portal) =
        (company.employees(), portal_with(PortalOptions { limits, ..options() }, company));
    let start = Instant::now();
    let run = read(settings(&portal));
    run.end.as_ref().unwrap();
    let (ids, kept) = (run.ids(), run.kept());
    assert!(employees.iter().all(|id| ids.contains(id) || kept.contains(id)));
    // 24 pages, of which 5 at once, and the others 20 a second.
    assert!(start.elapsed() > Duration::from_millis(700), "{:?}", start.elapsed());
    assert!(portal.calls() > 24, "{}", portal.calls());
}

#[test]
fn a_blocked_method_is_called_again_when_the_portal_says() {
    let portal = portal(200);
    portal.on_call(|call, _| (call.number == 5).then_some(Fault::Blocked(Duration::from_secs(2))));
    let start = Instant::now();
    let run = read(settings(&portal));
    run.end.as_ref().unwrap();
    assert!(start.elapsed() > Duration::from_secs(2), "{:?}", start.elapsed());
    // The blocked call and its repetition: nothing is asked in between.
    assert!(portal.calls() <= 3 + 5 + 2, "{}", portal.calls());
}

#[test]
fn a_limit_that_does_not_end_is_an_error_in_words() {
    let portal = portal(200);
    portal.on_call(|call, _| (call.number == 5).then_some(Fault::Blocked(Duration::from_secs(3_600))));
    let start = Instant::now();
    let error = read(settings(&portal)).error();
    assert!(error.contains("OPERATION_TIME_LIMIT") && error.contains("minutes"), "{error}");
    assert!(start.elapsed() < Duration::from_secs(2), "it has waited, although that is of no use");

    portal.on_call(|call, _| {
        (call.number > 5).then_some(Fault::Error { status: 503, code: "QUERY_LIMIT_EXCEEDED" })
    });
    let patience = Patience { first_wait: Duration::from_millis(10), longest: Duration::from_millis(500) };
    let error = read(Bitrix24Settings { patience, ..settings(&portal) }).error();
    assert!(error.contains("QUERY_LIMIT_EXCEEDED"), "{error}");
}

#[test]
fn a_run_that_waits_can_be_ended() {
    use sources::{Reader, SourceError, Sweep};
    let portal = portal(200);
    portal.on_call(|_, _| Some(Fault::Error { status: 503, code: "QUERY_LIMIT_EXCEEDED" }));
    let patience = Patience::default();
    let reader = Reader::Bitrix24(Bitrix24Settings { patience, ..settings(&portal) });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let start = Instant::now();
    let end = runtime.block_on(async {
        let (out, found) = tokio::sync::mpsc::channel(1);
        let wait = async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            drop(found);
        };
        tokio::join!(reader.people(&Sweep::Whole, out), wait).0
    });
    assert!(matches!(end, Err(SourceError::Ended)), "{end:?}");
    assert!(start.elapsed() < Duration::from_millis(900), "{:?}", start.elapsed());
}
