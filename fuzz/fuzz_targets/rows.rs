//! Whatever bytes come as a file of users, and however they are cut, they are the same rows and the same mistakes; none
//! make it panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use v2::imports::{Charset, Format, Mode, Row, Rows, Stop};
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Every kind of encoding: found out, of one byte a character, of two, of a state.
fn formats() -> impl Iterator<Item = Format> {
    let declared = ["windows-1251", "utf-16", "iso-2022-jp"].map(|label| Format::Csv { charset: Charset::of_label(label) });
    [Format::Csv { charset: None }, Format::Ndjson].into_iter().chain(declared)
}

/// Everything that a file has; memory is never slow.
fn read(file: impl AsyncRead + Unpin, format: Format) -> (Vec<Row>, Vec<Stop>) {
    let mut rows = Rows::new(file, format, Mode::Upsert);
    let mut found = Vec::new();
    loop {
        let mut context = Context::from_waker(Waker::noop());
        match pin!(rows.next()).poll(&mut context) {
            Poll::Ready(Ok(Some(row))) => found.push(row),
            Poll::Ready(Ok(None)) => return (found, Vec::new()),
            Poll::Ready(Err(stops)) => return (found, stops),
            Poll::Pending => unreachable!("bytes in memory are there at once"),
        }
    }
}

fuzz_target!(|input: (&[u8], &[u8])| {
    let (first, second) = input;
    let file = [first, second].concat();
    let table = [b"mail;cn\n", first, second].concat();
    for format in formats() {
        let (cut, whole) = (read(first.chain(second), format), read(&file[..], format));
        // How much of a damaged gzip file comes out depends on its pieces.
        if !file.starts_with(&[0x1F, 0x8B]) {
            assert_eq!(cut, whole);
        }
        assert_eq!(read((&table[..8]).chain(first).chain(second), format), read(&table[..], format));
    }
});
