//! Tenants (guide, 3.2), and, beyond the guide, reading one tenant, its defaults, its domains, and the deleted tenants.

use super::{done, find_tenant};
use crate::{
    answer::{Failure, as_json, success},
    call::Call,
    document::{And, Answer, Declared, deleted, in_path, kinds, page as page_parameters},
    endpoint::{Access, Document, Endpoint, Particulars, TENANT_PARAMETER, Takes, Verb},
    errors::ParameterErrors,
    listed::Listed,
    orders::TENANTS,
    parameters::{ignore_tenant, once, page, switch},
};
use administration::policy::Action;
use directory::{changing::WriteError, lists::Page};
use mail_model::{
    address::Domain,
    deletion::Retention,
    field::Kind,
    tenant::{
        DeletedTenant, Tenant, TenantId,
        command::{TenantPatch, parse_domain},
    },
    user::field::UserField,
};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use web::answer::Reply;

const TENANT: &str = "tenant";
const TENANTS_PATH: &str = "/v2/tenants";
const TENANT_PATH: &str = "/v2/tenants/{tenant}";
const DOMAIN_PATH: &str = "/v2/tenants/{tenant}/domains/{domain}";

/// A tenant in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantRow)]
pub(super) struct TenantRow {
    /// The id.
    #[serde(rename = "tenant-id")]
    id: String,
    /// The domains of the tenant.
    domains: Vec<String>,
    /// When the tenant was deleted.
    #[serde(rename = "deleted-since", skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    deleted_since: Option<String>,
    /// The tenant can be restored until this time.
    #[serde(rename = "kept-until", skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    kept_until: Option<String>,
}

impl TenantRow {
    fn live(tenant: &Tenant) -> Self {
        let domains = tenant.domains.iter().map(ToString::to_string).collect();
        Self { id: tenant.id.to_string(), domains, deleted_since: None, kept_until: None }
    }

    fn deleted(deleted: &DeletedTenant, retention: Retention) -> Self {
        let since = deleted.since.time();
        Self {
            deleted_since: Some(since.to_string()),
            kept_until: Some(retention.kept_until(since).to_string()),
            ..Self::live(&deleted.tenant)
        }
    }
}

/// A single tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct ShownTenant {
    #[serde(flatten)]
    row: TenantRow,
    /// Mailbox size of new users in megabytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    quota: Option<u64>,
    /// Language of new users.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lang: Option<&'static str>,
    counts: TenantCounts,
}

/// The number of entries of a tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantCounts)]
#[serde(rename_all = "kebab-case")]
struct TenantCounts {
    /// Users.
    users: usize,
    /// Deleted users that are kept.
    deleted_users: usize,
    /// Mailing lists.
    maillists: usize,
    /// Resource groups.
    resourcegroups: usize,
    /// Resources.
    resources: usize,
}

/// A created tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantMade)]
pub(super) struct Made<'a> {
    /// Always true.
    success: bool,
    /// The id.
    #[serde(rename = "tenant-id")]
    id: &'a str,
}

pub(super) const LIST: Endpoint = Endpoint {
    name: "listTenants",
    method: Verb::Get,
    path: TENANTS_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(list(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Tenants; with `deleted=1` the deleted ones",
        parameters: || page_parameters(&TENANTS, "the id or a domain").and(deleted("tenants")),
        answer: || Answer::page_of::<TenantRow>("tenants"),
        ..Document::BASE
    },
};

async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let request = page(&mut call.parameters, &TENANTS, &mut errors);
    let deleted = switch(&mut call.parameters, "deleted", &mut errors);
    errors.none()?;
    let page = if deleted {
        let page = call.directory.deleted_tenants(&request).await?;
        let items = page.items.iter().map(|tenant| TenantRow::deleted(tenant, call.live.retention)).collect();
        Page { items, count: page.count }
    } else {
        let page = call.directory.tenants(&request).await?;
        Page { items: page.items.iter().map(TenantRow::live).collect(), count: page.count }
    };
    as_json(&Listed::new("tenants", page, &request))
}

pub(super) const CREATE_OF_DOMAIN: Endpoint = Endpoint {
    name: "createTenantOfDomain",
    method: Verb::Post,
    path: TENANTS_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(create_of_domain(call)),
    particulars: Particulars::taking(Takes::IdempotencyKey),
    document: Document {
        summary: "Create a tenant, with an id chosen by the server",
        about: "The id is the first label of the domain, with a number if it is taken. The answer contains the id.",
        parameters: || vec![first_domain()],
        example: Some(|| json!({"domain": "acme.example"})),
        answer: Answer::of::<Made<'_>>,
        ..Document::BASE
    },
};

async fn create_of_domain(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let text = once(&mut call.parameters, "domain", &mut errors);
    let domain = errors.and(parse_domain(text.as_deref()))?;
    let made = call.administration.create_tenant_of_domain(call.caller()?, &domain).await;
    let id = made.map_err(|error| failure(call, error))?;
    as_json(&Made { success: true, id: id.as_str() })
}

pub(super) const CREATE: Endpoint = Endpoint {
    name: "createTenant",
    method: Verb::Put,
    path: TENANT_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(create(call)),
    particulars: Particulars::taking(Takes::IdempotencyKey),
    document: Document {
        summary: "Create a tenant",
        parameters: || vec![in_path(), first_domain()],
        example: Some(|| json!({"domain": "acme.example"})),
        ..Document::BASE
    },
};

async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    ignore_tenant(&mut call.parameters);
    let mut errors = ParameterErrors::default();
    let id = errors.keep(TENANT_PARAMETER, TenantId::parse(call.text("tenant")));
    let text = once(&mut call.parameters, "domain", &mut errors);
    let domain = errors.and(parse_domain(text.as_deref()))?;
    if let Some(id) = id {
        let made = call.administration.create_tenant(call.caller()?, &id, &domain).await;
        made.map_err(|error| failure(call, error))?;
    }
    Ok(success())
}

fn first_domain() -> Declared {
    Declared::required("domain", "The first domain of the tenant, in any script.", kinds::domain())
}

pub(super) const READ: Endpoint = Endpoint {
    name: "readTenant",
    method: Verb::Get,
    path: TENANT_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "One tenant",
        answer: || Answer::of::<ShownTenant>().with_version(),
        ..Document::BASE
    },
};

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let id = call.tenant()?;
    let live = call.directory.live_tenant(id).await?.ok_or_else(|| Failure::not_found(TENANT))?;
    let counts = call.directory.tenant_counts(id).await?;
    let shown = ShownTenant {
        row: TenantRow::live(&live.tenant),
        quota: live.tenant.default_quota.map(mail_model::user::quota::Quota::megabytes),
        lang: live.tenant.default_language.map(mail_model::user::language::Language::as_str),
        counts: TenantCounts {
            users: counts.users,
            deleted_users: counts.deleted_users,
            maillists: counts.mail_lists,
            resourcegroups: counts.resource_groups,
            resources: counts.resources,
        },
    };
    Ok(as_json(&shown)?.with_tag(&live.version.tag()))
}

pub(super) const PATCH: Endpoint = Endpoint {
    name: "patchTenant",
    method: Verb::Patch,
    path: TENANT_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(patch(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Change a tenant",
        parameters: default_parameters,
        example: Some(|| json!({"quota": 1024, "lang": "en-US"})),
        ..Document::BASE
    },
};

async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    ignore_tenant(&mut call.parameters);
    let mut errors = ParameterErrors::default();
    let quota = once(&mut call.parameters, "quota", &mut errors);
    let language = once(&mut call.parameters, "lang", &mut errors);
    let patch = errors.and(TenantPatch::parse(quota.as_deref(), language.as_deref()))?;
    let (administration, caller) = (call.administration, call.caller()?);
    done(call, TENANT, administration.change_tenant(caller, call.tenant()?, &patch, &call.precondition).await)
}

pub(super) const DELETE: Endpoint = Endpoint {
    name: "deleteTenant",
    method: Verb::Delete,
    path: TENANT_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(delete(call)),
    particulars: Particulars::taking(Takes::IfMatch),
    document: Document {
        summary: "Delete a tenant softly",
        about: "Everything in the tenant is deleted with it. The tenant `default` cannot be deleted.",
        fails_with: &[409],
        ..Document::BASE
    },
};

async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let (administration, caller) = (call.administration, call.caller()?);
    done(
        call,
        TENANT,
        administration.delete_tenant(caller, call.tenant()?, &call.precondition, call.now).await,
    )
}

pub(super) const RESTORE: Endpoint = Endpoint {
    name: "restoreTenant",
    method: Verb::Post,
    path: "/v2/tenants/{tenant}/restore",
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(restore(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Undo the deletion of a tenant",
        about: "Restores the entries that were deleted with the tenant, and not those deleted before.",
        ..Document::BASE
    },
};

async fn restore(call: &mut Call<'_>) -> Result<Reply, Failure> {
    done(call, TENANT, call.administration.restore_tenant(call.caller()?, call.tenant()?, call.now).await)
}

pub(super) const ADD_DOMAIN: Endpoint = Endpoint {
    name: "addDomain",
    method: Verb::Put,
    path: DOMAIN_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(add_domain(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Add a domain to a tenant",
        about: "Succeeds if the tenant has the domain already.",
        fails_with: &[409],
        ..Document::BASE
    },
};

async fn add_domain(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let domain = parse_domain(Some(call.text("domain")))?;
    done(call, TENANT, call.administration.add_domain(call.caller()?, &tenant.id, &domain).await)
}

pub(super) const REMOVE_DOMAIN: Endpoint = Endpoint {
    name: "removeDomain",
    method: Verb::Delete,
    path: DOMAIN_PATH,
    access: Access::For(Action::AdministerTenants),
    handler: |call| Box::pin(remove_domain(call)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Remove a domain from a tenant",
        about: "409 for the last domain, and for a domain that an address of the tenant uses.",
        fails_with: &[409],
        ..Document::BASE
    },
};

async fn remove_domain(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let not_served = || Failure::not_found("domain of this tenant");
    let domain = Domain::parse(call.text("domain")).map_err(|_| not_served())?;
    match call.administration.remove_domain(call.caller()?, &tenant.id, &domain).await {
        Err(WriteError::NotFound) => Err(not_served()),
        outcome => done(call, TENANT, outcome),
    }
}

fn default_parameters() -> Vec<Declared> {
    let [quota, language] = [UserField::Quota, UserField::Language].map(UserField::kind);
    let languages = match language {
        Kind::Choice(all) => kinds::choice(&[all, &[""]].concat(), None),
        other => kinds::of_request(other, true),
    };
    vec![
        in_path(),
        Declared::optional(
            "quota",
            "Mailbox size of new users in megabytes; an empty value removes the default.",
            kinds::of_request(quota, true),
        ),
        Declared::optional("lang", "Language of new users; an empty value removes the default.", languages),
    ]
}

fn failure(call: &Call<'_>, error: WriteError) -> Failure {
    Failure::of_write(TENANT, error, call.live.retention)
}
