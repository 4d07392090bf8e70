//! One RDN: its representation, comparison and printed form (RFC 4514, sections 2.3 and 2.4).

use std::fmt::{self, Write as _};
use std::hash::{Hash, Hasher};

use super::parse::{self, DnError};
use crate::attribute::AttributeName;

/// An RDN: `uid=ivan`, or several such pairs joined by `+`.
///
/// Two RDNs are equal if they have the same pairs in any order. Names are compared without regard to ASCII case;
/// values without regard to case, to leading and trailing spaces, and to the number of consecutive spaces. Nearly
/// every attribute that names entries has this rule. The schema is not known here, so `2.5.4.3=x` differs from `cn=x`,
/// and `#hex` from the text that it may encode; Unicode is not normalised.
#[derive(Clone)]
pub struct Rdn {
    first: Pair,
    /// Nearly always empty, and an empty vector allocates nothing.
    more: Vec<Pair>,
}

#[derive(Clone)]
pub(super) struct Pair {
    pub(super) attribute: AttributeName,
    pub(super) value: PairValue,
}

#[derive(Clone)]
pub(super) enum PairValue {
    Text(String),
    /// The bytes of a `#hex` value: BER of an unknown syntax, kept as they are.
    Hex(Vec<u8>),
}

impl Rdn {
    /// An RDN with one attribute, without the attribute's options.
    #[must_use]
    pub fn new(attribute: AttributeName, value: &str) -> Self {
        let pair = Pair { attribute: attribute.without_options(), value: PairValue::Text(value.to_owned()) };
        Self::from_pairs(pair, Vec::new())
    }

    /// Parses one RDN.
    ///
    /// # Errors
    ///
    /// [`DnError`] if the text is not exactly one RDN.
    pub fn parse(text: &str) -> Result<Self, DnError> {
        parse::rdn(text)
    }

    /// Parses the first RDN of a DN and ignores the rest.
    ///
    /// # Errors
    ///
    /// [`DnError`] if the text does not begin with an RDN.
    pub fn parse_leaf(name: &str) -> Result<Self, DnError> {
        parse::leaf(name)
    }

    /// The value of the attribute in this RDN; `None` also if it was written in `#hex`.
    #[must_use]
    pub fn value_of(&self, attribute: &AttributeName) -> Option<&str> {
        self.values().find(|(name, _)| *name == attribute)?.1
    }

    /// The attributes and their values, which the entry has as well; `None` for a value that was written in `#hex`.
    pub fn values(&self) -> impl Iterator<Item = (&AttributeName, Option<&str>)> {
        self.pairs().map(|pair| match &pair.value {
            PairValue::Text(text) => (&pair.attribute, Some(text.as_str())),
            PairValue::Hex(_) => (&pair.attribute, None),
        })
    }

    pub(super) fn with_attributes(
        mut self,
        other: &impl Fn(&AttributeName) -> Option<AttributeName>,
    ) -> Self {
        for pair in std::iter::once(&mut self.first).chain(&mut self.more) {
            if let Some(name) = other(&pair.attribute) {
                pair.attribute = name.without_options();
            }
        }
        self
    }

    pub(super) fn from_pairs(first: Pair, more: Vec<Pair>) -> Self {
        Self { first, more }
    }

    fn pairs(&self) -> impl Iterator<Item = &Pair> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// The comparison key of an RDN with several pairs, sorted so that their order does not matter.
    fn sorted_keys(&self) -> Vec<(&AttributeName, Key)> {
        let mut keys: Vec<_> = self.pairs().map(|pair| (&pair.attribute, pair.value.key())).collect();
        keys.sort();
        keys
    }
}

/// The comparison key of a value.
#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Key {
    Text(String),
    Hex(Vec<u8>),
}

impl PairValue {
    fn key(&self) -> Key {
        match self {
            Self::Text(text) => Key::Text(folded(text).collect()),
            Self::Hex(bytes) => Key::Hex(bytes.clone()),
        }
    }
}

/// The characters that count: in lower case, without leading and trailing spaces, and with one space for each run of
/// spaces.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let mut after_blank = false;
    text.trim_matches(' ')
        .chars()
        .filter(move |character| {
            let repeated = after_blank && *character == ' ';
            after_blank = *character == ' ';
            !repeated
        })
        .flat_map(char::to_lowercase)
}

impl PartialEq for PairValue {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            // Names from one server are nearly always spelled alike.
            (Self::Text(one), Self::Text(two)) => one == two || folded(one).eq(folded(two)),
            (Self::Hex(one), Self::Hex(two)) => one == two,
            _ => false,
        }
    }
}

impl PartialEq for Rdn {
    fn eq(&self, other: &Self) -> bool {
        if self.more.is_empty() && other.more.is_empty() {
            return self.first.attribute == other.first.attribute && self.first.value == other.first.value;
        }
        self.more.len() == other.more.len() && self.sorted_keys() == other.sorted_keys()
    }
}

impl Eq for Rdn {}

impl Hash for Rdn {
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (&self.first.value, self.more.is_empty()) {
            (PairValue::Text(text), true) => {
                self.first.attribute.hash(state);
                folded(text).for_each(|character| character.hash(state));
            }
            _ => self.sorted_keys().hash(state),
        }
    }
}

impl fmt::Display for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for pair in self.pairs() {
            write!(f, "{separator}{}={}", pair.attribute, pair.value)?;
            separator = "+";
        }
        Ok(())
    }
}

impl fmt::Debug for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rdn({self})")
    }
}

impl fmt::Display for PairValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write_escaped(f, text),
            Self::Hex(bytes) => {
                f.write_char('#')?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

fn write_escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let last = text.len().saturating_sub(1);
    for (index, character) in text.char_indices() {
        match character {
            // The RFC allows a plain `=`; the escaped form can't mislead a less careful parser.
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => write!(f, "\\{character}")?,
            '#' if index == 0 => f.write_str("\\#")?,
            ' ' if index == 0 || index == last => f.write_str("\\ ")?,
            control if control.is_control() => {
                let mut buffer = [0; 4];
                for byte in control.encode_utf8(&mut buffer).bytes() {
                    write!(f, "\\{byte:02X}")?;
                }
            }
            plain => f.write_char(plain)?,
        }
    }
    Ok(())
}
