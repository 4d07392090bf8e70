//! Backups: everything below the root, or some tenants, as standard LDIF (RFC 2849).
//!
//! Entries are written while they are read, with a bounded number in memory, and parents before their children: an
//! entry that arrives before its parent waits for it. Groups come last, in a separate search, since the server's
//! plug-in writes to the members when a group is added. Each entry is read in one piece, so the backup has its state
//! from one moment, before a change or after it.

mod extent;
pub mod file;
pub(crate) mod key;
pub(crate) mod seal;
mod utf16;

pub use extent::Extent;
pub use seal::Verdict;

use crate::{
    Lookup, Scope,
    error::{DirectoryError, Unreachable},
    product::completeness::Completeness,
};
use jiff::Timestamp;
use key::{Key, Numbers};
use ldap_text::{
    dn::Dn,
    filter::Filter,
    ldif::{self, Entry},
};
use mail_model::{conflicts::SetAside, names, tenant::TenantId, tree::Tree, user::role::Role};
use seal::Seal;
use std::collections::{HashMap, HashSet};
use tokio::sync::mpsc;

/// The size of the pieces that are passed on, in bytes; an entry that is longer is not split.
const PIECE: usize = 128 * 1024;
/// Entries that may wait before their parents are fetched: some megabytes.
const MOST_WAITING: usize = 2000;

/// What to back up.
#[derive(Clone, Debug)]
pub struct BackupRequest {
    /// Which part of the directory.
    pub extent: Extent,
    /// Whether the entries of super administrators are left out.
    pub without_super: bool,
    /// Whether the entries are counted first, so that progress is known relative to the total.
    pub counts: bool,
    /// The time that the backup states.
    pub now: Timestamp,
}

/// How far a backup has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BackupProgress {
    /// Entries that were written.
    pub written: u64,
    /// How many there will be, as far as the server knows; 0 if they were not counted.
    pub expected: u64,
}

/// The content of a backup, and what was left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BackedUp {
    /// The number of its entries.
    pub entries: u64,
    /// The conflict entries of replication, which no backup contains.
    pub set_aside: SetAside,
}

/// Why a backup failed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The directory failed.
    #[error("the directory cannot be read")]
    Directory(#[from] DirectoryError),
    /// The account can't read passwords, and a backup without them would be mistaken for one with them.
    #[error(
        "the account that backs up cannot read the hashes of passwords; run pbm init, which gives it the right"
    )]
    Blind,
    /// A tenant that was asked for does not exist.
    #[error("there is no tenant {0}")]
    NoTenant(TenantId),
    /// There is nothing to back up.
    #[error("the requested part of the directory has no entries")]
    Nothing,
    /// The receiver of the backup has stopped.
    #[error("the backup cannot be written")]
    Unwanted,
}

impl Lookup {
    /// Backs up a part of the directory, in pieces that are sent to `out`. The directory must be bound as an account
    /// that may read everything, including passwords.
    ///
    /// # Errors
    /// [`BackupError`]; what was sent until then lacks its end, so a reader recognizes it as incomplete.
    pub async fn back_up(
        &self,
        request: &BackupRequest,
        out: mpsc::Sender<Vec<u8>>,
        on_progress: impl FnMut(BackupProgress),
    ) -> Result<BackedUp, BackupError> {
        // A backup of it would be mistaken for a whole one.
        if self.completeness().await? == Completeness::Unfinished {
            return Err(DirectoryError::from(Unreachable::Incomplete).into());
        }
        if !self.sees_passwords().await? {
            return Err(BackupError::Blind);
        }
        for tenant in request.extent.tenants() {
            if self.read_whole(&self.tree().tenant(tenant)).await?.is_none() {
                return Err(BackupError::NoTenant(tenant.clone()));
            }
        }
        let mut text = Vec::with_capacity(2 * PIECE);
        let seal = Seal::begin(&mut text, self.tree().root(), request.extent.tenants(), request.now);
        let mut backup = Backup {
            directory: self,
            request,
            numbers: Numbers::default(),
            parents: HashSet::new(),
            wait: 0,
            most_waiting: MOST_WAITING,
            passing: self.tree().passing(),
            waiting: HashMap::new(),
            expected: 0,
            set_aside: SetAside::default(),
            seal,
            text,
            out,
            on_progress,
        };
        for (base, scope) in request.extent.bases(self.tree()) {
            backup.base(&base, scope).await?;
        }
        backup.end().await
    }
}

struct Backup<'a, F> {
    directory: &'a Lookup,
    request: &'a BackupRequest,
    numbers: Numbers,
    /// Entries that were written and may have others below them.
    parents: HashSet<Key>,
    /// The folders whose entries are left out of the backup.
    passing: [Dn; 2],
    /// Entries that wait for their parents, by parent.
    waiting: HashMap<Key, Vec<Entry>>,
    /// The number of waiting entries.
    wait: usize,
    /// How many entries may wait before their parents are fetched.
    most_waiting: usize,
    expected: u64,
    set_aside: SetAside,
    seal: Seal,
    text: Vec<u8>,
    out: mpsc::Sender<Vec<u8>>,
    on_progress: F,
}

impl<F: FnMut(BackupProgress)> Backup<'_, F> {
    async fn base(&mut self, base: &Dn, scope: Scope) -> Result<(), BackupError> {
        if self.request.counts {
            self.expected += self.directory.count_below(base).await?;
        }
        // The parent of the base is not in this part.
        self.parents.extend(self.numbers.of_parent(base));
        let is_group = |class: &&str| Filter::equal(names::OBJECT_CLASS, *class);
        let groups = Filter::any(names::GROUP_CLASSES.iter().map(is_group));
        let set_aside = self.scan(base, scope, &every_entry(), |entry| !is_group_entry(entry)).await?;
        self.set_aside.absorb(set_aside);
        // The first search has recorded the conflict entries among the groups already.
        self.scan(base, scope, &groups, is_group_entry).await.map(drop)
    }

    /// Takes the entries that a search finds, and returns the conflict entries.
    async fn scan(
        &mut self,
        base: &Dn,
        scope: Scope,
        filter: &Filter,
        is_wanted: impl Fn(&Entry) -> bool,
    ) -> Result<SetAside, BackupError> {
        let mut scan = self.directory.scan_whole(base, scope, filter).await?;
        while let Some(entry) = scan.next().await? {
            if is_wanted(&entry) && self.is_in(&entry) {
                self.take(entry).await?;
                if self.wait > self.most_waiting {
                    self.fetch_parents(base).await?;
                    // Fetching again does not help entries whose parents do not exist.
                    self.most_waiting = MOST_WAITING.max(2 * self.wait);
                }
            }
        }
        Ok(scan.set_aside())
    }

    /// Writes the entries that have others below them, so that no entry has to wait. The server returns entries in the
    /// order of their creation, so this is needed only if many entries were moved to a folder that was created later.
    async fn fetch_parents(&mut self, base: &Dn) -> Result<(), BackupError> {
        let mut scan = self.directory.scan_whole(base, Scope::Subtree, &that_have_some_below()).await?;
        while let Some(entry) = scan.next().await? {
            if has_room_below(&entry) && !is_group_entry(&entry) && self.is_in(&entry) {
                self.take(entry).await?;
            }
        }
        Ok(())
    }

    /// Whether an entry belongs to this backup.
    fn is_in(&self, entry: &Entry) -> bool {
        let is_below =
            |folder: &Dn| entry.dn.rdns().len() > folder.rdns().len() && entry.dn.is_within(folder);
        let is_passing = self.passing.iter().any(is_below);
        let is_withheld = self.request.without_super && is_super(self.directory.tree(), entry);
        !is_passing && !is_withheld
    }

    /// Writes an entry and those that have waited for it, or makes it wait.
    async fn take(&mut self, entry: Entry) -> Result<(), BackupError> {
        let key = self.numbers.of(&entry.dn);
        if self.parents.contains(&key) {
            return Ok(());
        }
        match self.numbers.of_parent(&entry.dn).filter(|parent| !self.parents.contains(parent)) {
            Some(parent) => {
                self.wait += 1;
                self.waiting.entry(parent).or_default().push(entry);
            }
            None => self.write(key, &entry).await?,
        }
        Ok(())
    }

    async fn write(&mut self, key: Key, entry: &Entry) -> Result<(), BackupError> {
        let mut next = vec![];
        self.write_one(key, entry, &mut next).await?;
        while let Some(entry) = next.pop() {
            let key = self.numbers.of(&entry.dn);
            // An entry with others below it may have been found twice.
            if !self.parents.contains(&key) {
                self.write_one(key, &entry, &mut next).await?;
            }
        }
        Ok(())
    }

    async fn write_one(&mut self, key: Key, entry: &Entry, next: &mut Vec<Entry>) -> Result<(), BackupError> {
        ldif::write_name(&mut self.text, &entry.dn);
        for attribute in &entry.attributes {
            for value in &attribute.values {
                ldif::write_value(&mut self.text, &attribute.name, value.as_bytes());
            }
        }
        self.text.push(b'\n');
        self.seal.count();
        if has_room_below(entry) {
            self.parents.insert(key);
            let waited = self.waiting.remove(&key).unwrap_or_default();
            self.wait -= waited.len();
            next.extend(waited);
        }
        if self.text.len() >= PIECE { self.hand_on().await } else { Ok(()) }
    }

    async fn hand_on(&mut self) -> Result<(), BackupError> {
        let piece = std::mem::replace(&mut self.text, Vec::with_capacity(2 * PIECE));
        self.seal.take(&piece);
        (self.on_progress)(BackupProgress { written: self.seal.entries(), expected: self.expected });
        self.out.send(piece).await.map_err(|_| BackupError::Unwanted)
    }

    async fn end(mut self) -> Result<BackedUp, BackupError> {
        // Their parents were removed during the backup, and they were removed too, or else moved: then they are read
        // at their new place.
        let left: Vec<Entry> = std::mem::take(&mut self.waiting).into_values().flatten().collect();
        for entry in left {
            if self.directory.read_whole(&entry.dn).await?.is_some() {
                self.write(self.numbers.of(&entry.dn), &entry).await?;
            }
        }
        let written = self.seal.entries();
        if written == 0 {
            return Err(BackupError::Nothing);
        }
        self.hand_on().await?;
        self.out.send(self.seal.end()).await.map_err(|_| BackupError::Unwanted)?;
        Ok(BackedUp { entries: written, set_aside: self.set_aside })
    }
}

/// Whether others may be below an entry: an entry with an address has none, unless another program has put them there.
fn has_room_below(entry: &Entry) -> bool {
    entry.dn.rdn().is_none_or(|rdn| rdn.value_of(&names::MAIL).is_none())
}

/// Every entry, including those that 389-ds hides unless a search asks for their class, such as password policies.
pub(crate) fn every_entry() -> Filter {
    let hidden = Filter::equal(names::OBJECT_CLASS, names::HIDDEN_CLASS);
    Filter::any([Filter::present(names::OBJECT_CLASS), hidden])
}

/// Entries with others below them. The first part finds candidates by an index; the second one excludes those of which
/// the server knows that they have no children.
fn that_have_some_below() -> Filter {
    let number = names::NUM_SUBORDINATES;
    Filter::all([Filter::present(number.clone()), Filter::at_least(number, "1")])
}

pub(crate) fn is_group_entry(entry: &Entry) -> bool {
    names::GROUP_CLASSES.iter().any(|class| entry.is_of_class(class))
}

/// Whether this is the entry of a super administrator.
pub(crate) fn is_super(tree: &Tree, entry: &Entry) -> bool {
    let Some(tenant) = tree.owner_of(&entry.dn) else { return false };
    let is_super = |number| Role::of_entry(Some(number), &tenant) == Role::SuperAdministrator;
    let numbers = entry.values(&names::EMPLOYEE_NUMBER).iter();
    numbers.filter_map(|value| str::from_utf8(value.as_bytes()).ok()).any(is_super)
}

impl Lookup {
    /// Reads an entry with all attributes that people can set; `None` if it does not exist.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub(crate) async fn read_whole(&self, dn: &Dn) -> Result<Option<Entry>, DirectoryError> {
        let mut scan = self.scan_whole(dn, Scope::Base, &every_entry()).await?;
        let entry = scan.next().await?;
        // Reading to the end returns the connection to the pool.
        while scan.next().await?.is_some() {}
        Ok(entry)
    }

    /// Whether the bound account can read passwords, tested on an account that every prepared directory has.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn sees_passwords(&self) -> Result<bool, DirectoryError> {
        let decoy = self.read_whole(&self.tree().decoy()).await?;
        Ok(decoy.is_none_or(|decoy| !decoy.values(&names::USER_PASSWORD).is_empty()))
    }

    /// The number of entries at a place and below it, as the server counts them.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub(crate) async fn count_below(&self, base: &Dn) -> Result<u64, DirectoryError> {
        let parents = that_have_some_below();
        let mut scan = self.scan(base, Scope::Subtree, &parents, &[names::NUM_SUBORDINATES]).await?;
        let mut count = 1;
        while let Some(entry) = scan.next().await? {
            let below = mail_model::entry::EntryView::first(&entry, &names::NUM_SUBORDINATES);
            count += below.and_then(|number| number.parse::<u64>().ok()).unwrap_or(0);
        }
        Ok(count)
    }
}
