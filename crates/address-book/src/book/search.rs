//! Lists: pages of contacts and of users, searches among them, and single contacts.

use super::{
    Book, ContactsRequest, Found, UserFound,
    entries::{Entry, Key},
    sorted_view::{Label, SortedView, compare_with},
};
use crate::words;
use fixedbitset::FixedBitSet;
use mail_model::{
    address::MailAddress,
    contact::{Kind, id::ContactId, view::View},
    list::{MAX_SEARCH_WORDS, OrderBy, PageRequest},
    names,
};
use memchr::memmem::Finder;

/// The parameters of a list.
struct Query<'a> {
    label: Label,
    kinds: &'a [Kind],
    texts: Vec<&'a str>,
    key: Key,
    descending: bool,
    offset: usize,
    limit: usize,
}

impl Book {
    /// A page of contacts.
    #[must_use]
    pub fn contacts(&self, request: &ContactsRequest) -> Found<'_> {
        let folded = words::fold(&request.search);
        self.found(&Query {
            label: Label::Contacts(request.view),
            kinds: &request.kinds,
            texts: folded.split_whitespace().take(MAX_SEARCH_WORDS).collect(),
            key: request.order.key(),
            descending: request.descending,
            offset: request.offset,
            limit: request.limit,
        })
    }

    /// A page of the list of users.
    #[must_use]
    pub fn users(&self, request: &PageRequest) -> Found<'_> {
        self.found(&Query {
            label: Label::Users,
            kinds: &[],
            texts: request.search.folded().collect(),
            key: user_key(&request.order_by),
            descending: request.descending,
            offset: request.offset(),
            limit: request.limit,
        })
    }

    /// A user by address, blocked or not.
    #[must_use]
    pub fn user(&self, mail: &MailAddress) -> Option<UserFound<'_>> {
        let order = self.sorted_view(Label::Users)?.by(Key::UserMail)?;
        let compare = |slot| compare_with(&self.entries, Key::UserMail, slot, ("", mail.as_str()));
        let slot = order.from(order.seek(compare)).next().filter(|slot| compare(*slot).is_eq())?;
        let entry = self.entries.get(slot)?;
        Some(UserFound { id: entry.id, json: entry.user_shown(), tag: entry.tag() })
    }

    /// A contact in any view, as JSON.
    #[must_use]
    pub fn contact(&self, id: ContactId) -> Option<&[u8]> {
        let entry = self.entries.get(self.entries.find(id)?)?;
        entry.is_contact().then(|| entry.contact_shown())
    }

    /// The contact with an address in a view, as JSON.
    #[must_use]
    pub fn contact_of(&self, mail: &str, view: View) -> Option<&[u8]> {
        let mail = mail.to_lowercase();
        let folded = words::fold(&mail);
        let order = self.sorted_view(Label::Contacts(view))?.by(Key::Mail)?;
        let compare = |slot| compare_with(&self.entries, Key::Mail, slot, (&folded, &mail));
        let slot = order.from(order.seek(compare)).next().filter(|slot| compare(*slot).is_eq())?;
        self.entries.get(slot).map(Entry::contact_shown)
    }

    /// Contacts of a view in order of address, beginning after one address: the pages of an export. An empty list of
    /// kinds means all. Contacts with the same address are never separated, even if they exceed the limit.
    #[must_use]
    pub fn after(&self, mail: &str, view: View, kinds: &[Kind], limit: usize) -> Vec<&[u8]> {
        let mail = mail.to_lowercase();
        let folded = words::fold(&mail);
        let Some(order) = self.sorted_view(Label::Contacts(view)).and_then(|listed| listed.by(Key::Mail))
        else {
            return Vec::new();
        };
        let place = order.seek(|slot| {
            compare_with(&self.entries, Key::Mail, slot, (&folded, &mail)).then(std::cmp::Ordering::Less)
        });
        let contacts = order.from(place).filter_map(|slot| self.entries.get(slot));
        let mut last = None;
        contacts
            .filter(|entry| kinds.is_empty() || kinds.contains(&entry.kind))
            .enumerate()
            .map_while(|(taken, entry)| {
                let address = self.entries.key(Key::Mail, entry);
                let goes_on = taken < limit || last == Some(address);
                last = Some(address);
                goes_on.then(|| entry.contact_shown())
            })
            .collect()
    }

    fn found(&self, query: &Query<'_>) -> Found<'_> {
        let Some(listed) = self.sorted_view(query.label) else {
            return Found { items: Vec::new(), count: 0 };
        };
        let Some(order) = listed.by(query.key) else { return Found { items: Vec::new(), count: 0 } };
        let json = |slots: Vec<u32>| {
            slots
                .into_iter()
                .filter_map(|slot| self.entries.get(slot))
                .map(|entry| query.label.json(entry))
                .collect()
        };
        let Some(matches) = self.matches(listed, query) else {
            let slots = order.page(query.offset, query.limit, query.descending);
            return Found { items: json(slots), count: order.len() };
        };
        let count = matches.count_ones(..);
        let on_page = count.saturating_sub(query.offset).min(query.limit);
        let is_match = |slot: &u32| matches.contains(*slot as usize);
        let slots: Vec<_> = match (on_page, query.descending) {
            (0, _) => Vec::new(),
            (_, false) => order.ascending().filter(is_match).skip(query.offset).take(on_page).collect(),
            (_, true) => order.descending().filter(is_match).skip(query.offset).take(on_page).collect(),
        };
        Found { items: json(slots), count }
    }

    /// The slots of a sorted view that match a query; `None` if all match.
    fn matches(&self, listed: &SortedView, query: &Query<'_>) -> Option<FixedBitSet> {
        if query.kinds.is_empty() && query.texts.is_empty() {
            return None;
        }
        let mut matches = listed.members().clone();
        if !query.kinds.is_empty() {
            matches.intersect_with(&self.of_kinds(query.kinds));
        }
        if !query.texts.is_empty() {
            self.keep_those_with(&mut matches, query);
        }
        Some(matches)
    }

    fn keep_those_with(&self, matches: &mut FixedBitSet, query: &Query<'_>) {
        let finders: Vec<_> = query.texts.iter().map(Finder::new).collect();
        for (slot, entry) in self.entries.iter() {
            if matches.contains(slot as usize) {
                let text = self.entries.part(entry, query.label.searched(entry));
                if !finders.iter().all(|finder| finder.find(text).is_some()) {
                    matches.set(slot as usize, false);
                }
            }
        }
    }

    /// The slots of all entries of some kinds.
    pub(super) fn of_kinds(&self, kinds: &[Kind]) -> FixedBitSet {
        let mut slots = FixedBitSet::with_capacity(self.entries.slot_count());
        for (_, of_kind) in self.kinds.iter().filter(|(kind, _)| kinds.contains(kind)) {
            slots.union_with(of_kind);
        }
        slots
    }
}

fn user_key(order_by: &OrderBy) -> Key {
    match order_by.attribute() {
        Some(attribute) if *attribute == names::CN => Key::UserFirstName,
        Some(attribute) if *attribute == names::SN => Key::UserLastName,
        _ => Key::UserMail,
    }
}
