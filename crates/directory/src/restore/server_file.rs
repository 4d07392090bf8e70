//! The file from which a server imports. The server reads it by itself, so it is in a folder that both this process and
//! the server can use. It contains hashes of passwords, and is deleted when this is dropped.

use super::{RestoreError, reading::Reading, records::Records, rules::Rules, survey::Survey};
use crate::{Directory, Scope, backup::key::Key, error::DirectoryError};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    filter::Filter,
    ldif::{self, Entry},
};
use mail_model::{entry::EntryView, names};
use std::{
    fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, chown},
    path::{Path, PathBuf},
};
use tempfile::{Builder, NamedTempFile};

/// The setting of 389-ds that names the folder of its LDIF files.
const FOLDER: AttributeName = AttributeName::from_static("nsslapd-ldifdir");
/// The beginning of the names of the files.
const PREFIX: &str = ".pbm-import-";
/// The size of one write, in bytes.
const PIECE: usize = 256 * 1024;

/// Such a file, empty at first.
pub(super) struct ServerFile(NamedTempFile);

impl ServerFile {
    /// Creates the file in a folder, for the owner of the folder, and removes those that killed processes have left.
    ///
    /// # Errors
    /// The error of the operating system.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        for left in fs::read_dir(folder)?.flatten() {
            if left.file_name().to_string_lossy().starts_with(PREFIX) {
                // Another process may remove it at the same moment.
                let _removed = fs::remove_file(left.path());
            }
        }
        let file = Builder::new().prefix(PREFIX).suffix(".ldif").tempfile_in(folder)?;
        let owner = fs::metadata(folder)?;
        // Only root may give a file away. Otherwise this process may be the same user as the server.
        let _given = chown(file.path(), Some(owner.uid()), Some(owner.gid()));
        Ok(Self(file))
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes the entries of a survey in the order in which they can be imported, each as `as_imported` returns it.
    /// `on_written` is called after each.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub(super) fn fill(
        &mut self,
        file: &Reading,
        rules: &Rules,
        survey: &Survey,
        as_imported: impl Fn(Key, Entry) -> Entry,
        mut on_written: impl FnMut(),
    ) -> Result<(), RestoreError> {
        let mut text = Vec::with_capacity(2 * PIECE);
        for stage in survey.stages() {
            let mut records = Records::open(file, |_| {})?;
            while let Some(item) = survey.next(&mut records, &stage, rules)? {
                write_entry(&mut text, &as_imported(item.key, item.entry));
                if text.len() >= PIECE {
                    self.0.write_all(&text)?;
                    text.clear();
                }
                on_written();
            }
        }
        self.0.write_all(&text)?;
        Ok(self.0.as_file().sync_data()?)
    }
}

/// Writes an entry with its secrets.
fn write_entry(text: &mut Vec<u8>, entry: &Entry) {
    ldif::write_name(text, &entry.dn);
    for attribute in &entry.attributes {
        for value in &attribute.values {
            ldif::write_value(text, &attribute.name, value.as_bytes());
        }
    }
    text.push(b'\n');
}

impl Directory {
    /// The folder in which the server keeps LDIF files.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(super) async fn folder_of_ldif(&self) -> Result<Option<PathBuf>, DirectoryError> {
        let config = Dn::empty().child(names::CN, "config");
        let everything = Filter::present(names::OBJECT_CLASS);
        let config = self.find(&config, Scope::Base, &everything, &[FOLDER]).await?;
        Ok(config.and_then(|config| config.first(&FOLDER).map(PathBuf::from)))
    }

    /// Whether the server writes its files where this process finds them. An import of a file that the server does not
    /// find would empty the back end all the same.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub(super) async fn shares_folder(&self, back_end: &str, folder: &Path) -> Result<bool, DirectoryError> {
        let file = folder.join(format!("{PREFIX}{:016x}.probe", rand::random::<u64>()));
        let ended = self.export_nothing(back_end, &file).await?;
        let is_there = fs::remove_file(&file).is_ok();
        Ok(ended.is_success() && is_there)
    }
}
