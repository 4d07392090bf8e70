//! Photos: each can fail alone, and none ends a run.

use crate::fixture::{Run, portal, read, settings};
use mail_model::source::card::Part;
use serde_json::json;
use sources::bitrix24::Bitrix24Settings;
use stand_ins::bitrix24::{Fault, Portal};
use std::time::{Duration, Instant};

/// A portal of so many people whose photos are images, and the settings to read them.
fn with_photos(people: u64) -> (Portal, Bitrix24Settings) {
    let portal = portal(people);
    portal.company(|company| {
        let ids: Vec<_> = company.people.keys().copied().collect();
        for id in ids {
            company.files.insert(format!("/upload/{id}.jpg"), b"image".to_vec());
            company.set(id, "PERSONAL_PHOTO", json!(format!("/upload/{id}.jpg")));
        }
    });
    let settings = Bitrix24Settings { photos: true, timeout: Duration::from_secs(3), ..settings(&portal) };
    (portal, settings)
}

fn reports<'a>(run: &'a Run, words: &str) -> Vec<&'a str> {
    let reports = run.passed.iter().filter(|passed| passed.why.contains(words));
    reports.map(|passed| passed.what.as_str()).collect()
}

#[test]
fn a_photo_that_fails_is_left_out_alone() {
    let long = format!("/upload/{}", "x".repeat(70_000));
    for (url, fault, words) in [
        ("/upload/1.jpg", Some(Fault::Slow(Duration::from_secs(9))), "no answer in time"),
        ("/upload/1.jpg", Some(Fault::Nothing), "connection"),
        ("/upload/1.jpg", Some(Fault::Truncated), "before the answer was complete"),
        ("/upload/1.jpg", Some(Fault::Html(502)), "the portal answered 502"),
        ("/upload/1.jpg", Some(Fault::Redirect("http://127.0.0.1/".to_owned())), "the portal answered 302"),
        ("/upload/1.jpg", Some(Fault::Large(5 << 20)), "larger than 4 MiB"),
        (&long, None, "longer than 2048 bytes"),
    ] {
        let (portal, settings) = with_photos(5);
        portal.company(|company| company.set(1, "PERSONAL_PHOTO", json!(url)));
        portal.on_file(move |path| fault.clone().filter(|_| path == "/upload/1.jpg"));
        let start = Instant::now();
        let run = read(settings);
        run.end.as_ref().unwrap();
        assert!(start.elapsed() < Duration::from_secs(9), "{words}: {:?}", start.elapsed());
        assert_eq!(reports(&run, words), [run.people[0].mail.as_str()], "{words}: {:?}", run.passed);
        assert_eq!((&run.people[0].photo, run.people[0].untold.contains(&Part::Photo)), (&None, true));
        let others = run.people.iter().skip(1);
        assert!(others.clone().all(|card| card.photo.is_some() && card.untold.is_empty()), "{words}");
    }
}

#[test]
fn after_many_failures_in_a_row_no_other_photo_is_asked_for() {
    let (portal, settings) = with_photos(60);
    portal.on_file(|_| Some(Fault::Nothing));
    portal.company(|company| company.set(61, "PERSONAL_PHOTO", json!("")));
    let run = read(settings);
    run.end.as_ref().unwrap();
    assert_eq!(reports(&run, "the photo was left out").len(), 10);
    assert_eq!(reports(&run, "in a row have failed"), ["the photos"]);
    // For somebody without a photo in the portal, the reader says that there is none.
    let untold = run.people.iter().filter(|card| card.untold.contains(&Part::Photo)).count();
    let without = run.people.iter().filter(|card| card.id.as_str() == "bitrix24:61").count();
    assert_eq!(untold, run.people.len() - without);
}

#[test]
fn photos_that_the_portal_refuses_at_once_do_not_end_the_others() {
    let (portal, settings) = with_photos(60);
    portal.on_file(|path| (path != "/upload/88.jpg").then_some(Fault::Html(404)));
    let run = read(settings);
    run.end.as_ref().unwrap();
    assert_eq!(reports(&run, "in a row"), [""; 0]);
    let with_photo: Vec<_> = run.people.iter().filter(|card| card.photo.is_some()).collect();
    assert_eq!(with_photo.iter().map(|card| card.id.as_str()).collect::<Vec<_>>(), ["bitrix24:88"]);
}
