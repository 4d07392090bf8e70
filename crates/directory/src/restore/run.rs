//! The second reading of a file: each of its entries is added, changed, or left as it is.

use super::{
    Existing, Findings, RestoreError, RestoreRequest,
    records::{Item, Records},
    refusal::Refusal,
    rules::{Limits, Rules, with_secrets},
    survey::{Stage, Survey},
};
use crate::{
    Directory, Scope,
    backup::{
        every_entry,
        file::LdifFile,
        is_super,
        key::{Digest, Key},
    },
    error::{DirectoryError, Unreachable},
    subschema::Subschema,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use ldap_text::{
    dn::Dn,
    filter::Filter,
    ldif::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind, Value},
};
use mail_model::{entry::EntryView, names, tenant::Tenant};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use tokio::sync::mpsc;

/// Entries that are handed over together, and how many such lots may wait.
const LOT: usize = 64;
const LOTS: usize = 4;

/// The result codes objectClassViolation and namingViolation, and notAllowedOnNonLeaf (RFC 4511 appendix A.2).
const SCHEMA_VIOLATIONS: [u32; 2] = [65, 64];
const NOT_ALLOWED_ON_NON_LEAF: u32 = 66;

/// What came, or would come, of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The directory lacked it.
    Added(ChangeRecord),
    /// It differed, and is now as in the file.
    Updated(ChangeRecord),
    /// It differs, and this would make it as in the file.
    Different(ChangeRecord),
    /// It is as in the file.
    Same,
    /// The file lacks it, and it is gone.
    Removed(ChangeRecord),
    /// It could not be restored.
    Refused(Refusal),
}

/// Something that a restore tells of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<'a> {
    /// Where it stands in the file, if it does.
    pub line: Option<u64>,
    /// Its name.
    pub dn: &'a Dn,
    /// What came of it.
    pub outcome: &'a Outcome,
}

/// The number of entries by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Added.
    pub added: u64,
    /// Brought to the file's state.
    pub updated: u64,
    /// Removed, since the file lacks them.
    pub removed: u64,
    /// As in the file already.
    pub same: u64,
    /// Different, and left so.
    pub different: u64,
    /// Refused.
    pub refused: u64,
    /// Of no part that was asked for.
    pub left_out: u64,
}

impl Summary {
    /// All entries of the part that was asked for.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.added + self.updated + self.same + self.different + self.refused
    }

    fn count(&mut self, outcome: &Outcome) {
        let count = match outcome {
            Outcome::Added(_) => &mut self.added,
            Outcome::Updated(_) => &mut self.updated,
            Outcome::Different(_) => &mut self.different,
            Outcome::Same => &mut self.same,
            Outcome::Removed(_) => &mut self.removed,
            Outcome::Refused(_) => &mut self.refused,
        };
        *count += 1;
    }
}

/// A restore that is ready to begin: the file was read, and so was the directory.
pub struct Restore {
    directory: Directory,
    file: LdifFile,
    request: RestoreRequest,
    rules: Arc<Rules>,
    survey: Arc<Survey>,
    present: HashMap<Key, Digest>,
}

impl Restore {
    /// Reads a file and the directory. The latter must be bound as somebody who may read and write everything,
    /// hashes of passwords too; `service` is the account that pbm serves as. `on_read` hears of the bytes that are read
    /// of the file.
    ///
    /// # Errors
    /// [`RestoreError`]; nothing has been written.
    pub async fn prepare(
        directory: Directory,
        service: &Dn,
        file: LdifFile,
        request: RestoreRequest,
        on_read: impl FnMut(usize) + Send + 'static,
    ) -> Result<Self, RestoreError> {
        let schema = Subschema::read(&directory).await?;
        let accounts = [service.clone(), directory.settings().credentials.dn.clone()];
        let mut rules = Rules::new(directory.tree().clone(), schema, &accounts, request.now);
        if let Some(tenant) = request.limited_to.clone() {
            let foreign_domains = domains_of_others(&directory, &tenant).await?;
            rules.limits = Some(Limits { tenant, foreign_domains });
        }
        let surveyed = {
            let (file, request) = (file.clone(), request.clone());
            tokio::task::spawn_blocking(move || {
                let survey = Survey::of(&file, &request, &mut rules, on_read)?;
                Ok::<_, RestoreError>((rules, survey))
            })
        };
        let (rules, survey) = surveyed.await.map_err(|_| RestoreError::Stopped)??;
        let mut restore = Self {
            directory,
            file,
            request,
            rules: Arc::new(rules),
            survey: Arc::new(survey),
            present: HashMap::new(),
        };
        restore.look().await?;
        Ok(restore)
    }

    /// Reads the directory.
    async fn look(&mut self) -> Result<(), DirectoryError> {
        for (base, scope) in self.survey.extent.bases(self.directory.tree()) {
            let mut scan = self.directory.scan_whole(&base, scope, &every_entry()).await?;
            while let Some(entry) = scan.next().await? {
                let entry = self.rules.with_own_names(entry);
                let key = self.rules.numbers.of(&entry.dn);
                self.present.insert(key, self.rules.digest(key, &entry));
            }
        }
        Ok(())
    }

    /// What is known of the file.
    #[must_use]
    pub fn findings(&self) -> Findings {
        Findings {
            verdict: self.survey.verdict.clone(),
            entries: (self.survey.lines.len() + self.survey.out_of_place.len()) as u64,
            left_out: self.survey.left_out,
        }
    }

    /// The entries that the file lacks, what stands below others first. The root, the folders, the accounts that pbm needs and
    /// what it remembers for a day are never among them.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn surplus(&self) -> Result<Vec<Dn>, DirectoryError> {
        let tree = self.directory.tree();
        let answers = tree.answers();
        let kept: HashSet<&Dn> = tree.folders().into_iter().chain([tree.root()]).collect();
        let is_kept = |dn: &Dn| kept.contains(dn) || dn.is_within(&answers) || self.rules.is_own_account(dn);
        let mut surplus = Vec::new();
        for (base, scope) in self.survey.extent.bases(tree) {
            let mut scan = self.directory.scan(&base, scope, &every_entry(), &[names::NO_ATTRIBUTES]).await?;
            while let Some(entry) = scan.next().await? {
                let dn = entry.dn().filter(|dn| !is_kept(dn));
                surplus.extend(dn.filter(|dn| !self.survey.lines.contains_key(&self.rules.numbers.of(dn))));
            }
        }
        surplus.sort_by_key(|dn| std::cmp::Reverse(dn.rdns().len()));
        Ok(surplus)
    }

    /// Restores, after it has removed some entries: what stands below others must come first among them.
    ///
    /// # Errors
    /// [`RestoreError`]; what was done until then is done.
    pub async fn run(
        self,
        surplus: Vec<Dn>,
        on_event: impl AsyncFnMut(Event<'_>),
    ) -> Result<Summary, RestoreError> {
        let mut tally = Tally {
            summary: Summary { left_out: self.survey.left_out, ..Summary::default() },
            failed: HashSet::new(),
            parents: HashMap::new(),
            clashes: HashMap::new(),
            on_event,
        };
        for (line, dn, refusal) in &self.survey.out_of_place {
            tally.tell(Some(*line), dn, &Outcome::Refused(refusal.clone())).await;
        }
        self.remove(surplus, &mut tally).await?;
        for stage in self.survey.stages() {
            self.stage(&stage, &mut tally).await?;
        }
        // Addresses that others had may be free now.
        while !tally.clashes.is_empty() && !self.request.dry_run {
            let before = tally.clashes.len();
            let lines = std::mem::take(&mut tally.clashes);
            tally.failed.clear();
            self.stage(&Stage::Again(lines.keys().copied().collect()), &mut tally).await?;
            if tally.clashes.len() >= before {
                break;
            }
        }
        for (line, (dn, refusal)) in std::mem::take(&mut tally.clashes) {
            tally.tell(Some(line), &dn, &Outcome::Refused(refusal)).await;
        }
        Ok(tally.summary)
    }

    async fn remove<F: AsyncFnMut(Event<'_>)>(
        &self,
        surplus: Vec<Dn>,
        tally: &mut Tally<F>,
    ) -> Result<(), RestoreError> {
        let mut tasks = FuturesUnordered::new();
        let mut depth = 0;
        for dn in surplus {
            // What stands below must be gone first.
            while tasks.len() >= self.lanes() || (depth != dn.rdns().len() && !tasks.is_empty()) {
                if let Some(ended) = tasks.next().await {
                    let (dn, outcome): (Dn, Outcome) = ended?;
                    tally.tell(None, &dn, &outcome).await;
                }
            }
            depth = dn.rdns().len();
            tasks.push(self.remove_one(dn));
        }
        while let Some(ended) = tasks.next().await {
            let (dn, outcome) = ended?;
            tally.tell(None, &dn, &outcome).await;
        }
        Ok(())
    }

    async fn remove_one(&self, dn: Dn) -> Result<(Dn, Outcome), RestoreError> {
        let record = ChangeRecord { dn: dn.clone(), change: Change::Delete };
        let outcome = match self.apply(&record).await {
            Ok(()) | Err(DirectoryError::NotFound) => Outcome::Removed(record),
            Err(DirectoryError::Refused { code: NOT_ALLOWED_ON_NON_LEAF, .. }) => {
                Outcome::Refused(Refusal::NotEmpty)
            }
            Err(error) => Outcome::Refused(self.refusal(error).await?),
        };
        Ok((dn, outcome))
    }

    /// Does the entries of one stage.
    async fn stage<F: AsyncFnMut(Event<'_>)>(
        &self,
        stage: &Stage,
        tally: &mut Tally<F>,
    ) -> Result<(), RestoreError> {
        let (lots, mut received) = mpsc::channel(LOTS);
        let reader = {
            let (file, rules, survey, stage) =
                (self.file.clone(), self.rules.clone(), self.survey.clone(), stage.clone());
            tokio::task::spawn_blocking(move || read(&file, &rules, &survey, &stage, &lots))
        };
        let mut tasks = FuturesUnordered::new();
        let mut under_way = HashSet::new();
        while let Some(lot) = received.recv().await {
            for item in lot {
                let outcome = self.outcome_at_sight(&item, tally).await?;
                if let Some(outcome) = outcome {
                    tally.end(item.line, item.key, &item.entry.dn, outcome).await;
                    continue;
                }
                let waits_for = |under_way: &HashSet<Key>| {
                    let parent = self.rules.numbers.of_parent(&item.entry.dn);
                    parent.is_some_and(|parent| under_way.contains(&parent))
                };
                while tasks.len() >= self.lanes() || waits_for(&under_way) {
                    let Some(ended) = tasks.next().await else { break };
                    let Ended { line, key, dn, outcome } = ended?;
                    under_way.remove(&key);
                    tally.end(line, key, &dn, outcome).await;
                }
                under_way.insert(item.key);
                tasks.push(self.restore(item));
            }
        }
        while let Some(ended) = tasks.next().await {
            let Ended { line, key, dn, outcome } = ended?;
            tally.end(line, key, &dn, outcome).await;
        }
        reader.await.map_err(|_| RestoreError::Stopped)?
    }

    /// What comes of an entry, where that takes no look at the directory's.
    async fn outcome_at_sight<F>(
        &self,
        item: &Item,
        tally: &mut Tally<F>,
    ) -> Result<Option<Outcome>, RestoreError> {
        let refusal = self.survey.refused.get(&item.line);
        let present = self.present.get(&item.key);
        match (present, refusal) {
            // There is nothing to do, so nobody needs to be allowed to.
            (Some(present), None | Some(Refusal::Forbidden(_))) if *present == item.digest => {
                return Ok(Some(Outcome::Same));
            }
            (_, Some(refusal)) => return Ok(Some(Outcome::Refused(refusal.clone()))),
            (Some(_), None) => return Ok(None),
            (None, None) => {}
        }
        let Some(parent) = item.entry.dn.parent() else { return Ok(None) };
        let key = self.rules.numbers.of(&parent);
        let is_there = if self.present.contains_key(&key) {
            true
        } else if tally.failed.contains(&key) {
            return Ok(Some(Outcome::Refused(Refusal::ParentRefused(parent))));
        } else if self.survey.lines.contains_key(&key) {
            true
        } else if let Some(is_there) = tally.parents.get(&key) {
            *is_there
        } else if item.entry.dn == *self.directory.tree().root() {
            true
        } else {
            let no_attributes = [names::NO_ATTRIBUTES];
            let found = self.directory.find(&parent, Scope::Base, &every_entry(), &no_attributes).await?;
            tally.parents.insert(key, found.is_some());
            found.is_some()
        };
        Ok((!is_there).then_some(Outcome::Refused(Refusal::NoParent(parent))))
    }

    /// Adds an entry, or compares it with the directory's.
    async fn restore(&self, item: Item) -> Result<Ended, RestoreError> {
        let Item { line, key, entry, .. } = item;
        let dn = entry.dn.clone();
        let ended = |outcome| Ended { line, key, dn, outcome };
        if !self.present.contains_key(&key)
            && let Some(outcome) = self.add(&entry).await?
        {
            return Ok(ended(outcome));
        }
        let Some(stored) = self.directory.read_whole(&entry.dn).await? else {
            // It was removed a moment ago; if it is back by now, somebody else is at work on it.
            let added = self.add(&entry).await?;
            let others = "others add and remove it all the time".to_owned();
            return Ok(ended(added.unwrap_or(Outcome::Refused(Refusal::Other(others)))));
        };
        let stored = self.rules.with_own_names(stored);
        self.bring(key, &entry, &stored).await.map(ended)
    }

    /// Adds an entry; `None` where it is there already.
    async fn add(&self, entry: &Entry) -> Result<Option<Outcome>, RestoreError> {
        let entry = self.rules.to_add(entry.clone());
        let dn = entry.dn.clone();
        let record = ChangeRecord { dn, change: Change::Add(with_secrets(entry)) };
        if self.request.dry_run && self.request.existing == Existing::Keep {
            // Whoever has an address keeps it. (Where entries are brought to the file's state, it may be given up.)
            let Change::Add(attributes) = &record.change else { return Ok(None) };
            let taken = self.taken(&record.dn, attributes).await?;
            if !taken.is_empty() {
                return Ok(Some(Outcome::Refused(Refusal::Taken(taken))));
            }
        }
        match self.apply(&record).await {
            Ok(()) => Ok(Some(Outcome::Added(record))),
            Err(DirectoryError::Exists) => Ok(None),
            Err(DirectoryError::NotFound) => {
                let parent = record.dn.parent().unwrap_or_default();
                Ok(Some(Outcome::Refused(Refusal::NoParent(parent))))
            }
            Err(DirectoryError::NotUnique) => {
                let Change::Add(attributes) = &record.change else { return Ok(None) };
                let taken = self.taken(&record.dn, attributes).await?;
                Ok(Some(Outcome::Refused(Refusal::Taken(taken))))
            }
            Err(error) => self.refusal(error).await.map(|refusal| Some(Outcome::Refused(refusal))),
        }
    }

    /// Brings a stored entry to the file's state, or tells what differs.
    async fn bring(&self, key: Key, wanted: &Entry, stored: &Entry) -> Result<Outcome, RestoreError> {
        if self.request.limited_to.is_some() && is_super(self.directory.tree(), stored) {
            let reason = "super administrators are for super administrators".to_owned();
            return Ok(Outcome::Refused(Refusal::Forbidden(reason)));
        }
        let modifications = self.rules.difference(key, wanted, stored, self.request.existing);
        if modifications.is_empty() {
            return Ok(Outcome::Same);
        }
        let record = ChangeRecord { dn: stored.dn.clone(), change: Change::Modify(modifications) };
        if self.request.existing == Existing::Keep {
            return Ok(Outcome::Different(record));
        }
        match self.apply(&record).await {
            Ok(()) => Ok(Outcome::Updated(record)),
            Err(DirectoryError::NotUnique) => {
                self.give_up_addresses(wanted, stored).await?;
                let taken = self.taken(&wanted.dn, &wanted.attributes).await?;
                Ok(Outcome::Refused(Refusal::Taken(taken)))
            }
            Err(error) => self.refusal(error).await.map(Outcome::Refused),
        }
    }

    /// Takes the aliases from an entry that it is not to keep: others may be waiting for them, as this one waits for
    /// theirs.
    async fn give_up_addresses(&self, wanted: &Entry, stored: &Entry) -> Result<(), RestoreError> {
        let name = names::MAIL_ALTERNATE_ADDRESS;
        let wanted = wanted.values(&name);
        let surplus = stored.values(&name).iter().filter(|value| !wanted.contains(value)).cloned();
        let values: Vec<Value> = surplus.collect();
        if values.is_empty() {
            return Ok(());
        }
        let kind = ModifyKind::Delete;
        let modification = Modification { kind, attribute: Attribute { name, values } };
        let record = ChangeRecord { dn: stored.dn.clone(), change: Change::Modify(vec![modification]) };
        match self.apply(&record).await {
            Ok(()) => Ok(()),
            // It is tried again as a whole.
            Err(error) => self.refusal(error).await.map(|_| ()),
        }
    }

    async fn apply(&self, record: &ChangeRecord) -> Result<(), DirectoryError> {
        if self.request.dry_run { Ok(()) } else { self.directory.apply(record).await }
    }

    /// Which of an entry's addresses and domains others have.
    async fn taken(&self, dn: &Dn, attributes: &[Attribute]) -> Result<Vec<String>, RestoreError> {
        let kinds = [names::MAIL, names::MAIL_ALTERNATE_ADDRESS, names::ASSOCIATED_DOMAIN];
        let own = attributes.iter().filter(|attribute| kinds.contains(&attribute.name));
        let own = own.flat_map(|a| &a.values).filter_map(|value| str::from_utf8(value.as_bytes()).ok());
        let own: Vec<&str> = own.collect();
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let any =
            own.iter().flat_map(|address| kinds.iter().map(|kind| Filter::equal(kind.clone(), *address)));
        let mut scan = self
            .directory
            .scan(self.directory.tree().root(), Scope::Subtree, &Filter::any(any), &kinds)
            .await?;
        let mut taken = Vec::new();
        while let Some(other) = scan.next().await? {
            if other.dn().is_some_and(|other| other != *dn) {
                let theirs: Vec<&String> = kinds.iter().flat_map(|kind| other.values(kind)).collect();
                let shared = |address: &&&str| theirs.iter().any(|their| their.eq_ignore_ascii_case(address));
                taken.extend(own.iter().filter(shared).map(|address| (*address).to_owned()));
            }
        }
        taken.sort_unstable();
        taken.dedup();
        Ok(taken)
    }

    /// What an error means for one entry.
    ///
    /// # Errors
    /// Where it means that nothing more can be done.
    async fn refusal(&self, error: DirectoryError) -> Result<Refusal, RestoreError> {
        match error {
            DirectoryError::InvalidValue(diagnostic) => Ok(Refusal::Value(diagnostic)),
            DirectoryError::PasswordRefused(reason) => Ok(Refusal::Value(reason.to_string())),
            DirectoryError::Refused { code, diagnostic } if SCHEMA_VIOLATIONS.contains(&code) => {
                Ok(Refusal::Schema(diagnostic))
            }
            DirectoryError::Refused { code, diagnostic } => {
                Ok(Refusal::Other(format!("result {code}, {diagnostic}")))
            }
            // Either it does nothing more, or it does not do this.
            DirectoryError::Unreachable(Unreachable::Declined { code, diagnostic })
                if self.directory.ping().await.is_ok() =>
            {
                Ok(Refusal::Other(format!("result {code}, {diagnostic}")))
            }
            DirectoryError::Stale => {
                Ok(Refusal::Value("to the server two of its values are the same".to_owned()))
            }
            error @ (DirectoryError::NotFound
            | DirectoryError::Exists
            | DirectoryError::NotUnique
            | DirectoryError::Malformed(_)) => Ok(Refusal::Other(error.to_string())),
            error @ (DirectoryError::Unreachable(_) | DirectoryError::OutcomeUnknown(_)) => Err(error.into()),
        }
    }

    fn lanes(&self) -> usize {
        self.directory.settings().connections
    }
}

/// The domains that other tenants serve, in lower case.
async fn domains_of_others(
    directory: &Directory,
    tenant: &Tenant,
) -> Result<HashSet<String>, DirectoryError> {
    let tree = directory.tree();
    let any = Filter::present(names::ASSOCIATED_DOMAIN);
    let mut scan = directory.scan(tree.domains(), Scope::Children, &any, &[names::ASSOCIATED_DOMAIN]).await?;
    let mut domains = HashSet::new();
    while let Some(entry) = scan.next().await? {
        domains.extend(entry.values(&names::ASSOCIATED_DOMAIN).iter().map(|domain| domain.to_lowercase()));
    }
    domains.retain(|domain| !tenant.serves(domain));
    Ok(domains)
}

/// What came of an entry that the directory was asked about.
struct Ended {
    line: u64,
    key: Key,
    dn: Dn,
    outcome: Outcome,
}

/// What has come of the entries so far.
struct Tally<F> {
    summary: Summary,
    /// Entries that are not there, though the file has them.
    failed: HashSet<Key>,
    /// Entries that the file lacks and that others of it stand below: whether they are there.
    parents: HashMap<Key, bool>,
    /// Entries whose addresses others have, by their lines: they are tried again.
    clashes: HashMap<u64, (Dn, Refusal)>,
    on_event: F,
}

impl<F: AsyncFnMut(Event<'_>)> Tally<F> {
    async fn end(&mut self, line: u64, key: Key, dn: &Dn, outcome: Outcome) {
        match outcome {
            Outcome::Refused(refusal @ Refusal::Taken(_)) => {
                self.failed.insert(key);
                self.clashes.insert(line, (dn.clone(), refusal));
            }
            Outcome::Refused(_) => {
                self.failed.insert(key);
                self.tell(Some(line), dn, &outcome).await;
            }
            outcome => self.tell(Some(line), dn, &outcome).await,
        }
    }

    async fn tell(&mut self, line: Option<u64>, dn: &Dn, outcome: &Outcome) {
        self.summary.count(outcome);
        (self.on_event)(Event { line, dn, outcome }).await;
    }
}

/// Reads the entries of a stage and hands them over, until nobody takes them.
fn read(
    file: &LdifFile,
    rules: &Rules,
    survey: &Survey,
    stage: &Stage,
    lots: &mpsc::Sender<Vec<Item>>,
) -> Result<(), RestoreError> {
    let mut records = Records::open(file, |_| {})?;
    let mut lot = Vec::with_capacity(LOT);
    while let Some(item) = survey.next(&mut records, stage, rules)? {
        lot.push(item);
        if lot.len() == LOT
            && lots.blocking_send(std::mem::replace(&mut lot, Vec::with_capacity(LOT))).is_err()
        {
            return Ok(());
        }
    }
    // Nobody takes it where the restore has ended already.
    let _taken = lots.blocking_send(lot);
    Ok(())
}
