use std::fmt::Write as _;

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::attribute::AttributeName;
use crate::dn::{Dn, Rdn};

const CN: AttributeName = AttributeName::from_static("cn");
const PASSWORD: AttributeName = AttributeName::from_static("userPassword");

fn read(text: impl AsRef<[u8]>) -> Vec<Record> {
    LdifReader::new(text.as_ref()).collect::<Result<_, _>>().unwrap_or_else(|error| panic!("{error}"))
}

/// The line and the message of the error that ends this text.
fn error(text: impl AsRef<[u8]>) -> (u64, String) {
    let error = LdifReader::new(text.as_ref()).find_map(Result::err).expect("an error");
    (error.line, error.reason.to_string())
}

fn entry(text: impl AsRef<[u8]>) -> Entry {
    match read(text).pop() {
        Some(Record::Entry(entry)) => entry,
        other => panic!("{other:?}"),
    }
}

fn change(text: &str) -> Change {
    match read(text).pop() {
        Some(Record::Change(record)) => record.change,
        other => panic!("{other:?}"),
    }
}

fn attribute(name: &str, values: &[&str]) -> Attribute {
    Attribute::new(AttributeName::parse(name).unwrap(), values.iter().copied())
}

fn written(dn: &str, values: &[Value]) -> String {
    let attributes = vec![Attribute { name: CN, values: values.to_vec() }];
    let mut text = Vec::new();
    write_entry(&mut text, &Entry { dn: Dn::parse(dn).unwrap(), attributes }).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn example_1_of_rfc_2849_two_entries() {
    let records = read(
        "version: 1\ndn: cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com\nobjectclass: top\n\
         objectclass: person\ncn: Barbara Jensen\ncn: Barbara J Jensen\ncn: Babs Jensen\nsn: Jensen\n\n\
         dn: cn=Bjorn Jensen, ou=Accounting, dc=airius, dc=com\nobjectclass: top\nsn: Jensen\n",
    );
    let Record::Entry(first) = &records[0] else { panic!("an entry") };
    assert_eq!(records.len(), 2);
    assert_eq!(first.dn.to_string(), "cn=Barbara Jensen,ou=Product Development,dc=airius,dc=com");
    assert_eq!(first.attributes[1], attribute("cn", &["Barbara Jensen", "Barbara J Jensen", "Babs Jensen"]));
}

#[test]
fn examples_2_and_3_of_rfc_2849_folding_and_base64() {
    let folded = entry(
        "dn:cn=x\ndescription:Babs is a big sailing fan, and travels extensively in sea\n rch of perfect sailing conditions.\n",
    );
    let text = "Babs is a big sailing fan, and travels extensively in search of perfect sailing conditions.";
    assert_eq!(folded.attributes, [attribute("description", &[text])]);
    let encoded = entry(
        "dn: cn=x\ndescription:: V2hhdCBhIGNhcmVmdWwgcmVhZGVyIHlvdSBhcmUhICBUaGlzIHZhbHVl\n IGlzIGJhc2UtNjQtZW5jb2RlZA==\n",
    );
    assert!(encoded.attributes[0].values[0].as_bytes().starts_with(b"What a careful reader you are!  This"));
}

#[test]
fn example_4_of_rfc_2849_names_in_base64_and_options() {
    let entry = entry(
        "# dn:: ou=<JapaneseOU>,o=Airius\ndn:: b3U95Za25qWt6YOoLG89QWlyaXVz\nobjectclass: top\n\
         ou:: 5Za25qWt6YOo\nou;lang-ja:: 5Za25qWt6YOo\nou;lang-en: Sales\n",
    );
    assert_eq!(entry.dn, Dn::parse("ou=営業部,o=Airius").unwrap());
    assert_eq!(entry.attributes[3], attribute("ou;lang-en", &["Sales"]));
}

#[test]
fn example_6_of_rfc_2849_every_kind_of_change() {
    assert_eq!(
        change("dn: cn=Fiona Jensen, dc=airius\nchangetype: add\nobjectclass: top\nuid: fiona\n"),
        Change::Add(vec![attribute("objectclass", &["top"]), attribute("uid", &["fiona"])])
    );
    assert_eq!(change("dn: cn=Robert Jensen, dc=airius\nchangetype: delete\n\n"), Change::Delete);
    let rename = |new_superior| Change::Rename {
        new_rdn: Rdn::parse("cn=Paula Jensen").unwrap(),
        delete_old_rdn: true,
        new_superior,
    };
    let text = "dn: cn=Paul Jensen\nchangetype: modrdn\nnewrdn: cn=Paula Jensen\ndeleteoldrdn: 1\n";
    assert_eq!(change(text), rename(None));
    let text = text.replace("modrdn", "moddn") + "newsuperior: ou=x, dc=airius\n";
    assert_eq!(change(&text), rename(Some(Dn::parse("ou=x,dc=airius").unwrap())));
}

#[test]
fn example_6_of_rfc_2849_modify() {
    let step = |kind, attribute| Modification { kind, attribute };
    let text = "dn: cn=Paula Jensen, dc=airius\nchangetype: modify\nadd: postaladdress\n\
                postaladdress: 123 Anystreet\n-\n# a comment\ndelete: description\n-\nreplace: telephonenumber\n\
                telephonenumber: 1\nTelephoneNumber: 2\n-\ndelete: fax\nfax: 9\n";
    let expected = Change::Modify(vec![
        step(ModifyKind::Add, attribute("postaladdress", &["123 Anystreet"])),
        step(ModifyKind::Delete, attribute("description", &[])),
        step(ModifyKind::Replace, attribute("telephonenumber", &["1", "2"])),
        step(ModifyKind::Delete, attribute("fax", &["9"])),
    ]);
    assert_eq!(change(text), expected, "the last dash may be missing");
    assert_eq!(change(&format!("{text}-\n")), expected);
}

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
fn what_is_refused_says_the_line() {
    for (text, line, part) in [
        ("dn: cn=x\njpegPhoto:< file:///etc/passwd\n", 2, "URL"),
        ("dn: cn=x\ncontrol: 1.2.3 true\nchangetype: delete\n", 2, "controls"),
        ("version: 2\n", 1, "version 1"),
        ("dn: cn=x\ncn: a\n\nversion: 1\n", 4, "starts with its name"),
        ("cn: x\n", 1, "starts with its name"),
        (" dn: cn=x\n", 1, "starts with a blank"),
        ("dn: cn=x\ncn: a\n\n cn: b\n", 4, "starts with a blank"),
        ("dn: cn=x\ncn\n", 2, "`name: value`"),
        ("dn: cn=x\nc n: a\n", 2, "attribute name"),
        ("dn: cn=x\n-\n", 2, "an attribute"),
        ("dn: cn=x\ncn:: a\n", 2, "base64"),
        ("dn: cn=x\ncn: a\rb\n", 2, "carriage return"),
        ("dn: cn=x\ncn: a\0\n", 2, "NUL"),
        ("dn: x\n", 1, "distinguished name"),
        ("dn:: /w==\n", 1, "UTF-8"),
        ("dn: cn=x\ncn: a\ndn: cn=y\n", 3, "blank line before"),
        ("dn: cn=x\ncn: a\nchangetype: delete\n", 3, "right after"),
    ] {
        let (at, message) = error(text);
        assert!(at == line && message.contains(part), "{text:?}: line {at}: {message}");
    }
}

#[test]
fn broken_changes_are_refused() {
    for (rest, line, part) in [
        ("changetype: increment\n", 2, "changetype is one of"),
        ("changetype: delete\ncn: a\n", 3, "a blank line"),
        ("changetype: modify\n-\n", 3, "`add:`"),
        ("changetype: modify\nincrement: a\n", 3, "`add:`"),
        ("changetype: modify\nadd: a b\n", 3, "attribute name"),
        ("changetype: modify\nadd: cn\nsn: a\n", 4, "named above"),
        ("changetype: modify\nadd: cn\ncn: a\n-\n-\n", 6, "`add:`"),
        ("changetype: modrdn\ndeleteoldrdn: 1\n", 3, "`newrdn:`"),
        ("changetype: modrdn\nnewrdn: cn=a,cn=b\n", 3, "distinguished name"),
        ("changetype: modrdn\nnewrdn: cn=a\ndeleteoldrdn: 2\n", 4, "0 or 1"),
        ("changetype: modrdn\nnewrdn: cn=a\n\n", 4, "0 or 1"),
        ("changetype: modrdn\nnewrdn: cn=a\ndeleteoldrdn: 0\nnewsuperior: cn=b\ncn: c\n", 6, "a blank line"),
    ] {
        let (at, message) = error(format!("dn: cn=x\n{rest}"));
        assert!(at == line && message.contains(part), "{rest:?}: line {at}: {message}");
    }
}

/// The error that ends this text, as it is printed.
fn message(text: impl AsRef<[u8]>) -> String {
    LdifReader::new(text.as_ref()).find_map(Result::err).expect("an error").to_string()
}

#[test]
fn an_error_says_the_line_the_column_and_what_stands_there() {
    for (text, expected) in [
        ("dn: cn=x\ncn\n", "line 2, column 1: `name: value` expected: `cn`"),
        (
            "dn: cn=x\ncn: a\rb\n",
            "line 2, column 6: a value with a NUL or a carriage return must be in base64: `\\rb`",
        ),
        ("dn: cn=x\ncn::  YWJj*GVm\n", "line 2, column 11: the value isn't base64: `*GVm`"),
        ("dn: cn=x\ncn:: YWJ\n j*GVm\n", "line 3, column 3: the value isn't base64: `*GVm`"),
        ("dn: cn=x\ncn:: YWJ\n j\n *GVm\n", "line 4, column 2: the value isn't base64: `*GVm`"),
        ("dn: cn=x\ncn:: YWJjZ\n", "line 2, column 6: the value isn't base64: `YWJjZ`"),
        ("dn: cn=x,,dc=y\n", "line 1, column 10: the value isn't a distinguished name: `,dc=y`"),
        ("dn:: Y249eCws\n", "line 1, column 6: the value isn't a distinguished name: `Y249eCws`"),
        ("version: 2\n", "line 1, column 10: only version 1 of LDIF is known: `2`"),
        (
            "dn: cn=x\nphoto:< file:///x\n",
            "line 2, column 7: values from a URL (`:<`) aren't read; put the value itself here, in base64: `< file:///x`",
        ),
        (
            "dn: cn=x\nchangetype: increment\n",
            "line 2, column 13: changetype is one of add, delete, modify, modrdn, moddn: `increment`",
        ),
        ("dn: cn=x\nchangetype: modrdn\n", "line 3, column 1: `newrdn:` expected"),
        ("dn: cn=x\ncn: a\n\n\u{202e}b\n", "line 4, column 1: `name: value` expected: `\\u{202e}b`"),
    ] {
        assert_eq!(message(text), expected, "{text:?}");
    }
    let invalid = message(b"\xef\xbb\xbfdn: cn=x\ncn: \xd0\x98\xff\xfe\xd0\x98\n");
    assert_eq!(
        invalid,
        "line 2, column 7: a value that isn't text in UTF-8 must be in base64: `\\xff\\xfeИ`"
    );
    let long = message(format!("dn: cn=x\n{}\n", "я".repeat(1000)));
    assert!(long.ends_with(&format!("`{}…`", "я".repeat(40))), "{long}");
}

#[test]
fn an_error_shows_nothing_of_a_password() {
    for text in [
        "userPassword: hunter2\0\n",
        "USERPASSWORD;x: hunter2\0\n",
        "sambaNTPassword:: hunter2*\n",
        "nsslapd-rootpw:: hunter2*\n",
        "userPassword hunter2\n",
        "userPassword: hun\nhunter2\n",
        "userPassword: hun\nhunter2$: x\n",
        "userPassword: hun\n\n hunter2\n",
        "changetype: modify\nreplace: userPassword\nhunter2\n",
    ] {
        let message = message(format!("dn: cn=x\n{text}"));
        assert!(message.starts_with("line ") && !message.contains("hunter"), "{message}");
    }
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
fn blanks_after_a_value_belong_to_it() {
    let values = entry("dn: cn=x\ncn:   a  \ncn: b\n  \ncn:: YSA=  \n").attributes.remove(0).values;
    assert_eq!(values, ["a  ".into(), "b ".into(), Value::from("a ")]);
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

#[test]
fn a_line_in_too_many_pieces_is_refused() {
    let (_, message) = error(format!("dn: cn=x\ncn: {}", "\n ".repeat(MAX_LINE_LENGTH / 8 + 1)));
    assert!(message.contains("a line has"), "{message}");
}

#[test]
fn nothing_is_read_after_an_error() {
    let mut reader = LdifReader::new("dn: cn=x\ncn\n\ndn: cn=y\ncn: a\n".as_bytes());
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().is_none());
}

#[test]
fn a_line_at_the_limit_is_read_and_one_byte_more_is_not() {
    for end in ["", "\n", "\r\n"] {
        let value = "a".repeat(MAX_LINE_LENGTH - 3);
        let more = if end.is_empty() { "" } else { "sn: b" };
        let attributes = entry(format!("dn: cn=x\ncn:{value}{end}{more}")).attributes;
        assert_eq!(attributes.len(), 1 + usize::from(!more.is_empty()), "the line's end isn't a blank line");
        let (line, message) = error(format!("dn: cn=x\ncn:{value}a{end}"));
        assert!(line == 2 && message.contains("a line has"), "{message}");
        let (_, message) = error(format!("dn: cn=x\ncn:{value}\n a{end}"));
        assert!(message.contains("a line has"), "{message}");
    }
}

#[test]
fn a_record_over_the_limit_is_refused() {
    let line = format!("cn: {}\n", "a".repeat(MAX_LINE_LENGTH / 2));
    let (_, message) = error(format!("dn: cn=x\n{}", line.repeat(8)));
    assert!(message.contains("a record has"), "{message}");
    assert_eq!(read(format!("dn: cn=x\n{}", line.repeat(7))).len(), 1);
    let (line, message) = error(format!("dn: cn=x\n{}", "cn:\n".repeat(2_000_000)));
    assert!(message.contains("a record has") && line > 1_500_000, "{line}: {message}");
}

#[test]
fn base64_is_used_where_the_rfc_needs_it() {
    for (value, line) in [
        ("plain: <x>", "cn: plain: <x>\n"),
        ("", "cn:\n"),
        (" a", "cn:: IGE=\n"),
        (":a", "cn:: OmE=\n"),
        ("<a", "cn:: PGE=\n"),
        ("a ", "cn:: YSA=\n"),
        ("a\nb", "cn:: YQpi\n"),
        ("a\0", "cn:: YQA=\n"),
        ("\u{1b}[2J", "cn:: G1sySg==\n"),
        ("я\nb", "cn:: 0Y8KYg==\n"),
        ("я\u{202e}", "cn:: 0Y/igK4=\n"),
        ("Иван", "# cn: Иван\ncn:: 0JjQstCw0L0=\n"),
    ] {
        assert_eq!(written("dc=x", &[value.into()]), format!("dn: dc=x\n{line}\n"), "{value:?}");
    }
    assert_eq!(written("dc=x", &[vec![0xff].into()]), "dn: dc=x\ncn:: /w==\n\n");
    assert!(written("cn=Иван", &[]).starts_with("# dn: cn=Иван\ndn:: Y249"));
}

#[test]
fn long_lines_are_folded_and_long_comments_cut() {
    let text = written("dc=x", &["a".repeat(72).into(), "b".repeat(73).into(), "я".repeat(500).into()]);
    assert!(text.contains(&format!("cn: {}\ncn: {}\n b\n", "a".repeat(72), "b".repeat(72))));
    assert!(text.contains(&format!("# cn: {}…\n", "я".repeat(240))));
    assert!(text.lines().all(|line| line.starts_with('#') || (line.is_ascii() && line.len() <= 76)));
}

#[test]
fn for_programs_nothing_is_explained() {
    let dn = Dn::parse("cn=Иван,dc=x").unwrap();
    let attributes =
        vec![Attribute { name: CN, values: vec!["Иван".into(), Value::secret("x"), "a".into()] }];
    let mut text = Vec::new();
    write_content(&mut text, &Entry { dn: dn.clone(), attributes }).unwrap();
    let expected = "dn:: Y2490JjQstCw0L0sZGM9eA==\ncn:: 0JjQstCw0L0=\n# cn: (secret, not shown)\ncn: a\n\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
    let mut lines = Vec::new();
    write_name(&mut lines, &dn);
    write_value(&mut lines, &CN, "Иван".as_bytes());
    write_value(&mut lines, &PASSWORD, b"");
    write_name(&mut lines, &Dn::empty());
    write_name(&mut lines, &Dn::empty().child(CN, &"a".repeat(69)));
    write_name(&mut lines, &Dn::empty().child(CN, &"b".repeat(70)));
    let expected = format!(
        "dn:: Y2490JjQstCw0L0sZGM9eA==\ncn:: 0JjQstCw0L0=\nuserPassword:\ndn:\ndn: cn={}\ndn: cn={}\n b\n",
        "a".repeat(69),
        "b".repeat(69)
    );
    assert_eq!(String::from_utf8(lines).unwrap(), expected);
    assert!(is_reserved(&AttributeName::from_static("Control")) && !is_reserved(&CN));
}

#[test]
fn long_values_are_encoded_in_one_piece() {
    for length in [766, 767, 768, 769, 770, 1535, 1536, 1537, 100_000] {
        let value: Vec<u8> = (0..=250).cycle().take(length).collect();
        let text = written("dc=x", &[value.clone().into()]);
        assert!(text.lines().all(|line| line.len() <= 76));
        assert_eq!(entry(&text).attributes[0].values, [Value::from(value)], "{length}");
    }
}

#[test]
fn a_secret_is_never_shown() {
    let secrets = [Value::secret("hunter2"), SecretString::from("hunter3").into(), "seen".into()];
    assert_eq!(format!("{:?}", &secrets[..2]), "[Secret(not shown), Secret(not shown)]");
    assert_eq!(secrets[0].clone().as_bytes(), b"hunter2");
    let entry = written("dc=x", &secrets);
    assert_eq!(entry, "dn: dc=x\n# cn: (secret, not shown)\n# cn: (secret, not shown)\ncn: seen\n\n");
}

#[test]
fn a_modification_with_a_secret_is_wholly_a_comment() {
    let attribute = Attribute { name: PASSWORD, values: vec![Value::secret("x"), "y".into()] };
    let step = Modification { kind: ModifyKind::Replace, attribute };
    let record = ChangeRecord { dn: Dn::parse("dc=x").unwrap(), change: Change::Modify(vec![step]) };
    let text = record.to_string();
    assert_eq!(
        text,
        "dn: dc=x\nchangetype: modify\n# replace: userPassword\n# userPassword: (secret, not shown)\n\
         # userPassword: (secret, not shown)\n# -\n\n"
    );
    // Fed back, it does nothing, where a bare `replace:` would remove the password.
    assert_eq!(change(&text), Change::Modify(vec![]));
}

#[test]
fn words_of_ldif_are_no_attributes() {
    let attributes = vec![attribute("ChangeType", &["delete"])];
    let dn = Dn::parse("dc=x").unwrap();
    let result = write_entry(&mut Vec::new(), &Entry { dn: dn.clone(), attributes: attributes.clone() });
    assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    let record = ChangeRecord { dn, change: Change::Add(attributes) };
    assert!(record.to_string().starts_with("# (not shown:"));
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        "[ -~]{0,200}".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::from),
    ]
}

fn any_name() -> impl Strategy<Value = AttributeName> {
    "x[a-zA-Z0-9-]{0,5}(;[a-z]{1,3})?".prop_map(|name| AttributeName::parse(&name).unwrap())
}

fn any_dn() -> impl Strategy<Value = Dn> {
    proptest::collection::vec((any_name(), any::<String>()), 0..4)
        .prop_map(|pairs| pairs.into_iter().fold(Dn::empty(), |dn, (name, value)| dn.child(name, &value)))
}

fn any_attribute(values: std::ops::Range<usize>) -> impl Strategy<Value = Attribute> {
    (any_name(), proptest::collection::vec(any_value(), values))
        .prop_map(|(name, values)| Attribute { name, values })
}

/// Each name once and with a value, for LDIF can't say anything else of an entry.
fn any_attributes() -> impl Strategy<Value = Vec<Attribute>> {
    proptest::collection::vec(any_attribute(1..4), 0..5).prop_map(|mut attributes| {
        attributes.sort_by(|one, two| one.name.cmp(&two.name));
        attributes.dedup_by(|one, two| one.name == two.name);
        attributes
    })
}

fn any_change() -> impl Strategy<Value = Change> {
    let kind = prop_oneof![Just(ModifyKind::Add), Just(ModifyKind::Delete), Just(ModifyKind::Replace)];
    let step = (kind, any_attribute(0..3)).prop_map(|(kind, attribute)| Modification { kind, attribute });
    let rename = (any_name(), any::<String>(), any::<bool>(), proptest::option::of(any_dn()));
    prop_oneof![
        any_attributes().prop_map(Change::Add),
        proptest::collection::vec(step, 0..4).prop_map(Change::Modify),
        rename.prop_map(|(name, value, delete_old_rdn, new_superior)| Change::Rename {
            new_rdn: Rdn::new(name, &value),
            delete_old_rdn,
            new_superior,
        }),
        Just(Change::Delete),
    ]
}

proptest! {
    #[test]
    fn what_is_written_reads_back(
        entry in (any_dn(), any_attributes()),
        change in (any_dn(), any_change()),
        crlf in any::<bool>(),
    ) {
        let entry = Entry { dn: entry.0, attributes: entry.1 };
        let change = ChangeRecord { dn: change.0, change: change.1 };
        let mut text = Vec::new();
        write_entry(&mut text, &entry).unwrap();
        write_change(&mut text, &change).unwrap();
        let mut text = String::from_utf8(text).unwrap();
        for line in text.lines() {
            prop_assert!(line.starts_with("# ") || (line.is_ascii() && line.len() <= 76));
            prop_assert!(!line.chars().any(char::is_control));
        }
        if crlf {
            text = text.replace('\n', "\r\n");
        }
        prop_assert_eq!(read(&text), [Record::Entry(entry), Record::Change(change)]);
    }

    #[test]
    fn no_text_breaks_the_reader(words in proptest::collection::vec(0..14_usize, 0..20)) {
        let pieces = [
            "dn: ", "cn=x", "\n", "\n\n", " ", "-", "::", "changetype: modify\n", "add: cn\n", "cn: a\n", "#",
            "YQ==", "\r\n", "changetype: modrdn\nnewrdn: cn=b\n",
        ];
        let mut text = String::new();
        words.iter().try_for_each(|word| text.write_str(pieces[*word])).unwrap();
        let _: Vec<_> = LdifReader::new(text.as_bytes()).collect();
    }
}
