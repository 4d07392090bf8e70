//! Records that read must be written as a text that reads to the same records, and is written alike; for
//! people and for programs, and however its lines are folded.
#![no_main]

use ldap_text::dn::MAX_DN_LENGTH;
use ldap_text::ldif::{
    LdifReader, Record, write_change, write_content, write_entry, write_name, write_value,
};
use libfuzzer_sys::fuzz_target;

fn write(records: &[Record]) -> Vec<u8> {
    let mut text = Vec::new();
    for record in records {
        match record {
            Record::Entry(entry) => write_entry(&mut text, entry),
            Record::Change(change) => write_change(&mut text, change),
        }
        .expect("what was read must be writable");
    }
    text
}

fn read(text: &[u8]) -> Vec<Record> {
    LdifReader::new(text).collect::<Result<_, _>>().expect("what was written must read")
}

/// The entries as a backup writes them, as a whole and line by line, which must be the same.
fn check_without_comments(records: &[Record]) {
    let (mut whole, mut lines) = (Vec::new(), Vec::new());
    for entry in
        records.iter().filter_map(|record| if let Record::Entry(entry) = record { Some(entry) } else { None })
    {
        write_content(&mut whole, entry).expect("what was read must be writable");
        write_name(&mut lines, &entry.dn);
        for attribute in &entry.attributes {
            for value in &attribute.values {
                write_value(&mut lines, &attribute.name, value.as_bytes());
            }
        }
        lines.push(b'\n');
    }
    assert_eq!(whole, lines);
    assert!(read(&whole).iter().eq(records.iter().filter(|record| matches!(record, Record::Entry(_)))));
}

/// The same text with other lengths of lines and other line ends.
fn folded(text: &[u8], length: usize) -> Vec<u8> {
    let mut folded = Vec::new();
    let mut column = 0;
    for byte in text {
        if *byte == b'\n' {
            folded.extend_from_slice(b"\r\n");
            column = 0;
            continue;
        }
        if column == length {
            folded.extend_from_slice(b"\r\n ");
            column = 1;
        }
        folded.push(*byte);
        column += 1;
    }
    folded
}

fuzz_target!(|text: &[u8]| {
    // A byte of a name prints as three characters at most; longer names may print over the limit.
    if text.len() > MAX_DN_LENGTH / 3 {
        return;
    }
    let mut reader = LdifReader::new(text);
    let mut records = Vec::new();
    // What stands before an error is read too, and behind one of a single record, so it must hold for that as well.
    let mut is_over = false;
    while let Some(record) = reader.next() {
        assert!(!is_over, "nothing is read where it is not known what comes next");
        match record {
            Ok(record) => records.push(record),
            Err(error) => {
                assert!(error.line >= 1 && error.column >= 1 && !error.to_string().contains('\n'));
                is_over = !reader.goes_on();
            }
        }
    }
    let written = write(&records);
    let again = read(&written);
    assert_eq!(again, records);
    assert_eq!(write(&again), written);
    check_without_comments(&records);
    let length = 2 + text.len() % 80;
    assert_eq!(read(&folded(&written, length)), records);
});
