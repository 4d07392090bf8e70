//! Decodes bytes of a known encoding into text, in pieces of any size, with a message about bytes that do not fit.

use super::charset::name_of;
use encoding_rs::{Decoder, DecoderResult, Encoding, UTF_8};

/// Why bytes are not text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TextError {
    #[error("the bytes from here on are not UTF-8: save the file as UTF-8, or name the encoding it is in")]
    Utf8,
    #[error("the bytes from here on are not {0}: save the file as UTF-8, or name the encoding it is in")]
    Malformed(String),
    #[error(
        "the byte 0x{0:02X} is not a letter of {1}: save the file as UTF-8, or name the encoding it is in"
    )]
    Unassigned(u8, String),
    #[error(
        "the letters from here on are in an encoding that cannot be detected: save the file as UTF-8, or name the \
         encoding (charset)"
    )]
    Unknown,
    #[error("the file is UTF-32: save it as UTF-8")]
    Utf32,
    #[error("the file is a workbook of Excel or the like: save it as CSV")]
    Workbook,
    #[error("the file begins with the byte order mark of {0} and cannot be {1}, as declared")]
    OtherMark(String, String),
}

/// A decoder of one encoding.
pub(super) struct SteadyDecoder {
    encoding: &'static Encoding,
    decoder: Decoder,
    /// For an encoding with one byte per character, the bytes without a character: the tables of the Encoding Standard
    /// map them to control characters.
    unassigned: Option<Box<[bool; 256]>>,
}

impl SteadyDecoder {
    pub(super) fn new(encoding: &'static Encoding) -> Self {
        let is_control =
            |byte: u8| encoding.decode_without_bom_handling(&[byte]).0.chars().any(char::is_control);
        let unassigned =
            || Box::new(std::array::from_fn(|at| u8::try_from(at).is_ok_and(|b| b >= 0x80 && is_control(b))));
        Self {
            encoding,
            decoder: encoding.new_decoder_without_bom_handling(),
            unassigned: encoding.is_single_byte().then(unassigned),
        }
    }

    pub(super) fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// Appends the text of some bytes; before an error, the text that comes before it.
    pub(super) fn decode(&mut self, input: &[u8], last: bool, text: &mut String) -> Result<(), TextError> {
        let unassigned = self
            .unassigned
            .as_ref()
            .and_then(|table| input.iter().position(|byte| table.get(usize::from(*byte)) == Some(&true)));
        let mut rest = unassigned.and_then(|at| input.get(..at)).unwrap_or(input);
        loop {
            let length = self.decoder.max_utf8_buffer_length_without_replacement(rest.len());
            text.reserve(length.unwrap_or(rest.len()));
            let (result, read) = self.decoder.decode_to_string_without_replacement(rest, text, last);
            let behind = rest.get(read..).unwrap_or_default();
            match result {
                DecoderResult::InputEmpty => break,
                DecoderResult::Malformed(..) => {
                    return Err(self.misfit(rest.get(read.saturating_sub(1)).copied()));
                }
                DecoderResult::OutputFull => rest = behind,
            }
        }
        match unassigned.and_then(|at| input.get(at)) {
            Some(byte) => Err(self.misfit(Some(*byte))),
            None => Ok(()),
        }
    }

    fn misfit(&self, byte: Option<u8>) -> TextError {
        match byte {
            _ if self.encoding == UTF_8 => TextError::Utf8,
            Some(byte) if self.encoding.is_single_byte() => {
                TextError::Unassigned(byte, name_of(self.encoding))
            }
            _ => TextError::Malformed(name_of(self.encoding)),
        }
    }
}
