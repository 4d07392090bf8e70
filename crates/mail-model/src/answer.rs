//! Stored answers for idempotency keys: the changes that write them.

use crate::{
    changes::{add_values, attribute, delete_value, modify, replace, whole_seconds},
    deletion, names, tested,
    tree::Tree,
};
use jiff::Timestamp;
use ldap_text::{
    dn::Dn,
    filter::Filter,
    generalized_time,
    ldif::{Change, ChangeRecord},
};

/// An answer that can be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// A claimed key of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    dn: Dn,
    key: String,
    request: String,
    began: String,
}

impl Claim {
    /// A claim of a key for a request. Both are digests, so the directory learns neither.
    #[must_use]
    pub fn new(tree: &Tree, key: &str, request: &str, now: Timestamp) -> Self {
        Self {
            dn: tree.answers().child(names::UID, key),
            key: key.to_owned(),
            request: request.to_owned(),
            began: generalized_time::print(whole_seconds(now)),
        }
    }

    /// The name of the claim's entry.
    #[must_use]
    pub fn dn(&self) -> &Dn {
        &self.dn
    }

    /// Creates the claim.
    #[must_use]
    pub fn creation(&self) -> ChangeRecord {
        let change = Change::Add(vec![
            attribute(names::OBJECT_CLASS, names::ANSWER_CLASSES),
            attribute(names::UID, &[&self.key]),
            attribute(names::REQUEST_DIGEST, &[&self.request]),
            attribute(names::ANSWER_BEGAN, &[&self.began]),
        ]);
        ChangeRecord { dn: self.dn.clone(), change }
    }

    /// Takes over an older claim; fails if another process has done so already.
    #[must_use]
    pub fn takeover(&self, began: &str) -> ChangeRecord {
        let modifications = vec![
            delete_value(names::ANSWER_BEGAN, began),
            add_values(names::ANSWER_BEGAN, vec![self.began.as_str().into()]),
            replace(names::REQUEST_DIGEST, vec![self.request.as_str().into()]),
            replace(names::ANSWER_STATUS, Vec::new()),
            replace(names::ANSWER_BODY, Vec::new()),
        ];
        modify(self.dn.clone(), modifications)
    }

    /// Adds the answer.
    #[must_use]
    pub fn answered(&self, answer: &Answer) -> ChangeRecord {
        let modifications = vec![
            replace(names::ANSWER_STATUS, vec![answer.status.to_string().as_str().into()]),
            replace(names::ANSWER_BODY, vec![answer.body.as_str().into()]),
        ];
        modify(self.dn.clone(), modifications)
    }

    /// Removes the claim.
    #[must_use]
    pub fn removal(&self) -> ChangeRecord {
        deletion::removal(self.dn.clone())
    }
}

/// Answers to requests that began at this time or earlier.
#[must_use]
pub fn begun_by(moment: Timestamp) -> Filter {
    Filter::all([
        Filter::at_most(names::ANSWER_BEGAN, generalized_time::print(whole_seconds(moment))),
        tested::of_class(names::ANSWER_CLASS),
    ])
}
