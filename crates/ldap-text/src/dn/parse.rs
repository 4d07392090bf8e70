//! Parses DNs (RFC 4514, section 3; RFC 2253, section 4).
//!
//! One pass over the text. A search of the whole directory returns a DN for each entry, so the usual value, which has
//! no escapes, costs only one allocation.

use super::rdn::{Pair, PairValue, Rdn};
use crate::attribute::{AttributeName, AttributeNameError};

/// The longest DN that is parsed, in bytes. A value in one RDN has at most 256 characters, of 4 bytes each, of 3
/// characters each when escaped: 3 KiB. The deepest tree in practice has some 20 levels; 21 × 3 KiB fit.
pub const MAX_DN_LENGTH: usize = 64 * 1024;

/// Why a text is not a valid DN. Positions are bytes from the start of the text, which the message never repeats.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnError {
    /// Longer than [`MAX_DN_LENGTH`].
    #[error("a name has at most {MAX_DN_LENGTH} bytes")]
    TooLong,
    /// The text before `=` is not an attribute name.
    #[error("byte {at}: no valid attribute name")]
    Attribute {
        /// Where the name starts.
        at: usize,
        /// The form of a valid name.
        #[source]
        source: AttributeNameError,
    },
    /// No `=` after an attribute's name, as in an empty RDN.
    #[error("byte {at}: `attribute=value` expected")]
    NoEquals {
        /// Where the part starts.
        at: usize,
    },
    /// A backslash before a character that can't follow it.
    #[error("byte {at}: after a backslash comes one of `\\\"+,;<>=# ` or two hex digits")]
    Escape {
        /// Where the backslash is.
        at: usize,
    },
    /// A character that must be escaped.
    #[error("byte {at}: this character must be escaped in a value")]
    Unescaped {
        /// Where it is.
        at: usize,
    },
    /// A value that starts with `#` and continues with something other than pairs of hex digits.
    #[error("byte {at}: after `#` come pairs of hex digits")]
    Hex {
        /// Where the value starts.
        at: usize,
    },
    /// The escapes of a value do not form UTF-8.
    #[error("byte {at}: the value isn't UTF-8")]
    NotUtf8 {
        /// Where the value starts.
        at: usize,
    },
    /// A quoted value without an end, or with more text after its end.
    #[error("byte {at}: a value in quotes ends with a quote, and then comes `,`, `;` or `+`, or nothing")]
    Quoted {
        /// Where the value starts, or the text after it.
        at: usize,
    },
    /// More text follows after the single RDN.
    #[error("byte {at}: one part of a name expected, more follows")]
    MoreThanOne {
        /// Where the rest starts.
        at: usize,
    },
}

impl DnError {
    /// The position of the error in the text, in bytes from 0; also 0 if the text is too long.
    #[must_use]
    pub fn at(&self) -> usize {
        match self {
            Self::TooLong => 0,
            Self::Attribute { at, .. }
            | Self::NoEquals { at }
            | Self::Escape { at }
            | Self::Unescaped { at }
            | Self::Hex { at }
            | Self::NotUtf8 { at }
            | Self::Quoted { at }
            | Self::MoreThanOne { at } => *at,
        }
    }
}

pub(super) fn dn(text: &str) -> Result<Vec<Rdn>, DnError> {
    let mut parser = Parser::new(text)?;
    if text.bytes().all(|byte| byte == b' ') {
        return Ok(Vec::new());
    }
    // This counts escaped commas too; some unused capacity is cheaper than growing.
    let mut rdns = Vec::with_capacity(1 + text.bytes().filter(|byte| *byte == b',').count());
    rdns.push(parser.rdn()?);
    while parser.eat(b',') || parser.eat(b';') {
        rdns.push(parser.rdn()?);
    }
    Ok(rdns)
}

/// Parses the first RDN of a DN, whatever follows it; used on lists of thousands of DNs.
pub(super) fn leaf(text: &str) -> Result<Rdn, DnError> {
    Parser::new(text)?.rdn()
}

pub(super) fn rdn(text: &str) -> Result<Rdn, DnError> {
    let mut parser = Parser::new(text)?;
    let rdn = parser.rdn()?;
    if parser.at < text.len() { Err(DnError::MoreThanOne { at: parser.at }) } else { Ok(rdn) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Result<Self, DnError> {
        if text.len() > MAX_DN_LENGTH { Err(DnError::TooLong) } else { Ok(Self { text, at: 0 }) }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest().as_bytes().first() == Some(&byte);
        self.at += usize::from(found);
        found
    }

    fn eat_blanks(&mut self) {
        while self.eat(b' ') {}
    }

    fn rdn(&mut self) -> Result<Rdn, DnError> {
        let first = self.pair()?;
        let mut more = Vec::new();
        while self.eat(b'+') {
            more.push(self.pair()?);
        }
        Ok(Rdn::from_pairs(first, more))
    }

    fn pair(&mut self) -> Result<Pair, DnError> {
        self.eat_blanks();
        let at = self.at;
        let (name, _) = self.rest().split_once('=').ok_or(DnError::NoEquals { at })?;
        if name.contains([',', ';', '+']) {
            return Err(DnError::NoEquals { at });
        }
        self.at += name.len() + 1;
        let attribute =
            attribute(name.trim_end_matches(' ')).map_err(|source| DnError::Attribute { at, source })?;
        self.eat_blanks();
        let value = self.value()?;
        Ok(Pair { attribute, value })
    }

    /// Reads up to an unescaped `,`, `;` or `+`, or to the end.
    fn value(&mut self) -> Result<PairValue, DnError> {
        let start = self.at;
        if self.eat(b'"') {
            return self.quoted(start);
        }
        let raw = self.raw_value()?;
        if let Some(hex) = raw.text.strip_prefix('#') {
            let bytes = hex_bytes(hex.trim_end_matches(' ')).ok_or(DnError::Hex { at: start })?;
            return Ok(PairValue::Hex(bytes));
        }
        if raw.escaped {
            return unescape(raw.text, start, Blanks::Around).map(PairValue::Text);
        }
        Ok(PairValue::Text(raw.text.trim_end_matches(' ').to_owned()))
    }

    /// Reads a value up to its closing quote. Within it only quotes and backslashes must be escaped, and any character
    /// may be.
    fn quoted(&mut self, start: usize) -> Result<PairValue, DnError> {
        let rest = self.rest();
        let mut bytes = rest.bytes().enumerate();
        let end = loop {
            match bytes.next() {
                Some((index, b'"')) => break index,
                None => return Err(DnError::Quoted { at: start }),
                Some((_, b'\\')) => {
                    bytes.next();
                }
                Some((index, 0)) => return Err(DnError::Unescaped { at: self.at + index }),
                Some(_) => {}
            }
        };
        let value = unescape(rest.get(..end).unwrap_or_default(), self.at, Blanks::Inside)?;
        self.at += end + 1;
        self.eat_blanks();
        match self.rest().as_bytes() {
            [] | [b',' | b';' | b'+', ..] => Ok(PairValue::Text(value)),
            _ => Err(DnError::Quoted { at: self.at }),
        }
    }

    fn raw_value(&mut self) -> Result<Raw<'a>, DnError> {
        let rest = self.rest();
        let mut escaped = false;
        let mut bytes = rest.bytes().enumerate();
        let end = loop {
            match bytes.next() {
                Some((index, b',' | b';' | b'+')) => break index,
                None => break rest.len(),
                // The escaped character can't end the value; unescaping checks whether it is valid.
                Some((_, b'\\')) => {
                    escaped = true;
                    bytes.next();
                }
                Some((index, b'"' | b'<' | b'>' | 0)) => {
                    return Err(DnError::Unescaped { at: self.at + index });
                }
                Some(_) => {}
            }
        };
        self.at += end;
        Ok(Raw { text: rest.get(..end).unwrap_or_default(), escaped })
    }
}

struct Raw<'a> {
    text: &'a str,
    escaped: bool,
}

/// The text before `=`. RFC 4514 has dropped the prefix `OID.` before a number. The text contains no `;`, which
/// separates RDNs, so it has no options.
fn attribute(name: &str) -> Result<AttributeName, AttributeNameError> {
    let number = name.split_at_checked(4).filter(|(prefix, _)| prefix.eq_ignore_ascii_case("oid."));
    match number {
        Some((_, number)) if number.starts_with(|first: char| first.is_ascii_digit()) => {
            AttributeName::parse(number)
        }
        _ => AttributeName::parse(name),
    }
}

/// How spaces that are not escaped are treated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Blanks {
    /// Those at the end are not part of the value.
    Around,
    /// All of them are part of the value.
    Inside,
}

/// Undoes the escapes of a value that starts at byte `start`.
fn unescape(raw: &str, start: usize, blanks: Blanks) -> Result<String, DnError> {
    let mut value = Vec::with_capacity(raw.len());
    // Spaces after this many bytes were not escaped.
    let mut kept = 0;
    let mut rest = raw.as_bytes();
    while let [byte, after @ ..] = rest {
        let at = start + raw.len() - rest.len();
        let (byte, after) = match (byte, after) {
            (b'\\', [special, after @ ..]) if b"\\\"+,;<>=# ".contains(special) => (*special, after),
            (b'\\', [high, low, after @ ..]) => (hex_byte(*high, *low).ok_or(DnError::Escape { at })?, after),
            (b'\\', _) => return Err(DnError::Escape { at }),
            (plain, after) => (*plain, after),
        };
        value.push(byte);
        if byte != b' ' || rest.first() == Some(&b'\\') {
            kept = value.len();
        }
        rest = after;
    }
    if blanks == Blanks::Around {
        value.truncate(kept);
    }
    String::from_utf8(value).map_err(|_| DnError::NotUtf8 { at: start })
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.is_empty() || !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| hex_byte(*high, *low)).collect()
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    Some(digit(high)? << 4 | digit(low)?)
}
