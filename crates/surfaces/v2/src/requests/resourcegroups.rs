//! Resource groups (guide, 3.11), and, beyond the guide, reading one resource group.

use super::{done, find_tenant};
use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::{Answer, Declared, in_path, kinds, page as page_parameters},
    endpoint::{Access, Document, Endpoint, Particulars, Takes, Verb},
    errors::ParameterErrors,
    listed::Listed,
    orders::RESOURCE_GROUPS,
    parameters::{ignore_tenant, once, page_alone},
};
use administration::policy::Action;
use directory::lists::Page;
use mail_model::{
    field::FieldError,
    resource::group::{GroupName, ResourceGroup},
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use web::answer::Reply;

pub(super) const GROUP: &str = "resource group";
const NAME: &str = "name";
const GROUPS_PATH: &str = "/v2/resourcegroups/{tenant}";
const GROUP_PATH: &str = "/v2/resourcegroups/{tenant}/{group}";

/// A resource group.
#[derive(Serialize, ToSchema)]
#[schema(as = ResourceGroup)]
pub(super) struct ShownGroup {
    /// The name.
    name: String,
    /// The number of resources.
    resources: usize,
    /// The tenant; only in the answer for a single group.
    #[serde(rename = "tenant-id", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    tenant: Option<String>,
}

impl ShownGroup {
    fn row(group: &ResourceGroup) -> Self {
        Self { name: group.name.to_string(), resources: group.resources, tenant: None }
    }
}

pub(super) const LIST: Endpoint = Endpoint {
    name: "listResourceGroups",
    method: Verb::Get,
    path: GROUPS_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(list(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Resource groups of a tenant",
        parameters: || page_parameters(&RESOURCE_GROUPS, "the name"),
        answer: || Answer::page_of::<ShownGroup>("resourcegroups"),
        ..Document::BASE
    },
};

async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let request = page_alone(&mut call.parameters, &RESOURCE_GROUPS)?;
    let tenant = find_tenant(call).await?;
    let page = call.directory.resource_groups(&tenant.id, &request).await?;
    let items = page.items.iter().map(ShownGroup::row).collect();
    as_json(&Listed::new("resourcegroups", Page { items, count: page.count }, &request))
}

pub(super) const READ: Endpoint = Endpoint {
    name: "readResourceGroup",
    method: Verb::Get,
    path: GROUP_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "One resource group",
        answer: || Answer::of::<ShownGroup>().with_version(),
        ..Document::BASE
    },
};

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let group = call.directory.resource_group(&tenant.id, &name_of(call)?).await?;
    let group = group.ok_or_else(|| Failure::not_found(GROUP))?;
    let shown = ShownGroup { tenant: Some(tenant.id.to_string()), ..ShownGroup::row(&group) };
    Ok(as_json(&shown)?.with_tag(&group.version.tag()))
}

pub(super) const CREATE: Endpoint = Endpoint {
    name: "createResourceGroup",
    method: Verb::Put,
    path: GROUP_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(create(call)),
    particulars: Particulars::taking(Takes::IdempotencyKey),
    document: Document {
        summary: "Create a resource group",
        parameters: || vec![in_path()],
        example: Some(|| json!({})),
        ..Document::BASE
    },
};

async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    ignore_tenant(&mut call.parameters);
    let name = GroupName::parse_new(call.text("group"));
    let name = name.map_err(|error| Failure::parameter(NAME, &format!("{NAME} {error}")))?;
    done(call, GROUP, call.administration.create_resource_group(call.caller()?, &tenant.id, &name).await)
}

pub(super) const RENAME: Endpoint = Endpoint {
    name: "renameResourceGroup",
    method: Verb::Patch,
    path: GROUP_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(rename(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Rename a resource group",
        about: "Its resources stay in it.",
        parameters: || vec![in_path(), Declared::required(NAME, "The new name.", kinds::group_name())],
        example: Some(|| json!({"name": "Meeting rooms"})),
        fails_with: &[409],
        ..Document::BASE
    },
};

async fn rename(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    ignore_tenant(&mut call.parameters);
    let mut errors = ParameterErrors::default();
    let text = once(&mut call.parameters, NAME, &mut errors).filter(|text| !text.is_empty());
    let text = errors.keep(NAME, text.ok_or(FieldError::Required));
    let new_name = text.and_then(|text| errors.keep(NAME, GroupName::parse_new(&text)));
    errors.none()?;
    let name = name_of(call)?;
    let Some(new_name) = new_name else { return Err(Failure::missing(NAME)) };
    let (administration, caller) = (call.administration, call.caller()?);
    let renaming =
        administration.rename_resource_group(caller, &tenant.id, &name, &new_name, &call.precondition);
    done(call, GROUP, renaming.await)
}

pub(super) const DELETE: Endpoint = Endpoint {
    name: "deleteResourceGroup",
    method: Verb::Delete,
    path: GROUP_PATH,
    access: Access::For(Action::AdministerResources),
    handler: |call| Box::pin(delete(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Delete a resource group with its resources",
        about: "The deletion is immediate and cannot be undone. Repeat the request to complete an interrupted \
                deletion.",
        ..Document::BASE
    },
};

async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let (administration, caller, name) = (call.administration, call.caller()?, name_of(call)?);
    done(
        call,
        GROUP,
        administration.delete_resource_group(caller, &tenant.id, &name, &call.precondition).await,
    )
}

/// The group in the path. An invalid name is answered as one that does not exist.
pub(super) fn name_of(call: &Call<'_>) -> Result<GroupName, Failure> {
    GroupName::parse(call.text("group")).map_err(|_| Failure::not_found(GROUP))
}
