//! Owns the choice of the database library under the server.

use std::fmt;
use std::str::FromStr;

/// The database library under a directory server, `nsslapd-backend-implement` in `dse.ldif`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Backend {
    /// LMDB. Every write reaches the disk before the server responds: 389-ds has no other mode there.
    #[default]
    Mdb,
    /// Berkeley DB. On Debian, additions concurrent with searches of long index lists can hang the server permanently.
    Bdb,
}

impl Backend {
    /// The name in 389-ds: `mdb` or `bdb`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mdb => "mdb",
            Self::Bdb => "bdb",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The text is not the name of a back end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a back end is mdb (LMDB) or bdb (Berkeley DB)")]
pub struct UnknownBackend;

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, UnknownBackend> {
        [Self::Mdb, Self::Bdb].into_iter().find(|backend| backend.name() == name).ok_or(UnknownBackend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for backend in [Backend::Mdb, Backend::Bdb] {
            assert_eq!(backend.to_string().parse(), Ok(backend));
        }
        assert_eq!(Backend::default(), Backend::Mdb);
        for other in ["", "lmdb", "MDB", "bdb "] {
            assert_eq!(other.parse::<Backend>(), Err(UnknownBackend), "{other:?}");
        }
    }
}
