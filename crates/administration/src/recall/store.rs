//! Works on several boxes at a time, each on a thread where the connection to the mail server may block.

use super::{outcome::RecallResult, request::Recall};
use crate::caller::Actor;
use directory::users::recipients::Recipient;
use futures_util::{StreamExt, stream};
use mail_model::address::MailAddress;
use mail_store::{
    Doveadm, error::DoveadmError, mail_user::MailUser, message_id::MessageId, recall::Verdict,
    settings::DoveadmSettings,
};
use std::{
    cell::Cell,
    collections::HashMap,
    error::Error,
    sync::{Arc, PoisonError, RwLock},
};
use tokio::{sync::Semaphore, task::spawn_blocking};
use tracing::Span;

/// After so many boxes in a row for which the mail server does not work at all, the others are not tried: a server that
/// hangs would take minutes for each.
const FAILURES_IN_A_ROW: usize = 8;

/// The mail server. Clones share the limit on boxes at a time.
#[derive(Clone)]
pub struct MailStore {
    doveadm: Arc<Doveadm>,
    permits: Arc<Semaphore>,
    concurrency: usize,
}

/// The mail server that is in use, if there is one. It may change while the process runs; clones share it.
#[derive(Clone, Default)]
pub struct MailStoreInUse(Arc<RwLock<Option<MailStore>>>);

impl MailStoreInUse {
    /// The one that is in use at first.
    #[must_use]
    pub fn of(store: Option<MailStore>) -> Self {
        Self(Arc::new(RwLock::new(store)))
    }

    /// Uses another one from now on. Recalls that are under way end with the one that they began with.
    pub fn set(&self, store: Option<MailStore>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = store;
    }

    pub(super) fn present(&self) -> Option<MailStore> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What became of the message in a box.
#[derive(Clone, Debug)]
pub(super) struct Outcome {
    pub(super) result: RecallResult,
    pub(super) removed: usize,
    pub(super) reason: Option<String>,
}

impl Outcome {
    fn of(result: RecallResult, removed: usize) -> Self {
        Self { result, removed, reason: None }
    }

    fn failed(reason: String) -> Self {
        Self { result: RecallResult::Failed, removed: 0, reason: Some(reason) }
    }

    pub(super) fn not_tried() -> Self {
        Self::failed(
            "Not tried, since the mail server did not work for other boxes. Repeat the request.".to_owned(),
        )
    }
}

impl MailStore {
    /// Prepares the connection to the mail server.
    #[must_use]
    pub fn new(settings: &DoveadmSettings) -> Self {
        let permits = Arc::new(Semaphore::new(settings.concurrency));
        Self { doveadm: Arc::new(Doveadm::new(settings)), permits, concurrency: settings.concurrency }
    }

    /// Recalls a message from the boxes of some users. The outcomes are returned by the identifiers of the users.
    pub(super) async fn recall(
        &self,
        caller: &Actor,
        users: Vec<Recipient>,
        recall: &Recall,
    ) -> HashMap<String, Outcome> {
        let failures = Cell::new(0);
        let failures = &failures;
        let one = |user: Recipient| async move {
            let id = user.id.clone();
            let outcome = self.recall_from(caller, user, recall, failures).await;
            (id, outcome)
        };
        stream::iter(users.into_iter().map(one)).buffer_unordered(self.concurrency).collect().await
    }

    async fn recall_from(
        &self,
        caller: &Actor,
        user: Recipient,
        recall: &Recall,
        failures: &Cell<usize>,
    ) -> Outcome {
        // The semaphore is never closed.
        let Ok(permit) = self.permits.clone().acquire_owned().await else { return Outcome::not_tried() };
        if failures.get() >= FAILURES_IN_A_ROW {
            return Outcome::not_tried();
        }
        let (doveadm, id, force) = (self.doveadm.clone(), recall.id.clone(), recall.force);
        let (caller, span) = (caller.log_id().to_owned(), Span::current());
        // Runs to its end, and is logged, even if nobody waits for it any more.
        let work = spawn_blocking(move || {
            let _permit = permit;
            span.in_scope(|| recall_one(&doveadm, &caller, &user, &id, force))
        });
        let (outcome, is_of_server) = work.await.unwrap_or_else(|_| (Outcome::not_tried(), false));
        failures.set(if is_of_server { failures.get() + 1 } else { 0 });
        outcome
    }

    /// Puts a message into the INBOX of a user, and returns whether it is there.
    pub(super) async fn deliver(&self, user: &MailAddress, message: String) -> bool {
        let Ok(user) = MailUser::parse(user.as_str()) else { return false };
        let doveadm = self.doveadm.clone();
        match spawn_blocking(move || doveadm.save(&user, &message)).await {
            Ok(Ok(())) => true,
            Ok(Err(error)) => {
                tracing::warn!(error = &error as &dyn Error, "recall.report_lost");
                false
            }
            Err(_) => false,
        }
    }
}

/// Recalls a message from one box, and logs the outcome. Also returns whether the mail server does not work at all.
fn recall_one(
    doveadm: &Doveadm,
    caller: &str,
    user: &Recipient,
    id: &MessageId,
    force: bool,
) -> (Outcome, bool) {
    let Ok(name) = MailUser::parse(user.mail.as_str()) else {
        let reason =
            "The address contains * or ?, which doveadm takes for a mask of many users. Use the shell.";
        return (Outcome::failed(reason.to_owned()), false);
    };
    let outcome = doveadm.recall(&name, id, force);
    let is_of_server = outcome.as_ref().is_err_and(DoveadmError::is_of_server);
    let outcome = match outcome {
        Ok(verdict) => of_verdict(verdict, id),
        Err(error) => of_error(&error, &user.id),
    };
    let Outcome { result, removed, .. } = &outcome;
    tracing::info!(caller, user = user.id, message = %id, force, result = result.name(), removed, "recall.box");
    (outcome, is_of_server)
}

fn of_verdict(verdict: Verdict, id: &MessageId) -> Outcome {
    match verdict {
        Verdict::Recalled { removed } => Outcome::of(RecallResult::Recalled, removed),
        Verdict::Read { removed } => Outcome::of(RecallResult::Read, removed),
        Verdict::NotFound { is_elsewhere } => {
            let elsewhere = "It stands only in mailboxes that are not this user's own: shared ones, or such that \
                             doveadm.mailboxes does not name.";
            let blank = "The Message-ID contains a blank: if that should be a plus sign, write + as %2B.";
            let reason = is_elsewhere.then_some(elsewhere).or(id.has_blank().then_some(blank));
            let reason = reason.map(str::to_owned);
            Outcome { reason, ..Outcome::of(RecallResult::NotFound, 0) }
        }
    }
}

fn of_error(error: &DoveadmError, user: &str) -> Outcome {
    if let DoveadmError::NoUser = error {
        let reason = Some("The mail server does not know this user.".to_owned());
        return Outcome { reason, ..Outcome::of(RecallResult::NoUser, 0) };
    }
    tracing::warn!(user, error = error as &dyn Error, "recall.failed");
    let text = error.to_string();
    let mut letters = text.chars();
    let capital = letters.next().map(|first| first.to_uppercase().collect::<String>());
    Outcome::failed(format!("{}{}.", capital.unwrap_or_default(), letters.as_str()))
}
