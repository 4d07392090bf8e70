use std::io::{self, BufReader, Read as _};

use super::*;

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
        ("version: 2\n", "line 1, column 10: only version 1 of LDIF is supported: `2`"),
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
fn a_line_in_too_many_pieces_is_refused() {
    let (_, message) = error(format!("dn: cn=x\ncn: {}", "\n ".repeat(MAX_LINE_LENGTH / 8 + 1)));
    assert!(message.contains("a line has"), "{message}");
}

#[test]
fn nothing_is_read_after_an_error() {
    // The start of the next record is unknown.
    for bad in ["dn: cn=x\ncn\n", "c n: x\n", "cn:: *\n", "dn: cn=x\n-\n", "ref: ldap://x\ncn: a\n"] {
        let text = format!("{bad}\ndn: cn=y\ncn: a\n");
        let mut reader = LdifReader::new(text.as_bytes());
        assert!(reader.next().unwrap().is_err() && !reader.goes_on(), "{bad}");
        assert!(reader.next().is_none(), "{bad}");
    }
}

#[test]
fn a_name_or_a_value_that_cannot_be_read_spoils_its_record_alone() {
    for (bad, name) in [
        ("dn: no name\ncn: a\n", None),
        ("dn:: /w==\n", None),
        ("dn: cn=x\nmy attr: a\ncn: a\n", Some("cn=x")),
        ("dn: cn=x\ncn:: *\n", Some("cn=x")),
        ("dn: cn=x\nphoto:< file:///x\n", Some("cn=x")),
        ("dn: cn=x\ncn: a\0\n", Some("cn=x")),
    ] {
        let text = format!("dn: cn=a\ncn: a\n\n{bad}description: a\n  b\n\ndn: cn=b\ncn: b\n");
        let mut reader = LdifReader::new(text.as_bytes());
        assert!(reader.next().unwrap().is_ok());
        let error = reader.next().unwrap().unwrap_err();
        assert!(reader.goes_on() && reader.record_line() == 4, "{error}");
        assert_eq!(reader.take_spoilt_name().map(|dn| dn.to_string()).as_deref(), name, "{bad}");
        assert!(
            matches!(reader.next(), Some(Ok(Record::Entry(entry))) if entry.dn.to_string() == "cn=b"),
            "{bad}"
        );
        assert!(reader.next().is_none());
    }
}

#[test]
fn an_error_behind_a_spoilt_record_is_not_lost() {
    let long = "a".repeat(2000);
    let text = format!("dn: x\ncn: {long}\n\ndn: cn=b\ncn: b\n");
    let mut reader = LdifReader::with_limit(text.as_bytes(), 1000);
    assert!(reader.next().unwrap().is_err());
    assert!(reader.next().unwrap().is_err() && !reader.goes_on());
    assert!(reader.next().is_none());
    // The rest of a password is not shown either.
    let mut reader = LdifReader::new("dn: x\nuserPassword: hun\n\nhunter2\n".as_bytes());
    assert!(reader.next().unwrap().is_err());
    let error = reader.next().unwrap().unwrap_err().to_string();
    assert!(!error.contains("hunter"), "{error}");
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
fn of_a_line_of_50_mb_no_more_is_read_than_a_line_may_have() {
    let input = "dn: cn=x\ncn: ".as_bytes().chain(io::repeat(b'a').take(50_000_000));
    let mut reader = LdifReader::new(BufReader::new(input));
    let error = reader.next().unwrap().unwrap_err().to_string();
    assert!(error.starts_with("line 2, column 1: a line has at most 16777216 bytes"), "{error}");
    assert!(error.ends_with(": `cn: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa…`"), "{error}");
    assert!(reader.next().is_none());
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
