//! Resources (guide, 3.12), and, beyond the guide, reading one resource.

use super::{
    done, find_tenant,
    resourcegroups::{GROUP, name_of},
};
use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::{And, Answer, Declared, about_resource, by_name, in_path, kinds, page as page_parameters},
    endpoint::{Access, Document, Endpoint, Particulars, Takes, Verb},
    errors::ParameterErrors,
    json::ResourceJson,
    listed::Listed,
    names::of_resource,
    orders::RESOURCES,
    parameters::{ignore_tenant, once, page_alone},
};
use administration::policy::Action;
use directory::lists::Page;
use mail_model::{
    address::MailAddress,
    field::FieldErrors,
    resource::{
        command::{NewResource, ResourceValues, parse_fields},
        field::ResourceField,
        group::ResourceGroup,
    },
    tenant::{Tenant, TenantId},
};
use serde::Serialize;
use serde_json::json;
use web::answer::Reply;
use web::form::Parameters;

const RESOURCE: &str = "resource";
const RESOURCES_PATH: &str = "/v2/resources/{tenant}/{group}";
const RESOURCE_PATH: &str = "/v2/resources/{tenant}/{group}/{mail}";

/// A single resource.
#[derive(Serialize)]
struct ShownResource<'a> {
    #[serde(flatten)]
    resource: ResourceJson<'a>,
    #[serde(rename = "tenant-id")]
    tenant: &'a str,
}

pub(super) const LIST: Endpoint = Endpoint {
    name: "listResources",
    method: Verb::Get,
    path: RESOURCES_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(list(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Resources of a group",
        parameters: || page_parameters(&RESOURCES, "the address or the name"),
        answer: || Answer::page_of_shape("resources", by_name("ResourceRow")),
        ..Document::BASE
    },
};

async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let request = page_alone(&mut call.parameters, &RESOURCES)?;
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let page = call.directory.resources(&tenant.id, &group, &request).await?;
    let items = page.items.iter().map(ResourceJson).collect();
    as_json(&Listed::new("resources", Page { items, count: page.count }, &request))
}

pub(super) const READ: Endpoint = Endpoint {
    name: "readResource",
    method: Verb::Get,
    path: RESOURCE_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "One resource",
        answer: || Answer::json(by_name("Resource")).with_version(),
        ..Document::BASE
    },
};

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let resource = call.directory.resource(&tenant.id, &group.name, &call.mail_of(RESOURCE)?).await?;
    let resource = resource.ok_or_else(|| Failure::not_found(RESOURCE))?;
    let shown = ShownResource { resource: ResourceJson(&resource), tenant: tenant.id.as_str() };
    Ok(as_json(&shown)?.with_tag(&resource.version.tag()))
}

pub(super) const CREATE: Endpoint = Endpoint {
    name: "createResource",
    method: Verb::Put,
    path: RESOURCE_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(create(call)),
    particulars: Particulars::taking(Takes::IdempotencyKey),
    document: Document {
        summary: "Create a resource",
        parameters: || vec![in_path()].and(field_parameters(true)),
        example: Some(|| json!({"displayName": "Room 5", "l": "Berlin", "employeeType": 1})),
        ..Document::BASE
    },
};

async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let new = new_resource(call, &tenant)?;
    done(
        call,
        RESOURCE,
        call.administration.create_resource(call.caller()?, &tenant, &group.name, &new).await,
    )
}

fn new_resource(call: &mut Call<'_>, tenant: &Tenant) -> Result<NewResource, ParameterErrors> {
    let (fields, errors, wrong) = fields(&mut call.parameters);
    let mail = MailAddress::parse(call.text("mail"));
    errors.and(NewResource::new(mail, fields, tenant, wrong))
}

pub(super) const PATCH: Endpoint = Endpoint {
    name: "patchResource",
    method: Verb::Patch,
    path: RESOURCE_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(patch(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Change a resource",
        parameters: || vec![in_path()].and(field_parameters(false)),
        example: Some(|| json!({"description": "Twelve seats"})),
        ..Document::BASE
    },
};

async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let (fields, errors, wrong) = fields(&mut call.parameters);
    errors.and(wrong.none())?;
    let mail = call.mail_of(RESOURCE)?;
    let (administration, caller) = (call.administration, call.caller()?);
    let change =
        administration.change_resource(caller, &tenant.id, &group.name, &mail, &fields, &call.precondition);
    done(call, RESOURCE, change.await)
}

pub(super) const DELETE: Endpoint = Endpoint {
    name: "deleteResource",
    method: Verb::Delete,
    path: RESOURCE_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(delete(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Delete a resource",
        about: "The deletion is immediate and cannot be undone.",
        ..Document::BASE
    },
};

async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = find_group(call, &tenant.id).await?;
    let mail = call.mail_of(RESOURCE)?;
    let (administration, caller) = (call.administration, call.caller()?);
    let deletion = administration.delete_resource(caller, &tenant.id, &group.name, &mail, &call.precondition);
    done(call, RESOURCE, deletion.await)
}

/// The group in the path, with its name in the letter case of its creation.
async fn find_group(call: &Call<'_>, tenant: &TenantId) -> Result<ResourceGroup, Failure> {
    let group = call.directory.resource_group(tenant, &name_of(call)?).await?;
    group.ok_or_else(|| Failure::not_found(GROUP))
}

fn field_parameters(is_creation: bool) -> impl Iterator<Item = Declared> {
    ResourceField::ALL.into_iter().map(move |field| {
        let shape = kinds::of_request(field.kind(), !field.is_required());
        Declared::optional(of_resource(field), about_resource(field), shape)
            .needed(is_creation && field.is_required())
    })
}

/// The given fields, with the errors of parameters and fields.
fn fields(parameters: &mut Parameters) -> (ResourceValues, ParameterErrors, FieldErrors) {
    ignore_tenant(parameters);
    let (mut errors, mut wrong) = (ParameterErrors::default(), FieldErrors::default());
    let taken = ResourceField::ALL.map(|field| (field, once(parameters, of_resource(field), &mut errors)));
    let given = taken.iter().filter_map(|(field, text)| Some((*field, text.as_deref()?)));
    (parse_fields(given, &mut wrong), errors, wrong)
}
