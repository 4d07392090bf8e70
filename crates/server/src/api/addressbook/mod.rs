//! The address book of a tenant: pages of contacts, suggestions while somebody types, the feed of changes, exports.

mod changes;
mod export;
mod form;

use super::{find_tenant, listed::write_page};
use crate::http::{
    answer::{Failure, Reply},
    call::Call,
};
use address_book::{
    book::{Book, ContactsRequest},
    desk::Opened,
    export::Format,
};
use mail_model::field::FieldErrors;
use std::hash::{DefaultHasher, Hash, Hasher};

pub(super) use changes::changes;
pub(super) use export::{export, read};

/// The name of the parameter `kind`.
pub(super) const KIND: &str = "kind";
/// Contacts that are suggested, unless asked for otherwise: what fits under a line of text.
pub(super) const DEFAULT_SUGGESTIONS: usize = 10;
/// Most contacts that are suggested.
pub(super) const MAX_SUGGESTIONS: usize = 100;
/// Changes a page, unless asked for otherwise.
pub(super) const DEFAULT_CHANGES: usize = 500;
/// The values of the parameter `view` of an export, the default first: whoever keeps a copy wants them all.
pub(super) const EXPORT_VIEWS: &[&str] = &["all", "colleagues", "suggestions"];
/// The values of the parameter `orderby`, the default first.
pub(super) const ORDERS: &[&str] = &["displayName", "mail", "sn"];
/// The values of the parameter `format`, the default first.
pub(super) const FORMATS: &[&str] = Format::NAMES;

pub(super) async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = form::contacts(&mut call.parameters, &mut errors);
    errors.none()?;
    let book = open(call).await?;
    let tag = tag_of(&book, &request.contacts);
    let known = call.known.has(&tag);
    let (reply, may_be_nobodys) = book.read(|book| {
        if known {
            return (Reply::not_modified(), may_be_nobodys(book));
        }
        let found = book.contacts(&request.contacts);
        let json = write_page("contacts", &found, request.page, request.contacts.limit);
        (Reply::written_json(json), may_be_nobodys(book))
    });
    if may_be_nobodys {
        find_tenant(call).await?;
    }
    Ok(reply.with_tag(&tag).to_revalidate())
}

pub(super) async fn suggest(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = form::suggestions(&mut call.parameters, &mut errors);
    errors.none()?;
    let book = open(call).await?;
    let (json, may_be_nobodys) = book.read(|book| {
        let found = book.suggest(&request.text, request.limit);
        (with_contacts(&found), may_be_nobodys(book))
    });
    if may_be_nobodys {
        find_tenant(call).await?;
    }
    Ok(Reply::written_json(json))
}

/// `{"contacts":[…]}`.
fn with_contacts(contacts: &[&[u8]]) -> Vec<u8> {
    let (before, after) = (br#"{"contacts":["#, b"]}");
    let length = contacts.iter().map(|contact| contact.len() + 1).sum::<usize>();
    let mut json = Vec::with_capacity(before.len() + length + after.len());
    json.extend_from_slice(before);
    super::listed::write_items(&mut json, contacts);
    json.extend_from_slice(after);
    json
}

/// The book of the tenant that the path names, as it is now.
async fn open(call: &Call<'_>) -> Result<Opened, Failure> {
    Ok(call.desk.open(call.directory, call.tenant()?).await?)
}

/// Whether a book may be of no tenant: a deleted one has no user left, at most contacts from outside.
fn may_be_nobodys(book: &Book) -> bool {
    !book.has_users()
}

/// The tag of an answer: of the state of the book, and of what is asked of it, which need not stand in the URL.
fn tag_of(book: &Opened, request: &ContactsRequest) -> String {
    // The same in every process of a version of the program, since it starts from the same keys.
    let mut hasher = DefaultHasher::new();
    (request.view, request.order, request.descending, request.offset, request.limit).hash(&mut hasher);
    (&request.kinds, &request.search).hash(&mut hasher);
    format!("{}-{:x}", book.tag(), hasher.finish())
}
