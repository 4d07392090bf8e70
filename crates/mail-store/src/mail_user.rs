//! The name of a user in doveadm.

use std::fmt;

/// The name of exactly one user. In `*` and `?` doveadm sees a mask, and would run the command for every user whom the
/// mask covers; both characters are allowed in mail addresses.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailUser(String);

/// A name that doveadm would not take for one user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("doveadm takes a name with *, ? or a control character for something other than one user")]
pub struct NotOneUser;

impl MailUser {
    /// Parses a name.
    ///
    /// # Errors
    /// [`NotOneUser`].
    pub fn parse(text: &str) -> Result<Self, NotOneUser> {
        let is_plain = |c: char| !c.is_control() && c != '*' && c != '?';
        if !text.is_empty() && text.chars().all(is_plain) {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotOneUser)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MailUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_are_refused() {
        assert_eq!(MailUser::parse("ivan+x@a.test").unwrap().as_str(), "ivan+x@a.test");
        for text in ["", "*", "i*@a.test", "iva?@a.test", "ivan@a.test\n", "ivan\0@a.test"] {
            assert_eq!(MailUser::parse(text), Err(NotOneUser), "{text:?}");
        }
    }
}
