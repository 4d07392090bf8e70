//! Whatever bytes come as a file of users, and however they are cut, they are the same rows and the same mistakes; none
//! make it panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use server::bulk::{Charset, Format, Mode, Row, Rows, Stop};
use std::{
    pin::pin,
    task::{Context, Poll, Waker},
};
use tokio::io::{AsyncRead, AsyncReadExt};

const FORMATS: [Format; 3] =
    [Format::Csv { charset: None }, Format::Csv { charset: Some(Charset::Windows1251) }, Format::Ndjson];

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
    for format in FORMATS {
        assert_eq!(read(first.chain(second), format), read(&file[..], format));
        assert_eq!(read((&table[..8]).chain(first).chain(second), format), read(&table[..], format));
    }
});
