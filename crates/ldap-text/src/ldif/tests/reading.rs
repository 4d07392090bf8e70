use super::*;

#[test]
fn line_ends_comments_and_blank_lines_may_vary() {
    let text = "\n# first\n  still the comment\nversion: 1\n\n\ndn: cn=x\n#in between\ncn: a\n  b\n\n\n\ndn: cn=y\ncn: c";
    let records = read(text);
    assert_eq!(records.len(), 2);
    assert_eq!(read(text.replace('\n', "\r\n")), records);
    let Record::Entry(first) = &records[0] else { panic!("an entry") };
    assert_eq!(first.attributes, [attribute("cn", &["a b"])]);
    for empty in ["", "\n\n", "# only\n", "version: 1\n", "version: 1\n\n# x"] {
        assert_eq!(read(empty), []);
    }
}

#[test]
fn values_of_one_attribute_are_gathered_though_they_stand_apart() {
    let entry = entry("dn:\ncn: a\nsn: b\nCN: c\nsn:: \nsn:\n");
    assert_eq!(entry.attributes, [attribute("cn", &["a", "c"]), attribute("sn", &["b", "", ""])]);
    assert_eq!(entry.dn, Dn::empty());
}

#[test]
fn raw_utf_8_is_read() {
    assert_eq!(entry("dn: cn=Иван\ncn: Иван\n").attributes, [attribute("cn", &["Иван"])]);
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_alone() {
    for text in [
        "dn: cn=x\ncn: a\n",
        "version: 1\n\ndn: cn=x\ncn: a\n",
        "# x\ndn: cn=x\ncn: a\n",
        "\ndn: cn=x\ncn: a",
    ] {
        assert_eq!(read(format!("\u{feff}{text}")), read(text));
        assert_eq!(read(text).len(), 1);
    }
    assert_eq!(read("\u{feff}"), []);
    let (line, message) = error("dn: cn=x\ncn: a\n\n\u{feff}dn: cn=y\ncn: a\n");
    assert!(line == 4 && message.contains("attribute name"), "{message}");
    assert!(error("\u{feff} dn: cn=x\n").1.contains("starts with a blank"));
}

#[test]
fn what_ldapsearch_says_at_the_end_is_skipped() {
    let text = "# extended LDIF\n#\n# LDAPv3\n# base <dc=x> with scope subtree\n\n# x\ndn: dc=x\ndc: x\n\n\
                # search result\nsearch: 2\nresult: 0 Success\ncontrol: 1.2.840.113556.1.4.319 false MAUCAQAEAA==\n\
                text:: 8J+Yig==\npagedresults: cookie=\n\n# numResponses: 2\n# numEntries: 1\n";
    assert_eq!(read(text), read("dn: dc=x\ndc: x\n"));
    assert_eq!(read(format!("{text}\n{text}")).len(), 2, "one after the other");
    assert_eq!(entry("dn: dc=x\nsearch: 2\n").attributes, [attribute("search", &["2"])]);
}

#[test]
fn blanks_after_a_plain_value_are_no_part_of_it() {
    let values =
        entry("dn: cn=x\ncn:   a  \ncn: b\n  \ncn:\tc\t\ncn:  \ncn:: YSA=  \n").attributes.remove(0).values;
    assert_eq!(values, ["a".into(), "b".into(), "\tc\t".into(), "".into(), Value::from("a ")]);
    let name = entry("dn: cn=a\\   \nmember: cn=b\\ \n");
    assert_eq!(name.dn.to_string(), "cn=a\\ ");
    assert_eq!(name.attributes, [attribute("member", &["cn=b\\ "])]);
}

#[test]
fn lines_folded_by_tabs_are_read() {
    assert_eq!(read("dn: cn=x,\n\tdc=y\ncn: a\n\tb\n\t c\n"), read("dn: cn=x,dc=y\ncn: ab c\n"));
}

#[test]
fn references_to_other_servers_are_passed_over() {
    let text = "# search reference\nref: ldap://a/ou=x,dc=y??sub\n\nref: ldap://b/\nref: ldap://c/\n\ndn: cn=x\ncn: a\n\n\
                # search reference\nref: ldap://a/\n\n# search result\nsearch: 2\nresult: 0 Success\n";
    assert_eq!(read(text), read("dn: cn=x\ncn: a\n"));
    assert_eq!(entry("dn: cn=x\nref: ldap://a/\n").attributes, [attribute("ref", &["ldap://a/"])]);
}

#[test]
fn records_know_where_they_start() {
    let text = "version: 1\n\n# x\ndn: cn=x\ncn: a\n  b\n\n\ndn:\n  cn=y\n\nsearch: 2\n\n\ndn: cn=z\nx\n";
    let mut reader = LdifReader::new(text.as_bytes());
    let mut starts = Vec::new();
    while let Some(record) = reader.next() {
        starts.push((reader.record_line(), record.is_ok()));
    }
    assert_eq!(starts, [(4, true), (9, true), (15, false)]);
}

#[test]
fn many_attributes_are_gathered_as_few_are() {
    for count in [1, 31, 32, 33, 34, 300] {
        let lines = |value: &str| (0..count).map(|i| format!("x{i}: {value}\n")).collect::<Vec<_>>().concat();
        let upper = lines("b").to_uppercase().replace(": B", ": b");
        let attributes = entry(format!("dn: cn=x\n{}{upper}", lines("a"))).attributes;
        assert_eq!(attributes.len(), count);
        for (i, found) in attributes.iter().enumerate() {
            assert_eq!(*found, attribute(&format!("x{i}"), &["a", "b"]));
        }
    }
}
