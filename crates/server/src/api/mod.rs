//! The requests of the API. Each handler turns parameters into a command of `mail-model`, gives it to
//! `directory`, and its outcome back.

mod addressbook;
mod authenticate;
mod backup;
mod bulk;
mod docs;
mod document;
mod health;
mod listed;
mod maillists;
mod parameters;
mod resourcegroups;
mod resources;
mod tenants;
pub(crate) mod users;

pub use health::{Health, ScheduledBackup};

use crate::http::{
    answer::{Failure, Reply},
    call::Call,
    endpoint::Endpoint,
};
use directory::tenants::TenantAtHand;

/// The tenant that a request names.
async fn find_tenant(call: &Call<'_>) -> Result<TenantAtHand, Failure> {
    let tenant = Box::pin(call.directory.tenant(call.tenant()?)).await?;
    tenant.ok_or_else(|| Failure::not_found("tenant"))
}

/// Does work that takes a while to its end, even where the client goes away: what is left half way would wait for
/// the hourly job. Whoever reads the address book then finds it.
async fn to_the_end<T: 'static>(
    call: &Call<'_>,
    work: impl Future<Output = T> + 'static,
) -> Result<T, Failure> {
    let desk = call.desk.clone();
    let settled = async move {
        let outcome = work.await;
        desk.settle().await;
        outcome
    };
    actix_web::rt::spawn(settled).await.map_err(|error| Failure::internal(error.into()))
}

/// Whether a parameter stands in the API's document of an endpoint.
#[must_use]
pub fn is_documented(endpoint: Endpoint, parameter: &str) -> bool {
    document::is_documented(endpoint, parameter)
}

/// Does what a request asks for.
///
/// # Errors
/// The [`Failure`] that it is answered with.
pub async fn handle(endpoint: Endpoint, call: &mut Call<'_>) -> Result<Reply, Failure> {
    // Boxed, since each request's future is as large as the largest handler's that is not, and is moved as a whole.
    // Contacts are asked for most, and their handlers are small.
    match endpoint {
        Endpoint::Authenticate => Box::pin(authenticate::authenticate(call)).await,
        Endpoint::Live => health::live(),
        Endpoint::Ready => Box::pin(health::ready(call)).await,
        Endpoint::ListUsers => Box::pin(users::list(call)).await,
        Endpoint::CreateUser => Box::pin(users::create(call)).await,
        Endpoint::ReadUser => Box::pin(users::read(call)).await,
        Endpoint::PatchUser => Box::pin(users::patch(call)).await,
        Endpoint::DeleteUser => Box::pin(users::delete(call)).await,
        Endpoint::RestoreUser => Box::pin(users::restore(call)).await,
        Endpoint::ImportUsers => Box::pin(bulk::import(call)).await,
        Endpoint::ListMemberships => Box::pin(users::memberships(call)).await,
        Endpoint::ListTenants => Box::pin(tenants::list(call)).await,
        Endpoint::CreateTenantOfDomain => Box::pin(tenants::create_of_domain(call)).await,
        Endpoint::CreateTenant => Box::pin(tenants::create(call)).await,
        Endpoint::ReadTenant => Box::pin(tenants::read(call)).await,
        Endpoint::PatchTenant => Box::pin(tenants::patch(call)).await,
        Endpoint::DeleteTenant => Box::pin(tenants::delete(call)).await,
        Endpoint::RestoreTenant => Box::pin(tenants::restore(call)).await,
        Endpoint::AddDomain => Box::pin(tenants::add_domain(call)).await,
        Endpoint::RemoveDomain => Box::pin(tenants::remove_domain(call)).await,
        Endpoint::ListMailLists => Box::pin(maillists::list(call)).await,
        Endpoint::CreateMailList => Box::pin(maillists::create(call)).await,
        Endpoint::PatchMailList => Box::pin(maillists::patch(call)).await,
        Endpoint::DeleteMailList => Box::pin(maillists::delete(call)).await,
        Endpoint::ReadMailList => Box::pin(maillists::read(call)).await,
        Endpoint::ListResourceGroups => Box::pin(resourcegroups::list(call)).await,
        Endpoint::CreateResourceGroup => Box::pin(resourcegroups::create(call)).await,
        Endpoint::ReadResourceGroup => Box::pin(resourcegroups::read(call)).await,
        Endpoint::RenameResourceGroup => Box::pin(resourcegroups::rename(call)).await,
        Endpoint::DeleteResourceGroup => Box::pin(resourcegroups::delete(call)).await,
        Endpoint::ListResources => Box::pin(resources::list(call)).await,
        Endpoint::CreateResource => Box::pin(resources::create(call)).await,
        Endpoint::ReadResource => Box::pin(resources::read(call)).await,
        Endpoint::PatchResource => Box::pin(resources::patch(call)).await,
        Endpoint::DeleteResource => Box::pin(resources::delete(call)).await,
        Endpoint::ListContacts => addressbook::list(call).await,
        Endpoint::SuggestContacts => addressbook::suggest(call).await,
        Endpoint::ListContactChanges => Box::pin(addressbook::changes(call)).await,
        Endpoint::ExportContacts => Box::pin(addressbook::export(call)).await,
        Endpoint::ReadContact => Box::pin(addressbook::read(call)).await,
        Endpoint::BackUp => Box::pin(backup::back_up(call)).await,
        Endpoint::Restore => Box::pin(backup::restore(call)).await,
        Endpoint::ReadDocument => Ok(docs::document()),
        Endpoint::ReadDocs => Ok(docs::page()),
        Endpoint::ReadDocsFile => docs::page_file(call),
    }
}
