//! Runs a reader to its end, and keeps what it sent.

use mail_model::source::{card::Card, list::SourceList};
use sources::{
    Ending, Passed, Read, Reader, SourceError, Sweep,
    ldap::{Encryption, LdapSourceSettings},
    mapping::{self, Mapping},
};
use stand_ins::active_directory::DomainController;
use std::{collections::BTreeMap, time::Duration};
use tokio::sync::mpsc;

/// What a reader sent, by address.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) people: BTreeMap<String, Card>,
    pub(crate) lists: BTreeMap<String, SourceList>,
    pub(crate) passed: Vec<Passed>,
}

impl Found {
    /// The addresses of the people.
    pub(crate) fn mails(&self) -> Vec<&str> {
        self.people.keys().map(String::as_str).collect()
    }

    /// The members of a list.
    pub(crate) fn members(&self, list: &str) -> Vec<&str> {
        let members = self.lists.get(list).map(|list| list.members.as_slice()).unwrap_or_default();
        members.iter().map(mail_model::address::MailAddress::as_str).collect()
    }

    /// Why something was passed over.
    pub(crate) fn why(&self, what: &str) -> Vec<&str> {
        self.passed.iter().filter(|passed| passed.what == what).map(|passed| passed.why.as_str()).collect()
    }

    fn take(&mut self, read: Read) {
        match read {
            Read::Person(card) => {
                let again = self.people.insert(card.mail.to_string(), *card);
                assert_eq!(again, None);
            }
            Read::List(list) => {
                let again = self.lists.insert(list.mail.to_string(), list);
                assert_eq!(again, None);
            }
            Read::Passed(passed) => self.passed.push(passed),
        }
    }
}

/// Settings for the stand-in.
pub(crate) fn settings_of(ad: &DomainController) -> LdapSourceSettings {
    LdapSourceSettings {
        host: "127.0.0.1".into(),
        port: ad.port(),
        encryption: Encryption::None,
        ca_file: None,
        login: DomainController::LOGIN.into(),
        password: DomainController::PASSWORD.into(),
        base_dn: DomainController::container("Staff"),
        groups_dn: Some(DomainController::container("Groups")),
        users_filter: "(&(objectClass=person)(mail=*))".into(),
        groups_filter: "(&(objectClass=group)(mail=*))".into(),
        mapping: Mapping::new(mapping::LDAP, &BTreeMap::new()),
        timeout: Duration::from_secs(5),
    }
}

/// Reads people; what was sent before an error counts too.
pub(crate) async fn people(
    settings: &LdapSourceSettings,
    sweep: &Sweep,
) -> (Found, Result<Ending, SourceError>) {
    let (out, found) = mpsc::channel(8);
    let reader = Reader::Ldap(settings.clone());
    tokio::join!(gathered(found), reader.people(sweep, out))
}

/// Reads groups.
pub(crate) async fn groups(settings: &LdapSourceSettings) -> (Found, Result<Ending, SourceError>) {
    let (out, found) = mpsc::channel(8);
    let reader = Reader::Ldap(settings.clone());
    tokio::join!(gathered(found), reader.groups(out))
}

/// What is sent, until the reader ends.
pub(crate) async fn gathered(mut reads: mpsc::Receiver<Read>) -> Found {
    let mut found = Found::default();
    while let Some(read) = reads.recv().await {
        found.take(read);
    }
    found
}

/// All people of a source.
pub(crate) async fn all_people(settings: &LdapSourceSettings) -> Found {
    let (found, ending) = people(settings, &Sweep::Whole).await;
    assert!(ending.unwrap().is_whole);
    found
}

/// All groups of a source.
pub(crate) async fn all_groups(settings: &LdapSourceSettings) -> Found {
    let (found, ending) = groups(settings).await;
    assert_eq!(ending.unwrap(), Ending { is_whole: true, position: None });
    found
}
