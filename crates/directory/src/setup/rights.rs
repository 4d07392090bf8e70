//! Checks that the service account may read, by `schema/tree.ldif`, what the program requests.

use super::{TREE, desired::entries};
use ldap_text::attribute::AttributeName;
use mail_model::{
    contact::record, deletion, maillist, names, resource, resource::field::ResourceField, resource::group,
    revision, source::card::CARD_FIELDS, tenant, user, user::field::UserField,
};
use std::collections::BTreeSet;

/// The values of `aci` at a folder.
fn rules(folder: &str) -> Vec<String> {
    let names = [
        "domains",
        "people",
        "groups",
        "resources",
        "contacts",
        "system",
        "answers",
        "runs",
        "service",
        "decoy",
        "policy",
    ];
    let filled = names.map(|name| (name, format!("ou={name},dc=x")));
    let found =
        entries(TREE, &filled).into_iter().find(|entry| entry.dn.to_string() == format!("ou={folder},dc=x"));
    let attributes = found.unwrap().attributes.into_iter().filter(|attribute| attribute.name == names::ACI);
    let text = |value: &ldap_text::ldif::Value| String::from_utf8(value.as_bytes().to_vec()).unwrap();
    attributes.flat_map(|attribute| attribute.values.iter().map(text).collect::<Vec<_>>()).collect()
}

/// The attributes that may be read at a folder, in lower case.
fn readable(folder: &str) -> BTreeSet<String> {
    attributes_of(folder, "allow (read,")
}

/// The attributes that may be written at a folder, in lower case.
fn writable(folder: &str) -> BTreeSet<String> {
    attributes_of(folder, "allow (write)")
}

/// The attributes of the only rule that allows something, in lower case.
fn attributes_of(folder: &str, allows: &str) -> BTreeSet<String> {
    let rules: Vec<_> = rules(folder).into_iter().filter(|rule| rule.contains(allows)).collect();
    let [rule] = rules.as_slice() else { panic!("{folder}: {rules:?}") };
    let (list, _) = rule.strip_prefix("(targetattr = \"").unwrap().split_once("\")").unwrap();
    list.split(" || ").map(str::to_lowercase).collect()
}

#[track_caller]
fn assert_readable(folder: &str, wanted: impl IntoIterator<Item = AttributeName>) {
    let readable = readable(folder);
    for name in wanted.into_iter().filter(|name| *name != names::NO_ATTRIBUTES) {
        assert!(readable.contains(&name.as_str().to_lowercase()), "{folder}: {name} can't be read");
    }
}

#[test]
fn whatever_is_asked_for_can_be_read() {
    let life = [
        names::DELETED_SINCE,
        names::DELETED_WITH_TENANT,
        names::PURGING,
        names::NUM_SUBORDINATES,
        names::REPLICATION_CONFLICT,
    ];
    for folder in ["people", "groups", "resources", "contacts"] {
        assert_readable(folder, record::read_attributes().iter().cloned());
        assert_readable(folder, deletion::FOLLOWING_ATTRIBUTES.iter().cloned());
        assert_readable(folder, revision::READ_ATTRIBUTES.iter().cloned());
        assert_readable(folder, life.iter().cloned().chain([names::OU]));
    }
    assert_readable("people", user::read_attributes().into_iter().chain([names::JPEG_PHOTO]));
    assert_readable("people", user::account::READ_ATTRIBUTES.iter().cloned());
    assert_readable("groups", maillist::READ_ATTRIBUTES.iter().cloned().chain([names::MEMBER_URL]));
    assert_readable("resources", resource::read_attributes());
    assert_readable("resources", group::READ_ATTRIBUTES.iter().cloned());
    assert_readable("domains", tenant::READ_ATTRIBUTES.iter().cloned().chain([names::NUM_SUBORDINATES]));
    let kept = [names::REQUEST_DIGEST, names::ANSWER_STATUS, names::ANSWER_BODY, names::ANSWER_BEGAN];
    let marks = [names::SOURCE, names::SOURCE_PHOTO];
    for folder in ["people", "contacts"] {
        assert_readable(folder, marks.iter().cloned());
    }
    assert_readable("groups", [names::SOURCE]);
    assert_readable("runs", [names::RUN_REPORT, names::REVISION, names::OBJECT_CLASS]);
    assert_readable("answers", kept.iter().cloned().chain([names::OBJECT_CLASS]));
}

#[test]
fn whatever_a_request_sets_can_be_written() {
    let of_users = UserField::ALL.map(UserField::attribute).into_iter().chain([
        names::MAIL,
        names::USER_PASSWORD,
        names::JPEG_PHOTO,
        names::SOURCE,
        names::SOURCE_PHOTO,
    ]);
    let of_resources = ResourceField::ALL.map(ResourceField::attribute);
    let of_contacts = CARD_FIELDS.map(UserField::attribute).into_iter().chain([
        names::MAIL,
        names::MAIL_ALTERNATE_ADDRESS,
        names::JPEG_PHOTO,
        names::SOURCE,
        names::SOURCE_PHOTO,
    ]);
    let writable = ["people", "resources", "contacts"].map(writable);
    let of_users = of_users.map(|name| (0, name));
    let others = of_resources.into_iter().map(|name| (1, name)).chain(of_contacts.map(|name| (2, name)));
    for (folder, name) in of_users.chain(others) {
        assert!(writable[folder].contains(&name.as_str().to_lowercase()), "{name} can't be written");
    }
}

#[test]
fn no_secret_can_be_read_and_every_rule_names_what_it_allows() {
    let known: BTreeSet<_> = names::ALL_ATTRIBUTES.iter().map(|name| name.as_str().to_lowercase()).collect();
    for folder in ["domains", "people", "groups", "resources", "contacts", "answers", "runs"] {
        let readable = readable(folder);
        assert!(
            readable.is_subset(&known),
            "{folder}: {:?}",
            readable.difference(&known).collect::<Vec<_>>()
        );
        for secret in [names::USER_PASSWORD, names::ACI] {
            assert!(!readable.contains(&secret.as_str().to_lowercase()), "{folder}: {secret}");
        }
        for rule in rules(folder) {
            assert!(!rule.contains("!=") && !rule.contains("\"*\""), "{rule}");
        }
    }
}
