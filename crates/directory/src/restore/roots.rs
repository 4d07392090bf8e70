//! Finds out the root of a file.

use super::{RestoreError, reading::Reading, records::Records};
use crate::backup::seal::Head;
use ldap_text::dn::{Dn, Rdn};

/// The content of the head of a backup.
pub(super) fn head_of(file: &Reading) -> Result<Head, RestoreError> {
    let mut records = Records::open(file, |_| {})?;
    // Errors are ignored here: the pass over the whole file reports them, with their lines.
    let _first = records.next();
    Ok(records.head())
}

/// The common root of all entries of a file, if there is one.
pub(super) fn common_root(file: &Reading) -> Result<Option<Dn>, RestoreError> {
    let (mut records, mut suffix) = (Records::open(file, |_| {})?, None);
    while let Some((_, entry)) = records.next_entry()? {
        common(&mut suffix, &entry.dn);
    }
    Ok(suffix.map(|suffix| name_of(&suffix)).filter(|root| !root.rdns().is_empty()))
}

/// Reduces a common ending, which lists the root first, to the part that a further name shares.
pub(super) fn common(suffix: &mut Option<Vec<Rdn>>, dn: &Dn) {
    match suffix {
        None => *suffix = Some(dn.rdns().iter().rev().cloned().collect()),
        Some(suffix) => {
            let shared = suffix.iter().zip(dn.rdns().iter().rev()).take_while(|(one, other)| one == other);
            let length = shared.count();
            suffix.truncate(length);
        }
    }
}

pub(super) fn name_of(root_first: &[Rdn]) -> Dn {
    root_first.iter().fold(Dn::empty(), |dn, rdn| dn.with_rdn(rdn.clone()))
}
