//! Decides what becomes of a person of a source.

use directory::sources::{OwnEntries, OwnEntry};
use mail_model::{
    contact::Kind,
    source::{
        SourceId, SourceKind,
        card::Card,
        print::{Part, Print, Target},
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
}

impl<'a> Comparison<'a> {
    /// Compares with these entries. An address in a domain of another tenant is never given to a contact, since nobody
    /// there could have it then.
    pub(super) fn with(own: &'a OwnEntries, foreign: HashSet<String>, kinds: &'static [SourceKind]) -> Self {
        Self { own, taken: HashSet::new(), new: HashSet::new(), foreign, kinds }
    }

    /// Keeps what was made of an entry of the source that could not be used now.
    pub(super) fn keep(&mut self, id: &SourceId) {
        self.taken.extend(self.own.with_id(id).iter().copied());
    }

    /// Decides about a person.
    pub(super) fn judge(&mut self, card: &Card) -> Verdict {
        let verdict = self.verdict(card);
        match &verdict {
            Verdict::New => drop(self.new.insert(card.mail.to_string())),
            Verdict::Unchanged(place) | Verdict::Stale(place, _) => drop(self.taken.insert(*place)),
            // What has the person's address may be what was made of the person.
            Verdict::Refused(_) => {
                self.keep(&card.id);
                self.taken.extend(self.own.with_address(card.mail.as_str()));
            }
        }
        verdict
    }

    fn verdict(&self, card: &Card) -> Verdict {
        if self.new.contains(card.mail.as_str()) {
            return Verdict::Refused("another person of the source has the same address");
        }
        let Some(place) = self.place_of(card) else { return self.newcomer(card) };
        let Some(entry) = self.own.get(place) else { return Verdict::New };
        if self.taken.contains(&place) {
            return Verdict::Refused("another person of the source has the same address");
        }
        if let Some(reason) = refusal(entry, self.kinds).or_else(|| self.foreign_address(entry.kind, card)) {
            return Verdict::Refused(reason);
        }
        let target = if entry.kind == Kind::User { Target::User } else { Target::Contact };
        let parts = entry.print.stale_parts(&Print::of_card(card, target), target);
        let is_marked = entry.ids.contains(&card.id);
        if parts.is_empty() && is_marked { Verdict::Unchanged(place) } else { Verdict::Stale(place, parts) }
    }

    /// The entry that stands for a person: the user with the address, the user who was updated from this person before,
    /// the user with one of the further addresses, the contact that was made of this person, whatever has the address.
    fn place_of(&self, card: &Card) -> Option<usize> {
        let is =
            |kind: Kind| move |place: &usize| self.own.get(*place).is_some_and(|entry| entry.kind == kind);
        let by_mail = self.own.with_address(card.mail.as_str());
        let by_id = |kind| self.own.with_id(&card.id).iter().copied().find(is(kind));
        let by_alias = || {
            card.aliases.iter().find_map(|alias| self.own.with_address(alias.as_str()).filter(is(Kind::User)))
        };
        by_mail
            .filter(is(Kind::User))
            .or_else(|| by_id(Kind::User))
            .or_else(by_alias)
            .or_else(|| by_id(Kind::Contact))
            .or(by_mail)
    }

    /// The refusal of a contact with an address in a domain of another tenant.
    fn foreign_address(&self, kind: Kind, card: &Card) -> Option<&'static str> {
        let is_foreign = card.addresses().any(|address| self.foreign.contains(address.domain()));
        (kind == Kind::Contact && is_foreign).then_some("an address is in a domain of another tenant")
    }

    /// A person without an entry, if the further addresses are free.
    fn newcomer(&self, card: &Card) -> Verdict {
        if let Some(reason) = self.foreign_address(Kind::Contact, card) {
            return Verdict::Refused(reason);
        }
        let is_taken = card.aliases.iter().any(|alias| self.own.with_address(alias.as_str()).is_some());
        if is_taken {
            Verdict::Refused("a further address belongs to another entry of the tenant")
        } else {
            Verdict::New
        }
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
    let is_made =
        |entry: &OwnEntry| entry.kind == kind && entry.ids.iter().any(|id| kinds.contains(&id.kind()));
    let made: Vec<_> = own.iter().filter(|(_, entry)| is_made(entry)).map(|(place, _)| place).collect();
    let all = made.len();
    (made.into_iter().filter(|place| !taken.contains(place)).collect(), all)
}

fn refusal(entry: &OwnEntry, kinds: &[SourceKind]) -> Option<&'static str> {
    let is_of_kind = entry.ids.iter().any(|id| kinds.contains(&id.kind()));
    match entry.kind {
        Kind::List => Some("a mailing list has the address"),
        Kind::Resource => Some("a resource has the address"),
        Kind::Contact if entry.ids.is_empty() => Some("a contact that was made otherwise has the address"),
        Kind::Contact if !is_of_kind => Some("a contact of another source has the address"),
        Kind::User | Kind::Contact => None,
    }
}
