//! The address book of a tenant: pages of contacts, suggestions during typing, the feed of changes, exports.

mod changes;
mod export;
mod files;
mod form;

use super::find_tenant;
use crate::{
    answer::Failure,
    call::Call,
    document::{
        And, Answer, Declared, by_name,
        kinds::{self as shapes, Shape},
        list_of, page_of,
    },
    endpoint::{Access, Document, Endpoint, Particulars, Takes, Verb},
    errors::ParameterErrors,
    listed::write_page,
};
use address_book::{
    book::{Book, ContactsRequest, Items},
    reader::Opened,
};
use administration::policy::Action;
use mail_model::{
    contact::{Kind as ContactKind, view::View},
    list::MAX_SEARCH,
};
use std::hash::{DefaultHasher, Hash, Hasher};
use utoipa::openapi::schema::ObjectBuilder;

pub(super) use changes::CHANGES;
pub(super) use export::{EXPORT, READ};
use web::answer::Reply;

/// The name of the parameter `kind`.
pub(super) const KIND: &str = "kind";
/// The default number of suggested contacts: what fits below an input field.
pub(super) const DEFAULT_SUGGESTIONS: usize = 10;
/// The most suggested contacts.
pub(super) const MAX_SUGGESTIONS: usize = 100;
/// The default number of changes in a page.
pub(super) const DEFAULT_CHANGES: usize = 500;
/// The values of the parameter `view` of an export; the first is the default, because a copy needs all contacts.
pub(super) const EXPORT_VIEWS: &[&str] = &["all", "colleagues", "suggestions"];
/// The values of the parameter `orderby`; the first is the default.
pub(super) const ORDERS: &[&str] = &["displayName", "mail", "sn"];

pub(super) const LIST: Endpoint = Endpoint {
    name: "listContacts",
    method: Verb::Get,
    path: "/v2/addressbook/{tenant}",
    access: Access::For(Action::ReadAddressBook),
    handler: |call| Box::pin(list(call)),
    particulars: Particulars::taking(Takes::IfNoneMatch),
    document: Document {
        summary: "Contacts of a tenant",
        about: "Users, mailing lists, resources and contacts from outside, in the views that show them, except \
                deleted and blocked ones. Repeat with `If-None-Match`: it costs little if nothing has changed.",
        parameters: || {
            let searched = "the names, addresses, department and title of a contact";
            page_of(ORDERS, searched).and([view(View::NAMES), kinds()])
        },
        answer: || {
            let answer = Answer::page_of_shape("contacts", by_name("Contact"));
            answer.with_headers(&["ETag", "Cache-Control"])
        },
        ..Document::BASE
    },
};

async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
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
    Ok(reply.with_tag(&tag))
}

pub(super) const SUGGEST: Endpoint = Endpoint {
    name: "suggestContacts",
    method: Verb::Get,
    path: "/v2/addressbook/{tenant}/suggest",
    access: Access::For(Action::ReadAddressBook),
    handler: |call| Box::pin(suggest(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Suggested contacts for a text that is being typed",
        about: "Contacts of the view `suggestions`, best match first. Letter case and ё or е make no difference; \
                without a match, the text is read as typed in the other keyboard layout, and names are matched by \
                their transliteration.",
        parameters: suggestion_parameters,
        answer: || Answer::json(object_of("contacts", list_of("Contact"))),
        ..Document::BASE
    },
};

async fn suggest(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
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
fn with_contacts(contacts: &Items) -> Vec<u8> {
    let (before, after) = (br#"{"contacts":["#, b"]}");
    let length = contacts.size() + contacts.len();
    let mut json = Vec::with_capacity(before.len() + length + after.len());
    json.extend_from_slice(before);
    crate::listed::write_items(&mut json, contacts);
    json.extend_from_slice(after);
    json
}

fn suggestion_parameters() -> Vec<Declared> {
    let typed = "The text typed so far: beginnings of words of names and addresses, in any order. Without letters and \
                 digits it matches nothing.";
    let limit = shapes::number(1, MAX_SUGGESTIONS, DEFAULT_SUGGESTIONS);
    vec![
        Declared::required("q", typed, shapes::text().max_length(Some(MAX_SEARCH))),
        Declared::optional("limit", "Largest number of suggested contacts.", limit),
    ]
}

fn view(names: &[&str]) -> Declared {
    let about = "The view: the list of colleagues, the suggestions, or all contacts of both.";
    Declared::optional("view", about, shapes::choice(names, names.first().copied()))
}

fn kinds() -> Declared {
    let names: Vec<_> = ContactKind::ALL.iter().map(|kind| kind.name()).collect();
    let about = "Only contacts of these kinds; also accepted as `user,list` in one value.";
    Declared::optional(KIND, about, shapes::list(shapes::choice(&names, None), None))
}

fn object_of(name: &str, shape: Shape) -> ObjectBuilder {
    ObjectBuilder::new().property(name, shape).required(name)
}

/// The current address book of the tenant in the path.
async fn open(call: &Call<'_>) -> Result<Opened, Failure> {
    Ok(call.books.open(call.directory, call.tenant()?).await?)
}

/// Whether the tenant of a book may not exist: the book of a deleted tenant has no users, at most outside contacts.
fn may_be_nobodys(book: &Book) -> bool {
    !book.has_users()
}

/// The tag of an answer: a digest of the state of the book and of the request, whose parameters may be outside the URL.
fn tag_of(book: &Opened, request: &ContactsRequest) -> String {
    // Equal in all processes of one version of the program, because the hasher starts from fixed keys.
    let mut hasher = DefaultHasher::new();
    (request.view, request.order, request.descending, request.offset, request.limit).hash(&mut hasher);
    (&request.kinds, &request.search).hash(&mut hasher);
    format!("{}-{:x}", book.tag(), hasher.finish())
}
