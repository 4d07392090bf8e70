//! The recall of a message: it is removed from the mailboxes of some users, as far as the caller may reach these.

mod boxes;
mod outcome;
mod report;
mod request;
mod store;

pub use mail_store::message_id::{MAX_MESSAGE_ID, MessageId};
pub use outcome::{BoxReport, RecallError, RecallResult};
pub use request::{Addressed, MAX_BOXES, Recall};
pub use store::{MailStore, MailStoreInUse};

use crate::{administration::Administration, caller::Actor, policy::Action};
use boxes::Wanted;
use directory::users::recipients::Recipient;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use store::Outcome;

impl Administration {
    /// Recalls a message, and reports about each address. An address of a tenant that the caller may not reach is
    /// reported like one that does not exist. If the result is dropped early, boxes that are being worked on are
    /// finished, and no other is begun.
    ///
    /// # Errors
    /// [`RecallError`]; nothing was removed then.
    pub async fn recall(&self, caller: &Actor, recall: &Recall) -> Result<Vec<BoxReport>, RecallError> {
        let within = caller.only_tenant();
        caller.reach(Action::RecallMessages, within)?;
        let store = self.mail_store.present().ok_or(RecallError::NotSetUp)?;
        let wanted = boxes::find(self.lookup(), within, recall).await?;
        let outcomes = store.recall(caller, distinct(&wanted), recall).await;
        Ok(wanted.into_iter().map(|wanted| report_of(wanted, &outcomes)).collect())
    }

    /// Puts a report about a recall into the caller's own box, and returns whether it is there. Callers without an
    /// account have no box.
    pub async fn report_recall(
        &self,
        caller: &Actor,
        recall: &Recall,
        reports: &[BoxReport],
        now: Timestamp,
    ) -> bool {
        let (Some(store), Actor::Account(account)) = (self.mail_store.present(), caller) else {
            return false;
        };
        let user = self.lookup().user(&account.tenant, &account.mail).await;
        // The caller may have another address by now, and the old one another owner.
        let Some(user) = user.ok().flatten().filter(|user| user.id == account.id) else { return false };
        let message = report::message(&user.user, recall, reports, now);
        store.deliver(user.user.mail(), message).await
    }
}

/// Each user once.
fn distinct(wanted: &[Wanted]) -> Vec<Recipient> {
    let mut seen = HashSet::new();
    let users = wanted.iter().filter_map(|wanted| wanted.user.clone());
    users.filter(|user| seen.insert(user.id.clone())).collect()
}

fn report_of(wanted: Wanted, outcomes: &HashMap<String, Outcome>) -> BoxReport {
    let Wanted { mail, user, is_list } = wanted;
    let Some(user) = user else {
        let reason = is_list.then(|| "This is a mailing list: send expand=1 to open it.".to_owned());
        return BoxReport { mail, of: None, result: RecallResult::NoUser, removed: 0, reason };
    };
    let outcome = outcomes.get(&user.id).cloned().unwrap_or_else(Outcome::not_tried);
    let of = (user.mail.as_str() != mail.to_lowercase()).then_some(user.mail);
    BoxReport { mail, of, result: outcome.result, removed: outcome.removed, reason: outcome.reason }
}
