//! The texts by which an entry is searched, suggested and ordered, in one string in which equal parts are stored once:
//! `anna@x.ru анна белых` serves as the address, both names and the display name, for the search among users and the
//! search among contacts.

use crate::words;
use mail_model::{
    address::in_own_letters,
    contact::{Contact, record::Record},
    user::{User, field::UserField},
};
use memchr::memmem;
use std::ops::Range;

/// The range of a part within a text.
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

    /// The range within a longer text in which this text begins at an offset.
    pub(super) const fn within(self, text_start: usize) -> Range<usize> {
        let start = text_start + self.start as usize;
        start..start + self.length as usize
    }
}

/// Offsets fit into 32 bits: no text is nearly that long.
fn short(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The parts of an entry's text. It begins with the address and ends with the text for the search among contacts.
#[derive(Clone, Copy)]
pub(super) enum Part {
    /// The address.
    Address,
    /// The text for a search among users, folded.
    UserSearched,
    /// The text for a search among contacts, folded.
    Searched,
    /// Names and addresses, whose words the suggestions search, folded.
    Suggested,
    /// The address, folded.
    Mail,
    /// The display name, folded.
    ShownName,
    /// The last name, folded.
    LastName,
    /// The first name of a user, folded.
    UserFirstName,
    /// The last name of a user, folded.
    UserLastName,
}

const PARTS: usize = Part::UserLastName as usize + 1;

/// The ranges of the parts of an entry's text, in the order of [`Part`]. Nearly every text is so short that two bytes
/// suffice for an offset.
pub(super) enum Outline {
    Short([[u16; 2]; PARTS]),
    Long(Box<[Span; PARTS]>),
}

impl Outline {
    fn new(spans: [Span; PARTS]) -> Self {
        let longest = spans.iter().map(|span| span.start.max(span.length)).max();
        if longest.is_some_and(|longest| longest > u16::MAX.into()) {
            return Self::Long(Box::new(spans));
        }
        // Every number fits, as was just found.
        let number = |number: u32| u16::try_from(number).unwrap_or(u16::MAX);
        Self::Short(spans.map(|span| [number(span.start), number(span.length)]))
    }

    /// The range of a part.
    pub(super) fn span(&self, part: Part) -> Span {
        match self {
            Self::Short(spans) => spans
                .get(part as usize)
                .map(|[start, length]| Span { start: u32::from(*start), length: u32::from(*length) }),
            Self::Long(spans) => spans.get(part as usize).copied(),
        }
        .unwrap_or_default()
    }

    /// The length of the whole text.
    pub(super) fn length(&self) -> usize {
        self.span(Part::Searched).within(0).end
    }
}

/// Builds the text of a record and the ranges of its parts.
pub(super) fn write(record: &Record) -> (String, Outline) {
    let (contact, mut writer) = (&record.contact, Writer::default());
    let user = record.user.as_ref().map(|live| &live.user);
    writer.append(&contact.mail);
    let address_end = writer.text.len();
    if let Some(shown) = in_own_letters(&contact.mail) {
        writer.append(&words::fold(&shown));
    }
    let [user_first_name, user_last_name] = writer.append_user(user);
    let user_end = writer.text.len();
    // If folding changes nothing, the text for users is also the text for contacts.
    let contact_start = if says_the_same(contact, user) { 0 } else { user_end };
    writer.reused_from = contact_start;
    let mail = writer.find_or_append_address(&contact.mail);
    let shown_name = writer.find_or_append(&contact.display_name);
    writer.find_or_append(contact.cn.as_deref().unwrap_or_default());
    let last_name = writer.find_or_append(contact.sn.as_deref().unwrap_or_default());
    writer.find_or_append(contact.initials.as_deref().unwrap_or_default());
    for alias in &contact.alias {
        writer.find_or_append_address(alias);
    }
    let names_end = writer.text.len();
    writer.find_or_append(contact.ou.as_deref().unwrap_or_default());
    writer.find_or_append(contact.title.as_deref().unwrap_or_default());
    let outline = Outline::new([
        Span::new(0, address_end),
        Span::new(0, user_end),
        Span::new(contact_start, writer.text.len()),
        Span::new(contact_start, names_end),
        mail,
        shown_name,
        last_name,
        user_first_name,
        user_last_name,
    ]);
    (writer.text, outline)
}

/// Whether folding leaves the address unchanged, and the user's names are those of the contact.
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
    /// Parts already in the text after this offset are not appended again.
    reused_from: usize,
}

impl Writer {
    /// Appends a part. The separator before it occurs in no word of a search.
    fn append(&mut self, part: &str) -> Span {
        if !self.text.is_empty() {
            self.text.push(' ');
        }
        let start = self.text.len();
        self.text.push_str(part);
        Span::new(start, self.text.len())
    }

    /// Appends all first and last names of a user. Returns the ranges of the first of each.
    fn append_user(&mut self, user: Option<&User>) -> [Span; 2] {
        [UserField::FirstName, UserField::LastName].map(|field| {
            let values = user.map_or(&[][..], |user| user.values(field));
            let mut spans = values.iter().map(|value| self.append(&words::fold(value))).collect::<Vec<_>>();
            spans.truncate(1);
            spans.pop().unwrap_or_default()
        })
    }

    /// Appends an address, and the address in Unicode if its domain is an internationalized one.
    fn find_or_append_address(&mut self, address: &str) -> Span {
        let span = self.find_or_append(address);
        if let Some(shown) = in_own_letters(address) {
            self.find_or_append(&shown);
        }
        span
    }

    /// Appends a folded part, unless the text already has it as separate words.
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
}
