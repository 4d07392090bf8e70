//! Removes what `db2ldif -r` of 389-ds writes in addition: with each value the changes that it comes from, as options
//! of its attribute (`title;vucsn-5f0c…`), and values and attributes that were removed (`;deleted`,
//! `;deletedattribute`), which other replicas may still have to learn about. None of this belongs to the current state
//! of an entry.

use super::meaning::under_other_names;
use ldap_text::{attribute::AttributeName, ldif::Entry};

/// The prefixes of options that name a change: the change that updated a value, removed it, made it part of the
/// entry's RDN, or removed its attribute.
const CHANGES: [&str; 4] = ["vucsn-", "vdcsn-", "mdcsn-", "adcsn-"];
/// The length of a change number, in hexadecimal digits.
const NUMBER: usize = 20;
/// The options of a value that was removed, alone or with its attribute.
const REMOVED: [&str; 2] = ["deleted", "deletedattribute"];

/// The current state of an entry, without its history.
pub(super) fn without_history(mut entry: Entry) -> Entry {
    let has_history = |name: &AttributeName| name.options().any(is_change);
    if !entry.attributes.iter().any(|attribute| has_history(&attribute.name)) {
        return entry;
    }
    let is_removed = |name: &AttributeName| has_history(name) && name.options().any(|o| REMOVED.contains(&o));
    entry.attributes.retain(|attribute| !is_removed(&attribute.name));
    under_other_names(entry, |name| has_history(name).then(|| name.with_options(|option| !is_change(option))))
}

fn is_change(option: &str) -> bool {
    let number = CHANGES.iter().find_map(|change| option.strip_prefix(change));
    number.is_some_and(|number| number.len() == NUMBER && number.bytes().all(|b| b.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::ldif::{LdifReader, Record, write_content};

    #[test]
    fn what_was_removed_is_gone_and_the_rest_is_as_it_is() {
        let text = "dn: cn=zz,dc=x
cn;vucsn-6b0bc9e8000700070001;mdcsn-6b0bc9e8000700070000: zz
cn;vucsn-6b0bc9e8000100070000;mdcsn-6b0bc9e8000100070000;vdcsn-6b0bc9e8000700070000;deleted: 
 z
cn;lang-ru;vucsn-6b0bc9e8000200070004: y
description;adcsn-6b0bc9e8000200070001;vucsn-6b0bc9e8000300070000: d3
description;vdcsn-6b0bc9e8000200070001;deleted:
userCertificate;binary;vucsn-6b0bc9e8000200070005: a
objectClass;vucsn-6b0bc9e8000100070000: person
objectClass;vucsn-6b0bc9e8000200070000: top
mail;vucsn-6b0bc9e8000100070000;vdcsn-6b0bc9e8000200070002;deletedattribute;deleted: 
 z@x.y
sn: x
";
        let Some(Ok(Record::Entry(entry))) = LdifReader::new(text.as_bytes()).next() else {
            panic!("an entry")
        };
        let mut out = Vec::new();
        write_content(&mut out, &without_history(entry)).unwrap();
        let expected = "dn: cn=zz,dc=x
cn: zz
cn;lang-ru: y
description: d3
userCertificate;binary: a
objectClass: person
objectClass: top
sn: x

";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn options_of_people_stay() {
        for name in
            ["cn;deleted", "cn;vucsn-1", "cn;vucsn-6b0bc9e800010007000z", "cn;x-vucsn-6b0bc9e8000100070000"]
        {
            let text = format!("dn: cn=a\n{name}: a\n");
            let Some(Ok(Record::Entry(entry))) = LdifReader::new(text.as_bytes()).next() else {
                panic!("{name}")
            };
            assert_eq!(without_history(entry.clone()), entry, "{name}");
        }
    }
}
