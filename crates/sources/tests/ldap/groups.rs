//! Reading groups from the stand-in.

use crate::fixture::{all_groups, groups, settings_of};
use sources::ldap::LdapSourceSettings;
use stand_ins::active_directory::{DomainController, Entry, sid};

fn dn_of(container: &str, name: &str) -> String {
    format!("CN={name},{}", DomainController::container(container))
}

fn person(name: &str) -> Entry {
    Entry::person("Staff", name).with("mail", &format!("{}@example.test", name.to_lowercase()))
}

fn list(name: &str) -> Entry {
    Entry::group("Groups", name).with("mail", &format!("{}@example.test", name.to_lowercase()))
}

fn staff(name: &str) -> String {
    dn_of("Staff", name)
}

fn group(name: &str) -> String {
    dn_of("Groups", name)
}

#[tokio::test]
async fn a_group_with_thousands_of_members_is_read_in_ranges() {
    let ad = DomainController::start();
    let name = |number: usize| format!("P{number}");
    ad.generate(4_000, move |number| person(&name(number)));
    let members: Vec<_> = (0..4_000).map(|number| staff(&name(number))).collect();
    ad.put(list("All").with_members(&members));
    ad.put(list("Exact").with_members(&members[..1_500]));
    let found = all_groups(&settings_of(&ad)).await;
    assert_eq!(found.members("all@example.test").len(), 4_000);
    assert_eq!(found.members("exact@example.test").len(), 1_500);
    let ranges: Vec<_> = ad.asked().into_iter().flat_map(|asked| asked.attributes).collect();
    let ranges: Vec<_> = ranges.iter().filter(|name| name.contains("range")).map(String::as_str).collect();
    assert_eq!(ranges, ["member;range=1500-*", "member;range=3000-*"]);
    assert_eq!(found.passed, []);
}

#[tokio::test]
async fn a_primary_group_has_members_that_it_does_not_name() {
    let ad = DomainController::start();
    ad.put_all([person("Anna"), person("Boris").with("primaryGroupID", "4711"), person("Vera")]);
    ad.put(list("Users").with_bytes("objectSid", vec![sid(513)]).with_members(&[staff("Boris")]));
    let found = all_groups(&settings_of(&ad)).await;
    assert_eq!(
        found.members("users@example.test"),
        ["anna@example.test", "boris@example.test", "vera@example.test"]
    );
}

#[tokio::test]
async fn nested_groups_are_lists_in_lists_or_are_replaced_by_their_members() {
    let ad = DomainController::start();
    ad.put_all(["Anna", "Boris", "Vera", "Gleb"].map(person));
    ad.put(list("Company").with_members(&[group("Sales"), group("Security"), staff("Anna")]));
    ad.put(list("Sales").with_members(&[staff("Boris")]));
    // Without an address; one below the container of people; and one that the filter does not want.
    ad.put(Entry::group("Groups", "Security").with_members(&[dn_of("Staff", "Inner"), group("Unwanted")]));
    ad.put(Entry::group("Staff", "Inner").with_members(&[staff("Vera"), group("Security")]));
    ad.put(list("Unwanted").with("cn", "Other").with_members(&[staff("Gleb"), group("Sales")]));
    let settings = LdapSourceSettings {
        groups_filter: "(&(objectClass=group)(mail=*)(!(cn=Other)))".into(),
        ..settings_of(&ad)
    };
    let found = all_groups(&settings).await;
    assert_eq!(found.lists.keys().collect::<Vec<_>>(), ["company@example.test", "sales@example.test"]);
    assert_eq!(
        found.members("company@example.test"),
        ["anna@example.test", "gleb@example.test", "sales@example.test", "vera@example.test"]
    );
    assert_eq!(found.lists["company@example.test"].display_name, "Company");
    assert_eq!(found.passed, []);
}

#[tokio::test]
async fn circles_are_cut_and_reported() {
    let ad = DomainController::start();
    ad.put_all(["Anna", "Boris"].map(person));
    ad.put(list("One").with_members(&[group("Two"), staff("Anna")]));
    ad.put(list("Two").with_members(&[group("Three"), staff("Boris")]));
    ad.put(list("Three").with_members(&[group("One")]));
    ad.put(list("Self").with_members(&[group("Self"), staff("Anna")]));
    for _ in 0..2 {
        let found = all_groups(&settings_of(&ad)).await;
        assert_eq!(found.members("one@example.test"), ["anna@example.test", "two@example.test"]);
        assert_eq!(found.members("two@example.test"), ["boris@example.test", "three@example.test"]);
        assert_eq!(found.members("three@example.test"), [""; 0]);
        assert_eq!(found.members("self@example.test"), ["anna@example.test"]);
        let [why] = found.why("three@example.test")[..] else { panic!("{found:?}") };
        assert!(why.starts_with("one@example.test contains it"), "{why}");
        assert_eq!(found.why("self@example.test").len(), 1);
    }
}

#[tokio::test]
async fn members_without_an_address_are_counted() {
    let ad = DomainController::start();
    ad.put_all([person("Anna"), person("Left").with("userAccountControl", "514")]);
    ad.put(person("Hidden").with("msExchHideFromAddressLists", "TRUE"));
    let foreign = "CN=S-1-5-21-9-9-9-1104,CN=ForeignSecurityPrincipals,DC=example,DC=test".to_owned();
    ad.put(list("Sales").with_members(&[staff("Anna"), staff("Left"), staff("Hidden"), foreign]));
    let found = all_groups(&settings_of(&ad)).await;
    assert_eq!(found.members("sales@example.test"), ["anna@example.test", "hidden@example.test"]);
    let [why] = found.why("sales@example.test")[..] else { panic!("{found:?}") };
    assert!(why.starts_with("2 of its members have no address"), "{why}");
}

#[tokio::test]
async fn a_group_that_cannot_be_a_list_is_reported_and_kept() {
    let ad = DomainController::start();
    ad.put(person("Anna"));
    ad.put(list("Odd").with("mail", "odd address@example.test"));
    let found = all_groups(&settings_of(&ad)).await;
    let [passed] = &found.passed[..] else { panic!("{found:?}") };
    assert!(passed.keeps.is_some() && passed.why.contains("odd address@example.test"), "{passed:?}");
}

#[tokio::test]
async fn without_a_container_there_are_no_groups() {
    let ad = DomainController::start();
    let none = LdapSourceSettings { groups_dn: None, ..settings_of(&ad) };
    let (found, ending) = groups(&none).await;
    assert!(found.lists.is_empty() && !ending.unwrap().is_whole, "nothing is known of who has left");
    assert_eq!(found.why("groups").len(), 1);
    assert_eq!(ad.connections(), 0);
}
