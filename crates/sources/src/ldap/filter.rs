//! The filters that an administrator configures.

use ldap_text::Filter;
use std::fmt::Write as _;

/// Longest filter that is accepted, in bytes.
const MAX_FILTER: usize = 4096;
/// Most parentheses within each other, for each of which the parser calls itself.
const MAX_DEPTH: usize = 50;

/// A filter whose text is complete: no part of it can end outside of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourceFilter(String);

/// A text that is not a filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a search filter such as (&(objectClass=person)(mail=*)), of at most {MAX_FILTER} bytes")]
pub(super) struct NoFilter;

impl SourceFilter {
    /// Reads a filter (RFC 4515).
    ///
    /// # Errors
    /// [`NoFilter`].
    pub(super) fn parse(text: &str) -> Result<Self, NoFilter> {
        let text = text.trim();
        // The library also accepts `a=b`, without parentheses.
        let is_enclosed = text.starts_with('(') && text.ends_with(')');
        if !is_enclosed || text.len() > MAX_FILTER || depth(text) > MAX_DEPTH {
            return Err(NoFilter);
        }
        ldap3::parse_filter(text).map(|_| Self(text.to_owned())).map_err(|()| NoFilter)
    }

    /// The text for the wire, of what matches this filter and the other one.
    pub(super) fn and(&self, other: Option<&Filter>) -> String {
        let mut both = format!("(&{}", self.0);
        if let Some(other) = other {
            // Writing to a String cannot fail.
            let _ = write!(both, "{other}");
        }
        both + ")"
    }
}

/// How many parentheses are open at most. In a value they are escaped.
fn depth(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' => open += 1,
            b')' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap_text::AttributeName;

    #[test]
    fn filters_of_the_guide_are_accepted() {
        for text in [
            "(&(objectClass=person)(mail=*))",
            " (&(objectClass=group)(mail=*)) ",
            "(&(objectClass=groupOfNames)(mail=*))",
            "(!(userAccountControl:1.2.840.113556.1.4.803:=2))",
            "(cn=*Ан\\2aа*)",
        ] {
            assert!(SourceFilter::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn texts_that_end_early_or_late_are_refused() {
        let long = format!("({}={})", "a", "b".repeat(MAX_FILTER));
        let deep = "(!".repeat(60) + "(a=b)" + &")".repeat(60);
        for text in
            ["", "mail=*", "(mail=*", "(mail=*))", "(a=b)(c=d)", "(&(a=b)", "()", "(a=b) ) (", &long, &deep]
        {
            assert_eq!(SourceFilter::parse(text), Err(NoFilter), "{text}");
        }
    }

    #[test]
    fn another_filter_is_added() {
        const USN: AttributeName = AttributeName::from_static("uSNChanged");
        let filter = SourceFilter::parse("(mail=*)").unwrap();
        assert_eq!(filter.and(Some(&Filter::at_least(USN, "7"))), "(&(mail=*)(uSNChanged>=7))");
        assert_eq!(filter.and(None), "(&(mail=*))");
    }
}
