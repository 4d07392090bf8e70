//! Distinguished names (RFC 4514).
//!
//! Covers reading and printing names, several attributes in one RDN, `#hex` values, and what the older RFC 1779 and
//! RFC 2253 (section 4) had besides, which stands in files to this day: blanks around `,` `+` `=`, `;` between RDNs,
//! values in quotes, the `OID.` prefix. These are read and never printed. Refuses values that aren't UTF-8.
//!
//! A name is built from parts, and printing escapes each value, so text from outside can't change where a
//! name points. The limits of what the comparison knows stand at [`Rdn`].

mod parse;
mod rdn;

use std::fmt;

pub use parse::{DnError, MAX_DN_LENGTH};
pub use rdn::Rdn;

use crate::attribute::AttributeName;

/// A distinguished name. Equal names may be spelled differently; see [`Rdn`] for the rule.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Dn {
    /// The leaf comes first, as in the text.
    rdns: Vec<Rdn>,
}

impl Dn {
    /// Reads a name. The empty text is the empty name.
    ///
    /// # Errors
    ///
    /// [`DnError`], which says where the text is wrong and never repeats it.
    pub fn parse(text: &str) -> Result<Self, DnError> {
        parse::dn(text).map(|rdns| Self { rdns })
    }

    /// The name of the root, which has no parts.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The name of an entry right under this one. Options of the attribute are dropped: a DN has none.
    #[must_use]
    pub fn child(&self, attribute: AttributeName, value: &str) -> Self {
        self.with_rdn(Rdn::new(attribute, value))
    }

    /// The name of an entry right under this one.
    #[must_use]
    pub fn with_rdn(&self, rdn: Rdn) -> Self {
        Self { rdns: std::iter::once(rdn).chain(self.rdns.iter().cloned()).collect() }
    }

    /// The name one step up; `None` for the empty name.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, rdns) = self.rdns.split_first()?;
        Some(Self { rdns: rdns.to_vec() })
    }

    /// The first part, which names the entry among its siblings.
    #[must_use]
    pub fn rdn(&self) -> Option<&Rdn> {
        self.rdns.first()
    }

    /// The same name with other attributes where there are others for them.
    #[must_use]
    pub fn with_attributes(self, other: impl Fn(&AttributeName) -> Option<AttributeName>) -> Self {
        Self { rdns: self.rdns.into_iter().map(|rdn| rdn.with_attributes(&other)).collect() }
    }

    /// All parts, the leaf first.
    #[must_use]
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }

    /// Whether this is `ancestor` or something below it.
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
