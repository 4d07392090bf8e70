//! Writes one line of LDIF: plain or in base64 (RFC 2849, SAFE-STRING and note 8), and folded (note 10).

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::dn::Dn;

/// Columns in a line; RFC 2849 recommends to fold longer lines.
const WIDTH: usize = 76;

/// Bytes that are encoded in base64 at a time: a multiple of three, so that only the last piece has padding.
const CHUNK: usize = 768;

/// Appends a name and a value, in as many lines as necessary. The type of the name guarantees ASCII.
pub(super) fn append_line(out: &mut Vec<u8>, name: &str, value: &[u8]) {
    let mut line = Line { out, column: 0 };
    line.push(name.as_bytes());
    if value.is_empty() {
        line.push(b":");
    } else if is_safe(value) {
        line.push(b": ");
        line.push(value);
    } else {
        line.push(b":: ");
        line.push_base64(value);
    }
    out.push(b'\n');
}

/// Appends a keyword and a DN.
pub(super) fn append_dn(out: &mut Vec<u8>, word: &str, dn: &Dn) {
    let start = out.len();
    let text = start + word.len() + 2;
    // Writing to a vector never fails.
    let _written = write!(out, "{word}: {dn}");
    let value = out.get(text..).unwrap_or_default();
    if !value.is_empty() && is_safe(value) && out.len() - start <= WIDTH {
        out.push(b'\n');
        return;
    }
    let value = out.split_off(text);
    out.truncate(start);
    append_line(out, word, &value);
}

/// A line that is being written, folded when it is full.
struct Line<'a> {
    out: &'a mut Vec<u8>,
    column: usize,
}

impl Line<'_> {
    fn push(&mut self, text: &[u8]) {
        let mut text = text;
        while let Some((now, rest)) = text.split_at_checked(WIDTH - self.column)
            && !rest.is_empty()
        {
            self.out.extend_from_slice(now);
            self.out.extend_from_slice(b"\n ");
            self.column = 1;
            text = rest;
        }
        self.out.extend_from_slice(text);
        self.column += text.len();
    }

    fn push_base64(&mut self, value: &[u8]) {
        let mut encoded = [0; CHUNK / 3 * 4];
        for chunk in value.chunks(CHUNK) {
            // The buffer is large enough, by its size and that of the chunk.
            let length = STANDARD.encode_slice(chunk, &mut encoded).unwrap_or_default();
            self.push(encoded.get(..length).unwrap_or_default());
        }
    }
}

/// SAFE-STRING of the RFC, without control characters and trailing spaces.
fn is_safe(value: &[u8]) -> bool {
    let starts_well = !matches!(value, [b' ' | b':' | b'<', ..]);
    // Without an early exit, so the compiler can check many bytes at a time.
    let plain = |value: &[u8]| value.iter().fold(true, |safe, byte| safe & matches!(byte, b' '..=b'~'));
    starts_well && !value.ends_with(b" ") && plain(value)
}
