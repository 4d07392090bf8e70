//! Users (guide, 3.3 to 3.10), and, beyond the guide, the deleted users, their restoration, and their mailing lists.

pub(crate) mod form;
pub(super) mod photo;

use super::{done, find_tenant};
use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::{And, Answer, Declared, by_name, deleted, in_path, new_address, page as page_parameters},
    endpoint::{Access, Document, Endpoint, Particulars, Takes, Verb},
    errors::ParameterErrors,
    json::{DeletedUserJson, written_user},
    listed::{Listed, write_page},
    orders::{self, MAIL_LISTS},
    parameters::{page, page_alone, switch},
};
use address_book::book::Book;
use administration::policy::Action;
use directory::{lists::Page, maillists::Membership};
use mail_model::{address::MailAddress, list::SortKey, user::LiveUser};
use serde::Serialize;
use serde_json::json;
use utoipa::{ToSchema, openapi::schema::AnyOfBuilder};
use web::answer::Reply;

const USER: &str = "user";
const USERS: &str = "users";
const USERS_PATH: &str = "/v2/users/{tenant}";
const USER_PATH: &str = "/v2/users/{tenant}/{mail}";

pub(super) const LIST: Endpoint = Endpoint {
    name: "listUsers",
    method: Verb::Get,
    path: USERS_PATH,
    access: Access::For(Action::ListUsers),
    handler: |call| Box::pin(list(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Users of a tenant; with `deleted=1` the deleted ones",
        parameters: || {
            page_parameters(&orders::USERS, "the address, the first or the last name").and(deleted("users"))
        },
        answer: || {
            let entry = AnyOfBuilder::new().item(by_name("User")).item(by_name("DeletedUser"));
            Answer::page_of_shape(USERS, entry)
        },
        ..Document::BASE
    },
};

async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let request = page(&mut call.parameters, &orders::USERS, &mut errors);
    let deleted = switch(&mut call.parameters, "deleted", &mut errors);
    errors.none()?;
    let tenant = call.tenant()?;
    let retention = call.live.retention;
    if deleted {
        // In a deleted tenant every user is deleted, so answer 404.
        find_tenant(call).await?;
        let page = call.directory.deleted_users(tenant, &request).await?;
        let items = page.items.iter().map(|deleted| DeletedUserJson { deleted, retention }).collect();
        as_json(&Listed::new(USERS, Page { items, count: page.count }, &request))
    } else {
        let book = call.books.open(call.directory, tenant).await?;
        let (json, count) = book.read(|book| {
            let found = book.users(&request);
            (write_page(USERS, &found, request.page, request.limit), found.count)
        });
        if count == 0 {
            // The tenant has no users, or does not exist.
            find_tenant(call).await?;
        }
        Ok(Reply::written_json(json))
    }
}

pub(super) const READ: Endpoint = Endpoint {
    name: "readUser",
    method: Verb::Get,
    path: USER_PATH,
    access: Access::For(Action::ReadUser),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "One user",
        about: "All fields with a value, without the password.",
        answer: || Answer::json(by_name("User")).with_version(),
        ..Document::BASE
    },
};

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let (tenant, mail) = (call.tenant()?, address(call)?);
    let in_book = |book: &Book| book.user(&mail).map(|found| (found.id.unique_id(), found.json, found.tag));
    let in_directory = async {
        let found = call.directory.user(tenant, &mail).await?;
        Ok(found.map(|live| (live.id, written_user(&live.user), live.version.tag())))
    };
    let found: Result<_, Failure> =
        call.books.read_versions(call.directory, tenant, in_book, in_directory).await;
    let (id, json, tag) = found?.ok_or_else(|| absent(call))?;
    if call.reaches_entry(&id) {
        Ok(Reply::written_json(json).with_tag(&tag))
    } else {
        Err(Failure::forbidden())
    }
}

/// The parameters of a creation.
pub(super) fn new_user_parameters() -> Vec<Declared> {
    vec![in_path()].and(form::parameters(true))
}

/// The failure for a user that does not exist. A caller whose rights cover only their own entry must not learn which
/// other users exist.
fn absent(call: &Call<'_>) -> Failure {
    if call.reach.is_own_only() { Failure::forbidden() } else { Failure::not_found(USER) }
}

/// The address in the path.
fn address(call: &Call<'_>) -> Result<MailAddress, Failure> {
    call.mail_of(USER).map_err(|_| absent(call))
}

/// The user in the path, as it is stored.
async fn find(call: &Call<'_>) -> Result<LiveUser, Failure> {
    let user = call.directory.user(call.tenant()?, &address(call)?).await?.ok_or_else(|| absent(call))?;
    if call.reaches(&user) { Ok(user) } else { Err(Failure::forbidden()) }
}

pub(super) const CREATE: Endpoint = Endpoint {
    name: "createUser",
    method: Verb::Put,
    path: USER_PATH,
    access: Access::For(Action::CreateUser),
    handler: |call| Box::pin(create(call)),
    particulars: Particulars::taking(Takes::IdempotencyKey),
    document: Document {
        summary: "Create a user",
        parameters: new_user_parameters,
        example: Some(|| {
            json!({
                "userPassword": "Correct-Horse-7", "employeeNumber": 2, "cn": "Ivan", "sn": "Petrov", "ou": "Sales",
            })
        }),
        ..Document::BASE
    },
};

async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mail = call.text("mail").to_owned();
    let new = form::new_user(&mail, &mut call.parameters, &tenant, call.live.default_language)?;
    done(call, USER, call.administration.create_user(call.caller()?, &tenant, &new).await)
}

pub(super) const PATCH: Endpoint = Endpoint {
    name: "patchUser",
    method: Verb::Patch,
    path: USER_PATH,
    access: Access::For(Action::ChangeUser),
    handler: |call| Box::pin(patch(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Change a user",
        about: "Changes the given fields. A user with a new address keeps the password, the other addresses and the \
                memberships.",
        parameters: || {
            vec![in_path(), new_address("mail", "A new address of the user.")].and(form::parameters(false))
        },
        example: Some(|| json!({"title": "Manager", "alias": ["i.petrov@example.com"]})),
        fails_with: &[409],
        ..Document::BASE
    },
};

async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    if call.reach.is_own_only() {
        find(call).await?;
    }
    let mail = call.mail_of(USER)?;
    let tenant = find_tenant(call).await?;
    let patch = form::user_patch(&mail, &mut call.parameters, &tenant)?;
    let (administration, caller) = (call.administration, call.caller()?);
    let change = administration.change_user(caller, &tenant, &mail, &patch, &call.precondition, call.now);
    done(call, USER, change.await)
}

pub(super) const DELETE: Endpoint = Endpoint {
    name: "deleteUser",
    method: Verb::Delete,
    path: USER_PATH,
    access: Access::For(Action::DeleteUser),
    handler: |call| Box::pin(delete(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Delete a user softly",
        about: "The user is hidden and cannot log in; the addresses stay reserved until the user is purged.",
        ..Document::BASE
    },
};

async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let (tenant, mail) = (call.tenant()?, call.mail_of(USER)?);
    let deletion =
        call.administration.delete_user(call.caller()?, tenant, &mail, &call.precondition, call.now);
    done(call, USER, deletion.await)
}

pub(super) const RESTORE: Endpoint = Endpoint {
    name: "restoreUser",
    method: Verb::Post,
    path: "/v2/users/{tenant}/{mail}/restore",
    access: Access::For(Action::RestoreUser),
    handler: |call| Box::pin(restore(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Undo a deletion",
        about: "A user that was blocked before stays blocked.",
        ..Document::BASE
    },
};

async fn restore(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mail = call.mail_of(USER)?;
    done(call, USER, call.administration.restore_user(call.caller()?, &tenant.id, &mail).await)
}

/// A mailing list that a user is in.
#[derive(Serialize, ToSchema)]
#[schema(as = Membership)]
pub(super) struct ShownMembership {
    /// The list's address.
    mail: String,
    /// The list's name.
    #[serde(rename = "displayName")]
    display_name: String,
    /// Whether the user is a direct member, and not only through another list.
    direct: bool,
}

pub(super) const MEMBERSHIPS: Endpoint = Endpoint {
    name: "listMemberships",
    method: Verb::Get,
    path: "/v2/users/{tenant}/{mail}/maillists",
    access: Access::For(Action::ReadMemberships),
    handler: |call| Box::pin(memberships(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Mailing lists of a user",
        about: "Direct memberships and those through other lists, dynamic lists included.",
        parameters: || page_parameters(&MAIL_LISTS, "the address or the name"),
        answer: || Answer::page_of::<ShownMembership>("maillists"),
        ..Document::BASE
    },
};

async fn memberships(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let request = page_alone(&mut call.parameters, &MAIL_LISTS)?;
    let user = find(call).await?;
    let (tenant, mail) = (call.tenant()?, call.mail_of(USER)?);
    let mut lists = call.directory.memberships(tenant, &mail, &user.user).await?;
    lists.retain(|list| request.search.are_found_in(&[&list.mail, &list.display_name]));
    let count = lists.len();
    let by_name = request.order_by.attribute().is_some();
    let key =
        |list: &Membership| SortKey::new(list.mail.clone(), by_name.then_some(list.display_name.as_str()));
    let shown = request.cut(lists, key).into_iter().map(|list| ShownMembership {
        mail: list.mail,
        display_name: list.display_name,
        direct: list.is_direct,
    });
    as_json(&Listed::new("maillists", Page { items: shown.collect(), count }, &request))
}
