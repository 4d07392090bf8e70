//! Converts UTF-16, as PowerShell writes it, to UTF-8. LDIF is UTF-8 (RFC 2849) and its first character is ASCII, so
//! the first two bytes show the encoding, even without a byte order mark.

use std::io::{self, BufRead, BufReader, Read};

/// The largest piece that is decoded at once, in bytes.
const PIECE: usize = 16 * 1024;

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// The encoding of LDIF; also used for unknown encodings.
    Utf8,
    LittleEndian,
    BigEndian,
}

impl Encoding {
    /// The encoding of a text, by its first two bytes.
    fn of(start: &[u8]) -> Self {
        match start {
            [0xff, 0xfe, ..] => Self::LittleEndian,
            [0xfe, 0xff, ..] => Self::BigEndian,
            [first, 0, ..] if first.is_ascii() && *first != 0 => Self::LittleEndian,
            [0, second, ..] if second.is_ascii() && *second != 0 => Self::BigEndian,
            _ => Self::Utf8,
        }
    }
}

/// A reader that returns UTF-8. Invalid input is reported when it is read.
pub(super) struct InUtf8<R> {
    input: BufReader<Pairs<R>>,
    /// Known once the first bytes were read.
    encoding: Option<Encoding>,
    /// A byte, or the first half of a character, whose rest has not been read yet.
    held: Vec<u8>,
    /// The decoded text, and how much of it was returned.
    text: String,
    given: usize,
}

impl<R: Read> InUtf8<R> {
    /// Creates a reader that reads `piece` bytes at a time, at least two.
    pub(super) fn new(input: R, piece: usize) -> Self {
        let input = BufReader::with_capacity(piece, Pairs(input));
        Self { input, encoding: None, held: Vec::new(), text: String::new(), given: 0 }
    }

    /// Decodes the next piece; leaves the text empty at the end of the input.
    fn decode(&mut self) -> io::Result<()> {
        self.text.clear();
        self.given = 0;
        while self.text.is_empty() {
            let piece = self.input.fill_buf()?;
            let piece = piece.get(..PIECE.min(piece.len())).unwrap_or_default();
            let length = piece.len();
            self.held.extend_from_slice(piece);
            self.input.consume(length);
            let is_end = length == 0;
            let (pairs, rest) = self.held.as_chunks::<2>();
            let mut units: Vec<u16> = pairs.iter().map(|pair| self.unit(*pair)).collect();
            let mut left = rest.to_vec();
            if !is_end && let Some(0xd800..=0xdbff) = units.last() {
                units.pop();
                left = self.held.get(self.held.len() - 2 - left.len()..).unwrap_or_default().to_vec();
            }
            if is_end && !left.is_empty() {
                return Err(wrong());
            }
            self.held = left;
            for character in char::decode_utf16(units) {
                self.text.push(character.map_err(|_| wrong())?);
            }
            if is_end {
                break;
            }
        }
        Ok(())
    }

    fn unit(&self, pair: [u8; 2]) -> u16 {
        if self.encoding == Some(Encoding::BigEndian) {
            u16::from_be_bytes(pair)
        } else {
            u16::from_le_bytes(pair)
        }
    }
}

/// A reader that returns at least two bytes at a time, unless only one is left.
struct Pairs<R>(R);

impl<R: Read> Read for Pairs<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(buffer)?;
        match buffer.get_mut(1..) {
            Some(rest) if read == 1 => Ok(read + self.0.read(rest)?),
            _ => Ok(read),
        }
    }
}

fn wrong() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the text begins in UTF-16, and the rest is not valid UTF-16")
}

impl<R: Read> Read for InUtf8<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.encoding.is_none() {
            self.encoding = Some(Encoding::of(self.input.fill_buf()?));
        }
        if self.encoding == Some(Encoding::Utf8) {
            return self.input.read(buffer);
        }
        if self.given == self.text.len() {
            self.decode()?;
        }
        let left = self.text.as_bytes().get(self.given..).unwrap_or_default();
        let length = left.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..length), left.get(..length)) {
            to.copy_from_slice(from);
        }
        self.given += length;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BOTH: [fn(u16) -> [u8; 2]; 2] = [u16::to_le_bytes, u16::to_be_bytes];

    fn encoded(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(to_bytes).collect()
    }

    /// Decodes a text whose bytes are read in pieces of a given size.
    fn read(bytes: &[u8], piece: usize) -> io::Result<String> {
        let mut text = String::new();
        InUtf8::new(bytes, piece).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn the_first_two_bytes_tell() {
        for text in ["\u{feff}dn: cn=x", "dn: cn=x", "# я"] {
            assert_eq!(Encoding::of(&encoded(text, u16::to_le_bytes)), Encoding::LittleEndian);
            assert_eq!(Encoding::of(&encoded(text, u16::to_be_bytes)), Encoding::BigEndian);
            assert_eq!(Encoding::of(text.as_bytes()), Encoding::Utf8);
        }
        assert_eq!([b"".as_slice(), b"d", b"\0\0"].map(Encoding::of), [Encoding::Utf8; 3]);
    }

    #[test]
    fn what_is_no_utf_16_is_an_error() {
        for bytes in [&b"d\0n"[..], b"d\0\0\xdc", b"d\0\0\xd8", b"d\0\0\xd8d\0"] {
            for piece in [2, 3, 100] {
                assert!(read(bytes, piece).is_err(), "{bytes:?}");
            }
        }
    }

    proptest! {
        #[test]
        fn every_text_is_read_however_it_comes(text in any::<String>(), piece in 2..9_usize) {
            let text = format!("d{text}𝄞");
            prop_assert_eq!(read(text.as_bytes(), piece).unwrap(), text.as_str());
            for to_bytes in BOTH {
                prop_assert_eq!(read(&encoded(&text, to_bytes), piece).unwrap(), text.as_str());
            }
        }
    }
}
