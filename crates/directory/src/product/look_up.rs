//! Lookups of entries by values that only a few entries have, such as addresses or identifiers.
//!
//! If a search has more than ten candidates, 389-ds reads the list of everything below the base of the search (the
//! index `ancestorid`). Every entry that is added below the base is added to this list as well. So many values are
//! looked up by several searches of a few values each. That is also faster if the list is long. On Berkeley DB,
//! reading such a list can hang the server (decision 18).

use crate::{Entry, Lookup, Scope, error::DirectoryError};
use futures_util::{StreamExt, TryStreamExt, stream};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};

/// The largest number of candidates for which 389-ds does not read the list (its `FILTER_TEST_THRESHOLD`).
pub(crate) const FEW: usize = 10;
/// Searches at a time. More of them would take connections away from other requests.
const AT_ONCE: usize = 2;

impl Lookup {
    /// Finds the entries below a base that match any of `values`, and also `who`, and collects the results of `pick`
    /// in no particular order. One or two entries should match each value.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn find_by_values<T>(
        &self,
        base: &Dn,
        who: Option<&Filter>,
        values: &[Filter],
        attributes: &[AttributeName],
        pick: impl Fn(&Entry) -> Option<T>,
    ) -> Result<Vec<T>, DirectoryError> {
        let pick = &pick;
        let searches = values.chunks(FEW).map(|values| async move {
            // The values come first: 389-ds does not look up the rest of the filter if few candidates are left.
            let parts = std::iter::once(Filter::any(values.iter().cloned())).chain(who.cloned());
            let scan = self.scan(base, Scope::Subtree, &Filter::all(parts), attributes).await?;
            scan.gather(pick).await
        });
        // Boxed, since the size of this future adds to that of every future that contains it.
        stream::iter(searches.map(Box::pin)).buffer_unordered(AT_ONCE).try_concat().await
    }

    /// Reads the entries of the given names that match a filter, and collects the results of `pick` in no particular
    /// order. Entries that do not exist are left out.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(crate) async fn find_by_names<T>(
        &self,
        names: &[Dn],
        who: &Filter,
        attributes: &[AttributeName],
        pick: impl Fn(&Entry) -> Option<T>,
    ) -> Result<Vec<T>, DirectoryError> {
        let reads = names.iter().map(|dn| self.find(dn, Scope::Base, who, attributes)).map(Box::pin);
        let pick = async |entry: Option<Entry>| Ok(entry.as_ref().and_then(&pick));
        stream::iter(reads).buffer_unordered(AT_ONCE).try_filter_map(pick).try_collect().await
    }
}
