//! Searches in progress, whose entries are read one by one.

use crate::{
    entry::Entry,
    error::{DirectoryError, Operation, check},
    pool::Checkout,
};
use ldap_text::ldif;
use ldap3::{ResultEntry, SearchStream};
use mail_model::conflicts::{self, SetAside};

/// A search in progress for whole entries. Unlike a [`Scan`] it skips conflict entries only, and records them.
pub(crate) struct WholeScan {
    scan: Scan,
    set_aside: SetAside,
}

impl From<Scan> for WholeScan {
    fn from(scan: Scan) -> Self {
        Self { scan, set_aside: SetAside::default() }
    }
}

impl WholeScan {
    /// The next entry, with all its values, including those that are not text; `None` after the last.
    ///
    /// # Errors
    /// [`DirectoryError`]; after [`DirectoryError::Unreadable`] the scan can continue with the next entry.
    pub(crate) async fn next(&mut self) -> Result<Option<ldif::Entry>, DirectoryError> {
        while let Some(entry) = self.scan.next_as(|result| Some(Entry::decode_whole(result))).await? {
            let entry = entry?;
            if !conflicts::is_set_aside(&entry.dn) {
                return Ok(Some(entry));
            }
            self.set_aside.note(&entry.dn);
        }
        Ok(None)
    }

    /// The conflict entries that were skipped.
    pub(crate) fn set_aside(self) -> SetAside {
        self.set_aside
    }
}

/// A search in progress. It returns its connection to the pool after the last entry; if it is dropped earlier, the
/// connection is closed.
pub struct Scan {
    stream: SearchStream<'static, String, Vec<String>>,
    /// `None` after the end.
    connection: Option<Checkout>,
    passes_over_conflicts: bool,
}

impl Scan {
    /// A search that was begun on a connection; it returns conflict entries too.
    pub(crate) fn begun(stream: SearchStream<'static, String, Vec<String>>, connection: Checkout) -> Self {
        Self { stream, connection: Some(connection), passes_over_conflicts: false }
    }

    /// The same search without conflict entries.
    pub(crate) fn without_conflicts(self) -> Self {
        Self { passes_over_conflicts: true, ..self }
    }

    /// Reads to the end, and collects what `pick` returns for each entry.
    ///
    /// # Errors
    /// [`DirectoryError`]; the scan is then over.
    pub(crate) async fn gather<T, I: IntoIterator<Item = T>>(
        mut self,
        pick: impl Fn(&Entry) -> I,
    ) -> Result<Vec<T>, DirectoryError> {
        let mut gathered = Vec::new();
        while let Some(entry) = self.next().await? {
            gathered.extend(pick(&entry));
        }
        Ok(gathered)
    }

    /// The next entry; `None` after the last, also if called again.
    ///
    /// # Errors
    /// [`DirectoryError`]; the scan is then over.
    pub async fn next(&mut self) -> Result<Option<Entry>, DirectoryError> {
        let passes_over = self.passes_over_conflicts;
        let is_wanted = |entry: &Entry| !(passes_over && entry.is_conflict());
        self.next_as(|result| Entry::decode(result).filter(is_wanted)).await
    }

    async fn next_as<T>(
        &mut self,
        decode: impl Fn(ResultEntry) -> Option<T>,
    ) -> Result<Option<T>, DirectoryError> {
        let Some(connection) = &self.connection else { return Ok(None) };
        let failed = |error| connection.failure(Operation::Read, error);
        while let Some(result) = self.stream.next().await.map_err(failed)? {
            if let Some(entry) = decode(result) {
                return Ok(Some(entry));
            }
        }
        let result = self.stream.finish().await;
        if let Some(mut connection) = self.connection.take() {
            connection.end();
        }
        match check(result) {
            // The base does not exist, so nothing is below it.
            Ok(()) | Err(DirectoryError::NotFound) => Ok(None),
            Err(error) => Err(error),
        }
    }
}
