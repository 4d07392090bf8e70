//! Records that read must be written as a text that reads to the same records, and is written alike.
#![no_main]

use ldap_text::dn::MAX_DN_LENGTH;
use ldap_text::ldif::{LdifReader, Record, write_change, write_entry};
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

fuzz_target!(|text: &[u8]| {
    // A byte of a name prints as three characters at most; longer names may print over the limit.
    if text.len() > MAX_DN_LENGTH / 3 {
        return;
    }
    // What stands before an error is read too, so it must hold for that as well.
    let records: Vec<_> = LdifReader::new(text).map_while(Result::ok).collect();
    let written = write(&records);
    let again: Vec<_> =
        LdifReader::new(written.as_slice()).collect::<Result<_, _>>().expect("what was written must read");
    assert_eq!(again, records);
    assert_eq!(write(&again), written);
});
