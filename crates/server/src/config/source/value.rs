//! A value before it is parsed, where it comes from, and the value that is in force.

use secrecy::{ExposeSecret, SecretString};
use std::{collections::BTreeMap, fmt, path::PathBuf};

/// A value before it is parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Raw {
    /// One text.
    One(String),
    /// A list of texts.
    Many(Vec<String>),
    /// A value of etcd that cannot be converted, with the reason. A mistake only if nothing overrides it.
    Wrong(String),
}

/// A value and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) raw: Raw,
    pub(crate) origin: Origin,
}

/// Where a value comes from. Each one takes precedence over those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody has set it.
    Default,
    /// These keys of etcd.
    Etcd(Vec<String>),
    /// The configuration file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
}

impl Origin {
    /// Its precedence: a higher one wins.
    pub(crate) fn rank(&self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Etcd(_) => 1,
            Self::File(_) => 2,
            Self::Environment(_) => 3,
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Etcd(keys) => write!(f, "etcd {}", keys.join(" ")),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
        }
    }
}

/// A setting that is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its value.
    pub value: Effective,
    /// The origin of the value.
    pub origin: Origin,
}

/// The value of a setting, as it would be written.
#[derive(Clone, Debug)]
pub enum Effective {
    /// It has none.
    Unset,
    /// One text.
    Text(String),
    /// A list of texts.
    List(Vec<String>),
    /// A text that is never shown.
    Secret(SecretString),
}

impl PartialEq for Effective {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unset, Self::Unset) => true,
            (Self::Text(a), Self::Text(b)) => a == b,
            (Self::List(a), Self::List(b)) => a == b,
            (Self::Secret(a), Self::Secret(b)) => a.expose_secret() == b.expose_secret(),
            _ => false,
        }
    }
}

impl Eq for Effective {}

/// All settings that exist, by key.
pub type Settings = BTreeMap<&'static str, Setting>;
