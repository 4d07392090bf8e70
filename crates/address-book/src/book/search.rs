//! Lists: pages of contacts and of users, searches among them, and single contacts.

use super::{
    Book, ContactsRequest, Found, Items, UserFound,
    entries::{Form, Key},
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
    pub fn contacts(&self, request: &ContactsRequest) -> Found {
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
    pub fn users(&self, request: &PageRequest) -> Found {
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
    pub fn user(&self, mail: &MailAddress) -> Option<UserFound> {
        let order = self.sorted_view(Label::Users)?.by(Key::UserMail)?;
        let compare = |slot| compare_with(&self.entries, Key::UserMail, slot, ("", mail.as_str()));
        let slot = order.from(order.seek(compare)).next().filter(|slot| compare(*slot).is_eq())?;
        let entry = self.entries.get(slot)?;
        let mut json = Vec::new();
        self.entries.show(entry, Form::User, &mut json);
        Some(UserFound { id: entry.id, json, tag: entry.tag.to_string() })
    }

    /// A contact in any view, as JSON.
    #[must_use]
    pub fn contact(&self, id: ContactId) -> Option<Vec<u8>> {
        let entry = self.entries.get(self.entries.find(id)?)?;
        entry.is_contact().then(|| self.entries.contact_shown(entry))
    }

    /// Whether a view has a contact with an address.
    #[must_use]
    pub fn has_contact(&self, mail: &str, view: View) -> bool {
        let mail = mail.to_lowercase();
        let folded = words::fold(&mail);
        let compare = |slot| compare_with(&self.entries, Key::Mail, slot, (&folded, &mail));
        let order = self.sorted_view(Label::Contacts(view)).and_then(|listed| listed.by(Key::Mail));
        let found = order.and_then(|order| order.from(order.seek(compare)).next());
        found.is_some_and(|slot| compare(slot).is_eq())
    }

    /// Contacts of a view in order of address, beginning after one address: the pages of an export. An empty list of
    /// kinds means all. Contacts with the same address are never separated, even if they exceed the limit.
    #[must_use]
    pub fn after(&self, mail: &str, view: View, kinds: &[Kind], limit: usize) -> Items {
        let mail = mail.to_lowercase();
        let folded = words::fold(&mail);
        let Some(order) = self.sorted_view(Label::Contacts(view)).and_then(|listed| listed.by(Key::Mail))
        else {
            return Items::default();
        };
        let place = order.seek(|slot| {
            compare_with(&self.entries, Key::Mail, slot, (&folded, &mail)).then(std::cmp::Ordering::Less)
        });
        let contacts = order.from(place).filter(|slot| {
            let kind = self.entries.get(*slot).map(|entry| entry.kind);
            kinds.is_empty() || kind.is_some_and(|kind| kinds.contains(&kind))
        });
        let mut last = None;
        let taken = contacts.enumerate().take_while(|(taken, slot)| {
            let address = self.entries.get(*slot).map(|entry| self.entries.key(Key::Mail, entry));
            let goes_on = *taken < limit || last == address;
            last = address;
            goes_on
        });
        self.shown(taken.map(|(_, slot)| slot), Form::Contact)
    }

    /// The rendered entries of some slots.
    pub(super) fn shown(&self, slots: impl IntoIterator<Item = u32>, form: Form) -> Items {
        let mut items = Items::default();
        for entry in slots.into_iter().filter_map(|slot| self.entries.get(slot)) {
            items.push(|out| self.entries.show(entry, form, out));
        }
        items
    }

    fn found(&self, query: &Query<'_>) -> Found {
        let listed = self.sorted_view(query.label);
        let Some((listed, order)) = listed.and_then(|listed| Some((listed, listed.by(query.key)?))) else {
            return Found { items: Items::default(), count: 0 };
        };
        let form = query.label.form();
        let Some(matches) = self.matches(listed, query) else {
            let slots = order.page(query.offset, query.limit, query.descending);
            return Found { items: self.shown(slots, form), count: order.len() };
        };
        let count = matches.count_ones(..);
        let on_page = count.saturating_sub(query.offset).min(query.limit);
        let is_match = |slot: &u32| matches.contains(*slot as usize);
        let slots: Vec<_> = match (on_page, query.descending) {
            (0, _) => Vec::new(),
            (_, false) => order.ascending().filter(is_match).skip(query.offset).take(on_page).collect(),
            (_, true) => order.descending().filter(is_match).skip(query.offset).take(on_page).collect(),
        };
        Found { items: self.shown(slots, form), count }
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
                let text = self.entries.part(entry, query.label.searched());
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
