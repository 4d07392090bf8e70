use std::fmt::Write as _;

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::attribute::AttributeName;
use crate::dn::{Dn, Rdn};

mod errors;
mod properties;
mod reading;
mod rfc2849;
mod samples;
mod writing;

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

/// The error that ends this text, as it is printed.
fn message(text: impl AsRef<[u8]>) -> String {
    LdifReader::new(text.as_ref()).find_map(Result::err).expect("an error").to_string()
}
