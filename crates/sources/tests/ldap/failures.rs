//! Whatever goes wrong is an error, and never a short answer.

use crate::fixture::{groups, people, settings_of};
use sources::{
    Reader, SourceError, Sweep,
    ldap::{Encryption, LdapSourceSettings},
};
use stand_ins::active_directory::{DomainController, Entry, Fault};
use std::{net::TcpListener, time::Duration};
use tokio::sync::mpsc;

fn domain(people: usize) -> DomainController {
    let ad = DomainController::start();
    ad.generate(people, |number| {
        let mail = format!("p{number}@example.test");
        Entry::person("Staff", &format!("Person {number}")).with("mail", &mail)
    });
    ad.put(Entry::group("Groups", "Sales").with("mail", "sales@example.test"));
    ad
}

async fn error(settings: &LdapSourceSettings) -> SourceError {
    people(settings, &Sweep::Whole).await.1.unwrap_err()
}

#[tokio::test]
async fn a_read_that_ends_on_the_third_page_is_an_error() {
    let ad = domain(1_600);
    let settings = LdapSourceSettings { timeout: Duration::from_secs(2), ..settings_of(&ad) };
    for (fault, word) in [
        (Fault::FailOnPage(3), "result code 51"),
        (Fault::CutOnPage(3), "the connection ended"),
        (Fault::SilentOnPage(3), "no answer within"),
    ] {
        ad.fail(fault.clone());
        let (found, ending) = people(&settings, &Sweep::Whole).await;
        let text = ending.unwrap_err().to_string();
        assert!(text.contains(word), "{fault:?}: {text}");
        assert!((1_000..1_600).contains(&found.people.len()), "{fault:?}");
        let (found, ending) = groups(&settings).await;
        assert!(ending.is_err() && found.lists.is_empty(), "{fault:?}");
    }
    ad.fail(Fault::None);
    assert_eq!(people(&settings, &Sweep::Whole).await.0.people.len(), 1_600);
}

#[tokio::test]
async fn a_server_without_paging_must_return_all_at_once() {
    let ad = domain(1_200);
    ad.fail(Fault::NoPaging);
    let text = error(&settings_of(&ad)).await.to_string();
    assert!(text.contains("no paging"), "{text}");
    let small = domain(900);
    small.fail(Fault::NoPaging);
    let (found, ending) = people(&settings_of(&small), &Sweep::Whole).await;
    assert!(ending.unwrap().is_whole);
    assert_eq!(found.people.len(), 900);
}

#[tokio::test]
async fn a_refused_login_is_told_in_words() {
    let ad = domain(1);
    let settings = settings_of(&ad);
    for (code, word) in
        [("533", "disabled"), ("701", "has expired"), ("775", "locked"), ("52e", "password is wrong")]
    {
        ad.fail(Fault::RefuseLogin(code));
        let refused = error(&settings).await;
        assert!(matches!(&refused, SourceError::Login(text) if text.contains(word)), "{code}: {refused}");
    }
    ad.fail(Fault::WantEncryption);
    let refused = error(&settings).await;
    assert!(matches!(&refused, SourceError::Login(text) if text.contains("encryption")), "{refused}");
    ad.fail(Fault::None);
    let wrong = LdapSourceSettings { password: "wrong-secret".into(), ..settings };
    let refused = error(&wrong).await.to_string();
    assert!(refused.contains("password is wrong") && !refused.contains("wrong-secret"), "{refused}");
}

#[tokio::test]
async fn nobody_is_asked_without_a_password() {
    let ad = domain(1);
    let nobody = LdapSourceSettings { password: "".into(), ..settings_of(&ad) };
    assert!(matches!(error(&nobody).await, SourceError::Login(_)));
    assert_eq!(ad.connections(), 0);
}

#[tokio::test]
async fn a_container_that_does_not_exist_is_not_an_empty_one() {
    let ad = domain(1);
    let elsewhere =
        LdapSourceSettings { base_dn: DomainController::container("Nowhere"), ..settings_of(&ad) };
    let text = error(&elsewhere).await.to_string();
    assert!(text.contains("no such entry") && !text.contains("OU="), "{text}");
}

#[tokio::test]
async fn encryption_that_the_server_does_not_have_is_refused() {
    let ad = domain(1);
    for encryption in [Encryption::StartTls, Encryption::Tls] {
        let settings = LdapSourceSettings { encryption, timeout: Duration::from_secs(1), ..settings_of(&ad) };
        assert!(matches!(error(&settings).await, SourceError::Unreachable { .. }), "{encryption:?}");
    }
}

#[tokio::test]
async fn a_server_that_is_not_there_or_says_nothing_is_unreachable() {
    let ad = domain(1);
    let mut settings = LdapSourceSettings { timeout: Duration::from_millis(300), ..settings_of(&ad) };
    drop(ad);
    assert!(matches!(error(&settings).await, SourceError::Unreachable { .. }));
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    settings.port = silent.local_addr().unwrap().port();
    let text = error(&settings).await.to_string();
    assert!(text.starts_with("cannot reach 127.0.0.1:") && text.contains("no answer within"), "{text}");
}

#[tokio::test]
async fn a_read_ends_when_nobody_wants_it_any_more() {
    let ad = domain(100);
    let (out, reads) = mpsc::channel(1);
    drop(reads);
    let ended = Reader::Ldap(settings_of(&ad)).people(&Sweep::Whole, out).await;
    assert!(matches!(ended, Err(SourceError::Ended)));
}
