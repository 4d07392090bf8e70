use std::io::BufReader;

use super::*;

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        any::<String>().prop_map(Value::from),
        "[ -~]{0,200}".prop_map(Value::from),
        proptest::collection::vec(any::<u8>(), 0..20).prop_map(Value::from),
    ]
}

fn any_name() -> impl Strategy<Value = AttributeName> {
    "x[a-zA-Z0-9_-]{0,5}(;[a-z_]{1,3})?".prop_map(|name| AttributeName::parse(&name).unwrap())
}

fn any_dn() -> impl Strategy<Value = Dn> {
    proptest::collection::vec((any_name(), any::<String>()), 0..4)
        .prop_map(|pairs| pairs.into_iter().fold(Dn::empty(), |dn, (name, value)| dn.child(name, &value)))
}

fn any_attribute(values: std::ops::Range<usize>) -> impl Strategy<Value = Attribute> {
    (any_name(), proptest::collection::vec(any_value(), values))
        .prop_map(|(name, values)| Attribute { name, values })
}

/// Each name once and with a value, since LDIF can't express anything else about an entry.
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

/// The values that LDIF can express in a plain line, without base64: those that people write by hand.
fn any_plain_text() -> impl Strategy<Value = String> {
    any::<String>().prop_map(|text| {
        text.replace(['\0', '\r', '\n'], "x")
            .trim_start_matches([' ', ':', '<'])
            .trim_end_matches(' ')
            .to_owned()
    })
}

/// The same text with its lines folded again, into pieces of these lengths at any position, with these line ends.
fn refolded(text: &[u8], lengths: &[usize], fold: &str) -> Vec<u8> {
    let unfolded = text.strip_suffix(b"\n").unwrap_or(text).split(|byte| *byte == b'\n').fold(
        Vec::<Vec<u8>>::new(),
        |mut lines, line| {
            match (line.strip_prefix(b" "), lines.last_mut()) {
                (Some(rest), Some(last)) => last.extend_from_slice(rest),
                _ => lines.push(line.to_vec()),
            }
            lines
        },
    );
    let line_end = fold.trim_end_matches([' ', '\t']).as_bytes();
    let mut lengths = lengths.iter().copied().cycle();
    let mut folded = Vec::new();
    for line in &unfolded {
        let mut rest = line.as_slice();
        while let Some((piece, more)) =
            rest.split_at_checked(lengths.next().unwrap()).filter(|(_, more)| !more.is_empty())
        {
            folded.extend_from_slice(piece);
            folded.extend_from_slice(fold.as_bytes());
            rest = more;
        }
        folded.extend_from_slice(rest);
        folded.extend_from_slice(line_end);
    }
    folded
}

/// An entry written line by line.
fn in_lines(entry: &Entry) -> Vec<u8> {
    let mut text = Vec::new();
    write_name(&mut text, &entry.dn);
    for attribute in &entry.attributes {
        attribute.values.iter().for_each(|value| write_value(&mut text, &attribute.name, value.as_bytes()));
    }
    text.push(b'\n');
    text
}

prop_compose! {
    fn any_entry()(dn in any_dn(), attributes in any_attributes()) -> Entry {
        Entry { dn, attributes }
    }
}

prop_compose! {
    fn any_change_record()(dn in any_dn(), change in any_change()) -> ChangeRecord {
        ChangeRecord { dn, change }
    }
}

/// A text with an entry and a change in it.
fn text_of(entry: &Entry, change: &ChangeRecord) -> Vec<u8> {
    let mut text = Vec::new();
    write_entry(&mut text, entry).unwrap();
    write_change(&mut text, change).unwrap();
    text
}

proptest! {
    #[test]
    fn what_is_written_reads_back(entry in any_entry(), change in any_change_record()) {
        let text = text_of(&entry, &change);
        for line in str::from_utf8(&text).unwrap().lines() {
            prop_assert!(line.starts_with("# ") || (line.is_ascii() && line.len() <= 76));
            prop_assert!(!line.chars().any(char::is_control));
        }
        prop_assert_eq!(read(&text), [Record::Entry(entry), Record::Change(change)]);
    }

    #[test]
    fn what_is_written_for_programs_reads_back(entry in any_entry()) {
        let mut text = Vec::new();
        write_content(&mut text, &entry).unwrap();
        prop_assert!(text.is_ascii() && !text.windows(2).any(|bytes| bytes == b"\n#"), "no comments");
        prop_assert_eq!(&text, &in_lines(&entry));
        let Some(Record::Entry(read)) = read(&text).pop() else { panic!("an entry") };
        prop_assert_eq!(&read, &entry);
        // Stricter than equality, which ignores case.
        for (one, two) in read.attributes.iter().zip(&entry.attributes) {
            prop_assert_eq!(one.name.as_str(), two.name.as_str());
        }
        prop_assert_eq!(in_lines(&read), text);
    }

    #[test]
    fn folding_line_ends_and_a_byte_order_mark_change_nothing(
        entry in any_entry(),
        change in any_change_record(),
        plain in any_plain_text(),
        lengths in proptest::collection::vec(1..100_usize, 1..10),
        fold in prop_oneof![Just("\n "), Just("\r\n "), Just("\n\t"), Just("\r\n\t")],
        mark in prop_oneof![Just(""), Just("\u{feff}")],
    ) {
        let mut text = text_of(&entry, &change);
        text.extend_from_slice(format!("dn: cn=x\ncn: {plain}\n").as_bytes());
        let other = [mark.as_bytes(), &refolded(&text, &lengths, fold)].concat();
        let third = Entry { dn: Dn::parse("cn=x").unwrap(), attributes: vec![attribute("cn", &[&plain])] };
        prop_assert_eq!(read(other), [Record::Entry(entry), Record::Change(change), Record::Entry(third)]);
    }

    #[test]
    fn in_what_pieces_the_input_comes_changes_nothing(
        entry in any_entry(),
        change in any_change_record(),
        lengths in proptest::collection::vec(1..100_usize, 1..10),
        capacity in 1..20_usize,
    ) {
        let text = refolded(&text_of(&entry, &change), &lengths, "\r\n ");
        let pieces = BufReader::with_capacity(capacity, text.as_slice());
        let records: Vec<_> = LdifReader::new(pieces).map(Result::unwrap).collect();
        prop_assert_eq!(records, [Record::Entry(entry), Record::Change(change)]);
    }

    #[test]
    fn no_bytes_break_the_reader_and_its_errors_say_a_place_that_there_is(
        entry in any_entry(),
        change in any_change_record(),
        noise in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..8),
        more in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let mut text = text_of(&entry, &change);
        for (place, byte) in noise {
            let place = place.index(text.len());
            text[place] = byte;
        }
        for text in [text, more] {
            for error in LdifReader::new(text.as_slice()).filter_map(Result::err) {
                let line = text.split(|byte| *byte == b'\n').nth(usize::try_from(error.line).unwrap() - 1);
                prop_assert!((1..=line.unwrap().len() + 1).contains(&error.column), "{error}");
            }
        }
    }

    #[test]
    fn a_spoilt_record_takes_no_other_along(
        entry in any_entry(),
        change in any_change_record(),
        bad in prop_oneof![Just("dn: a"), Just("dn: cn=\"a"), Just("dn: cn=x\ncn:: *"), Just("dn: cn=x\na b: c")],
        rest in "(\n[a-z]{1,5}: [a-z]{0,9})?(\nx)?(\n y)?",
    ) {
        let mut text = Vec::new();
        write_entry(&mut text, &entry).unwrap();
        text.extend_from_slice(format!("{bad}{rest}\n\n").as_bytes());
        write_change(&mut text, &change).unwrap();
        let records: Vec<_> = LdifReader::new(text.as_slice()).collect();
        prop_assert_eq!(records.len(), 3);
        prop_assert!(records[1].is_err());
        prop_assert_eq!(records[0].as_ref().ok(), Some(&Record::Entry(entry)));
        prop_assert_eq!(records[2].as_ref().ok(), Some(&Record::Change(change)));
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
