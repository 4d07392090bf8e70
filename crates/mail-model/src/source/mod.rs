//! What is read from outside: people and groups of Active Directory, of other directories, and of Bitrix24.
//!
//! A person of a source becomes a contact in the folder of outside contacts; if the address is that of a user of the
//! tenant, the user's card is updated instead. A group becomes a mailing list. Each such entry carries the identifier that
//! the source has for it, by which it is found again when names and addresses change.

pub mod card;
pub mod list;
pub mod plan;
pub mod print;

use std::fmt;

/// Longest identifier that a source may give, in bytes.
const MAX_ID: usize = 128;

/// A kind of source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// Active Directory, or Samba as its domain controller.
    ActiveDirectory,
    /// Another LDAP directory.
    Ldap,
    /// Bitrix24.
    Bitrix24,
}

impl SourceKind {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::ActiveDirectory, Self::Ldap, Self::Bitrix24];

    /// What its identifiers begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::ActiveDirectory => "ad",
            Self::Ldap => "ldap",
            Self::Bitrix24 => "bitrix24",
        }
    }
}

/// The identifier of a person or a group in its source, as entries carry it: `ad:<objectGUID>`, `ldap:<entryUUID>`,
/// `bitrix24:<ID>`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId {
    text: String,
    kind: SourceKind,
}

/// An identifier that is empty, too long, or has characters that no source gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not an identifier of a source: letters, digits and hyphens, at most {MAX_ID}")]
pub struct NoSourceId;

impl SourceId {
    /// The identifier that a source gives.
    ///
    /// # Errors
    /// [`NoSourceId`].
    pub fn new(kind: SourceKind, own: &str) -> Result<Self, NoSourceId> {
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        if own.is_empty() || own.len() > MAX_ID || !own.bytes().all(is_allowed) {
            return Err(NoSourceId);
        }
        Ok(Self { text: format!("{}:{}", kind.prefix(), own.to_ascii_lowercase()), kind })
    }

    /// Reads an identifier from an entry.
    ///
    /// # Errors
    /// [`NoSourceId`].
    pub fn parse(text: &str) -> Result<Self, NoSourceId> {
        let (prefix, own) = text.split_once(':').ok_or(NoSourceId)?;
        let kind = SourceKind::ALL.into_iter().find(|kind| kind.prefix() == prefix).ok_or(NoSourceId)?;
        Self::new(kind, own)
    }

    /// The kind of source that gave it.
    #[must_use]
    pub const fn kind(&self) -> SourceKind {
        self.kind
    }

    /// As entries carry it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for SourceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_read_as_it_was_written() {
        let id = SourceId::new(SourceKind::ActiveDirectory, "0F69E8D2-e82c-11f1-bfa1-87935ae20175").unwrap();
        assert_eq!(id.as_str(), "ad:0f69e8d2-e82c-11f1-bfa1-87935ae20175");
        assert_eq!(SourceId::parse(id.as_str()), Ok(id.clone()));
        assert_eq!(SourceId::parse("bitrix24:17").map(|id| id.kind()), Ok(SourceKind::Bitrix24));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "ad", "ad:", "x:1", "ad:1 2", "ad:1)(x=*", "ldap:ж", &format!("ad:{}", "1".repeat(129))]
        {
            assert_eq!(SourceId::parse(text), Err(NoSourceId), "{text}");
        }
    }
}
