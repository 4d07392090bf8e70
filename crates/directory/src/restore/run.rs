//! The second pass over a file: each entry is added, changed, or left as it is.

use super::{
    Findings, RestoreError, RestoreRequest,
    bounds::Bounds,
    handover::{Handover, LOTS, read},
    reading::{Reading, StopReading},
    records::Item,
    refusal::Refusal,
    rules::{Limits, Rules},
    survey::{Stage, Survey},
    tally::{Ended, Outcome, RestoreEvent, Summary, Tally},
    under_way::UnderWay,
};
use crate::{
    Directory, Scope,
    backup::{
        every_entry,
        file::LdifFile,
        key::{Digest, Key},
    },
    error::{DirectoryError, NOT_ALLOWED_ON_NON_LEAF},
    subschema::Subschema,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use ldap_text::{
    dn::Dn,
    ldif::{Change, ChangeRecord},
};
use mail_model::{names, tenant::LiveTenant};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// How often to check whether the tenant whose administrator restores has changed. A domain that is removed from the
/// tenant can be given to another one a moment later.
const LOOK_AT_TENANT: Duration = Duration::from_secs(2);

/// A restore that is ready to begin: the file and the directory have been read.
pub struct Restore {
    pub(super) directory: Directory,
    file: Reading,
    pub(super) request: RestoreRequest,
    pub(super) rules: Arc<Rules>,
    survey: Arc<Survey>,
    pub(super) present: HashMap<Key, Digest>,
    /// Stops the reading of the file when this is dropped.
    _stop: StopReading,
}

impl Restore {
    /// Reads a file and the directory. The directory must be bound as an account that may read and write everything,
    /// including password hashes; `service` is the account that pbm serves as. `on_read` is called with the number of
    /// bytes read from the file.
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
        let bounds = if request.limited_to.is_some() { Bounds::TENANT } else { Bounds::EVERYTHING };
        let file = Reading::of(file, bounds);
        // The guard works even if nobody waits for the outcome any more.
        let stop = file.stop();
        let schema = Subschema::read(&directory).await?;
        let accounts = [service.clone(), directory.settings().credentials.dn.clone()];
        let mut rules = Rules::new(directory.tree().clone(), schema, &accounts, request.now);
        if let Some(tenant) = request.limited_to.clone() {
            let foreign_domains = directory.domains_of_others(&tenant).await?;
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
            _stop: stop,
        };
        restore.look().await?;
        Ok(restore)
    }

    /// Reads the directory.
    async fn look(&mut self) -> Result<(), DirectoryError> {
        for (base, scope) in self.survey.extent.bases(self.directory.tree()) {
            let mut scan = self.directory.scan_whole(&base, scope, &every_entry()).await?;
            loop {
                match scan.next().await {
                    Ok(Some(entry)) => {
                        let entry = self.rules.with_own_names(entry);
                        let key = self.rules.numbers.of(&entry.dn);
                        self.present.insert(key, self.rules.digest(key, &entry));
                    }
                    // The entry exists but can't be read. It equals nothing, so it is reported if the file has it.
                    Err(DirectoryError::Unreadable { dn, .. }) => {
                        let dn = Dn::parse(&dn).ok();
                        self.present.extend(dn.map(|dn| (self.rules.numbers.of(&dn), Digest::default())));
                    }
                    Ok(None) => break,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// The result of the first pass over the file.
    #[must_use]
    pub fn findings(&self) -> Findings {
        Findings {
            verdict: self.survey.verdict.clone(),
            entries: (self.survey.lines.len() - self.survey.unreadable.len()) as u64
                + self.survey.out_of_place.len(),
            left_out: self.survey.left_out,
            unnamed: self.survey.unnamed,
        }
    }

    /// The entries that the file lacks, children before their parents. The root, the folders, the accounts that pbm
    /// needs with their password policy, and what backups leave out are never among them.
    ///
    /// # Errors
    /// [`DirectoryError`].
    pub async fn surplus(&self) -> Result<Vec<Dn>, DirectoryError> {
        let tree = self.directory.tree();
        let passing = tree.passing();
        let policy = tree.account_policy();
        let policies = policy.parent().unwrap_or_default();
        let kept: HashSet<&Dn> =
            tree.folders().into_iter().chain([tree.root(), &policies, &policy]).collect();
        let filter = self.survey.lacking();
        let is_passing = |dn: &Dn| passing.iter().any(|folder| dn.is_within(folder));
        let is_kept = |dn: &Dn| kept.contains(dn) || is_passing(dn) || self.rules.is_own_account(dn);
        let mut surplus = Vec::new();
        for (base, scope) in self.survey.extent.bases(tree) {
            let mut scan = self.directory.scan(&base, scope, &filter, &[names::NO_ATTRIBUTES]).await?;
            while let Some(entry) = scan.next().await? {
                let dn = entry.dn().filter(|dn| !is_kept(dn));
                surplus.extend(dn.filter(|dn| !self.survey.lines.contains_key(&self.rules.numbers.of(dn))));
            }
        }
        surplus.sort_by_key(|dn| std::cmp::Reverse(dn.rdns().len()));
        Ok(surplus)
    }

    /// Restores, after removing `surplus`, in which children must come before their parents.
    ///
    /// # Errors
    /// [`RestoreError`]; entries that were restored before stay restored.
    pub async fn run(
        self,
        surplus: Vec<Dn>,
        on_event: impl AsyncFnMut(RestoreEvent<'_>),
    ) -> Result<Summary, RestoreError> {
        let (most_again, rounds) = self.file.bounds.again;
        let mut tally = Tally::new(self.survey.left_out, most_again, on_event);
        for (line, dn, refusal) in &self.survey.out_of_place.listed {
            tally.tell(Some(*line), dn, &Outcome::Refused(refusal.clone())).await;
        }
        tally.count_refused(self.survey.out_of_place.unlisted);
        tally.failed.extend(&self.survey.unreadable);
        self.remove(surplus, &mut tally).await?;
        for stage in self.survey.stages() {
            self.stage(&stage, &mut tally).await?;
        }
        // Addresses that other entries had may be free now.
        let mut round = 0;
        while !tally.clashes.is_empty() && !self.request.dry_run && round < rounds {
            round += 1;
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

    async fn remove<F: AsyncFnMut(RestoreEvent<'_>)>(
        &self,
        surplus: Vec<Dn>,
        tally: &mut Tally<F>,
    ) -> Result<(), RestoreError> {
        let mut tasks = FuturesUnordered::new();
        let mut depth = 0;
        for dn in surplus {
            // Children must be removed first.
            while tasks.len() >= self.permits() || (depth != dn.rdns().len() && !tasks.is_empty()) {
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
        let mut looks = self.looks();
        let outcome = loop {
            let refusal = match self.apply(&record).await {
                Ok(()) | Err(DirectoryError::NotFound) => break Outcome::Removed(record),
                Err(DirectoryError::Refused { code: NOT_ALLOWED_ON_NON_LEAF, .. }) => Ok(Refusal::NotEmpty),
                Err(error) => self.refusal(error).await,
            };
            match refusal {
                Ok(refusal) => break Outcome::Refused(refusal),
                Err(error) => looks.wait_after(error).await?,
            }
        };
        Ok((dn, outcome))
    }

    /// Processes the entries of one stage.
    async fn stage<F: AsyncFnMut(RestoreEvent<'_>)>(
        &self,
        stage: &Stage,
        tally: &mut Tally<F>,
    ) -> Result<(), RestoreError> {
        let (lots, mut received) = mpsc::channel(LOTS);
        let reader = {
            let (file, rules, survey, stage) =
                (self.file.clone(), self.rules.clone(), self.survey.clone(), stage.clone());
            let handover = Handover::new(lots, file.bounds.in_flight);
            tokio::task::spawn_blocking(move || read(&file, &rules, &survey, &stage, handover))
        };
        let mut under_way = UnderWay::new();
        let mut looked = Instant::now();
        while let Some(lot) = under_way.during(received.recv()).await {
            self.file.check_time()?;
            if looked.elapsed() > LOOK_AT_TENANT {
                under_way.during(self.look_at_tenant()).await?;
                looked = Instant::now();
            }
            for item in lot {
                let outcome = under_way.during(self.outcome_at_sight(&item, tally)).await?;
                if let Some(outcome) = outcome {
                    let ended = Ended { line: item.line, key: item.key, dn: item.entry.dn, outcome };
                    under_way.during(tally.end(ended)).await;
                    continue;
                }
                let parent = self.rules.numbers.of_parent(&item.entry.dn);
                while under_way.must_wait(self.permits(), parent) {
                    let Some(ended) = under_way.next().await else { break };
                    under_way.during(tally.end(ended?)).await;
                }
                under_way.begin(item.key, self.restore(item));
            }
        }
        while let Some(ended) = under_way.next().await {
            under_way.during(tally.end(ended?)).await;
        }
        reader.await.map_err(|_| RestoreError::Stopped)?
    }

    /// Requires that the tenant whose administrator restores has not changed since its rules were read.
    async fn look_at_tenant(&self) -> Result<(), RestoreError> {
        let Some(limits) = &self.rules.limits else { return Ok(()) };
        let now = self.directory.live_tenant(&limits.tenant.id).await?;
        let serves_all =
            |now: LiveTenant| limits.tenant.domains.iter().all(|domain| now.tenant.domains.contains(domain));
        let is_same = now.is_some_and(serves_all);
        let foreign = self.directory.domains_of_others(&limits.tenant).await?;
        if is_same && foreign.is_subset(&limits.foreign_domains) {
            Ok(())
        } else {
            Err(RestoreError::TenantChanged)
        }
    }

    /// The outcome for an entry, if it is clear without reading the entry from the directory.
    async fn outcome_at_sight<F>(
        &self,
        item: &Item,
        tally: &mut Tally<F>,
    ) -> Result<Option<Outcome>, RestoreError> {
        let refusal = if self.survey.has_refused { self.rules.refusal(&item.entry) } else { None };
        let present = self.present.get(&item.key);
        match (present, refusal) {
            // Nothing has to be written, so neither rights nor the schema matter.
            (Some(present), _) if *present == item.digest => {
                return Ok(Some(Outcome::Same));
            }
            (_, Some(refusal)) => return Ok(Some(Outcome::Refused(refusal))),
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

    fn permits(&self) -> usize {
        self.directory.settings().connections
    }
}
