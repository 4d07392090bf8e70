//! The texts by which an entry is searched, suggested and ordered, one after the other in one string, with what is
//! equal held once: `anna@x.ru анна белых` does for the address, both names and the shown name, for the search among
//! users and that among contacts.

use crate::words;
use mail_model::{
    address::in_own_letters,
    contact::{Contact, record::Record},
    user::{User, field::UserField},
};
use memchr::memmem;
use std::ops::Range;

/// Where a part of a text stands.
#[derive(Clone, Copy, Default)]
pub(super) struct Span {
    start: u32,
    length: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        let [start, end] = [start, end].map(short);
        Self { start, length: end - start }
    }

    /// Where it stands in a longer text, of which this one begins somewhere.
    pub(super) const fn within(self, text_start: usize) -> Range<usize> {
        let start = text_start + self.start as usize;
        start..start + self.length as usize
    }
}

/// A place in a text, none of which is nearly that long.
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// What stands where in the text of an entry. It begins with the address and ends with what is searched of a contact.
#[derive(Clone, Copy)]
pub(super) struct Outline {
    address_end: u32,
    user_end: u32,
    contact_start: u32,
    names_end: u32,
    end: u32,
    /// The address, folded.
    pub(super) mail: Span,
    /// The shown name, folded.
    pub(super) shown_name: Span,
    /// The last name, folded.
    pub(super) last_name: Span,
    /// The first name of a user, folded.
    pub(super) user_first_name: Span,
    /// The last name of a user, folded.
    pub(super) user_last_name: Span,
}

impl Outline {
    /// The address.
    pub(super) const fn address(&self) -> Span {
        Span { start: 0, length: self.address_end }
    }

    /// What a search among users looks into: folded.
    pub(super) const fn user_searched(&self) -> Span {
        Span { start: 0, length: self.user_end }
    }

    /// What a search among contacts looks into: folded.
    pub(super) const fn searched(&self) -> Span {
        Span { start: self.contact_start, length: self.end - self.contact_start }
    }

    /// Names and addresses, whose words are suggested: folded.
    pub(super) const fn suggested(&self) -> Span {
        Span { start: self.contact_start, length: self.names_end - self.contact_start }
    }

    /// All of the text.
    pub(super) const fn length(&self) -> usize {
        self.end as usize
    }
}

/// Writes the text of a record, and says what stands where.
pub(super) fn write(record: &Record) -> (String, Outline) {
    let (contact, mut writer) = (&record.contact, Writer::default());
    writer.append(&contact.mail);
    let address_end = writer.end();
    if let Some(shown) = in_own_letters(&contact.mail) {
        writer.append(&words::fold(&shown));
    }
    let [user_first_name, user_last_name] = writer.append_user(record.user.as_ref());
    let user_end = writer.end();
    // Where folding changes nothing, the text so far is part of what is said of the contact.
    let contact_start = if says_the_same(contact, record.user.as_ref()) { 0 } else { user_end };
    writer.reused_from = contact_start as usize;
    let mail = writer.find_or_append_address(&contact.mail);
    let shown_name = writer.find_or_append(&contact.display_name);
    writer.find_or_append(contact.cn.as_deref().unwrap_or_default());
    let last_name = writer.find_or_append(contact.sn.as_deref().unwrap_or_default());
    writer.find_or_append(contact.initials.as_deref().unwrap_or_default());
    for alias in &contact.alias {
        writer.find_or_append_address(alias);
    }
    let names_end = writer.end();
    writer.find_or_append(contact.ou.as_deref().unwrap_or_default());
    writer.find_or_append(contact.title.as_deref().unwrap_or_default());
    let outline = Outline {
        address_end,
        user_end,
        contact_start,
        names_end,
        end: writer.end(),
        mail,
        shown_name,
        last_name,
        user_first_name,
        user_last_name,
    };
    (writer.text, outline)
}

/// Whether the address is the same when folded, and a user's names are those of the contact.
fn says_the_same(contact: &Contact, user: Option<&User>) -> bool {
    let is_same = |user: &User, field, text: Option<&String>| match (user.values(field), text) {
        ([], None) => true,
        ([value], Some(text)) => value == text,
        _ => false,
    };
    words::fold(&contact.mail) == contact.mail
        && user.is_none_or(|user| {
            is_same(user, UserField::FirstName, contact.cn.as_ref())
                && is_same(user, UserField::LastName, contact.sn.as_ref())
        })
}

#[derive(Default)]
struct Writer {
    text: String,
    /// Parts are searched for from here on before they are written again.
    reused_from: usize,
}

impl Writer {
    /// Appends a part. What separates it from the last one occurs in no word that is searched for.
    fn append(&mut self, part: &str) -> Span {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.text.push_str(part);
        Span::new(start, self.text.len())
    }

    /// Appends all first and last names of a user. Where the first of each stand.
    fn append_user(&mut self, user: Option<&User>) -> [Span; 2] {
        [UserField::FirstName, UserField::LastName].map(|field| {
            let values = user.map_or(&[][..], |user| user.values(field));
            let mut spans = values.iter().map(|value| self.append(&words::fold(value))).collect::<Vec<_>>();
            spans.truncate(1);
            spans.pop().unwrap_or_default()
        })
    }

    /// Appends an address, and where its domain is an international one, the address in its own letters too.
    fn find_or_append_address(&mut self, address: &str) -> Span {
        let span = self.find_or_append(address);
        if let Some(shown) = in_own_letters(address) {
            self.find_or_append(&shown);
        }
        span
    }

    /// Appends a part folded, where it does not stand in the text already, as words of their own.
    fn find_or_append(&mut self, part: &str) -> Span {
        if part.is_empty() {
            return Span::default();
        }
        let folded = words::fold(part);
        self.find(&folded).unwrap_or_else(|| self.append(&folded))
    }

    fn find(&self, folded: &str) -> Option<Span> {
        let text = self.text.get(self.reused_from..)?;
        let stands_alone = |start: usize| {
            let before = text.get(..start).and_then(|before| before.chars().next_back());
            let after = text.get(start + folded.len()..).and_then(|after| after.chars().next());
            ![before, after].into_iter().flatten().any(words::is_of_word)
        };
        let mut start = memmem::find(text.as_bytes(), folded.as_bytes())?;
        while !stands_alone(start) {
            let rest = text.as_bytes().get(start + 1..)?;
            start += 1 + memmem::find(rest, folded.as_bytes())?;
        }
        let start = self.reused_from + start;
        Some(Span::new(start, start + folded.len()))
    }

    fn end(&self) -> u32 {
        short(self.text.len())
    }
}
