//! Resources (guide, 3.12), and beyond the guide one resource.

use super::{
    find_tenant,
    listed::Listed,
    parameters::{ignore_tenant, once, page},
    resourcegroups::{GROUP, name_of},
};
use crate::http::{
    answer::{Failure, Reply},
    call::{Call, PathPart},
    form::Parameters,
};
use directory::changing::WriteError;
use mail_model::{
    address::MailAddress,
    field::FieldErrors,
    resource::{
        LISTING, Resource,
        command::{NewResource, ResourceValues, parse_fields},
        field::ResourceField,
        group::ResourceGroup,
    },
    tenant::{Tenant, TenantId},
};
use serde::Serialize;

const RESOURCE: &str = "resource";

/// One resource.
#[derive(Serialize)]
struct Shown<'a> {
    #[serde(flatten)]
    resource: &'a Resource,
    #[serde(rename = "tenant-id")]
    tenant: &'a str,
}

pub(super) async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = page(&mut call.parameters, &LISTING, &mut errors);
    errors.none()?;
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let page = call.directory.resources(&tenant.id, &group, &request).await?;
    Reply::json(&Listed::new("resources", page, &request))
}

pub(super) async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let resource = call.directory.resource(&tenant.id, &group.name, &call.mail_of(RESOURCE)?).await?;
    let resource = resource.ok_or_else(|| Failure::not_found(RESOURCE))?;
    let shown = Shown { resource: &resource, tenant: tenant.id.as_str() };
    Ok(Reply::json(&shown)?.with_version(&resource.version))
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let new = new_resource(call, &tenant)?;
    done(call, call.directory.create_resource(&tenant, &group.name, &new).await)
}

fn new_resource(call: &mut Call<'_>, tenant: &Tenant) -> Result<NewResource, FieldErrors> {
    let mut errors = FieldErrors::default();
    let mail = MailAddress::parse(call.text(PathPart::Mail));
    let fields = fields(&mut call.parameters, &mut errors);
    NewResource::new(mail, fields, tenant, errors)
}

pub(super) async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let mut errors = FieldErrors::default();
    let fields = fields(&mut call.parameters, &mut errors);
    errors.none()?;
    let mail = call.mail_of(RESOURCE)?;
    let change = call.directory.patch_resource(&tenant.id, &group.name, &mail, &fields, &call.precondition);
    let outcome = change.await;
    done(call, outcome)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let mail = call.mail_of(RESOURCE)?;
    done(call, call.directory.delete_resource(&tenant.id, &group.name, &mail, &call.precondition).await)
}

/// The group in the path, by its name as it was made.
async fn find_group(call: &Call<'_>, tenant: &TenantId) -> Result<ResourceGroup, Failure> {
    let group = call.directory.resource_group(tenant, &name_of(call)?).await?;
    group.ok_or_else(|| Failure::not_found(GROUP))
}

fn fields(parameters: &mut Parameters, errors: &mut FieldErrors) -> ResourceValues {
    ignore_tenant(parameters);
    let taken = ResourceField::ALL.map(|field| (field, once(parameters, field.api_name(), errors)));
    let given = taken.iter().filter_map(|(field, text)| Some((*field, text.as_deref()?)));
    parse_fields(given, errors)
}

fn done(call: &Call<'_>, outcome: Result<(), WriteError>) -> Result<Reply, Failure> {
    outcome.map_err(|error| Failure::of_write(RESOURCE, error, call.services.retention))?;
    Ok(Reply::success())
}
