//! Files of other programs: they can be read, and after writing them the result is equal.
//!
//! `samples/` has the examples of RFC 2849, and the output of `ldapsearch` and `db2ldif` of 389 Directory Server 2.3
//! for entries that are hard to write. The sample directories of 389 Directory Server (Netscape's Example.ldif, known
//! from all its descendants) are read from where the package has installed them.

use std::fs;
use std::path::Path;

use super::*;

const STOCK: &str = "/usr/share/dirsrv/data";

fn sample(name: &str) -> String {
    text_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/ldif/tests/samples").join(name))
}

fn text_of(path: &Path) -> String {
    fs::read_to_string(path)
        .unwrap_or_else(|error| panic!("{}: {error}; `make packages` installs 389-ds-base", path.display()))
}

/// Reads a text, writes its content in both ways, and reads the result.
fn there_and_back(text: &str) -> Vec<Record> {
    let records = read(text);
    let written = |explained: bool| {
        let mut text = Vec::new();
        for record in &records {
            match record {
                Record::Entry(entry) if explained => write_entry(&mut text, entry).unwrap(),
                Record::Entry(entry) => write_content(&mut text, entry).unwrap(),
                Record::Change(change) => write_change(&mut text, change).unwrap(),
            }
        }
        String::from_utf8(text).unwrap()
    };
    for text in [written(true), written(false)] {
        assert_eq!(read(&text), records);
        assert!(text.lines().all(|line| line.starts_with('#') || (line.is_ascii() && line.len() <= 76)));
    }
    records
}

fn entries(records: Vec<Record>) -> Vec<Entry> {
    let entry = |record| match record {
        Record::Entry(entry) => entry,
        Record::Change(change) => panic!("{change:?}"),
    };
    records.into_iter().map(entry).collect()
}

/// The values of an attribute, as text.
fn values<'a>(entry: &'a Entry, name: &str) -> Vec<&'a str> {
    let name = AttributeName::parse(name).unwrap();
    let found = entry.attributes.iter().filter(|attribute| attribute.name == name);
    found
        .flat_map(|attribute| &attribute.values)
        .map(|value| str::from_utf8(value.as_bytes()).unwrap())
        .collect()
}

#[test]
fn the_sample_directories_of_389_directory_server() {
    for (name, count) in [("Example.ldif", 160), ("European.ldif", 614), ("Ace.ldif", 157)] {
        let text = text_of(&Path::new(STOCK).join(name));
        let found = entries(there_and_back(&text));
        assert_eq!(found.len(), count, "{name}");
        // Each line that is not a continuation is a value or a DN.
        let lines = text.lines().filter(|line| line.contains(':') && !line.starts_with([' ', '#'])).count();
        let values: usize =
            found.iter().flat_map(|entry| &entry.attributes).map(|attribute| attribute.values.len()).sum();
        assert_eq!(values + count, lines - usize::from(text.starts_with("version:")), "{name}");
    }
}

#[test]
fn the_entries_of_rfc_2849() {
    let found = entries(there_and_back(&sample("rfc2849-entries.ldif")));
    assert_eq!(found.len(), 5);
    let [barbara, _, folded, gern, office] = found.as_slice() else { panic!("five entries") };
    assert_eq!(barbara.dn, Dn::parse("cn=Barbara Jensen,ou=Product Development,dc=airius,dc=com").unwrap());
    assert_eq!(values(barbara, "CN"), ["Barbara Jensen", "Barbara J Jensen", "Babs Jensen"]);
    let description =
        "Babs is a big sailing fan, and travels extensively in search of perfect sailing conditions.";
    assert_eq!(values(folded, "description"), [description]);
    assert!(
        values(gern, "description")[0].ends_with("(a CR).\r  By the way, you should really get out more.")
    );
    assert_eq!(office.dn, Dn::parse("ou=営業部,o=Airius").unwrap());
    assert_eq!(values(office, "ou;lang-ja;phonetic"), ["えいぎょうぶ"]);
}

#[test]
fn the_changes_of_rfc_2849() {
    let changes: Vec<_> = there_and_back(&sample("rfc2849-changes.ldif"))
        .into_iter()
        .map(|record| match record {
            Record::Change(record) => record.change,
            Record::Entry(entry) => panic!("{entry:?}"),
        })
        .collect();
    let [
        Change::Add(_),
        Change::Delete,
        Change::Rename { .. },
        moved,
        Change::Modify(four),
        Change::Modify(two),
    ] = changes.as_slice()
    else {
        panic!("{changes:?}")
    };
    assert!(matches!(moved, Change::Rename { delete_old_rdn: false, new_superior: Some(_), .. }));
    assert_eq!((four.len(), two.len()), (4, 2));
    assert!(two.iter().all(|step| step.attribute.values.is_empty()));
}

#[test]
fn what_ldapsearch_and_db2ldif_print_of_the_same_entries() {
    let searched = entries(there_and_back(&sample("ldapsearch.ldif")));
    let exported = entries(there_and_back(&sample("db2ldif.ldif")));
    assert_eq!((searched.len(), exported.len()), (2, 4));
    assert_eq!(searched[0].dn, Dn::parse("cn=Иван Петров,ou=People,dc=example,dc=com").unwrap());
    assert_eq!(searched[1].dn, Dn::parse(r"cn=Doe\, John #1 \+ co\=x,ou=People,dc=example,dc=com").unwrap());
    assert_eq!(values(&searched[0], "postalAddress"), ["Москва$ул. Ленина, д. 1"]);
    assert_eq!(values(&searched[1], "seeAlso"), [searched[0].dn.to_string()]);
    for (searched, exported) in searched.iter().zip(&exported[2..]) {
        assert_eq!(searched.dn, exported.dn);
        assert!(searched.attributes.iter().all(|attribute| exported.attributes.contains(attribute)));
    }
}
