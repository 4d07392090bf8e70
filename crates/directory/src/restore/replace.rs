//! Replaces everything by the contents of a file, with the import task of 389-ds (`product::tasks`): for a server that lost
//! its data, and for a restore that may not take long.
//!
//! The task empties the back end first and runs no plug-in, so the whole file is examined before it begins, and whatever
//! the server would not notice is taken out (`sift`). The rest is written into a file that the server reads
//! (`server_file`). The folder of users is imported with a mark (`product::completeness`), and the last step removes the
//! mark. So a restore that was killed at any point is recognized, and is simply run again.

use super::{
    Findings, RestoreError, RestoreRequest,
    bounds::Bounds,
    reading::{Reading, StopReading},
    refusal::Refusal,
    rules::{Rules, is_our_rule},
    server_file::ServerFile,
    survey::Survey,
};
use crate::{
    Directory,
    backup::{Extent, file::LdifFile, key::Key},
    error::DirectoryError,
    product::{
        back_ends::StoredBy,
        completeness::{Completeness, MARK, removal_of_mark},
        tasks::while_declined,
    },
    settings::Credentials,
    setup::{SetupError, rules_of},
    subschema::Subschema,
};
use ldap_text::{
    attribute::AttributeName,
    dn::Dn,
    ldif::{Attribute, Entry, Value},
};
use mail_model::names;
use std::{collections::HashMap, io, path::PathBuf, sync::Arc};

/// The accounts that pbm binds as.
#[derive(Clone, Debug)]
pub struct OwnAccounts {
    /// The service account.
    pub service: Credentials,
    /// The account for backups and restores, if there is one.
    pub backup: Option<Credentials>,
}

/// Why everything was not replaced.
#[derive(Debug, thiserror::Error)]
pub enum ReplaceError {
    /// The file can't be used, or the directory can't be read; nothing was changed.
    #[error(transparent)]
    Restore(#[from] RestoreError),
    /// The server stores no such suffix.
    #[error(transparent)]
    NoBackEnd(Box<SetupError>),
    /// The back end stores more than the root and the entries below it.
    #[error(
        "the back end of {root} stores all of {suffix}, and all of it would be deleted: restore without --replace-all"
    )]
    LargerSuffix {
        /// The root of this directory.
        root: Dn,
        /// The suffix of the back end.
        suffix: Dn,
    },
    /// The file is a backup of some tenants.
    #[error(
        "the file is a backup of some tenants, and all others would be deleted: restore it without --replace-all"
    )]
    OfTenants,
    /// The file lacks an entry without which nothing works.
    #[error("the file has no entry {0} that can be imported, so it is no backup of everything")]
    Lacks(Dn),
    /// The server does not say in which folder it reads files.
    #[error(
        "389-ds names no folder for LDIF files (nsslapd-ldifdir): name one that it can read with --import-folder"
    )]
    NoFolder,
    /// The file for the server can't be written.
    #[error(
        "cannot write the file from which 389-ds imports, in {0}; run this on the machine of 389-ds, or name a folder that both \
         can use with --import-folder"
    )]
    Folder(PathBuf, #[source] io::Error),
    /// The server does not use the folder in the same place.
    #[error(
        "389-ds does not find files in {0}; run this on the machine of 389-ds, or name a folder that both can use with \
         --import-folder"
    )]
    NotShared(PathBuf),
    /// The connection broke while the server imported.
    #[error("389-ds may still be importing, and lacks entries now: run the same command again")]
    Interrupted(#[source] DirectoryError),
    /// The server has given up.
    #[error(
        "389-ds has given up the import, and lacks entries now: {0}; correct that, then run the same command again"
    )]
    GivenUp(String),
    /// The entries are imported, and a later step failed.
    #[error("the entries are imported, but the restore is not finished: run the same command again")]
    After(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A replacement that is ready to begin.
pub struct Replacement {
    directory: Directory,
    accounts: OwnAccounts,
    file: Reading,
    rules: Arc<Rules>,
    survey: Arc<Survey>,
    /// The stored passwords of pbm's accounts: they belong to the installation, not to the file.
    passwords: HashMap<Key, Vec<Value>>,
    back_end: StoredBy,
    folder: PathBuf,
    is_replicated: bool,
    /// Stops the reading of the file when this is dropped.
    _stop: StopReading,
}

impl Replacement {
    /// Examines a file. The directory must have one server and be bound as its Directory Manager. `folder` is where this
    /// process and the server find the same files; by default the server's own folder. `on_read` is called with the number
    /// of bytes read from the file in the first of two passes.
    ///
    /// # Errors
    /// [`ReplaceError`]; nothing has been written.
    pub async fn prepare(
        directory: Directory,
        accounts: OwnAccounts,
        file: LdifFile,
        request: RestoreRequest,
        folder: Option<PathBuf>,
        on_read: impl FnMut(usize) + Send + 'static,
    ) -> Result<Self, ReplaceError> {
        let back_end = back_end(&directory).await?;
        let is_replicated = directory.is_replicated(&back_end).await.map_err(RestoreError::from)?;
        let folder = match folder {
            Some(folder) => folder,
            None => {
                directory.folder_of_ldif().await.map_err(RestoreError::from)?.ok_or(ReplaceError::NoFolder)?
            }
        };
        let schema = Subschema::read(&directory).await.map_err(RestoreError::from)?;
        let own: Vec<Dn> = own_accounts(&directory, &accounts).collect();
        let mut rules = Rules::new(directory.tree().clone(), schema, &own, request.now);
        let file = Reading::of(file, Bounds::EVERYTHING);
        let stop = file.stop();
        let surveyed = {
            let file = file.clone();
            tokio::task::spawn_blocking(move || {
                let mut survey = Survey::of(&file, &request, &mut rules, on_read)?;
                survey.sift(&file, &rules)?;
                Ok::<_, RestoreError>((rules, survey))
            })
        };
        let (rules, survey) = surveyed.await.map_err(|_| RestoreError::Stopped)??;
        require_everything(&rules, &survey)?;
        let mut passwords = HashMap::new();
        for dn in own {
            let stored = password_of(&directory, &dn).await.map_err(RestoreError::from)?;
            passwords.extend(stored.map(|values| (rules.numbers.of(&dn), values)));
        }
        let (rules, survey) = (Arc::new(rules), Arc::new(survey));
        Ok(Self {
            directory,
            accounts,
            file,
            rules,
            survey,
            passwords,
            back_end,
            folder,
            is_replicated,
            _stop: stop,
        })
    }

    /// The result of the passes over the file; the entries are those that would be imported.
    #[must_use]
    pub fn findings(&self) -> Findings {
        Findings {
            verdict: self.survey.verdict.clone(),
            entries: self.survey.lines.len() as u64,
            left_out: self.survey.left_out,
            unnamed: self.survey.unnamed,
        }
    }

    /// The entries that can't be imported, as far as they are listed, and the number of the others.
    pub fn refused(&self) -> (impl Iterator<Item = (u64, &Dn, &Refusal)>, u64) {
        let out = &self.survey.out_of_place;
        (out.listed.iter().map(|(line, dn, refusal)| (*line, dn, refusal)), out.unlisted)
    }

    /// Whether the server replicates these entries to others or from others.
    #[must_use]
    pub const fn is_replicated(&self) -> bool {
        self.is_replicated
    }

    /// Empties the back end, imports the file, and brings the accounts and the access rules of pbm to the state in which
    /// `pbm init` leaves them. `on_written` is called for each entry that is written for the server, and `on_status` with
    /// what the server says about the import. Returns what the server has logged about entries that it skipped.
    ///
    /// # Errors
    /// [`ReplaceError`]; once the import has begun, the server lacks entries until another run has finished.
    pub async fn run(
        self: Arc<Self>,
        on_written: impl FnMut() + Send + 'static,
        on_status: impl FnMut(&str),
    ) -> Result<Vec<String>, ReplaceError> {
        let unchanged = |error: DirectoryError| ReplaceError::from(RestoreError::from(error));
        // An interrupted run may have left one under way.
        self.directory.await_imports().await.map_err(unchanged)?;
        let file = self.clone().written(on_written).await?;
        self.require_shared_folder().await?;
        let ended = self.directory.import(&self.back_end.name, file.path(), on_status).await;
        let ended = ended.map_err(ReplaceError::Interrupted)?;
        drop(file);
        let later = |error: DirectoryError| ReplaceError::After(error.into());
        let completeness =
            while_declined(async || self.directory.completeness().await).await.map_err(later)?;
        if !ended.is_success() || completeness == Completeness::Empty {
            return Err(ReplaceError::GivenUp(ended.log.last().cloned().unwrap_or_default()));
        }
        let OwnAccounts { service, backup } = &self.accounts;
        let set_up = Box::pin(self.directory.set_up_accounts(service, backup.as_ref())).await;
        set_up.map_err(|error| ReplaceError::After(error.into()))?;
        self.directory.apply(&removal_of_mark(&self.rules.tree)).await.map_err(later)?;
        Ok(ended.log.into_iter().filter(|line| is_of_skipped(line)).collect())
    }

    /// Writes the file for the server.
    async fn written(
        self: Arc<Self>,
        on_written: impl FnMut() + Send + 'static,
    ) -> Result<ServerFile, ReplaceError> {
        let written = tokio::task::spawn_blocking(move || {
            let of_folder = |error| ReplaceError::Folder(self.folder.clone(), error);
            let mut file = ServerFile::create(&self.folder).map_err(of_folder)?;
            let as_imported = |key, entry| self.as_imported(key, entry);
            file.fill(&self.file, &self.rules, &self.survey, as_imported, on_written)?;
            Ok(file)
        });
        written.await.map_err(|_| RestoreError::Stopped)?
    }

    /// Requires that the server finds the file, as long as it has entries that could be lost.
    async fn require_shared_folder(&self) -> Result<(), ReplaceError> {
        let unchanged = |error: DirectoryError| ReplaceError::from(RestoreError::from(error));
        match self.directory.ping().await {
            Err(error) if error.is_of_back_end() => return Ok(()),
            pinged => pinged.map_err(unchanged)?,
        }
        let is_shared = self.directory.shares_folder(&self.back_end.name, &self.folder).await;
        if is_shared.map_err(unchanged)? { Ok(()) } else { Err(ReplaceError::NotShared(self.folder.clone())) }
    }

    /// An entry as it is imported: with the stored password if it is an account of pbm, and with the mark and the access
    /// rules that show the mark to the service account if it is the folder of users.
    fn as_imported(&self, key: Key, entry: Entry) -> Entry {
        let mut entry = self.rules.to_add(entry);
        if let Some(passwords) = self.passwords.get(&key) {
            change_values(&mut entry, names::USER_PASSWORD, |values| passwords.clone_into(values));
        }
        let tree = &self.rules.tree;
        if entry.dn == *tree.people() {
            change_values(&mut entry, names::DESCRIPTION, |values| values.push(MARK.into()));
            change_values(&mut entry, names::ACI, |rules| {
                rules.retain(|rule| !is_our_rule(rule));
                rules.extend(rules_of(tree.people(), tree, &self.accounts.service.dn));
            });
        }
        entry
    }
}

/// Changes the values of an attribute of an entry, which may lack the attribute.
fn change_values(entry: &mut Entry, name: AttributeName, change: impl FnOnce(&mut Vec<Value>)) {
    let place = entry.attributes.iter().position(|attribute| attribute.name == name);
    let attribute = place.map(|place| entry.attributes.remove(place));
    let mut attribute = attribute.unwrap_or(Attribute { name, values: Vec::new() });
    change(&mut attribute.values);
    entry.attributes.push(attribute);
}

/// The back end of the root, which must store nothing above the root.
async fn back_end(directory: &Directory) -> Result<StoredBy, ReplaceError> {
    let root = directory.tree().root().clone();
    let found = directory.back_end_of_root().await.map_err(RestoreError::from)?;
    let Some(found) = found else {
        return Err(ReplaceError::NoBackEnd(SetupError::NoBackend { root }.into()));
    };
    if found.suffix == root {
        Ok(found)
    } else {
        Err(ReplaceError::LargerSuffix { root, suffix: found.suffix })
    }
}

/// Whether a line of the log of an import is about an entry that the server has skipped.
fn is_of_skipped(line: &str) -> bool {
    line.to_lowercase().contains("skipping entry")
}

/// Requires that the file covers everything: that it is no backup of some tenants, and has the root and the folder of
/// users.
fn require_everything(rules: &Rules, survey: &Survey) -> Result<(), ReplaceError> {
    if survey.extent != Extent::Everything {
        return Err(ReplaceError::OfTenants);
    }
    let needed = [rules.tree.root(), rules.tree.people()];
    let lacking = needed.into_iter().find(|dn| !survey.lines.contains_key(&rules.numbers.of(dn)));
    lacking.map_or(Ok(()), |dn| Err(ReplaceError::Lacks(dn.clone())))
}

/// The accounts that pbm binds as, without those of other trees.
fn own_accounts(directory: &Directory, accounts: &OwnAccounts) -> impl Iterator<Item = Dn> {
    let tree = directory.tree();
    let named = accounts.backup.iter().chain([&accounts.service]).map(|account| account.dn.clone());
    let made = [tree.decoy(), tree.backup_account()];
    named.chain(made).filter(|dn| dn.is_within(tree.root())).collect::<Vec<_>>().into_iter()
}

/// The stored password of an account; `None` if there is no such account, or if the back end is out of service because an
/// import was interrupted.
async fn password_of(directory: &Directory, account: &Dn) -> Result<Option<Vec<Value>>, DirectoryError> {
    let entry = match directory.read_whole(account).await {
        Err(error) if error.is_of_back_end() => None,
        found => found?,
    };
    let password = entry.map(|entry| entry.values(&names::USER_PASSWORD).to_vec());
    Ok(password.filter(|values| !values.is_empty()))
}
