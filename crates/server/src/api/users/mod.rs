//! Users (guide, 3.3 to 3.10), and beyond the guide the deleted ones, their restoration, and the lists they are in.

pub(crate) mod form;

use super::{
    find_tenant,
    listed::{Listed, write_page},
    parameters::{page, switch},
};
use crate::http::{
    answer::{Failure, Reply},
    call::{Call, PathPart},
    endpoint::Right,
};
use directory::{changing::WriteError, lists::Page, maillists::Membership};
use mail_model::{
    field::FieldErrors,
    list::SortKey,
    maillist,
    user::{LISTING, User, role::Role},
};
use serde::Serialize;
use utoipa::ToSchema;

const USER: &str = "user";
const USERS: &str = "users";

pub(super) async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = page(&mut call.parameters, &LISTING, &mut errors);
    let deleted = switch(&mut call.parameters, "deleted", &mut errors);
    errors.none()?;
    let tenant = call.tenant()?;
    let retention = call.services.retention;
    if deleted {
        // Of a deleted tenant all users are, and none is told of.
        find_tenant(call).await?;
        let page = call.directory.deleted_users(tenant, &request).await?;
        let items = page.items.iter().map(|user| user.shown(retention)).collect();
        Reply::json(&Listed::new(USERS, Page { items, count: page.count }, &request))
    } else {
        let book = call.desk.open(call.directory, tenant).await?;
        let (json, count) = book.read(|book| {
            let found = book.users(&request);
            (write_page(USERS, &found, request.page, request.limit), found.count)
        });
        if count == 0 {
            // The list of a tenant without users, or of no tenant.
            find_tenant(call).await?;
        }
        Ok(Reply::written_json(json))
    }
}

pub(super) async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let user = call.directory.user(call.tenant()?, &call.mail_of(USER)?).await?;
    let user = user.ok_or_else(|| Failure::not_found(USER))?;
    Ok(Reply::json(&user.user)?.with_version(&user.version))
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mail = call.text(PathPart::Mail).to_owned();
    let new = form::new_user(&mail, &mut call.parameters, &tenant)?;
    if new.is_super() && call.right != Right::All {
        return Err(Failure::forbidden());
    }
    let outcome = call.directory.create_user(&tenant, &new).await;
    outcome.map_err(|error| failure(call, error))?;
    Ok(Reply::success())
}

pub(super) async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mail = call.mail_of(USER)?;
    let tenant = find_tenant(call).await?;
    let patch = form::user_patch(&mail, &mut call.parameters, &tenant)?;
    let allowed = match call.right {
        Right::All => true,
        Right::OwnPassword => patch.changes_password_only(),
        _ => !patch.makes_super(),
    };
    if !allowed {
        return Err(Failure::forbidden());
    }
    let may_touch = may_touch(call.right);
    let change = call.directory.patch_user(&tenant, &mail, &patch, &call.precondition, call.now, may_touch);
    let outcome = change.await;
    done(call, outcome)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let (tenant, mail) = (call.tenant()?, call.mail_of(USER)?);
    let may_touch = may_touch(call.right);
    let outcome = call.directory.delete_user(tenant, &mail, &call.precondition, call.now, may_touch).await;
    done(call, outcome)
}

pub(super) async fn restore(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let mail = call.mail_of(USER)?;
    let outcome = call.directory.restore_user(&tenant.id, &mail, may_touch(call.right)).await;
    outcome.map_err(|error| failure(call, error))?;
    Ok(Reply::success())
}

/// A mailing list that a user is in.
#[derive(Serialize, ToSchema)]
#[schema(as = Membership)]
pub(super) struct ShownMembership {
    /// The list's address.
    mail: String,
    /// Its name.
    #[serde(rename = "displayName")]
    display_name: String,
    /// Whether the user is a member itself, and not through another list only.
    direct: bool,
}

pub(super) async fn memberships(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = page(&mut call.parameters, &maillist::LISTING, &mut errors);
    errors.none()?;
    let (tenant, mail) = (call.tenant()?, call.mail_of(USER)?);
    let user = call.directory.user(tenant, &mail).await?.ok_or_else(|| Failure::not_found(USER))?;
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
    Reply::json(&Listed::new("maillists", Page { items: shown.collect(), count }, &request))
}

/// Whether a right reaches a user: [`Right::AllButSuper`] stops at super administrators.
fn may_touch(right: Right) -> impl Fn(&User) -> bool {
    move |user| right != Right::AllButSuper || user.role() != Role::SuperAdministrator
}

/// Ends a change of a user: what is remembered about its account is out of date.
fn done(call: &Call<'_>, outcome: Result<String, WriteError>) -> Result<Reply, Failure> {
    let id = outcome.map_err(|error| failure(call, error))?;
    call.services.accounts.forget(&id);
    Ok(Reply::success())
}

fn failure(call: &Call<'_>, error: WriteError) -> Failure {
    Failure::of_write(USER, error, call.services.retention)
}
