//! Everything that is specific to 389-ds, in one place: version and back end, names of result codes (`result_code`),
//! behavior of its plug-ins, caches and back ends that no standard describes (`plugins`, `renames`, `tries`,
//! `patience`, `look_up`, `duration`), the suffixes of its back ends (`back_ends`), its tasks (`tasks`) and what an
//! import leaves when it is interrupted (`completeness`), conflict entries (`conflicts`), and how strict its syntaxes are
//! (`syntax`).
//!
//! The rest of the crate speaks LDAP; support for another server would need a counterpart of this module.

pub(crate) mod back_ends;
pub mod completeness;
pub(crate) mod conflicts;
pub(crate) mod duration;
pub(crate) mod look_up;
pub(crate) mod patience;
pub mod plugins;
pub(crate) mod refusals;
pub(crate) mod renames;
pub(crate) mod result_code;
pub(crate) mod syntax;
pub(crate) mod tasks;
pub(crate) mod tries;

use crate::{Lookup, Scope, error::DirectoryError};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{entry::EntryView, names};
use std::fmt;

/// An attribute of the root DSE (RFC 3045).
const VERSION: AttributeName = AttributeName::from_static("vendorVersion");
const IMPLEMENTATION: AttributeName = AttributeName::from_static("nsslapd-backend-implement");
const THREADS: AttributeName = AttributeName::from_static("nsslapd-threadnumber");

/// The kind of the back end, in which the server stores entries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BackEnd {
    /// LMDB.
    Lmdb,
    /// Berkeley DB. Debian's version can hang under load (`docs/decisions/0018-few-index-lists.md`).
    BerkeleyDb,
    /// Another kind, by the server's name for it.
    Other(String),
}

impl fmt::Display for BackEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lmdb => "LMDB",
            Self::BerkeleyDb => "Berkeley DB",
            Self::Other(name) => name,
        })
    }
}

/// Version and configuration of a server, as far as the bound account may read them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Product {
    /// Name and version, such as `389-Directory/2.3.1 B2025.016.1616`.
    pub version: Option<String>,
    /// The kind of its back end. `pbm init` gives the service account the right to read it.
    pub back_end: Option<BackEnd>,
    /// The number of threads that process requests. Only the Directory Manager may read it.
    pub threads: Option<u32>,
}

impl Lookup {
    /// Reads the version and configuration of the server.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn product(&self) -> Result<Product, DirectoryError> {
        let everything = Filter::present(names::OBJECT_CLASS);
        let root = self.find(&Dn::empty(), Scope::Base, &everything, &[VERSION]).await?;
        let cn = |parent: Dn, name: &str| parent.child(names::CN, name);
        let settings = cn(Dn::empty(), "config");
        let threads = self.find(&settings, Scope::Base, &everything, &[THREADS]).await?;
        let databases = cn(cn(settings, "plugins"), "ldbm database");
        let config = self.find(&cn(databases, "config"), Scope::Base, &everything, &[IMPLEMENTATION]).await?;
        let name = config.and_then(|entry| entry.first(&IMPLEMENTATION).map(str::to_owned));
        Ok(Product {
            version: root.and_then(|entry| entry.first(&VERSION).map(str::to_owned)),
            back_end: name.map(|name| match name.as_str() {
                "mdb" => BackEnd::Lmdb,
                "bdb" => BackEnd::BerkeleyDb,
                _ => BackEnd::Other(name),
            }),
            threads: threads.and_then(|entry| entry.first(&THREADS)?.parse().ok()),
        })
    }
}
