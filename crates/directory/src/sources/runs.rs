//! The entries of synchronizations, and their locks.

use crate::{Directory, Lookup, Scope, error::DirectoryError};
use ldap_text::{dn::Dn, filter::Filter};
use mail_model::{
    entry::EntryView,
    names,
    run::{self, Lock, Report, Source, Subject},
    tenant::TenantId,
};

/// Runs of a tenant, a source and a subject that are kept.
pub const MOST_KEPT: usize = 20;

/// The outcome of an attempt to take a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LockOutcome {
    /// It is taken.
    Taken,
    /// Another run has it.
    HeldBy(String),
}

impl Lookup {
    /// The reports of a tenant's runs, or of all, the latest first.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn runs(&self, tenant: Option<&TenantId>) -> Result<Vec<Report>, DirectoryError> {
        let folder = self.tree().runs();
        let scan = self.scan(&folder, Scope::Children, &anything(), &[names::RUN_REPORT]).await?;
        let read = |entry: &crate::Entry| {
            let report = Report::parse(entry.first(&names::RUN_REPORT)?)?;
            tenant.is_none_or(|tenant| report.tenant == *tenant).then_some(report)
        };
        let mut reports = scan.gather(read).await?;
        reports.sort_by_key(|report| std::cmp::Reverse(report.began));
        Ok(reports)
    }

    /// The report of a run.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn run(&self, id: &str) -> Result<Option<Report>, DirectoryError> {
        let dn = run::run_dn(self.tree(), id);
        let entry = self.find(&dn, Scope::Base, &anything(), &[names::RUN_REPORT]).await?;
        Ok(entry.and_then(|entry| Report::parse(entry.first(&names::RUN_REPORT)?)))
    }

    async fn lock(&self, dn: &Dn) -> Result<Option<Lock>, DirectoryError> {
        let entry = self.find(dn, Scope::Base, &anything(), &[names::RUN_REPORT]).await?;
        Ok(entry.and_then(|entry| Lock::parse(entry.first(&names::RUN_REPORT)?)))
    }
}

impl Directory {
    /// Creates the entry of a run, if no other run of its tenant, source and subject is under way in a process that lives;
    /// removes the oldest ones of its kind. The entry is there before the lock names it, so a process that
    /// finds the lock also finds the run.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn begin_run(&self, report: &Report) -> Result<LockOutcome, DirectoryError> {
        let dn = run::lock_dn(self.tree(), &report.tenant, report.source, report.subject);
        if let Some(held) = self.lock(&dn).await?.filter(|held| !held.is_abandoned(report.began)) {
            return Ok(LockOutcome::HeldBy(held.run));
        }
        self.apply(&run::creation(self.tree(), report)).await?;
        let outcome = self.take_lock(report).await;
        match outcome {
            Ok(LockOutcome::Taken) => self.forget_old_runs(report).await?,
            _ => self.remove(&run::removal(run::run_dn(self.tree(), &report.id))).await?,
        }
        outcome
    }

    /// Takes the lock of a tenant, a source and a subject for a run, if no other run has it, or its process is gone.
    async fn take_lock(&self, report: &Report) -> Result<LockOutcome, DirectoryError> {
        let dn = run::lock_dn(self.tree(), &report.tenant, report.source, report.subject);
        let own = Lock { run: report.id.clone(), seen: report.began };
        for _ in 0..3 {
            match self.apply(&own.creation(dn.clone())).await {
                Ok(()) => return Ok(LockOutcome::Taken),
                Err(DirectoryError::Exists) => {}
                Err(error) => return Err(error),
            }
            let Some(held) = self.lock(&dn).await? else { continue };
            if !held.is_abandoned(own.seen) {
                return Ok(LockOutcome::HeldBy(held.run));
            }
            match self.apply(&own.replacement(dn.clone(), &held)).await {
                Ok(()) => return Ok(LockOutcome::Taken),
                Err(DirectoryError::Stale | DirectoryError::NotFound) => {}
                Err(error) => return Err(error),
            }
        }
        Err(DirectoryError::Stale)
    }

    /// Says that the process of a run lives.
    ///
    /// # Errors
    /// [`DirectoryError::Stale`] if another process has taken the lock.
    pub async fn renew_lock(&self, report: &Report, before: &Lock) -> Result<Lock, DirectoryError> {
        let dn = run::lock_dn(self.tree(), &report.tenant, report.source, report.subject);
        let now = Lock { run: report.id.clone(), seen: report.seen };
        if now == *before {
            return Ok(now);
        }
        match self.apply(&now.replacement(dn.clone(), before)).await {
            Ok(()) => Ok(now),
            // An earlier renewal may have arrived although its answer was lost.
            Err(DirectoryError::Stale) => {
                let held = self.lock(&dn).await?.filter(|held| held.run == report.id);
                let held = held.ok_or(DirectoryError::Stale)?;
                self.apply(&now.replacement(dn, &held)).await?;
                Ok(now)
            }
            Err(error) => Err(error),
        }
    }

    /// Writes the present report of a run.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn keep_report(&self, report: &Report) -> Result<(), DirectoryError> {
        self.apply(&run::progress(self.tree(), report)).await
    }

    /// Releases a lock, if it is still the run's own.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn release_lock(&self, report: &Report) -> Result<(), DirectoryError> {
        let dn = run::lock_dn(self.tree(), &report.tenant, report.source, report.subject);
        match self.lock(&dn).await? {
            Some(held) if held.run == report.id => self.remove(&run::removal(dn)).await,
            _ => Ok(()),
        }
    }

    async fn forget_old_runs(&self, report: &Report) -> Result<(), DirectoryError> {
        let is_alike = |other: &Report| (other.source, other.subject) == (report.source, report.subject);
        let alike = self.runs(Some(&report.tenant)).await?;
        for old in alike.iter().filter(|other| is_alike(other)).skip(MOST_KEPT) {
            self.remove(&run::removal(run::run_dn(self.tree(), &old.id))).await?;
        }
        Ok(())
    }

    /// The last report of a kind that ended well, from which a quick run can continue, and the last one of a whole run.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn last_runs(
        &self,
        tenant: &TenantId,
        source: Source,
        subject: Subject,
    ) -> Result<[Option<Report>; 2], DirectoryError> {
        let runs = self.runs(Some(tenant)).await?;
        let is_alike = |other: &&Report| {
            (other.source, other.subject, other.state) == (source, subject, run::State::Done)
        };
        let mut alike = runs.iter().filter(is_alike);
        let last = alike.clone().next().cloned();
        Ok([last, alike.find(|report| report.is_whole).cloned()])
    }
}

fn anything() -> Filter {
    Filter::present(names::OBJECT_CLASS)
}
