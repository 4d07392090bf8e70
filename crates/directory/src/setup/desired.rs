//! The entries that a server should have, read from the LDIF files of `schema/`, and how the existing ones differ.

use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Attribute, Change, ChangeRecord, LdifReader, Modification, ModifyKind, Record, Value},
};
use mail_model::entry::EntryView;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// The plug-in memberOf and its index, which are set up only on request.
pub(super) const MEMBER_OF: &str = include_str!("../../../../schema/member-of.ldif");
/// The class of indexes.
pub(super) const INDEX_CLASS: &str = "nsIndex";

/// Attributes that may have other values in addition to those of pbm; every other attribute must have the values of
/// pbm only.
const SHARED: &[&str] = &[
    "objectClass",
    "nsIndexType",
    "uniqueness-attribute-name",
    "uniqueness-subtrees",
    "referint-membership-attr",
    "memberOfGroupAttr",
    "associatedDomain",
];

/// Attributes that are set only if they have no value. 389-ds requires some of them when a plug-in is added, and shows
/// its own values afterwards; and other programs also have a say in who may write hashed passwords.
const INITIAL: &[&str] =
    &["nsslapd-pluginVersion", "nsslapd-pluginVendor", "nsslapd-pluginDescription", "passwordAdminDN"];

/// The attribute of access rules: those of pbm are recognized by their names, others are left alone.
const ACI: &str = "aci";
/// The beginning of the names of pbm's access rules.
const OUR_ACL: &str = "acl \"pbm: ";

/// Reads the entries of a file of `schema/`, with the names in braces filled in.
///
/// # Panics
/// Never with the files of this repository, whatever the names are: a test reads all of them.
pub(super) fn entries(ldif: &str, names: &[(&str, String)]) -> Vec<ldap_text::ldif::Entry> {
    let filled =
        names.iter().fold(ldif.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
    LdifReader::new(filled.as_bytes())
        .filter_map(|record| match record {
            Ok(Record::Entry(entry)) => Some(entry),
            Ok(Record::Change(_)) | Err(_) => None,
        })
        .collect()
}

/// The change that brings an entry to the wanted state; `None` if it is in that state already.
pub(super) fn difference(
    wanted: &ldap_text::ldif::Entry,
    current: Option<&impl EntryView>,
) -> Option<ChangeRecord> {
    let change = match current {
        None => Change::Add(with_naming_attribute(wanted)),
        Some(current) => {
            let modifications: Vec<_> =
                wanted.attributes.iter().flat_map(|a| modifications(a, current)).collect();
            if modifications.is_empty() {
                return None;
            }
            Change::Modify(modifications)
        }
    };
    Some(ChangeRecord { dn: wanted.dn.clone(), change })
}

fn modifications(wanted: &Attribute, current: &impl EntryView) -> Vec<Modification> {
    let has = current.values(&wanted.name);
    let missing: Vec<Value> =
        wanted.values.iter().filter(|value| !has.iter().any(|h| same(h, value))).cloned().collect();
    let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(wanted.name.as_str()));
    let modify =
        |kind, values| Modification { kind, attribute: Attribute { name: wanted.name.clone(), values } };
    if is(INITIAL) && has.iter().any(|value| !value.is_empty()) {
        return Vec::new();
    }
    if is(&[ACI]) {
        let outdated: Vec<Value> = has
            .iter()
            .filter(|rule| rule.contains(OUR_ACL) && !wanted.values.iter().any(|value| same(rule, value)))
            .map(|rule| rule.as_str().into())
            .collect();
        let steps = [(ModifyKind::Delete, outdated), (ModifyKind::Add, missing)];
        return steps
            .into_iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(kind, v)| modify(kind, v))
            .collect();
    }
    if is(SHARED) {
        return if missing.is_empty() { Vec::new() } else { vec![modify(ModifyKind::Add, missing)] };
    }
    if missing.is_empty() && has.len() == wanted.values.len() {
        Vec::new()
    } else {
        vec![modify(ModifyKind::Replace, wanted.values.clone())]
    }
}

/// Values of the configuration are compared without regard to case; so are DNs and access rules.
fn same(has: &str, wanted: &Value) -> bool {
    std::str::from_utf8(wanted.as_bytes()).is_ok_and(|wanted| has.trim().eq_ignore_ascii_case(wanted.trim()))
}

fn with_naming_attribute(wanted: &ldap_text::ldif::Entry) -> Vec<Attribute> {
    let mut attributes = wanted.attributes.clone();
    for name in [mail_model::names::OU, mail_model::names::UID, mail_model::names::CN] {
        let value = wanted.dn.rdn().and_then(|rdn| rdn.value_of(&name));
        if let Some(value) = value.filter(|_| !attributes.iter().any(|a| a.name == name)) {
            attributes.push(Attribute { name, values: vec![value.into()] });
        }
    }
    attributes
}

/// The names of the attributes that a wanted entry has.
pub(super) fn attribute_names(wanted: &ldap_text::ldif::Entry) -> Vec<AttributeName> {
    wanted.attributes.iter().map(|attribute| attribute.name.clone()).collect()
}

/// Bytes of a DN that must be percent-encoded in an LDAP URL (RFC 4516 section 2.1).
const NOT_IN_URL: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'\\');

/// A DN, encoded for an LDAP URL.
pub(super) fn in_url(dn: &Dn) -> String {
    utf8_percent_encode(&dn.to_string(), NOT_IN_URL).to_string()
}

/// Adds an attribute to an entry, for example a password that is not in the file.
pub(super) fn with(
    mut entry: ldap_text::ldif::Entry,
    name: AttributeName,
    value: Value,
) -> ldap_text::ldif::Entry {
    entry.attributes.push(Attribute { name, values: vec![value] });
    entry
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Current(Vec<(&'static str, Vec<String>)>);

    impl EntryView for Current {
        fn values(&self, name: &AttributeName) -> &[String] {
            let named = self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name.as_str()));
            named.map_or(&[], |(_, values)| values)
        }
    }

    fn wanted(ldif: &str) -> ldap_text::ldif::Entry {
        entries(ldif, &[("root", "dc=x".into())]).remove(0)
    }

    #[test]
    fn what_is_there_already_needs_no_change() {
        let wanted = wanted("dn: cn=a,{root}\nobjectClass: top\nnsIndexType: eq\nnsSystemIndex: false\n");
        let current = Current(vec![
            ("objectclass", vec!["Top".into(), "other".into()]),
            ("nsIndexType", vec!["pres".into(), "eq".into()]),
            ("nsSystemIndex", vec!["FALSE".into()]),
        ]);
        assert_eq!(difference(&wanted, Some(&current)), None);
    }

    #[test]
    fn a_setting_is_replaced_and_a_shared_list_only_grows() {
        let wanted =
            wanted("dn: cn=a,{root}\nnsIndexType: eq\nnsIndexType: sub\nnsslapd-pluginEnabled: on\n");
        let current =
            Current(vec![("nsIndexType", vec!["eq".into()]), ("nsslapd-pluginEnabled", vec!["off".into()])]);
        let text = difference(&wanted, Some(&current)).unwrap().to_string();
        assert!(text.contains("add: nsIndexType\nnsIndexType: sub\n"), "{text}");
        assert!(text.contains("replace: nsslapd-pluginEnabled\nnsslapd-pluginEnabled: on\n"), "{text}");
    }

    #[test]
    fn only_our_own_outdated_access_rules_go() {
        let wanted =
            wanted("dn: ou=a,{root}\naci: (version 3.0; acl \"pbm: new\"; allow (read) userdn = \"x\";)\n");
        let current = Current(vec![("aci", vec!["acl \"pbm: old\"".into(), "acl \"theirs\"".into()])]);
        let text = difference(&wanted, Some(&current)).unwrap().to_string();
        assert!(text.contains("delete: aci\naci: acl \"pbm: old\"\n"), "{text}");
        assert!(!text.contains("theirs"), "{text}");
    }
}
