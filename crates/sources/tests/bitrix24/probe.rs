//! What a check reports about a portal before a run.

use crate::fixture::{SECRET, options_with, portal, portal_with, settings};
use mail_model::user::field::UserField;
use sources::{
    Passed, Reader, SourceError,
    bitrix24::Bitrix24Settings,
    mapping::{BITRIX24, Mapping},
};
use stand_ins::bitrix24::Company;
use std::collections::BTreeMap;

#[tokio::main(flavor = "current_thread")]
async fn probe(settings: Bitrix24Settings) -> Result<Vec<Passed>, SourceError> {
    Reader::Bitrix24(settings).probe().await
}

#[test]
fn a_portal_that_can_be_read_lacks_nothing() {
    let portal = portal(1_000);
    assert_eq!(probe(settings(&portal)).unwrap(), []);
    assert_eq!(portal.calls(), 2);
}

#[test]
fn a_run_that_would_fail_is_told() {
    for (portal, words) in [
        (portal(0), "nobody, not even the user of the webhook"),
        (portal_with(options_with(&["user_brief", "department"]), Company::of(10)), "`user_basic`"),
        (portal_with(options_with(&["department"]), Company::of(10)), "may not call this method"),
    ] {
        let error = probe(settings(&portal)).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains(SECRET), "{error}");
    }
}

#[test]
fn a_missing_right_to_departments_is_told_and_no_failure() {
    let portal = portal_with(options_with(&["user"]), Company::of(10));
    let missing = probe(settings(&portal)).unwrap();
    assert!(matches!(&missing[..], [Passed { why, .. }] if why.contains("`department`")), "{missing:?}");
    // Nobody needs it then.
    let replaced = BTreeMap::from([(UserField::Department, "WORK_DEPARTMENT".to_owned())]);
    let mapping = Mapping::new(BITRIX24, &replaced);
    assert_eq!(probe(Bitrix24Settings { mapping, ..settings(&portal) }).unwrap(), []);
}
