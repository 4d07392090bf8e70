//! Reading people from the stand-in.

use crate::fixture::{all_people, settings_of};
use mail_model::{address::MailAddress, user::field::UserField};
use sources::ldap::LdapSourceSettings;
use stand_ins::active_directory::{DomainController, Entry};

fn person(name: &str, mail: &str) -> Entry {
    Entry::person("Staff", name).with("mail", mail)
}

#[tokio::test]
async fn more_people_than_an_answer_holds_are_read_in_pages() {
    let ad = DomainController::start();
    ad.generate(2_345, |number| person(&format!("Person {number}"), &format!("p{number}@example.test")));
    let found = all_people(&settings_of(&ad)).await;
    assert_eq!((found.people.len(), found.passed.len()), (2_345, 0));
    let asked = ad.asked();
    let pages: Vec<_> = asked.iter().filter(|asked| asked.base.starts_with("OU=")).collect();
    assert_eq!(pages.iter().map(|asked| asked.page).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(pages.iter().all(|asked| asked.controls.len() == 1), "{pages:?}");
    let photo = |asked: &str| asked == "thumbnailPhoto";
    assert!(pages[0].attributes.iter().any(|name| photo(name)), "{pages:?}");
    assert_eq!(ad.connections(), 1);
}

#[tokio::test]
async fn a_person_comes_with_fields_addresses_and_photo() {
    let ad = DomainController::start();
    let addresses =
        ["SMTP:anna@example.test", "smtp:a.smirnova@example.test", "X500:/o=Example/cn=anna", "smtp:x"];
    ad.put(
        person("Анна Смирнова", "Anna@Example.test")
            .with_all("proxyAddresses", &addresses)
            .with("title", "Инженер")
            .with("telephoneNumber", "+7 (495) 123-45-67 доб. 12")
            .with_bytes("thumbnailPhoto", vec![vec![0xff, 0xd8, 0xff, 0]]),
    );
    let found = all_people(&settings_of(&ad)).await;
    let card = &found.people["anna@example.test"];
    assert_eq!(card.id.as_str(), "ad:00add000-0000-414d-8000-000000000001");
    assert_eq!(card.aliases.iter().map(MailAddress::as_str).collect::<Vec<_>>(), ["a.smirnova@example.test"]);
    assert_eq!(card.text(UserField::FirstName), Some("Анна"));
    assert_eq!(card.text(UserField::Title), Some("Инженер"));
    assert_eq!(card.text(UserField::WorkPhone), Some("+7 (495) 123-45-67, 12"));
    assert_eq!(card.photo.as_deref(), Some(&[0xff, 0xd8, 0xff, 0][..]));
    let [why] = found.why("anna@example.test")[..] else { panic!("{found:?}") };
    assert!(why.contains("\"x\""), "{why}");
}

#[tokio::test]
async fn who_has_left_or_is_hidden_is_not_read() {
    let ad = DomainController::start();
    ad.put_all([
        person("Works Here", "works@example.test"),
        person("Disabled Account", "disabled@example.test").with("userAccountControl", "514"),
        // The stand-in's clock stands at 2026-11-30.
        person("Expired Yesterday", "expired@example.test").with("accountExpires", "134397360000000000"),
        person("Expires Later", "later@example.test").with("accountExpires", "139000000000000000"),
        person("Hidden Person", "hidden@example.test").with("msExchHideFromAddressLists", "TRUE"),
        Entry::contact("Staff", "Outside Partner").with("mail", "partner@example.org"),
        Entry::computer("Staff", "PRINTER").with("mail", "printer@example.test"),
        person("Without Address", "").with_all::<&str>("mail", &[]),
        Entry::person("Elsewhere", "Someone Else").with("mail", "else@example.test"),
    ]);
    let found = all_people(&settings_of(&ad)).await;
    assert_eq!(found.mails(), ["later@example.test", "partner@example.org", "works@example.test"]);
    assert_eq!(found.passed, []);
}

#[tokio::test]
async fn who_cannot_be_read_is_reported_and_kept() {
    let ad = DomainController::start();
    ad.put(person("Odd Address", "odd address@example.test"));
    ad.put(person("Fine", "fine@example.test"));
    let found = all_people(&settings_of(&ad)).await;
    assert_eq!(found.mails(), ["fine@example.test"]);
    let [passed] = &found.passed[..] else { panic!("{found:?}") };
    assert_eq!(passed.what, "CN=Odd Address,OU=Staff,DC=example,DC=test");
    assert_eq!(passed.keeps.as_ref().unwrap().as_str(), "ad:00add000-0000-414d-8000-000000000001");
}

#[tokio::test]
async fn a_renamed_or_moved_person_is_the_same() {
    let ad = DomainController::start();
    ad.put(person("Anna Smirnova", "anna@example.test"));
    let settings = settings_of(&ad);
    let before = all_people(&settings).await.people["anna@example.test"].id.clone();
    let new = format!("CN=Anna Petrova,{}", DomainController::container("Moscow/Staff"));
    ad.rename("CN=Anna Smirnova,OU=Staff,DC=example,DC=test", &new);
    ad.change(&new, |entry| entry.with("mail", "petrova@example.test").with("sn", "Petrova"));
    let after = all_people(&settings).await;
    assert_eq!(after.people["petrova@example.test"].id, before);
}

#[tokio::test]
async fn references_to_other_servers_are_not_followed() {
    let ad = DomainController::start();
    ad.put(person("Anna", "anna@example.test"));
    let whole = LdapSourceSettings { base_dn: "DC=example,DC=test".into(), ..settings_of(&ad) };
    assert_eq!(all_people(&whole).await.mails(), ["anna@example.test"]);
}

#[tokio::test]
async fn a_filter_of_bits_is_sent_as_it_is_written() {
    let ad = DomainController::start();
    ad.put(person("Anna (Sales)", "anna@example.test"));
    ad.put(person("Boris", "boris@example.test").with("userAccountControl", "66048"));
    let bits = "(&(mail=*)(!(userAccountControl:1.2.840.113556.1.4.803:=65536))(cn=*\\28Sales\\29))";
    let settings = LdapSourceSettings { users_filter: bits.into(), ..settings_of(&ad) };
    assert_eq!(all_people(&settings).await.mails(), ["anna@example.test"]);
}
