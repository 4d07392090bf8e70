//! Distinguished names (RFC 4514).
//!
//! Covers parsing and printing DNs, several attributes in one RDN, `#hex` values, and the older forms of RFC 1779 and
//! RFC 2253 (section 4), which still occur in files: spaces around `,` `+` `=`, `;` between RDNs, values in quotes,
//! the `OID.` prefix. These forms are parsed and never printed. Refuses values that are not UTF-8.
//!
//! A DN is built from parts, and printing escapes each value, so text from outside can't change which entry it names.
//! See [`Rdn`] for the limits of the comparison.

mod parse;
mod rdn;

use std::fmt;

pub use parse::{DnError, MAX_DN_LENGTH};
pub use rdn::Rdn;

use crate::attribute::AttributeName;

/// A distinguished name. Two equal DNs may have different spellings; see [`Rdn`] for the rule.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Dn {
    /// The leaf comes first, as in the text.
    rdns: Vec<Rdn>,
}

impl Dn {
    /// Parses a DN. The empty text is the empty DN.
    ///
    /// # Errors
    ///
    /// [`DnError`], which gives the position of the error and never repeats the text.
    pub fn parse(text: &str) -> Result<Self, DnError> {
        parse::dn(text).map(|rdns| Self { rdns })
    }

    /// The DN of the root, which has no RDNs.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The DN of a child of this entry. Options of the attribute are dropped, since a DN can't have them.
    #[must_use]
    pub fn child(&self, attribute: AttributeName, value: &str) -> Self {
        self.with_rdn(Rdn::new(attribute, value))
    }

    /// The DN of a child of this entry.
    #[must_use]
    pub fn with_rdn(&self, rdn: Rdn) -> Self {
        Self { rdns: std::iter::once(rdn).chain(self.rdns.iter().cloned()).collect() }
    }

    /// The DN of the parent; `None` for the empty DN.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, rdns) = self.rdns.split_first()?;
        Some(Self { rdns: rdns.to_vec() })
    }

    /// The first RDN, which names the entry among its siblings.
    #[must_use]
    pub fn rdn(&self) -> Option<&Rdn> {
        self.rdns.first()
    }

    /// Replaces the attributes for which `other` returns another name.
    #[must_use]
    pub fn with_attributes(self, other: impl Fn(&AttributeName) -> Option<AttributeName>) -> Self {
        Self { rdns: self.rdns.into_iter().map(|rdn| rdn.with_attributes(&other)).collect() }
    }

    /// All RDNs, the leaf first.
    #[must_use]
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }

    /// Whether this is `ancestor` or an entry below it.
    #[must_use]
    pub fn is_within(&self, ancestor: &Self) -> bool {
        self.rdns.ends_with(&ancestor.rdns)
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for rdn in &self.rdns {
            write!(f, "{separator}{rdn}")?;
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dn({self})")
    }
}

#[cfg(test)]
mod tests;
