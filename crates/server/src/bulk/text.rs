//! Bytes to text, in pieces of any size. Covered: UTF-8 with or without its mark (BOM), and Windows-1251. Never
//! lossy: bytes that do not fit the encoding are an error. Refused: UTF-16.

use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8, WINDOWS_1251};
use memchr::memchr;
use std::str;

/// How much of the first bytes outside ASCII is looked at to tell the encoding: a long word in UTF-8. One letter
/// is too little: "Пё" of Windows-1251 is a letter of UTF-8 as well, "Пётр" is not.
const MAX_FIRST_WORD: usize = 64;
/// The byte that no letter has in Windows-1251. The WHATWG table that `encoding_rs` follows maps it to a control
/// character.
const UNASSIGNED: u8 = 0x98;
const UTF_8_MARK: &[u8] = b"\xEF\xBB\xBF";
const UTF_16_MARKS: [&[u8]; 2] = [b"\xFF\xFE", b"\xFE\xFF"];

/// The encoding of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8.
    Utf8,
    /// Windows-1251, in which Excel of a Russian Windows saves CSV.
    Windows1251,
}

impl Charset {
    /// The encoding of a label of the Encoding Standard, such as `utf-8` or `cp1251`; of other encodings nothing.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        let encoding = Encoding::for_label(label.as_bytes())?;
        [(UTF_8, Self::Utf8), (WINDOWS_1251, Self::Windows1251)]
            .into_iter()
            .find_map(|(known, charset)| (known == encoding).then_some(charset))
    }
}

/// Why bytes are no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    #[error("the bytes from here on are not UTF-8: save the file as UTF-8, or name the encoding it is in")]
    Utf8,
    #[error(
        "the byte 0x98 is no letter of windows-1251: save the file as UTF-8, or name the encoding it is in"
    )]
    Windows1251,
    #[error("the file is UTF-16: save it as UTF-8")]
    Utf16,
    #[error("the file begins with the mark of UTF-8 and cannot be windows-1251, as was said")]
    OtherMark,
}

/// Text from bytes, as they come.
pub(super) struct Decoding {
    declared: Option<Charset>,
    begun: bool,
    /// Bytes that wait for more, to tell the encoding: a mark, or a first word outside ASCII.
    held: Vec<u8>,
    decoder: Option<(Charset, Decoder)>,
}

impl Decoding {
    pub(super) fn new(declared: Option<Charset>) -> Self {
        Self { declared, begun: false, held: Vec::new(), decoder: None }
    }

    /// Adds the text of some bytes; of an error, all that comes before it.
    pub(super) fn push(&mut self, input: &[u8], last: bool, text: &mut String) -> Result<(), TextError> {
        if let Some((charset, decoder)) = &mut self.decoder {
            return decode(*charset, decoder, input, last, text);
        }
        self.held.extend_from_slice(input);
        if !self.begun {
            if self.held.len() < UTF_8_MARK.len() && !last {
                return Ok(());
            }
            self.begun = true;
            self.begin()?;
        }
        if self.decoder.is_none() {
            self.pass_ascii(text);
            self.decoder = told_by(&self.held, last).map(with_decoder);
        }
        let Some((charset, decoder)) = &mut self.decoder else { return Ok(()) };
        decode(*charset, decoder, &std::mem::take(&mut self.held), last, text)
    }

    /// Looks at the mark, and takes what was declared.
    fn begin(&mut self) -> Result<(), TextError> {
        if UTF_16_MARKS.iter().any(|mark| self.held.starts_with(mark)) {
            return Err(TextError::Utf16);
        }
        let marked = self.held.starts_with(UTF_8_MARK);
        if marked && self.declared == Some(Charset::Windows1251) {
            return Err(TextError::OtherMark);
        }
        if marked {
            self.held.drain(..UTF_8_MARK.len());
        }
        self.decoder = self.declared.or(marked.then_some(Charset::Utf8)).map(with_decoder);
        Ok(())
    }

    /// ASCII is the same in every encoding here.
    fn pass_ascii(&mut self, text: &mut String) {
        let ascii = self.held.iter().position(|byte| !byte.is_ascii()).unwrap_or(self.held.len());
        text.extend(self.held.drain(..ascii).map(char::from));
    }
}

fn with_decoder(charset: Charset) -> (Charset, Decoder) {
    let encoding = match charset {
        Charset::Utf8 => UTF_8,
        Charset::Windows1251 => WINDOWS_1251,
    };
    (charset, encoding.new_decoder_without_bom_handling())
}

/// The encoding, by the first word outside ASCII; nothing while more of it is needed.
fn told_by(bytes: &[u8], last: bool) -> Option<Charset> {
    let end = bytes.iter().take(MAX_FIRST_WORD).position(u8::is_ascii);
    let word = bytes.get(..end.unwrap_or(bytes.len().min(MAX_FIRST_WORD)))?;
    let complete = end.is_some() || (last && bytes.len() < MAX_FIRST_WORD);
    match str::from_utf8(word) {
        _ if bytes.is_empty() => None,
        Err(error) if error.error_len().is_some() || complete => Some(Charset::Windows1251),
        _ if complete || word.len() == MAX_FIRST_WORD => Some(Charset::Utf8),
        _ => None,
    }
}

fn decode(
    charset: Charset,
    decoder: &mut Decoder,
    input: &[u8],
    last: bool,
    text: &mut String,
) -> Result<(), TextError> {
    let unassigned = if charset == Charset::Windows1251 { memchr(UNASSIGNED, input) } else { None };
    let mut rest = unassigned.and_then(|at| input.get(..at)).unwrap_or(input);
    loop {
        text.reserve(decoder.max_utf8_buffer_length_without_replacement(rest.len()).unwrap_or(rest.len()));
        let (result, read) = decoder.decode_to_string_without_replacement(rest, text, last);
        match result {
            DecoderResult::InputEmpty if unassigned.is_some() => return Err(TextError::Windows1251),
            DecoderResult::InputEmpty => return Ok(()),
            DecoderResult::Malformed(..) => return Err(TextError::Utf8),
            DecoderResult::OutputFull => rest = rest.get(read..).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(declared: Option<Charset>, bytes: &[u8], step: usize) -> (String, Result<(), TextError>) {
        let mut decoding = Decoding::new(declared);
        let mut text = String::new();
        for piece in bytes.chunks(step.max(1)) {
            if let Err(error) = decoding.push(piece, false, &mut text) {
                return (text, Err(error));
            }
        }
        let end = decoding.push(&[], true, &mut text);
        (text, end)
    }

    fn windows_1251(text: &str) -> Vec<u8> {
        WINDOWS_1251.encode(text).0.into_owned()
    }

    #[test]
    fn the_encoding_is_told_by_the_first_word_outside_ascii() {
        for word in ["Пётр", "Иван", "Фёдор", "ООО «Рога»", "№ 1", "ж"] {
            let text = format!("mail;cn\r\na@b.c;{word} and more; {word}");
            for step in 1..20 {
                assert_eq!(read(None, text.as_bytes(), step), (text.clone(), Ok(())), "{step}");
                assert_eq!(read(None, &windows_1251(&text), step), (text.clone(), Ok(())), "{step}");
            }
        }
    }

    #[test]
    fn a_mark_of_utf_8_is_skipped_and_one_of_utf_16_refused() {
        for step in 1..6 {
            let marked = b"\xEF\xBB\xBFmail";
            assert_eq!(read(None, marked, step), ("mail".into(), Ok(())));
            assert_eq!(read(Some(Charset::Utf8), marked, step), ("mail".into(), Ok(())));
            assert_eq!(read(Some(Charset::Windows1251), marked, step).1, Err(TextError::OtherMark));
            assert_eq!(read(None, b"\xFF\xFEm\0", step).1, Err(TextError::Utf16));
            assert_eq!(read(None, b"\xFE\xFF\0m", step).1, Err(TextError::Utf16));
        }
        assert_eq!(read(None, b"", 1), (String::new(), Ok(())));
        assert_eq!(read(None, b"a", 1), ("a".into(), Ok(())));
    }

    #[test]
    fn what_does_not_fit_is_an_error_after_the_text_before_it() {
        for step in 1..10 {
            let half = "Иван;".as_bytes().iter().copied().chain(*b"ab\xFFcd").collect::<Vec<_>>();
            assert_eq!(read(None, &half, step), ("Иван;ab".into(), Err(TextError::Utf8)));
            let cut = "Иван; Ж".as_bytes();
            let cut = &cut[..cut.len() - 1];
            assert_eq!(read(None, cut, step), ("Иван; ".into(), Err(TextError::Utf8)));
            let mut unassigned = windows_1251("Иван");
            unassigned.extend(b" \x98!");
            assert_eq!(read(None, &unassigned, step), ("Иван ".into(), Err(TextError::Windows1251)));
        }
    }

    #[test]
    fn what_is_declared_is_not_doubted() {
        let (text, end) = read(Some(Charset::Windows1251), "И".as_bytes(), 3);
        assert_eq!((text.chars().count(), end), (1, Err(TextError::Windows1251)));
        assert_eq!(read(Some(Charset::Utf8), &windows_1251("Иван"), 3).1, Err(TextError::Utf8));
        for (label, charset) in [
            ("UTF-8", Some(Charset::Utf8)),
            ("cp1251", Some(Charset::Windows1251)),
            ("koi8-r", None),
            ("", None),
        ] {
            assert_eq!(Charset::of_label(label), charset, "{label}");
        }
    }

    proptest! {
        #[test]
        fn any_pieces_give_the_same_text(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            step in 1..50_usize,
        ) {
            prop_assert_eq!(read(None, &bytes, step), read(None, &bytes, 1000));
        }

        #[test]
        fn utf_8_reads_as_itself(text in "[a-z]{3}\\PC{0,200}", step in 1..50_usize) {
            prop_assert_eq!(read(None, text.as_bytes(), step), (text, Ok(())));
        }
    }
}
