//! Decides what becomes of a person of a source.

use directory::sources::{OwnEntries, OwnEntry};
use mail_model::{
    address::MailAddress,
    contact::Kind,
    source::{
        SourceId, SourceKind,
        card::{Card, Part},
        print::Target,
    },
};
use std::collections::HashSet;

/// The entry of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// There is none: a contact is made.
    New,
    /// It is as the card.
    Unchanged(usize),
    /// It differs in some parts, or lacks the mark of the source.
    Stale(usize, Vec<Part>),
    /// The person is left out, for a reason.
    Refused(&'static str),
}

/// The reason for which a contact that an earlier run has made goes.
const FOREIGN: &str = "its address is in a domain of another tenant";
const SAME_ADDRESS: Verdict =
    Verdict::Refused("another person of the source has the same address, or had it until now");

/// Compares the people of a source with the tenant's entries.
pub(super) struct Comparison<'a> {
    own: &'a OwnEntries,
    /// Places of entries that a person of the source stands for, or that must stay for another reason.
    taken: HashSet<usize>,
    /// Addresses of contacts that will be made.
    new: HashSet<String>,
    /// The domains of other tenants.
    foreign: HashSet<String>,
    /// The kinds of identifiers that the source gives.
    kinds: &'static [SourceKind],
    /// Contacts that lose a further address, because a person has it as the address.
    yielding: Vec<(usize, MailAddress)>,
    /// Contacts whose address is in a domain of another tenant by now.
    foreign_contacts: Vec<usize>,
}

impl<'a> Comparison<'a> {
    /// Compares with these entries. An address in a domain of another tenant is never given to a contact, since nobody
    /// there could have it then.
    pub(super) fn with(own: &'a OwnEntries, foreign: HashSet<String>, kinds: &'static [SourceKind]) -> Self {
        Self {
            own,
            taken: HashSet::new(),
            new: HashSet::new(),
            foreign,
            kinds,
            yielding: Vec::new(),
            foreign_contacts: Vec::new(),
        }
    }

    /// Keeps what was made of an entry of the source that could not be used now.
    pub(super) fn keep(&mut self, id: &SourceId) {
        self.taken.extend(self.own.with_id(id).iter().copied());
    }

    /// Decides about a person. `None` if it depends on whether another person has the address of the entry: ask
    /// [`Self::judge_last`] when all others are known.
    pub(super) fn judge(&mut self, card: &Card) -> Option<Verdict> {
        let is_certain = |place| self.own.get(place).is_none_or(|entry| is_certainly_of(entry, card));
        self.place_of(card).is_none_or(is_certain).then(|| self.judge_last(card))
    }

    /// Decides about a person of whom the decision was put off.
    pub(super) fn judge_last(&mut self, card: &Card) -> Verdict {
        let verdict = self.verdict(card);
        match &verdict {
            Verdict::New => drop(self.new.insert(card.mail.to_string())),
            Verdict::Unchanged(place) | Verdict::Stale(place, _) => drop(self.taken.insert(*place)),
            // What has the person's address may be what was made of the person.
            Verdict::Refused(reason) => {
                let foreign = self.foreign_contact_of(card).filter(|_| *reason == FOREIGN);
                self.foreign_contacts.extend(foreign);
                self.keep(&card.id);
                self.taken.extend(self.own.with_address(card.mail.as_str()));
            }
        }
        if matches!(verdict, Verdict::New | Verdict::Stale(..)) {
            let holder = self.own.with_address(card.mail.as_str()).filter(|place| self.yields(*place, card));
            self.yielding.extend(holder.map(|place| (place, card.mail.clone())));
        }
        verdict
    }

    /// Contacts that have to lose a further address before a person can have it as the address.
    pub(super) fn yielding(&self) -> &[(usize, MailAddress)] {
        &self.yielding
    }

    /// The contact of a person, if its address is in a domain of another tenant by now.
    fn foreign_contact_of(&self, card: &Card) -> Option<usize> {
        self.place_of(card).filter(|place| {
            let domain = self.own.get(*place).and_then(|entry| entry.mail.rsplit_once('@'));
            domain.is_some_and(|(_, domain)| self.foreign.contains(domain))
        })
    }

    /// Contacts that go however many they are, since nobody of the tenant of their domain could have their address.
    pub(super) fn foreign_contacts(&self) -> &[usize] {
        &self.foreign_contacts
    }

    /// Leaves out the further addresses that the entry of a person cannot have, and returns them.
    pub(super) fn without_foreign_aliases(&self, card: &mut Card) -> Vec<MailAddress> {
        let place = self.place_of(card);
        if place.and_then(|place| self.own.get(place)).is_some_and(|entry| entry.kind == Kind::User) {
            return Vec::new();
        }
        let is_possible = |alias: &MailAddress| {
            let owner = self.own.with_address(alias.as_str());
            !self.foreign.contains(alias.domain()) && (owner.is_none() || owner == place)
        };
        let (possible, left) = std::mem::take(&mut card.aliases).into_iter().partition(is_possible);
        card.aliases = possible;
        left
    }

    /// Whether the address of a card is a further address of another person's contact.
    fn yields(&self, place: usize, card: &Card) -> bool {
        self.own.get(place).is_some_and(|entry| {
            entry.kind == Kind::Contact
                && *entry.mail != *card.mail.as_str()
                && !entry.ids.contains(&card.id)
                && is_marked(entry, self.kinds)
        })
    }

    fn verdict(&self, card: &Card) -> Verdict {
        if self.new.contains(card.mail.as_str()) {
            return SAME_ADDRESS;
        }
        let is_foreign = self.foreign.contains(card.mail.domain());
        let Some(place) = self.place_of(card) else {
            return if is_foreign { Verdict::Refused(FOREIGN) } else { Verdict::New };
        };
        let Some(entry) = self.own.get(place) else { return Verdict::New };
        if self.taken.contains(&place) {
            return SAME_ADDRESS;
        }
        let foreign = (entry.kind == Kind::Contact && is_foreign).then_some(FOREIGN);
        if let Some(reason) = refusal(entry, self.kinds).or(foreign) {
            return Verdict::Refused(reason);
        }
        let target = if entry.kind == Kind::User { Target::User } else { Target::Contact };
        let parts = entry.print.stale_parts(card, target);
        let is_marked = entry.ids.contains(&card.id);
        if parts.is_empty() && is_marked { Verdict::Unchanged(place) } else { Verdict::Stale(place, parts) }
    }

    /// The entry that stands for a person: the user with the address, the user who was updated from this person before,
    /// the user with one of the further addresses who was updated from nobody, the contact that was made of this person,
    /// whatever has the address. A user whose address another person has by now is that person, and a contact does not
    /// stand for a person whose address is merely one of its further ones.
    fn place_of(&self, card: &Card) -> Option<usize> {
        let is =
            |kind: Kind| move |place: &usize| self.own.get(*place).is_some_and(|entry| entry.kind == kind);
        let by_mail = self.own.with_address(card.mail.as_str());
        let is_free = |place: &usize| !self.taken.contains(place);
        let by_id = |kind| self.own.with_id(&card.id).iter().copied().filter(is_free).find(is(kind));
        let with_alias = |alias: &MailAddress| {
            let user = self.own.with_address(alias.as_str()).filter(is(Kind::User)).filter(is_free);
            user.filter(|place| self.own.get(*place).is_some_and(|entry| !is_marked(entry, self.kinds)))
        };
        let by_alias = || card.aliases.iter().find_map(with_alias);
        by_mail
            .filter(is(Kind::User))
            .or_else(|| by_id(Kind::User))
            .or_else(by_alias)
            .or_else(|| by_id(Kind::Contact))
            .or(by_mail.filter(|place| !self.yields(*place, card)))
    }

    /// The contacts that earlier runs have made, and that no person of the source stands for: their places, and the
    /// number of all that earlier runs have made.
    pub(super) fn leavers(&self) -> (Vec<usize>, usize) {
        leavers(self.own, &self.taken, Kind::Contact, self.kinds)
    }
}

/// The entries of a kind that carry an identifier of some sources, and were not taken: their places, and how many carry
/// one in all.
pub(super) fn leavers(
    own: &OwnEntries,
    taken: &HashSet<usize>,
    kind: Kind,
    kinds: &[SourceKind],
) -> (Vec<usize>, usize) {
    let is_made = |entry: &OwnEntry| entry.kind == kind && is_marked(entry, kinds);
    let made: Vec<_> = own.iter().filter(|(_, entry)| is_made(entry)).map(|(place, _)| place).collect();
    let all = made.len();
    (made.into_iter().filter(|place| !taken.contains(place)).collect(), all)
}

/// Whether an entry carries an identifier of some sources.
fn is_marked(entry: &OwnEntry, kinds: &[SourceKind]) -> bool {
    entry.ids.iter().any(|id| kinds.contains(&id.kind()))
}

/// Whether an entry stands for a person regardless of the other people of the source.
fn is_certainly_of(entry: &OwnEntry, card: &Card) -> bool {
    match entry.kind {
        Kind::User => *entry.mail == *card.mail.as_str(),
        Kind::Contact => entry.ids.contains(&card.id),
        Kind::List | Kind::Resource => true,
    }
}

fn refusal(entry: &OwnEntry, kinds: &[SourceKind]) -> Option<&'static str> {
    match entry.kind {
        Kind::List => Some("a mailing list has the address"),
        Kind::Resource => Some("a resource has the address"),
        Kind::Contact if entry.ids.is_empty() => Some("a contact that was made otherwise has the address"),
        Kind::Contact if !is_marked(entry, kinds) => Some("a contact of another source has the address"),
        Kind::User | Kind::Contact => None,
    }
}
