//! The feed of changes: pages of changes to apply in order, for programs that keep a copy of the address book.

use super::{DEFAULT_CHANGES, form};
use crate::{
    answer::Failure,
    call::Call,
    document::{
        Answer, Declared, by_name,
        kinds::{self, Shape},
        list_of,
    },
    endpoint::{Access, Document, Endpoint, Particulars, Verb},
    errors::ParameterErrors,
    requests::find_tenant,
};
use address_book::feed::{Change, Changes};
use administration::policy::Action;
use mail_model::list::MAX_LIMIT;
use utoipa::openapi::{
    OneOfBuilder,
    schema::{ObjectBuilder, Type},
};
use web::answer::Reply;

pub(crate) const CHANGES: Endpoint = Endpoint {
    name: "listContactChanges",
    method: Verb::Get,
    path: "/v2/addressbook/{tenant}/changes",
    access: Access::For(Action::ReadAddressBook),
    handler: |call| Box::pin(changes(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "The feed of changes of contacts",
        about: "To keep a copy, apply the changes in order, store `since` with them, and send it with the next \
                request; at once while `more` is true. A change may be repeated. 410: delete the copy, and start over \
                without `since`. 503: the feed is not available now; try again later with the same `since`.",
        parameters,
        answer: || Answer::json(page()).with_schema("ContactChange", change()),
        fails_with: &[410],
        ..Document::BASE
    },
};

async fn changes(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let request = form::changes_after(&mut call.parameters, &mut errors);
    errors.none()?;
    let feed = call.books.feed(call.tenant()?).await.map_err(|_| Failure::no_feed())?;
    let changes = feed.changes(request.since.as_deref(), request.limit);
    if changes.is_err() || !feed.has_users() {
        // The tenant may not exist: the book of a deleted one has no users, at most outside contacts.
        find_tenant(call).await?;
    }
    let changes = changes.map_err(|_| Failure::no_such_place())?;
    Ok(Reply::written_json(json(&changes)?))
}

fn parameters() -> Vec<Declared> {
    let since = "The `since` of the previous page; without it the feed begins with all present contacts.";
    let limit = kinds::number(1, MAX_LIMIT, DEFAULT_CHANGES);
    vec![
        Declared::optional("since", since, kinds::text()),
        Declared::optional("limit", "Largest number of changes in the page.", limit),
    ]
}

/// A page of the feed of changes.
fn page() -> ObjectBuilder {
    let more = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .description(Some("Whether the next page has changes already."));
    let object = ObjectBuilder::new()
        .property("changes", list_of("ContactChange"))
        .property("since", kinds::text().description(Some("The token for the next page.")))
        .property("more", more);
    ["changes", "since", "more"].into_iter().fold(object, ObjectBuilder::required)
}

/// A change in the feed: a contact was written or removed.
fn change() -> OneOfBuilder {
    let of = |op: &str, name: &str, shape: Shape| {
        let op = kinds::text().enum_values(Some([op]));
        let object = ObjectBuilder::new().property("op", op).property(name, shape);
        ["op", name].into_iter().fold(object, ObjectBuilder::required)
    };
    let id = kinds::uuid("The identifier of the contact.");
    OneOfBuilder::new().item(of("put", "contact", by_name("Contact"))).item(of("delete", "id", id))
}

/// An upper bound of the JSON around each part of an answer, in bytes.
const AROUND: usize = 64;

fn json(changes: &Changes) -> Result<Vec<u8>, Failure> {
    let length = |change: &Change| match change {
        Change::Put(contact) => contact.len() + AROUND,
        Change::Delete(_) => 2 * AROUND,
    };
    let length = changes.changes.iter().map(length).sum::<usize>() + changes.since.len() + 2 * AROUND;
    let mut json = Vec::with_capacity(length);
    json.extend_from_slice(br#"{"changes":["#);
    for (place, change) in changes.changes.iter().enumerate() {
        if place > 0 {
            json.push(b',');
        }
        match change {
            Change::Put(contact) => {
                json.extend_from_slice(br#"{"op":"put","contact":"#);
                json.extend_from_slice(contact);
                json.push(b'}');
            }
            Change::Delete(id) => {
                json.extend_from_slice(format!(r#"{{"op":"delete","id":"{id}"}}"#).as_bytes());
            }
        }
    }
    json.extend_from_slice(br#"],"since":"#);
    serde_json::to_writer(&mut json, &changes.since).map_err(|error| Failure::internal(error.into()))?;
    json.extend_from_slice(format!(r#","more":{}}}"#, changes.more).as_bytes());
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mail_model::contact::id::ContactId;

    #[test]
    fn changes_are_json_of_pieces() {
        let id = "0f69e8d2-e82c-11f1-bfa1-87935ae20175";
        let put = Change::Put(r#"{"mail":"a@x.ru"}"#.into());
        let changes = vec![put, Change::Delete(ContactId::parse(id).unwrap())];
        let page = Changes { changes, since: "1-\"2".into(), more: true };
        let read: serde_json::Value = serde_json::from_slice(&json(&page).ok().unwrap()).unwrap();
        let expected = serde_json::json!({
            "changes": [{"op": "put", "contact": {"mail": "a@x.ru"}}, {"op": "delete", "id": id}],
            "since": "1-\"2",
            "more": true,
        });
        assert_eq!(read, expected);
    }
}
