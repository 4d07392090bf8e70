//! The recall of a message: it is removed from the mailboxes of some users, as far as the caller may reach these.

mod boxes;
mod outcome;
mod report;
mod request;
mod store;

pub use mail_store::message_id::{MAX_MESSAGE_ID, MessageId};
pub use outcome::{BoxReport, RecallError, RecallResult, count_of};
pub use request::{Addressed, MAX_BOXES, Recall};
pub use store::{MailStore, MailStoreInUse};

use crate::{administration::Administration, caller::Actor, policy::Action};
use boxes::{Boxes, Origin, Wanted};
use directory::users::recipients::Recipient;
use jiff::Timestamp;
use std::collections::{HashMap, HashSet};
use store::Outcome;

impl Administration {
    /// Recalls a message, and reports about each address. The address of a user whom the caller may not reach, of
    /// another tenant or a super administrator, is reported like one that does not exist. If the result is dropped early,
    /// boxes that are being worked on are finished, and no other is begun.
    ///
    /// # Errors
    /// [`RecallError`]; nothing was removed then.
    pub async fn recall(&self, caller: &Actor, recall: &Recall) -> Result<Vec<BoxReport>, RecallError> {
        let within = caller.only_tenant();
        let reach = caller.reach(Action::RecallMessages, within)?;
        let store = self.mail_store.present().ok_or(RecallError::NotSetUp)?;
        let wanted = Boxes { lookup: self.lookup(), within, reach }.find(recall).await?;
        let outcomes = store.recall(caller, distinct(&wanted), recall).await;
        Ok(reports_of(wanted, &outcomes))
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

/// A report for each address; the first one of a box has all of it.
fn reports_of(wanted: Vec<Wanted>, outcomes: &HashMap<String, Outcome>) -> Vec<BoxReport> {
    let mut first_mails: HashMap<String, String> = HashMap::new();
    let report = |Wanted { mail, user, origin }: Wanted| {
        let Some(user) = user else { return without_box(mail, origin) };
        if let Some(first) = first_mails.get(&user.id) {
            return repeated(mail, user, outcomes, first);
        }
        first_mails.insert(user.id.clone(), mail.clone());
        report_of(mail, user, outcomes)
    };
    wanted.into_iter().map(report).collect()
}

fn without_box(mail: String, origin: Origin) -> BoxReport {
    let reason = match origin {
        Origin::Request => None,
        Origin::List => Some("This is a mailing list: send expand=1 to open it."),
        Origin::Member => Some(
            "This member of a mailing list has no box here: an address outside, or one that is not reachable.",
        ),
    };
    let reason = reason.map(str::to_owned);
    BoxReport { mail, of: None, result: RecallResult::NoUser, removed: 0, reason, is_repeat: false }
}

fn report_of(mail: String, user: Recipient, outcomes: &HashMap<String, Outcome>) -> BoxReport {
    let Outcome { result, removed, reason } =
        outcomes.get(&user.id).cloned().unwrap_or_else(Outcome::not_tried);
    let of = (user.mail.as_str() != mail.to_lowercase()).then_some(user.mail);
    BoxReport { mail, of, result, removed, reason, is_repeat: false }
}

/// The report about another address of a box. The removed copies count once.
fn repeated(mail: String, user: Recipient, outcomes: &HashMap<String, Outcome>, first: &str) -> BoxReport {
    let report = report_of(mail, user, outcomes);
    let reason = report.reason.unwrap_or_else(|| format!("The same box as {first}, counted there."));
    BoxReport { reason: Some(reason), removed: 0, is_repeat: true, ..report }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::{address::MailAddress, tenant::TenantId, user::role::Role};

    #[test]
    fn a_box_with_two_addresses_counts_once() {
        let user = Recipient {
            id: "1".to_owned(),
            mail: MailAddress::parse("ivan@a.test").unwrap(),
            tenant: TenantId::parse("acme").unwrap(),
            role: Role::User,
        };
        let wanted = ["sales@a.test", "ivan@a.test", "nobody@a.test"].map(|mail| Wanted {
            mail: mail.to_owned(),
            user: (mail != "nobody@a.test").then(|| user.clone()),
            origin: Origin::Request,
        });
        let outcome = Outcome { result: RecallResult::Recalled, removed: 2, reason: None };
        let reports = reports_of(wanted.into(), &HashMap::from([("1".to_owned(), outcome)]));
        let removed: Vec<_> = reports.iter().map(|report| report.removed).collect();
        assert_eq!(removed, [2, 0, 0]);
        assert_eq!(reports[0].of, Some(user.mail));
        assert_eq!(reports[1].reason.as_deref(), Some("The same box as sales@a.test, counted there."));
        let counts = [RecallResult::Recalled, RecallResult::NoUser].map(|result| count_of(&reports, result));
        assert_eq!(counts, [1, 1]);
    }
}
