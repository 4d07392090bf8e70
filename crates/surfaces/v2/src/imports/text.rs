//! Decodes bytes into text, in pieces of any size: Unicode and the encodings of the Encoding Standard. The encoding is
//! the declared one; otherwise the one of a byte order mark, or of the pattern of UTF-16 without a mark; otherwise
//! UTF-8 if the first letters outside ASCII are valid UTF-8; otherwise it is guessed from them ([`super::guess`]).
//! Decoding is never lossy: bytes that do not fit are an error.

use super::{
    charset::{Charset, name_of},
    decoder::{SteadyDecoder, TextError},
    guess::guess,
};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use std::str;

/// The encoding is detected from this many bytes outside ASCII, some hundred letters ...
const MAX_OUTSIDE: usize = 256;
/// ... within this many bytes from the first of them.
const MAX_WINDOW: usize = 64 * 1024;
/// With this many letters of UTF-8 before the first invalid bytes, a text counts as damaged UTF-8. In other encodings,
/// accidental UTF-8 gives a single letter, or letters of a script that tables do not mix in.
const LETTERS_OF_UTF_8: usize = 3;
/// The longest beginning of a word that is kept for the guess.
const MAX_BEGUN_WORD: usize = 64;
/// The length of the longest byte order mark, and of the shortest pattern of UTF-16 without one.
const HEAD: usize = 4;

/// What is known about a file's encoding before it is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DeclaredCharset {
    Nothing,
    /// UTF-8, or UTF-16 with a byte order mark.
    Unicode,
    As(Charset),
}

/// The encoding of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEncoding {
    /// Its name in the Encoding Standard, or `cp866`; `utf-8` for plain ASCII.
    pub name: String,
    /// Whether the encoding was guessed from the letters.
    pub guessed: bool,
}

/// Decodes bytes into text, in pieces.
pub(super) struct Decoding {
    declared: DeclaredCharset,
    begun: bool,
    /// Bytes that are kept until the encoding is known: a byte order mark, or the first bytes outside ASCII and those
    /// that follow.
    held: Vec<u8>,
    window: Window,
    /// The beginning of the word that continues in the kept bytes.
    word: Vec<u8>,
    decoder: Option<SteadyDecoder>,
    guessed: bool,
}

impl Decoding {
    pub(super) fn new(declared: DeclaredCharset) -> Self {
        Self {
            declared,
            begun: false,
            held: Vec::new(),
            window: Window::default(),
            word: Vec::new(),
            decoder: None,
            guessed: false,
        }
    }

    /// The encoding, as far as it is known.
    pub(super) fn encoding(&self) -> FileEncoding {
        let encoding = self.decoder.as_ref().map_or(UTF_8, |decoder| decoder.encoding());
        FileEncoding { name: name_of(encoding), guessed: self.guessed }
    }

    /// Appends the text of some bytes; before an error, the text that comes before it.
    pub(super) fn push(&mut self, input: &[u8], last: bool, text: &mut String) -> Result<(), TextError> {
        if let Some(decoder) = &mut self.decoder {
            return decoder.decode(input, last, text);
        }
        self.held.extend_from_slice(input);
        if !self.begun {
            if self.held.len() < HEAD && !last {
                return Ok(());
            }
            self.begun = true;
            self.begin()?;
        }
        if self.decoder.is_none() {
            self.pass_ascii(text);
            self.tell(last)?;
        }
        let Some(decoder) = &mut self.decoder else { return Ok(()) };
        decoder.decode(&std::mem::take(&mut self.held), last, text)
    }

    /// Reads the byte order mark, and applies the declared encoding.
    fn begin(&mut self) -> Result<(), TextError> {
        let marked = mark_of(&self.held)?;
        if let Some((encoding, length)) = marked {
            self.held.drain(..length);
            if let DeclaredCharset::As(charset) = self.declared
                && charset.encoding().unwrap_or(encoding) != encoding
            {
                return Err(TextError::OtherMark(name_of(encoding), charset.name()));
            }
        }
        let found = || marked.map(|(encoding, _)| encoding).or_else(|| pattern_of(&self.held));
        let encoding = match self.declared {
            DeclaredCharset::As(charset) => Some(charset.encoding().or_else(found).unwrap_or(UTF_16LE)),
            DeclaredCharset::Unicode => Some(found().unwrap_or(UTF_8)),
            DeclaredCharset::Nothing => found(),
        };
        self.decoder = encoding.map(SteadyDecoder::new);
        Ok(())
    }

    /// Passes on ASCII, which is the same in every encoding that is detected here.
    fn pass_ascii(&mut self, text: &mut String) {
        if self.window.scanned > 0 {
            return;
        }
        let ascii = self.held.iter().position(|byte| !byte.is_ascii()).unwrap_or(self.held.len());
        for byte in self.held.drain(..ascii) {
            text.push(char::from(byte));
            if !byte.is_ascii_alphabetic() {
                self.word.clear();
            } else if self.word.len() < MAX_BEGUN_WORD {
                self.word.push(byte);
            }
        }
    }

    /// Detects the encoding of the kept bytes, once there are enough.
    fn tell(&mut self, last: bool) -> Result<(), TextError> {
        let Some(window) = self.window.of(&self.held, last) else { return Ok(()) };
        let encoding = if is_utf_8(window, last && window.len() == self.held.len()) {
            UTF_8
        } else {
            self.guessed = true;
            guess(&[&self.word, window].concat()).ok_or(TextError::Unknown)?
        };
        self.decoder = Some(SteadyDecoder::new(encoding));
        Ok(())
    }
}

/// How far a text was searched, from its first byte outside ASCII on.
#[derive(Default)]
struct Window {
    scanned: usize,
    outside: usize,
}

impl Window {
    /// The bytes that decide the encoding, which do not depend on how the text is cut into pieces; `None` while more
    /// are needed.
    fn of<'a>(&mut self, held: &'a [u8], last: bool) -> Option<&'a [u8]> {
        for byte in held.get(self.scanned..)? {
            self.scanned += 1;
            self.outside += usize::from(!byte.is_ascii());
            if self.outside == MAX_OUTSIDE || self.scanned == MAX_WINDOW {
                return held.get(..self.scanned);
            }
        }
        (last && !held.is_empty()).then_some(held)
    }
}

/// The encoding of a byte order mark, and the mark's length.
fn mark_of(head: &[u8]) -> Result<Option<(&'static Encoding, usize)>, TextError> {
    match head {
        [0xFF, 0xFE, 0, 0, ..]
        | [0, 0, 0xFE, 0xFF, ..]
        | [1..=u8::MAX, 0, 0, 0, ..]
        | [0, 0, 0, 1..=u8::MAX, ..] => Err(TextError::Utf32),
        [b'P', b'K', 3, 4, ..] | [0xD0, 0xCF, 0x11, 0xE0, ..] => Err(TextError::Workbook),
        head => Ok(Encoding::for_bom(head)),
    }
}

/// UTF-16 without a mark: the first characters are ASCII, as in a header.
fn pattern_of(head: &[u8]) -> Option<&'static Encoding> {
    match head {
        [1..=0x7F, 0, 1..=u8::MAX, 0, ..] | [1..=0x7F, 0] => Some(UTF_16LE),
        [0, 1..=0x7F, 0, 1..=u8::MAX, ..] | [0, 1..=0x7F] => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether bytes are UTF-8, or damaged UTF-8. The last character may be incomplete if more bytes follow.
fn is_utf_8(bytes: &[u8], is_end: bool) -> bool {
    let Err(error) = str::from_utf8(bytes) else { return true };
    if error.error_len().is_none() && !is_end {
        return true;
    }
    let before = bytes.get(..error.valid_up_to()).and_then(|before| str::from_utf8(before).ok());
    let is_usual = |c: &char| matches!(c, '\u{c0}'..='\u{24f}' | '\u{370}'..='\u{52f}');
    before.is_some_and(|before| before.chars().filter(is_usual).count() >= LETTERS_OF_UTF_8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use encoding_rs::{IBM866, KOI8_R, WINDOWS_1251, WINDOWS_1252};
    use proptest::prelude::*;

    type Read = (String, Result<(), TextError>);

    fn read_all(declared: DeclaredCharset, bytes: &[u8], step: usize) -> (Read, FileEncoding) {
        let mut decoding = Decoding::new(declared);
        let mut text = String::new();
        for piece in bytes.chunks(step.max(1)) {
            if let Err(error) = decoding.push(piece, false, &mut text) {
                return ((text, Err(error)), decoding.encoding());
            }
        }
        let end = decoding.push(&[], true, &mut text);
        ((text, end), decoding.encoding())
    }

    fn read(declared: DeclaredCharset, bytes: &[u8], step: usize) -> Read {
        read_all(declared, bytes, step).0
    }

    fn declared(label: &str) -> DeclaredCharset {
        DeclaredCharset::As(Charset::of_label(label).unwrap())
    }

    fn windows_1251(text: &str) -> Vec<u8> {
        WINDOWS_1251.encode(text).0.into_owned()
    }

    fn utf_16(text: &str, big: bool) -> Vec<u8> {
        text.encode_utf16()
            .flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() })
            .collect()
    }

    #[test]
    fn the_encoding_is_told_by_the_first_letters_outside_ascii() {
        for (word, encoding) in [
            ("Пётр", WINDOWS_1251),
            ("Фёдор", WINDOWS_1251),
            ("ООО «Рога»", WINDOWS_1251),
            ("№ 1", WINDOWS_1251),
            ("Пётр", IBM866),
            ("Пётр", KOI8_R),
            ("José Peña", WINDOWS_1252),
        ] {
            let text = format!("mail;cn\r\na@b.c;{word} and more; {word}");
            for step in 1..20 {
                let told = |guessed, name: &str| FileEncoding { name: name.into(), guessed };
                let utf_8 = read_all(DeclaredCharset::Nothing, text.as_bytes(), step);
                assert_eq!(utf_8, ((text.clone(), Ok(())), told(false, "utf-8")), "{step}");
                let bytes = encoding.encode(&text).0;
                let other = read_all(DeclaredCharset::Nothing, &bytes, step);
                assert_eq!(other, ((text.clone(), Ok(())), told(true, &name_of(encoding))), "{step}");
            }
        }
    }

    #[test]
    fn letters_outside_ascii_may_come_late_and_far_apart() {
        let late = format!("mail;cn\r\n{}a@b.c;Пётр", "u@b.c;U\r\n".repeat(20_000));
        let apart = format!("mail;cn\r\na@b.c;№ 5\r\n{}a@b.c;Пётр", "u@b.c;U\r\n".repeat(20_000));
        for text in [late, apart] {
            for bytes in [windows_1251(&text), text.clone().into_bytes()] {
                assert_eq!(read(DeclaredCharset::Nothing, &bytes, 5000), (text.clone(), Ok(())));
            }
        }
    }

    #[test]
    fn a_mark_says_the_encoding() {
        let text = "mail;cn\na@b.c;Пётр 😀";
        for step in 1..6 {
            for (label, bytes) in [
                ("utf-8", format!("\u{feff}{text}").into_bytes()),
                ("utf-16le", utf_16(&format!("\u{feff}{text}"), false)),
                ("utf-16be", utf_16(&format!("\u{feff}{text}"), true)),
            ] {
                for known in [DeclaredCharset::Nothing, DeclaredCharset::Unicode, declared(label)] {
                    let (read, encoding) = read_all(known, &bytes, step);
                    assert_eq!((read, &*encoding.name), ((text.into(), Ok(())), label));
                }
                let refused = read(declared("windows-1251"), &bytes, step).1;
                assert_eq!(refused, Err(TextError::OtherMark(label.into(), "windows-1251".into())));
            }
            assert_eq!(read(declared("utf-16"), &utf_16(&format!("\u{feff}{text}"), true), step).0, text);
        }
        assert_eq!(read(DeclaredCharset::Nothing, b"", 1), (String::new(), Ok(())));
        assert_eq!(read(DeclaredCharset::Nothing, b"a", 1), ("a".into(), Ok(())));
    }

    #[test]
    fn utf_16_is_known_without_a_mark() {
        let text = "mail;cn\na@b.c;Пётр";
        for step in 1..6 {
            for (label, big) in [("utf-16le", false), ("utf-16be", true)] {
                for known in
                    [DeclaredCharset::Nothing, DeclaredCharset::Unicode, declared("utf-16"), declared(label)]
                {
                    let (read, encoding) = read_all(known, &utf_16(text, big), step);
                    assert_eq!((read, &*encoding.name), ((text.into(), Ok(())), label));
                }
            }
        }
        let half = utf_16("mail;\u{41f}", false);
        let cut = read(DeclaredCharset::Nothing, &half[..half.len() - 1], 3);
        assert_eq!(cut, ("mail;".into(), Err(TextError::Malformed("utf-16le".into()))));
    }

    #[test]
    fn what_is_no_text_of_any_kind_is_named() {
        let utf_32: Vec<u8> = "mail".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        assert_eq!(read(DeclaredCharset::Nothing, &utf_32, 3).1, Err(TextError::Utf32));
        assert_eq!(read(DeclaredCharset::Nothing, b"\xFF\xFE\0\0m\0\0\0", 3).1, Err(TextError::Utf32));
        assert_eq!(read(DeclaredCharset::Nothing, b"PK\x03\x04\x14\0", 3).1, Err(TextError::Workbook));
        assert_eq!(read(DeclaredCharset::Nothing, b"\xD0\xCF\x11\xE0\xA1", 3).1, Err(TextError::Workbook));
        // A byte without a letter in most encodings, and a code page that is not among the encodings.
        assert_eq!(
            read(DeclaredCharset::Nothing, b"a;Jos\x82 Pe\xA4a", 3),
            ("a;Jos".into(), Err(TextError::Unknown))
        );
    }

    #[test]
    fn what_does_not_fit_is_an_error_after_the_text_before_it() {
        for step in 1..10 {
            let half = "Иван;".as_bytes().iter().copied().chain(*b"ab\xFFcd").collect::<Vec<_>>();
            assert_eq!(read(DeclaredCharset::Nothing, &half, step), ("Иван;ab".into(), Err(TextError::Utf8)));
            let cut = "Иван; Ж".as_bytes();
            let cut = &cut[..cut.len() - 1];
            assert_eq!(read(DeclaredCharset::Nothing, cut, step), ("Иван; ".into(), Err(TextError::Utf8)));
            for (label, byte) in [("windows-1251", 0x98), ("windows-1252", 0x81), ("iso-8859-1", 0x9D)] {
                let bytes = [b"cn;Ab ".as_slice(), &[byte], b"!"].concat();
                let name = if label == "iso-8859-1" { "windows-1252" } else { label };
                let expected = Err(TextError::Unassigned(byte, name.into()));
                assert_eq!(read(declared(label), &bytes, step), ("cn;Ab ".into(), expected));
            }
            let names = format!("{} ", "Иван Петров".repeat(3));
            let bytes = [&windows_1251(&names)[..], b"\x98!"].concat();
            let expected = Err(TextError::Unassigned(0x98, "windows-1251".into()));
            assert_eq!(read(DeclaredCharset::Nothing, &bytes, step), (names, expected));
        }
    }

    #[test]
    fn what_is_declared_is_not_doubted() {
        let (text, end) = read(declared("windows-1251"), "И".as_bytes(), 3);
        assert_eq!((text.chars().count(), end), (1, Err(TextError::Unassigned(0x98, "windows-1251".into()))));
        assert_eq!(read(declared("utf-8"), &windows_1251("Иван"), 3).1, Err(TextError::Utf8));
        let (read, encoding) = read_all(declared("koi8-r"), &windows_1251("Иван"), 3);
        assert_eq!((&*read.0, &*encoding.name, encoding.guessed), ("хБЮМ", "koi8-r", false));
    }

    proptest! {
        #[test]
        fn any_pieces_give_the_same_text(
            bytes in proptest::collection::vec(any::<u8>(), 0..800),
            step in 1..50_usize,
        ) {
            prop_assert_eq!(read_all(DeclaredCharset::Nothing, &bytes, step), read_all(DeclaredCharset::Nothing, &bytes, 1000));
        }

        #[test]
        fn utf_8_reads_as_itself(text in "[a-z]{4}\\PC{0,200}", step in 1..50_usize) {
            prop_assert_eq!(read(DeclaredCharset::Nothing, text.as_bytes(), step), (text, Ok(())));
        }
    }
}
