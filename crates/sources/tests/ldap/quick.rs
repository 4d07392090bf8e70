//! Quick runs: what has changed since an earlier one.

use crate::fixture::{Found, people, settings_of};
use sources::{Sweep, ldap::LdapSourceSettings};
use stand_ins::active_directory::{DomainController, Entry};

fn person(number: usize) -> Entry {
    Entry::person("Staff", &format!("Person {number}")).with("mail", &format!("p{number}@example.test"))
}

/// Reads since a position, and returns what was found, whether it was all, and the next position.
async fn since(settings: &LdapSourceSettings, position: &str) -> (Found, bool, String) {
    let (found, ending) = people(settings, &Sweep::Since(position.to_owned())).await;
    let ending = ending.unwrap();
    (found, ending.is_whole, ending.position.unwrap())
}

#[tokio::test]
async fn only_who_has_changed_is_read() {
    let ad = DomainController::start();
    ad.put_all((0..1_500).map(person));
    let settings = settings_of(&ad);
    let (found, is_whole, first) = since(&settings, "").await;
    assert_eq!((found.people.len(), is_whole), (1_500, true));
    let (found, is_whole, same) = since(&settings, &first).await;
    assert_eq!((found.people.len(), is_whole, &same), (0, false, &first));

    ad.change("CN=Person 7,OU=Staff,DC=example,DC=test", |entry| entry.with("title", "Head"));
    ad.put(person(1_500));
    ad.change("CN=Person 8,OU=Staff,DC=example,DC=test", |entry| entry.with("userAccountControl", "514"));
    ad.delete("CN=Person 9,OU=Staff,DC=example,DC=test");
    let (found, is_whole, second) = since(&settings, &first).await;
    assert_eq!((found.mails(), is_whole), (vec!["p1500@example.test", "p7@example.test"], false));
    let (found, ..) = since(&settings, &second).await;
    assert_eq!(found.people.len(), 0);
}

#[tokio::test]
async fn another_database_or_other_settings_need_a_whole_run() {
    let ad = DomainController::start();
    ad.put_all((0..3).map(person));
    let settings = settings_of(&ad);
    let (_, _, first) = since(&settings, "").await;
    let other = LdapSourceSettings { users_filter: "(mail=*)".into(), ..settings.clone() };
    assert!(since(&other, &first).await.1);
    assert!(!since(&settings, &first).await.1);
    ad.restore_from_backup();
    let (found, is_whole, second) = since(&settings, &first).await;
    assert_eq!((found.people.len(), is_whole), (3, true));
    assert!(!since(&settings, &second).await.1);
}
