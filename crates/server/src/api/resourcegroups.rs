//! Resource groups (guide, 3.11), and beyond the guide one group.

use super::{
    find_tenant,
    listed::Listed,
    parameters::{ignore_tenant, once, page},
    to_the_end,
};
use crate::http::{
    answer::{Failure, Reply},
    call::{Call, PathPart},
};
use directory::{changing::WriteError, lists::Page};
use mail_model::{
    field::{FieldError, FieldErrors},
    resource::group::{GroupName, LISTING, ResourceGroup},
};
use serde::Serialize;
use utoipa::ToSchema;

pub(super) const GROUP: &str = "resource group";
const NAME_PARAMETER: &str = "name";

/// A resource group.
#[derive(Serialize, ToSchema)]
#[schema(as = ResourceGroup)]
pub(super) struct Shown {
    /// Its name.
    name: String,
    /// How many resources it has.
    resources: u64,
    /// Its tenant, of a group on its own.
    #[serde(rename = "tenant-id", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant: Option<String>,
}

impl Shown {
    fn row(group: &ResourceGroup) -> Self {
        Self { name: group.name.to_string(), resources: group.resources, tenant: None }
    }
}

pub(super) async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = page(&mut call.parameters, &LISTING, &mut errors);
    errors.none()?;
    let tenant = find_tenant(call).await?;
    let page = call.directory.resource_groups(&tenant.id, &request).await?;
    let items = page.items.iter().map(Shown::row).collect();
    Reply::json(&Listed::new("resourcegroups", Page { items, count: page.count }, &request))
}

pub(super) async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = call.directory.resource_group(&tenant.id, &name_of(call)?).await?;
    let group = group.ok_or_else(|| Failure::not_found(GROUP))?;
    let shown = Shown { tenant: Some(tenant.id.to_string()), ..Shown::row(&group) };
    Ok(Reply::json(&shown)?.with_version(&group.version))
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    ignore_tenant(&mut call.parameters);
    let name = GroupName::parse(call.text(PathPart::Group));
    let name =
        name.map_err(|error| Failure::parameter(NAME_PARAMETER, &format!("{NAME_PARAMETER} {error}")))?;
    done(call, call.directory.create_resource_group(&tenant.id, &name).await)
}

pub(super) async fn rename(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    ignore_tenant(&mut call.parameters);
    let mut errors = FieldErrors::default();
    let text = once(&mut call.parameters, NAME_PARAMETER, &mut errors).filter(|text| !text.is_empty());
    let text = errors.keep(NAME_PARAMETER, text.ok_or(FieldError::Required));
    let new_name = text
        .and_then(|text| GroupName::parse(&text).map_err(|error| errors.add(NAME_PARAMETER, &error)).ok());
    errors.none()?;
    let name = name_of(call)?;
    let Some(new_name) = new_name else { return Err(Failure::missing(NAME_PARAMETER)) };
    let renaming = call.directory.rename_resource_group(&tenant.id, &name, &new_name, &call.precondition);
    let outcome = renaming.await;
    done(call, outcome)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let (directory, name, precondition) = (call.directory.clone(), name_of(call)?, call.precondition.clone());
    let deletion = async move { directory.delete_resource_group(&tenant.id, &name, &precondition).await };
    let outcome = to_the_end(call, deletion).await?;
    done(call, outcome)
}

/// The group in the path; an impossible name is no group's.
pub(super) fn name_of(call: &Call<'_>) -> Result<GroupName, Failure> {
    GroupName::parse(call.text(PathPart::Group)).map_err(|_| Failure::not_found(GROUP))
}

fn done(call: &Call<'_>, outcome: Result<(), WriteError>) -> Result<Reply, Failure> {
    outcome.map_err(|error| Failure::of_write(GROUP, error, call.services.retention))?;
    Ok(Reply::success())
}
