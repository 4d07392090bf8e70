//! A portal, and a run that reads it.

use mail_model::source::card::Card;
use sources::{
    Ending, Passed, Read, Reader, SourceError, Sweep,
    bitrix24::{Bitrix24Settings, Patience},
    mapping::{BITRIX24, Mapping},
};
use stand_ins::bitrix24::{Company, Portal, PortalOptions};
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc;

/// A code that no text of an error may hold.
pub(crate) const SECRET: &str = "s3cretC0deS3cret";

pub(crate) fn portal(people: u64) -> Portal {
    portal_with(options(), Company::of(people))
}

pub(crate) fn portal_with(options: PortalOptions, company: Company) -> Portal {
    Portal::start(options, company).unwrap()
}

pub(crate) fn options() -> PortalOptions {
    PortalOptions { code: SECRET.to_owned(), ..PortalOptions::default() }
}

pub(crate) fn options_with(scopes: &[&str]) -> PortalOptions {
    PortalOptions { scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(), ..options() }
}

/// Settings for a portal, with waits that are short enough for a test.
pub(crate) fn settings(portal: &Portal) -> Bitrix24Settings {
    Bitrix24Settings {
        url: portal.url().parse().unwrap(),
        admin_userid: "1".to_owned(),
        webhook: SECRET.into(),
        ca_file: None,
        mapping: Mapping::new(BITRIX24, &BTreeMap::new()),
        surname_field: None,
        photos: false,
        timeout: Duration::from_secs(10),
        patience: Patience { first_wait: Duration::from_millis(20), longest: Duration::from_secs(20) },
    }
}

/// What a run has found.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) people: Vec<Card>,
    pub(crate) passed: Vec<Passed>,
    pub(crate) end: Result<Ending, SourceError>,
}

impl Run {
    /// The identifiers of the people.
    pub(crate) fn ids(&self) -> Vec<u64> {
        self.people.iter().map(|card| number(card.id.as_str())).collect()
    }

    /// The identifiers of those who have no card but are still there.
    pub(crate) fn kept(&self) -> Vec<u64> {
        self.passed.iter().filter_map(|passed| passed.keeps.as_ref()).map(|id| number(id.as_str())).collect()
    }

    /// The text of the error, with all that its `Debug` shows.
    pub(crate) fn error(&self) -> String {
        let error = self.end.as_ref().expect_err("the run has ended well");
        format!("{error} {error:?}")
    }
}

fn number(id: &str) -> u64 {
    id.strip_prefix("bitrix24:").unwrap().parse().unwrap()
}

#[tokio::main(flavor = "current_thread")]
pub(crate) async fn read(settings: Bitrix24Settings) -> Run {
    let (out, mut found) = mpsc::channel(16);
    let reader = Reader::Bitrix24(settings);
    let collect = async {
        let (mut people, mut passed) = (Vec::new(), Vec::new());
        while let Some(read) = found.recv().await {
            match read {
                Read::Person(card) => people.push(*card),
                Read::Passed(what) => passed.push(what),
                Read::List(list) => panic!("a portal has no lists: {list:?}"),
            }
        }
        (people, passed)
    };
    let (end, (people, passed)) = tokio::join!(reader.people(&Sweep::Whole, out), collect);
    Run { people, passed, end }
}
