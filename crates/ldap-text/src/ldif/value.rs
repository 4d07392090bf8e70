//! The value of an attribute, which may be a secret.

use std::fmt;

use secrecy::{ExposeSecret, SecretSlice, SecretString};

/// A value: bytes, as in LDAP.
#[derive(Clone)]
pub enum Value {
    /// A value that may be shown to everybody who may read the entry.
    Plain(Vec<u8>),
    /// A value that is never printed, neither as LDIF nor by `Debug`, and wiped from memory when dropped.
    Secret(SecretSlice<u8>),
}

impl Value {
    /// A secret value; takes text or a [`SecretString`].
    #[must_use]
    pub fn secret(value: impl Into<SecretString>) -> Self {
        Self::Secret(value.into().expose_secret().as_bytes().to_vec().into())
    }

    /// The bytes. This exposes a secret: use it only to send the value to the directory.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Plain(bytes) => bytes,
            Self::Secret(bytes) => bytes.expose_secret(),
        }
    }

    /// Whether the value must not be shown.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        matches!(self, Self::Secret(_))
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(bytes) => write!(f, "Plain(\"{}\")", bytes.escape_ascii()),
            Self::Secret(_) => f.write_str("Secret(not shown)"),
        }
    }
}

/// Compares the bytes only, whether they are secret or not. Not in constant time: it is for tests and differences, not
/// for checking a password.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Value {}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Plain(text.as_bytes().to_vec())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Plain(text.into_bytes())
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Plain(bytes)
    }
}

impl From<SecretString> for Value {
    fn from(secret: SecretString) -> Self {
        Self::secret(secret)
    }
}
