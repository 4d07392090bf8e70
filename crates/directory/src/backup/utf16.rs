//! Text in UTF-16, as PowerShell writes it, read as UTF-8. LDIF is UTF-8 (RFC 2849); its first character is ASCII, so the
//! first two bytes tell the one from the other, also without a byte order mark.

use std::io::{self, BufRead, BufReader, Read};

/// The most that is decoded at a time, in bytes.
const PIECE: usize = 16 * 1024;

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    /// As LDIF is, or as nothing that is known here.
    Utf8,
    LittleEndian,
    BigEndian,
}

impl Encoding {
    /// That of a text, by its first two bytes.
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

/// A reader that gives UTF-8. What is wrong with its input is found when it is read.
pub(super) struct InUtf8<R> {
    input: BufReader<Pairs<R>>,
    /// Known once something was read.
    encoding: Option<Encoding>,
    /// A byte, or the first half of a character, whose rest has not come yet.
    held: Vec<u8>,
    /// What was decoded, and how much of it was given.
    text: String,
    given: usize,
}

impl<R: Read> InUtf8<R> {
    /// A reader that reads so many bytes at a time, two at least.
    pub(super) fn new(input: R, piece: usize) -> Self {
        let input = BufReader::with_capacity(piece, Pairs(input));
        Self { input, encoding: None, held: Vec::new(), text: String::new(), given: 0 }
    }

    /// Decodes the next piece; nothing at the end.
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

/// A reader that gives two bytes or more at a time, unless there is but one.
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
    io::Error::new(io::ErrorKind::InvalidData, "the text begins in UTF-16 and does not go on so")
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

    /// What a text reads as, whose bytes come in pieces of a size.
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
