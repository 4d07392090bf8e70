use super::*;
use proptest::prelude::*;
use std::collections::HashSet;

const CN: AttributeName = AttributeName::from_static("cn");
const UID: AttributeName = AttributeName::from_static("uid");

fn dn(text: &str) -> Dn {
    Dn::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

fn leaf(text: &str) -> String {
    dn(text).rdn().unwrap().value_of(&CN).unwrap().to_owned()
}

#[test]
fn the_leaf_of_a_name_is_its_first_part() {
    let name = "mail=a\\,b@x.ru,ou=t,dc=x";
    assert_eq!(Rdn::parse_leaf(name).unwrap(), *Dn::parse(name).unwrap().rdn().unwrap());
    assert!(Rdn::parse_leaf("").is_err() && Rdn::parse_leaf(",dc=x").is_err());
}

#[test]
fn the_examples_of_rfc_4514_section_4() {
    for (text, printed) in [
        ("UID=jsmith,DC=example,DC=net", None),
        ("OU=Sales+CN=J.  Smith,DC=example,DC=net", None),
        (r#"CN=James \"Jim\" Smith\, III,DC=example,DC=net"#, None),
        (r"CN=Before\0dAfter,DC=example,DC=net", Some(r"CN=Before\0DAfter,DC=example,DC=net")),
        ("1.3.6.1.4.1.1466.0=#04024869", None),
        (r"CN=Lu\C4\8Di\C4\87", Some("CN=Lučić")),
    ] {
        assert_eq!(dn(text).to_string(), printed.unwrap_or(text));
    }
    assert_eq!(leaf(r#"CN=James \"Jim\" Smith\, III,DC=example"#), r#"James "Jim" Smith, III"#);
    assert_eq!(dn("x=#04024869").rdn().unwrap().value_of(&AttributeName::from_static("x")), None);
}

#[test]
fn blanks_around_separators_are_not_part_of_anything() {
    let name = dn(" uid = ivan + cn = Ivan  Petrov  ,  dc=example , dc = net ");
    assert_eq!(name.to_string(), "uid=ivan+cn=Ivan  Petrov,dc=example,dc=net");
    assert_eq!(dn("  "), Dn::empty());
    assert_eq!(dn(""), Dn::empty());
}

#[test]
fn escaped_blanks_are_part_of_the_value() {
    assert_eq!(leaf(r"cn=\ a\ "), " a ");
    assert_eq!(leaf(r"cn=\ a\   ,dc=x"), " a ");
    assert_eq!(leaf(r"cn=a\20  "), "a ");
    assert_eq!(leaf(r"cn=\ "), " ");
    assert_eq!(leaf("cn="), "");
    assert_eq!(Rdn::new(CN, "   ").to_string(), r"cn=\  \ ");
}

#[test]
fn a_value_cannot_leave_its_place() {
    let base = dn("ou=people,dc=example");
    let name = base.child(UID, "x,ou=admins+cn=y;z=\"<>\\#");
    assert_eq!(name.to_string(), r#"uid=x\,ou\=admins\+cn\=y\;z\=\"\<\>\\#,ou=people,dc=example"#);
    assert_eq!(Dn::parse(&name.to_string()).unwrap(), name);
    assert_eq!(name.parent(), Some(base));
    assert_eq!(Rdn::new(CN, "#1").to_string(), r"cn=\#1");
    assert_eq!(Rdn::new(CN, "a\0\n\u{85}").to_string(), r"cn=a\00\0A\C2\85");
}

#[test]
fn options_are_dropped_from_a_name() {
    assert_eq!(Rdn::new(AttributeName::from_static("cn;lang-ru"), "x").to_string(), "cn=x");
}

#[test]
fn what_rfc_1779_and_rfc_2253_had_besides_is_read() {
    for (text, printed) in [
        (r#"cn="a,b",dc=x"#, r"cn=a\,b,dc=x"),
        (r#"cn="cn=Directory Administrators,dc=x",cn=y"#, r"cn=cn\=Directory Administrators\,dc\=x,cn=y"),
        (r#"cn = "a;b+c<d>e#f=g" ; dc=x"#, r"cn=a\;b\+c\<d\>e#f\=g,dc=x"),
        (r#"cn=" a ""#, r"cn=\ a\ "),
        (r##"cn="#61""##, r"cn=\#61"),
        (r#"cn="a\"b\\c\2cd""#, r#"cn=a\"b\\c\,d"#),
        (r#"cn="a"+uid="b",dc=x"#, "cn=a+uid=b,dc=x"),
        (r#"cn="""#, "cn="),
        ("cn=a;dc=x", "cn=a,dc=x"),
        ("CN=a ; DC=x", "CN=a,DC=x"),
        ("OID.2.5.4.3=a,oid.1.2=b", "2.5.4.3=a,1.2=b"),
        ("oid=a", "oid=a"),
    ] {
        assert_eq!(dn(text).to_string(), printed, "{text}");
        assert_eq!(dn(printed), dn(text));
    }
}

#[test]
fn broken_names_are_refused_with_the_place() {
    for (text, error) in [
        ("cn", DnError::NoEquals { at: 0 }),
        ("cn=a,", DnError::NoEquals { at: 5 }),
        ("cn=a,,dc=x", DnError::NoEquals { at: 5 }),
        (",", DnError::NoEquals { at: 0 }),
        ("cn=a+", DnError::NoEquals { at: 5 }),
        ("cn=a;", DnError::NoEquals { at: 5 }),
        ("cn=a;;dc=x", DnError::NoEquals { at: 5 }),
        ("cn=a\"b\"", DnError::Unescaped { at: 4 }),
        ("cn=\"a", DnError::Quoted { at: 3 }),
        ("cn=\"", DnError::Quoted { at: 3 }),
        (r#"cn="a\""#, DnError::Quoted { at: 3 }),
        ("cn=\"a\" b", DnError::Quoted { at: 7 }),
        ("cn=\"a\"\"b\"", DnError::Quoted { at: 6 }),
        ("cn=\"a\0\"", DnError::Unescaped { at: 5 }),
        (r#"cn="a\g""#, DnError::Escape { at: 5 }),
        (r#"cn="\ff""#, DnError::NotUtf8 { at: 4 }),
        ("cn=a\0", DnError::Unescaped { at: 4 }),
        (r"cn=ab\", DnError::Escape { at: 5 }),
        (r"cn=ab\4", DnError::Escape { at: 5 }),
        (r"cn=\ag", DnError::Escape { at: 3 }),
        (r"cn=\я", DnError::Escape { at: 3 }),
        (r"cn=\ff", DnError::NotUtf8 { at: 3 }),
        ("cn=#", DnError::Hex { at: 3 }),
        ("cn=#041", DnError::Hex { at: 3 }),
        ("cn=#zz", DnError::Hex { at: 3 }),
        (r"cn=#\30\31", DnError::Hex { at: 3 }),
        ("=a", DnError::Attribute { at: 0, source: crate::AttributeNameError }),
        ("cn;x=a", DnError::NoEquals { at: 0 }),
        ("OID.=a", DnError::Attribute { at: 0, source: crate::AttributeNameError }),
        ("OID.cn=a", DnError::Attribute { at: 0, source: crate::AttributeNameError }),
        ("OID.2.=a", DnError::Attribute { at: 0, source: crate::AttributeNameError }),
    ] {
        assert_eq!(Dn::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn a_name_at_the_limit_is_read_and_one_byte_more_is_not() {
    let text = format!("cn={}", "a".repeat(MAX_DN_LENGTH - 3));
    assert!(Dn::parse(&text).is_ok());
    assert_eq!(Dn::parse(&format!("{text}a")), Err(DnError::TooLong));
}

#[test]
fn one_part_is_read_alone() {
    assert_eq!(Rdn::parse("cn=a+uid=b").unwrap().value_of(&UID), Some("b"));
    assert_eq!(Rdn::parse("cn=a,dc=b"), Err(DnError::MoreThanOne { at: 4 }));
    assert_eq!(Rdn::parse(""), Err(DnError::NoEquals { at: 0 }));
}

#[test]
fn spelling_does_not_make_names_differ() {
    for (one, two) in [
        ("cn=Ivan  Petrov,dc=X", "CN=ivan petrov,DC=x"),
        ("cn=ИВАН", "cn=иван"),
        (r"cn=\ a\ ", "cn=a"),
        ("cn=a+uid=b", "UID=B + CN=A"),
        ("cn=#0a", "cn=#0A"),
    ] {
        assert_eq!(dn(one), dn(two));
        assert_eq!(HashSet::from([dn(one), dn(two)]).len(), 1);
    }
    for (one, two) in
        [("cn=a", "cn=b"), ("cn=a+cn=a", "cn=a"), ("cn=ab", "cn=a b"), ("cn=a,cn=b", "cn=b,cn=a")]
    {
        assert_ne!(dn(one), dn(two));
    }
}

#[test]
fn within_means_equal_or_below_by_whole_parts() {
    let base = dn("ou=people,dc=example");
    assert!(base.is_within(&base));
    assert!(dn("uid=a,OU=People,dc=example").is_within(&base));
    assert!(base.is_within(&Dn::empty()));
    assert!(!dn("dc=example").is_within(&base));
    assert!(!dn("uid=a,ou=morepeople,dc=example").is_within(&base));
    assert!(!dn(r"uid=a\,ou\=people,dc=example").is_within(&base));
}

#[test]
fn a_name_is_given_other_attributes() {
    let number = AttributeName::from_static("2.5.4.3");
    let named =
        dn("2.5.4.3=a+uid=b,cn=c,2.5.4.3=#0a").with_attributes(|name| (*name == number).then_some(CN));
    assert_eq!(named.to_string(), "cn=a+uid=b,cn=c,cn=#0a");
}

#[test]
fn the_root_has_no_parent() {
    assert_eq!(Dn::empty().parent(), None);
    assert_eq!(dn("dc=x").parent(), Some(Dn::empty()));
    assert_eq!(Dn::empty().rdns().len(), 0);
    assert_eq!(format!("{:?}", dn("dc=x")), "Dn(dc=x)");
}

/// Text with many more characters that need an escape than random text would have.
fn value() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<char>().prop_map(String::from),
        r#"[ #=,+;<>\\"]{1,3}"#,
        r"[\x00-\x1f\x7f]",
        "[a-zA-Zа-яА-Я0-9]{1,4}",
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn attribute() -> impl Strategy<Value = AttributeName> {
    prop_oneof!["[a-zA-Z][a-zA-Z0-9-]{0,5}", r"[0-2](\.[1-9][0-9]{0,3}){1,4}"]
        .prop_map(|name| AttributeName::parse(&name).unwrap())
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_exactly(pairs in proptest::collection::vec((attribute(), value()), 0..5)) {
        let name = pairs.iter().rev().fold(Dn::empty(), |dn, (name, value)| dn.child(name.clone(), value));
        let read = Dn::parse(&name.to_string()).unwrap();
        prop_assert_eq!(&read, &name);
        // Stricter than equality, which ignores case and spaces.
        for (rdn, (attribute, value)) in read.rdns().iter().zip(&pairs) {
            prop_assert_eq!(rdn.value_of(attribute), Some(value.as_str()));
        }
        prop_assert!(!name.to_string().chars().any(char::is_control));
    }

    #[test]
    fn parts_with_several_pairs_read_back(pairs in proptest::collection::vec((attribute(), value()), 1..4)) {
        let text: Vec<_> = pairs.iter().map(|(name, value)| Rdn::new(name.clone(), value).to_string()).collect();
        let rdn = Rdn::parse(&text.join("+")).unwrap();
        prop_assert_eq!(rdn.to_string(), text.join("+"));
        let reversed: Vec<_> = text.into_iter().rev().collect();
        prop_assert_eq!(&Rdn::parse(&reversed.join(" + ")).unwrap(), &rdn);
    }

    #[test]
    fn a_value_in_quotes_reads_as_what_it_stands_for(value in value(), blanks in " {0,2}", semicolon: bool) {
        let quoted = value.replace('\\', r"\\").replace('"', r#"\""#).replace('\0', r"\00");
        let separator = if semicolon { ';' } else { ',' };
        let read = Dn::parse(&format!("cn={blanks}\"{quoted}\"{blanks}{separator}dc=x")).unwrap();
        prop_assert_eq!(read.rdn().unwrap().value_of(&CN), Some(value.as_str()));
        prop_assert_eq!(read.parent(), Some(dn("dc=x")));
    }

    #[test]
    fn no_text_breaks_the_parser(text in any::<String>(), more in r##"[a-c=,+;\\"# 0-9]{0,30}"##) {
        for text in [text, more] {
            if let Ok(name) = Dn::parse(&text) {
                prop_assert_eq!(Dn::parse(&name.to_string()), Ok(name));
            }
        }
    }
}
