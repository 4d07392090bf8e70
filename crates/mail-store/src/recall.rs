//! The recall of a message from the box of a user.
//!
//! Dovecot's search for a header finds every header that contains the searched text: `<1@x>` also finds `<11@x>`. So
//! nothing is removed by such a search. The found messages are compared here, and the equal ones are removed by the GUID
//! of their mailbox and their UID. If read messages are to stay, the same command tests that they are unread, so nobody
//! can read one between the test and the removal. Then the box is searched again: a message counts as recalled only if
//! it is not there any more, whatever the command has answered.
//!
//! A search without names of mailboxes may also find mailboxes that other users share with the user, and a message there
//! is somebody else's. Only Dovecot knows which mailboxes are shared: a mask such as `*` does not go into another namespace
//! ([`MailboxPattern`](crate::settings::MailboxPattern)). So what was found anywhere counts only if it is found by one of
//! the masks too.

use crate::{answer::Row, client::Doveadm, error::DoveadmError, mail_user::MailUser, message_id::MessageId};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

/// How often copies are removed that appear while others are removed, such as a message that its reader moves.
const ROUNDS: usize = 3;
/// The time limit for a box, in time limits of a command: two searches, and a removal between them.
const COMMANDS_OF_A_BOX: u32 = 3;
/// The exit code for a mailbox that does not exist (`EX_NOHOST`, used by doveadm for "not found").
const NO_MAILBOX: i64 = 68;
const SEEN: &str = "\\Seen";
/// The digits of the GUID of a mailbox.
const GUID: usize = 32;

/// What became of the message in a box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was there and is gone.
    Recalled {
        /// The number of removed copies: a box may have the message in several mailboxes.
        removed: usize,
    },
    /// It was read and stays.
    Read {
        /// The number of removed copies that were unread.
        removed: usize,
    },
    /// It is not there.
    NotFound {
        /// Whether it stands in a mailbox that the user sees and that does not belong to the box.
        is_elsewhere: bool,
    },
}

/// A place of a message: the GUID of its mailbox, and its UID.
type Place = (String, u32);

struct Copy {
    place: Place,
    is_seen: bool,
}

/// The copies of a message.
struct Found {
    of_box: Vec<Copy>,
    is_elsewhere: bool,
}

/// A recall from one box.
struct Recall<'a> {
    doveadm: &'a Doveadm,
    user: &'a MailUser,
    id: &'a MessageId,
    deadline: Instant,
}

impl Doveadm {
    /// Removes a message from the box of a user, from each mailbox in it. With `force` read messages too.
    ///
    /// # Errors
    /// [`DoveadmError`]; the message may have been removed all the same, except if the error says otherwise.
    pub fn recall(&self, user: &MailUser, id: &MessageId, force: bool) -> Result<Verdict, DoveadmError> {
        let deadline = Instant::now() + self.timeout * COMMANDS_OF_A_BOX;
        Recall { doveadm: self, user, id, deadline }.run(force)
    }
}

impl Recall<'_> {
    fn run(&self, force: bool) -> Result<Verdict, DoveadmError> {
        let mut targeted = BTreeSet::new();
        let mut failure = None;
        for round in 0..=ROUNDS {
            let found = match self.find() {
                Ok(found) => found,
                // The first error tells more.
                Err(error) => return Err(failure.unwrap_or(error)),
            };
            let targets: Vec<_> = found.of_box.iter().filter(|copy| force || !copy.is_seen).collect();
            if targets.is_empty() {
                return Ok(verdict(&targeted, &found));
            }
            if failure.is_some() || round == ROUNDS {
                break;
            }
            failure = self.expunge(&targets, force).err();
            targeted.extend(targets.into_iter().map(|copy| copy.place.clone()));
        }
        Err(failure.unwrap_or(DoveadmError::StillThere))
    }

    /// The copies of the message.
    fn find(&self) -> Result<Found, DoveadmError> {
        let anywhere = self.fetch(None)?;
        let mut unclaimed: BTreeSet<_> = anywhere.into_iter().map(|copy| copy.place).collect();
        let mut of_box = Vec::new();
        for pattern in &self.doveadm.mailboxes {
            if unclaimed.is_empty() {
                break;
            }
            let copies = match self.fetch(Some(pattern.as_str())) {
                Err(DoveadmError::Exit { code: NO_MAILBOX }) => Vec::new(),
                copies => copies?,
            };
            of_box.extend(copies.into_iter().filter(|copy| unclaimed.remove(&copy.place)));
        }
        Ok(Found { of_box, is_elsewhere: !unclaimed.is_empty() })
    }

    /// The copies in the mailboxes of a pattern, or in all mailboxes that the user sees.
    fn fetch(&self, pattern: Option<&str>) -> Result<Vec<Copy>, DoveadmError> {
        let place = pattern.into_iter().flat_map(|pattern| ["mailbox", pattern]);
        let query: Vec<_> = place.chain(["header", "message-id", self.id.as_str()]).collect();
        let fields = ["hdr.message-id", "uid", "mailbox-guid", "flags"];
        let rows = self.command("fetch", json!({"field": fields, "query": query}))?;
        let is_equal =
            |row: &&Row| row.message_id.as_ref().is_some_and(|header| self.id.is_of_header(header));
        rows.iter().filter(is_equal).map(|row| copy(row).ok_or(DoveadmError::Foreign)).collect()
    }

    fn expunge(&self, targets: &[&Copy], force: bool) -> Result<(), DoveadmError> {
        let mut by_mailbox: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for Copy { place: (mailbox, uid), .. } in targets {
            by_mailbox.entry(mailbox).or_default().push(uid.to_string());
        }
        for (mailbox, uids) in by_mailbox {
            let mut query =
                vec!["mailbox-guid".to_owned(), mailbox.to_owned(), "uid".to_owned(), uids.join(",")];
            query.extend((!force).then(|| "unseen".to_owned()));
            self.command("expunge", json!({"query": query}))?;
        }
        Ok(())
    }

    fn command(&self, command: &str, parameters: Value) -> Result<Vec<Row>, DoveadmError> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let limit = left.min(self.doveadm.timeout);
        if limit < Duration::from_millis(1) {
            return Err(DoveadmError::Slow(self.doveadm.timeout * COMMANDS_OF_A_BOX));
        }
        self.doveadm.run(command, self.user, parameters, limit)
    }
}

/// What became of the copies for which removals were sent, given those that are left.
fn verdict(targeted: &BTreeSet<Place>, left: &Found) -> Verdict {
    let is_left = |place: &&Place| left.of_box.iter().any(|copy| copy.place == **place);
    let removed = targeted.len() - targeted.iter().filter(is_left).count();
    match (left.of_box.is_empty(), removed) {
        (false, removed) => Verdict::Read { removed },
        (true, 0) => Verdict::NotFound { is_elsewhere: left.is_elsewhere },
        (true, removed) => Verdict::Recalled { removed },
    }
}

fn copy(row: &Row) -> Option<Copy> {
    let guid = row.mailbox.as_ref()?;
    let is_guid = guid.len() == GUID && guid.bytes().all(|byte| byte.is_ascii_hexdigit());
    let uid = row.uid.as_ref()?.parse().ok()?;
    let is_seen = row.flags.as_ref()?.split(' ').any(|flag| flag.eq_ignore_ascii_case(SEEN));
    is_guid.then(|| Copy { place: (guid.to_owned(), uid), is_seen })
}
