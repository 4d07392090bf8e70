//! What is read of a portal.

use crate::fixture::{options, options_with, portal, portal_with, read, settings};
use mail_model::user::field::UserField;
use serde_json::json;
use sources::{
    Ending, Reader, SourceError, Sweep,
    bitrix24::Bitrix24Settings,
    mapping::{BITRIX24, Mapping},
};
use stand_ins::bitrix24::{Company, Fault, PortalOptions};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc;

#[test]
fn ten_thousand_people_are_read() {
    let company = Company::of(10_000);
    let (employees, departments) = (company.employees(), company.departments.clone());
    let portal = portal_with(options(), company);
    let run = read(settings(&portal));
    assert_eq!(run.end.as_ref().unwrap(), &Ending { is_whole: true, position: None });
    let (ids, kept) = (run.ids(), run.kept());
    assert!(ids.len() > 9_000, "{}", ids.len());
    assert!(ids.is_sorted());
    // Those whose address is not usable are kept; those without one are no employees of the stand-in, but kept too.
    let missing: Vec<_> = employees.iter().filter(|id| !ids.contains(id)).collect();
    assert_eq!(missing.len(), 10);
    assert!(missing.iter().all(|id| kept.contains(id)), "{missing:?}");
    assert!(kept.len() > missing.len(), "nobody is without an address");

    let person = &run.people[0];
    let own = portal.company(|company| company.people[&1].clone());
    assert_eq!(person.mail.as_str(), own["EMAIL"].as_str().unwrap());
    assert_eq!(person.text(UserField::LastName), own["LAST_NAME"].as_str());
    let department = &departments[&own["UF_DEPARTMENT"][0].as_u64().unwrap()];
    assert_eq!(person.text(UserField::Department), Some(department.as_str()));
    let phones = run.people.iter().filter(|card| card.text(UserField::WorkPhone).is_some()).count();
    assert!(phones > 1_000, "{phones}");
}

#[test]
fn nobody_is_lost_when_others_are_dismissed_meanwhile() {
    let portal = portal(2_000);
    // Before each page, ten of those who have been read are dismissed: a reader of numbered pages would skip as many.
    portal.on_call(|call, company| {
        if call.method == "user.get" && call.number > 6 {
            for id in company.employees().into_iter().take(10) {
                company.dismiss(id);
            }
        }
        None::<Fault>
    });
    let run = read(settings(&portal));
    run.end.as_ref().unwrap();
    let stayed = portal.company(|company| company.employees());
    let (ids, kept) = (run.ids(), run.kept());
    assert!(stayed.len() < 1_600, "{}", stayed.len());
    assert!(stayed.iter().all(|id| ids.contains(id) || kept.contains(id)));
}

#[test]
fn a_short_page_is_not_taken_for_the_last() {
    let portal = portal(30);
    // Three pages of departments, one of people, and then this one, which would be empty.
    portal.on_call(|call, company| {
        if call.number == 5 {
            let mut hired = company.people[&1].clone();
            hired.insert("ID".to_owned(), json!("1000"));
            hired.insert("EMAIL".to_owned(), json!("new@portal.example"));
            company.people.insert(1_000, hired);
        }
        None::<Fault>
    });
    let run = read(settings(&portal));
    assert_eq!(run.ids().last(), Some(&1_000));
    assert_eq!((run.end.is_ok(), portal.calls()), (true, 6));
}

#[test]
fn pages_are_sent_as_they_are_read() {
    let portal = portal(5_000);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let reader = Reader::Bitrix24(settings(&portal));
    let (out, mut found) = mpsc::channel(1);
    runtime.block_on(async {
        let run = reader.people(&Sweep::Whole, out);
        let wait = async {
            found.recv().await.unwrap();
            tokio::time::sleep(Duration::from_millis(300)).await;
            // Three pages of departments and one of people.
            assert_eq!(portal.calls(), 4);
            drop(found);
        };
        let (end, ()) = tokio::join!(run, wait);
        assert!(matches!(end, Err(SourceError::Ended)), "{end:?}");
    });
}

#[test]
fn an_encrypted_portal_must_be_trusted() {
    let portal = portal_with(PortalOptions { is_encrypted: true, ..options() }, Company::of(100));
    let unknown = read(settings(&portal));
    assert!(unknown.error().contains("certificate"), "{}", unknown.error());
    let ca_file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&ca_file, portal.certificate().unwrap()).unwrap();
    let run = read(Bitrix24Settings { ca_file: Some(ca_file.path().to_owned()), ..settings(&portal) });
    assert_eq!(run.end.unwrap(), Ending { is_whole: true, position: None });
}

#[test]
fn addresses_need_a_right() {
    let portal = portal_with(options_with(&["user_brief", "department"]), Company::of(100));
    let run = read(settings(&portal));
    assert!(run.people.is_empty());
    assert!(run.error().contains("`user_basic`"), "{}", run.error());
    let none = portal_with(options_with(&["department"]), Company::of(100));
    assert!(read(settings(&none)).error().contains("`user`"));
}

#[test]
fn without_the_right_to_departments_their_names_are_left_out_and_reported() {
    let portal = portal_with(options_with(&["user"]), Company::of(100));
    portal.company(|company| company.set(1, "WORK_DEPARTMENT", json!("Склад")));
    let run = read(settings(&portal));
    run.end.as_ref().unwrap();
    let departments: Vec<_> = run.people.iter().map(|card| card.text(UserField::Department)).collect();
    assert_eq!(departments[..2], [Some("Склад"), None]);
    assert!(run.passed[0].why.contains("`department`"), "{:?}", run.passed[0]);
}

#[test]
fn departments_that_are_not_mapped_are_not_read() {
    let portal = portal(10);
    let replaced = BTreeMap::from([(UserField::Department, "WORK_DEPARTMENT".to_owned())]);
    read(Bitrix24Settings { mapping: Mapping::new(BITRIX24, &replaced), ..settings(&portal) }).end.unwrap();
    assert_eq!(portal.calls(), 2);
}

#[test]
fn namesakes_are_told_apart_by_a_field() {
    let portal = portal(100);
    portal.company(|company| company.set(1, "LAST_NAME", json!("Иванов")));
    let settings = Bitrix24Settings { surname_field: Some("PERSONAL_ICQ".to_owned()), ..settings(&portal) };
    let run = read(settings.clone());
    assert_eq!(run.people[0].text(UserField::LastName), Some("Иванов (100000)"));
    assert!(!run.people[1].text(UserField::LastName).unwrap().contains('('));

    let basic = portal_with(options_with(&["user_basic", "department"]), Company::of(100));
    let run = read(Bitrix24Settings { url: basic.url().parse().unwrap(), ..settings });
    run.end.as_ref().unwrap();
    assert!(run.passed.iter().any(|passed| passed.what == "the field PERSONAL_ICQ"), "{:?}", run.passed);
}

#[test]
fn parts_that_are_not_usable_are_left_out_and_reported() {
    let portal = portal(10);
    portal.company(|company| company.set(1, "PERSONAL_MOBILE", json!("нет")));
    let run = read(settings(&portal));
    assert_eq!(run.people[0].text(UserField::MobilePhone), None);
    let told = run.passed.iter().find(|passed| passed.what == run.people[0].mail.as_str()).unwrap();
    assert!(told.why.starts_with("PERSONAL_MOBILE was left out: it "), "{}", told.why);
    assert_eq!(told.keeps, None);
}

#[test]
fn photos_are_those_of_the_own_host() {
    let portal = portal(3);
    let own = format!("{}/upload/4.jpg", portal.url());
    portal.company(|company| {
        company.files.insert("/upload/1.jpg".to_owned(), b"\xff\xd8photo".to_vec());
        company.files.insert("/upload/4.jpg".to_owned(), vec![0; 5 << 20]);
        company.set(1, "PERSONAL_PHOTO", json!("/upload/1.jpg"));
        company.set(2, "PERSONAL_PHOTO", json!("https://cdn.example/2.jpg"));
        company.set(4, "PERSONAL_PHOTO", json!("/upload/none.jpg"));
    });
    let with_photos = Bitrix24Settings { photos: true, ..settings(&portal) };
    let run = read(with_photos.clone());
    run.end.as_ref().unwrap();
    let photos: Vec<_> = run.people.iter().map(|card| card.photo.as_deref()).collect();
    assert_eq!(photos, [Some(b"\xff\xd8photo".as_slice()), None, None]);
    assert_eq!(run.passed.len(), 1, "{:?}", run.passed);
    assert!(run.passed[0].why.contains("404"));
    assert!(read(settings(&portal)).people.iter().all(|card| card.photo.is_none()));

    portal.company(|company| company.set(4, "PERSONAL_PHOTO", json!(own)));
    let run = read(with_photos);
    run.end.as_ref().unwrap();
    assert!(run.passed[0].why.contains("larger than 4 MiB"), "{:?}", run.passed);
}
