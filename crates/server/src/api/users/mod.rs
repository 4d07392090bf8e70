//! Users (guide, 3.3 to 3.10), and beyond the guide the deleted ones and their restoration.

pub(crate) mod form;

use crate::http::{
    answer::{Failure, Reply},
    dispatch::Call,
    endpoint::Right,
};
use directory::users::Page;
use mail_model::{
    tenant::{Tenant, TenantId},
    user::{User, list::PageRequest, role::Role},
};
use serde::Serialize;

#[derive(Serialize)]
struct Listed<T> {
    users: Vec<T>,
    count: usize,
    page: usize,
    pages: usize,
    per_page: usize,
}

pub(super) async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let form::List { request, deleted } = form::list(&mut call.parameters)?;
    let tenant = call.tenant()?;
    let retention = call.services.retention;
    if deleted {
        let page = call.directory.deleted_users(tenant, &request).await?;
        exists_unless_empty(call, tenant, page.count).await?;
        let users = page.users.iter().map(|user| user.shown(retention)).collect();
        Reply::json(&listed(Page { users, count: page.count }, &request))
    } else {
        let page = call.directory.users(tenant, &request).await?;
        exists_unless_empty(call, tenant, page.count).await?;
        Reply::json(&listed(page, &request))
    }
}

fn listed<T>(page: Page<T>, request: &PageRequest) -> Listed<T> {
    Listed {
        pages: page.count.div_ceil(request.limit),
        users: page.users,
        count: page.count,
        page: request.page,
        per_page: request.limit,
    }
}

/// An empty list is that of a tenant without users, or of no tenant.
async fn exists_unless_empty(call: &Call<'_>, tenant: &TenantId, count: usize) -> Result<(), Failure> {
    if count == 0 {
        find_tenant(call, tenant).await?;
    }
    Ok(())
}

async fn find_tenant(call: &Call<'_>, tenant: &TenantId) -> Result<Tenant, Failure> {
    call.directory.tenant(tenant).await?.ok_or_else(|| Failure::not_found("tenant"))
}

pub(super) async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let user = call.directory.user(call.tenant()?, &call.mail()?).await?;
    Reply::json(&user.ok_or_else(|| Failure::not_found("user"))?.user)
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call, call.tenant()?).await?;
    let mail = call.mail_text().to_owned();
    let new = form::new_user(&mail, &mut call.parameters, &tenant)?;
    if new.is_super() && call.right != Right::All {
        return Err(Failure::forbidden());
    }
    let outcome = call.directory.create_user(&tenant.id, &new).await;
    outcome.map_err(|error| Failure::of_user(error, call.services.retention))?;
    Ok(Reply::Success)
}

pub(super) async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mail = call.mail()?;
    let tenant = find_tenant(call, call.tenant()?).await?;
    let patch = form::user_patch(&mail, &mut call.parameters, &tenant)?;
    let allowed = match call.right {
        Right::All => true,
        Right::OwnPassword => patch.changes_password_only(),
        _ => !patch.makes_super(),
    };
    if !allowed {
        return Err(Failure::forbidden());
    }
    let outcome = call.directory.patch_user(&tenant.id, &mail, &patch, call.now, may_touch(call.right)).await;
    done(call, outcome)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let outcome =
        call.directory.delete_user(call.tenant()?, &call.mail()?, call.now, may_touch(call.right)).await;
    done(call, outcome)
}

pub(super) async fn restore(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let outcome = call.directory.restore_user(call.tenant()?, &call.mail()?, may_touch(call.right)).await;
    outcome.map_err(|error| Failure::of_user(error, call.services.retention))?;
    Ok(Reply::Success)
}

/// Whether a right reaches a user: [`Right::AllButSuper`] stops at super administrators.
fn may_touch(right: Right) -> impl Fn(&User) -> bool {
    move |user| right != Right::AllButSuper || user.role() != Role::SuperAdministrator
}

/// Ends a change of a user: what is remembered about its account is out of date.
fn done(call: &Call<'_>, outcome: Result<String, directory::users::UserError>) -> Result<Reply, Failure> {
    let id = outcome.map_err(|error| Failure::of_user(error, call.services.retention))?;
    call.services.accounts.forget(&id);
    Ok(Reply::Success)
}
