//! Tenants (guide, 3.2), and beyond the guide one tenant, its defaults, its domains, and the deleted ones.

use super::{
    find_tenant,
    listed::Listed,
    parameters::{ignore_tenant, once, page, switch},
    to_the_end,
};
use crate::http::{
    answer::{Failure, Reply},
    call::{Call, PathPart},
};
use directory::{changing::WriteError, lists::Page};
use mail_model::{
    address::Domain,
    deletion::Retention,
    field::FieldErrors,
    tenant::{
        DeletedTenant, LISTING, Tenant, TenantId,
        command::{TenantPatch, parse_domain},
    },
};
use serde::Serialize;
use utoipa::ToSchema;

const TENANT: &str = "tenant";

/// A tenant in a list.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantRow)]
pub(super) struct Row {
    /// Its id.
    #[serde(rename = "tenant-id")]
    id: String,
    /// The domains that it serves.
    domains: Vec<String>,
    /// When it was deleted.
    #[serde(rename = "deleted-since", skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    deleted_since: Option<String>,
    /// Until when it can be restored.
    #[serde(rename = "kept-until", skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime, nullable = false)]
    kept_until: Option<String>,
}

impl Row {
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

/// One tenant.
#[derive(Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct Shown {
    #[serde(flatten)]
    row: Row,
    /// Mailbox size of new users in megabytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    quota: Option<u64>,
    /// Language of new users.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    lang: Option<&'static str>,
    counts: Counts,
}

/// How much a tenant has.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantCounts)]
#[serde(rename_all = "kebab-case")]
struct Counts {
    /// Users.
    users: usize,
    /// Users that were deleted and are kept.
    deleted_users: usize,
    /// Mailing lists.
    maillists: usize,
    /// Resource groups.
    resourcegroups: usize,
    /// Resources.
    resources: usize,
}

/// A tenant that was made.
#[derive(Serialize, ToSchema)]
#[schema(as = TenantMade)]
pub(super) struct Made<'a> {
    /// Always true.
    success: bool,
    /// Its id.
    #[serde(rename = "tenant-id")]
    id: &'a str,
}

pub(super) async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let request = page(&mut call.parameters, &LISTING, &mut errors);
    let deleted = switch(&mut call.parameters, "deleted", &mut errors);
    errors.none()?;
    let page = if deleted {
        let page = call.directory.deleted_tenants(&request).await?;
        let items = page.items.iter().map(|tenant| Row::deleted(tenant, call.services.retention)).collect();
        Page { items, count: page.count }
    } else {
        let page = call.directory.tenants(&request).await?;
        Page { items: page.items.iter().map(Row::live).collect(), count: page.count }
    };
    Reply::json(&Listed::new("tenants", page, &request))
}

pub(super) async fn create_of_domain(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let domain = domain_parameter(call)?;
    let made = call.directory.create_tenant_of_domain(&domain).await;
    let id = made.map_err(|error| failure(call, error))?;
    Reply::json(&Made { success: true, id: id.as_str() })
}

pub(super) async fn create(call: &mut Call<'_>) -> Result<Reply, Failure> {
    ignore_tenant(&mut call.parameters);
    let mut errors = FieldErrors::default();
    let id = TenantId::parse(call.text(PathPart::Tenant));
    let id = id.map_err(|error| errors.add("tenant-id", &error)).ok();
    let domain = domain_parameter(call).map_err(|wrong| errors.absorb(wrong)).ok();
    errors.none()?;
    if let (Some(id), Some(domain)) = (id, domain) {
        call.directory.create_tenant(&id, &domain).await.map_err(|error| failure(call, error))?;
    }
    Ok(Reply::success())
}

fn domain_parameter(call: &mut Call<'_>) -> Result<Domain, FieldErrors> {
    let mut errors = FieldErrors::default();
    let text = once(&mut call.parameters, "domain", &mut errors);
    errors.none()?;
    parse_domain(text.as_deref())
}

pub(super) async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let id = call.tenant()?;
    let live = call.directory.live_tenant(id).await?.ok_or_else(|| Failure::not_found(TENANT))?;
    let counts = call.directory.tenant_counts(id).await?;
    let shown = Shown {
        row: Row::live(&live.tenant),
        quota: live.tenant.default_quota.map(mail_model::user::quota::Quota::megabytes),
        lang: live.tenant.default_language.map(mail_model::user::language::Language::as_str),
        counts: Counts {
            users: counts.users,
            deleted_users: counts.deleted_users,
            maillists: counts.mail_lists,
            resourcegroups: counts.resource_groups,
            resources: counts.resources,
        },
    };
    Ok(Reply::json(&shown)?.with_version(&live.version))
}

pub(super) async fn patch(call: &mut Call<'_>) -> Result<Reply, Failure> {
    ignore_tenant(&mut call.parameters);
    let mut errors = FieldErrors::default();
    let quota = once(&mut call.parameters, "quota", &mut errors);
    let language = once(&mut call.parameters, "lang", &mut errors);
    errors.none()?;
    let patch = TenantPatch::parse(quota.as_deref(), language.as_deref())?;
    done(call, call.directory.patch_tenant(call.tenant()?, &patch, &call.precondition).await)
}

pub(super) async fn delete(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let (directory, id) = (call.directory.clone(), call.tenant()?.clone());
    let (precondition, now) = (call.precondition.clone(), call.now);
    let outcome =
        to_the_end(call, async move { directory.delete_tenant(&id, &precondition, now).await }).await?;
    done(call, outcome)
}

pub(super) async fn restore(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let (directory, id, now) = (call.directory.clone(), call.tenant()?.clone(), call.now);
    let outcome = to_the_end(call, async move { directory.restore_tenant(&id, now).await }).await?;
    done(call, outcome)
}

pub(super) async fn add_domain(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let domain = parse_domain(Some(call.text(PathPart::Domain)))?;
    done(call, call.directory.add_domain(&tenant.id, &domain).await)
}

pub(super) async fn remove_domain(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let tenant = find_tenant(call).await?;
    let not_served = || Failure::not_found("domain of this tenant");
    let domain = Domain::parse(call.text(PathPart::Domain)).map_err(|_| not_served())?;
    match call.directory.remove_domain(&tenant.id, &domain).await {
        Err(WriteError::NotFound) => Err(not_served()),
        outcome => done(call, outcome),
    }
}

fn done(call: &Call<'_>, outcome: Result<(), WriteError>) -> Result<Reply, Failure> {
    outcome.map_err(|error| failure(call, error))?;
    Ok(Reply::success())
}

fn failure(call: &Call<'_>, error: WriteError) -> Failure {
    Failure::of_write(TENANT, error, call.services.retention)
}
