//! `pbm init`: prepares a directory.

use super::{
    ConfigArgs, Outcome, block_on,
    manager::{ManagerArgs, as_manager, read_secret},
    print::{say, tell, to_stderr, to_stdout},
};
use crate::config::Config;
use anyhow::{Context, bail};
use clap::Args;
use directory::{
    Directory,
    product::{BackEnd, Product},
    setup::{SetupEvent, SetupReport, SetupRequest},
};
use ldap_text::ldif::Change;
use mail_model::{
    address::{Domain, MailAddress},
    field::FieldErrors,
    tenant::{Tenant, TenantId},
    user::{
        command::{NewUser, Password, parse_fields},
        field::UserField,
    },
};
use secrecy::{ExposeSecret, SecretString};
use std::{path::PathBuf, process::ExitCode};

/// The variable with the super administrator's password.
pub(super) const ADMIN_PASSWORD: &str = "PBM_ADMIN_PASSWORD";

/// A server with fewer threads gets a warning.
const ENOUGH_THREADS: u32 = 32;

/// The cost of the plug-in memberOf (docs/decisions/0027-without-memberof.md).
pub(super) const MEMBER_OF_WARNING: &str = "The plug-in memberOf is on. pbm does not need it. It writes to the entry of each \
    member of a list: to add 10,000 members takes 42 s with it and 0.2 s without, and all other changes wait; lists in \
    lists take a multiple of that. OPERATIONS.md, Lists and memberOf.";

#[derive(Args)]
pub(super) struct InitArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// A mail domain that the tenant `default` serves. Needed the first time; later one more is added to the tenant.
    #[arg(long)]
    domain: Option<String>,
    /// Address of the first super administrator [default: admin@DOMAIN]. Made only when there is none.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// File with the first super administrator's password; made with a random one (mode 0600) when it is not
    /// there. `PBM_ADMIN_PASSWORD` is taken instead where it is set. Neither is looked at where there is a super
    /// administrator already.
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    #[command(flatten)]
    manager: ManagerArgs,
    /// Turn the plug-in memberOf on, and index its attribute, for other programs. pbm does not need it, and it makes large
    /// lists slow to change.
    #[arg(long)]
    with_member_of: bool,
    /// Print the changes as LDIF and make none.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn init(config: &Config, args: &InitArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    let given = args.domain.as_deref();
    let given =
        given.map(|text| Domain::parse(text).with_context(|| format!("--domain {text}"))).transpose()?;
    let manager = args.manager.credentials()?;
    block_on(async {
        let directory = as_manager(config, manager);
        let tenant = directory.tenant(&TenantId::default_tenant()).await;
        let tenant = tenant.map_err(|error| args.manager.explained(error))?;
        let domain = domain(&directory, given, tenant.as_deref()).await?;
        let request = SetupRequest {
            service: config.ldap.credentials.clone(),
            backup: config.backup.account.clone(),
            administrator: missing_administrator(&directory, args, &domain).await?,
            domain,
            with_member_of: args.with_member_of,
        };
        let report =
            Box::pin(directory.set_up(&request, args.dry_run, |event| print(&event, args.dry_run))).await?;
        conclude(&report, args.dry_run);
        tell_of_domain(tenant.as_deref(), &request.domain, args.dry_run);
        Ok(ExitCode::SUCCESS)
    })
}

/// The given domain, unless another tenant serves it; without one, a domain that the tenant `default` serves.
async fn domain(
    directory: &Directory,
    given: Option<Domain>,
    tenant: Option<&Tenant>,
) -> anyhow::Result<Domain> {
    let Some(domain) = given else {
        let served = tenant.and_then(|tenant| tenant.domains.first()).cloned();
        return served.context("the tenant default needs a mail domain the first time: --domain DOMAIN");
    };
    match directory.tenant_of_domain(&domain).await? {
        Some(owner) if owner != TenantId::default_tenant() => {
            bail!("--domain {domain}: the tenant {owner} serves it already")
        }
        _ => Ok(domain),
    }
}

/// Reports that an existing tenant serves one more domain.
fn tell_of_domain(tenant: Option<&Tenant>, domain: &Domain, dry_run: bool) {
    let Some(tenant) = tenant.filter(|tenant| !tenant.domains.contains(domain)) else { return };
    let others: Vec<_> = tenant.domains.iter().map(ToString::to_string).collect();
    let serves = if dry_run { "would serve" } else { "serves" };
    tell!("The tenant default {serves} one domain more: {domain}, beside {}.", others.join(", "));
}

/// The first super administrator, if there is none. Only then is a password requested or generated.
async fn missing_administrator(
    directory: &Directory,
    args: &InitArgs,
    domain: &Domain,
) -> anyhow::Result<Option<NewUser>> {
    if directory.has_super_administrator().await? {
        return Ok(None);
    }
    let address = args.admin.clone().unwrap_or_else(|| format!("admin@{domain}"));
    administrator(&address, &admin_password(args)?, domain).map(Some)
}

/// The first super administrator.
pub(super) fn administrator(
    address: &str,
    password: &SecretString,
    domain: &Domain,
) -> anyhow::Result<NewUser> {
    let mail =
        MailAddress::parse(address).with_context(|| format!("the administrator's address {address}"))?;
    let password = Password::parse(password.expose_secret()).context("the administrator's password")?;
    let tenant = Tenant {
        id: TenantId::default_tenant(),
        domains: vec![domain.clone()],
        default_quota: None,
        default_language: None,
    };
    let texts =
        [(UserField::FirstName, "Super"), (UserField::LastName, "Administrator"), (UserField::Role, "3")];
    let mut errors = FieldErrors::default();
    let fields = parse_fields(texts, &mut errors);
    NewUser::new(Some(mail), Some(password), fields, &tenant, errors)
        .context("the administrator cannot be made")
}

fn admin_password(args: &InitArgs) -> anyhow::Result<SecretString> {
    if let Ok(password) = std::env::var(ADMIN_PASSWORD) {
        return Ok(password.into());
    }
    match &args.admin_password_file {
        Some(file) if file.exists() => read_secret(file),
        _ if args.dry_run => Ok("not made in a dry run".into()),
        Some(file) => super::dev_files::secret_file(file),
        None => bail!(
            "a password for the first super administrator is needed: --admin-password-file FILE or {ADMIN_PASSWORD}"
        ),
    }
}

fn print(event: &SetupEvent<'_>, dry_run: bool) {
    match event {
        SetupEvent::Change(change) if dry_run => to_stdout(format_args!("{change}")),
        SetupEvent::Change(change) => {
            let done = match change.change {
                Change::Add(_) => "added",
                Change::Modify(_) => "changed",
                Change::Rename { .. } => "renamed",
                Change::Delete => "removed",
            };
            say!("{done} {}", change.dn);
        }
        SetupEvent::Indexing => to_stderr(format_args!(".")),
        SetupEvent::AdministratorMade if !dry_run => say!("made the first super administrator"),
        SetupEvent::AdministratorMade => {}
    }
}

fn conclude(report: &SetupReport, dry_run: bool) {
    let changes = report.changes;
    match (changes, dry_run) {
        (0, _) => tell!("Everything is as it should be; nothing to change."),
        (_, true) => tell!("{changes} change(s) would be made."),
        (_, false) => tell!("{changes} change(s) made."),
    }
    if let Some(warning) = back_end_warning(&report.product) {
        tell!("{warning}");
    }
    if let Some(threads) = report.product.threads.filter(|threads| *threads < ENOUGH_THREADS) {
        tell!(
            "This server answers requests with {threads} threads. When as many clients wait for a write, it answers nobody, and pbm \
             takes it for one that hangs. Set nsslapd-threadnumber to 32: OPERATIONS.md, Threads of 389-ds."
        );
    }
    if report.member_of_is_on {
        tell!("{MEMBER_OF_WARNING}");
    }
    if report.member_of_waits {
        tell!("389-ds starts the plug-in memberOf only when it is restarted.");
    }
    if report.renames_search_everything {
        tell!(
            "Each rename searches everybody in this server, and keeps all other changes waiting meanwhile: the plug-in for \
             referential integrity was on before, and has no scope. OPERATIONS.md, Renames, tells how to give it one."
        );
    }
    if let Some(other) = &report.other_password_admin {
        tell!(
            "Restores cannot bring back hashed passwords: passwordAdminDN in cn=config is {other}. If that is a group, add the \
             account backup.bind_dn to it; otherwise replace it by a group of both."
        );
    }
    if !report.waiting.is_empty() {
        tell!(
            "Restart 389-ds now: it loads these plug-ins only at its start: {}. Until then pbm is not ready, since addresses may be \
             given twice.",
            report.waiting.join(", ")
        );
    }
    if !report.would_wait.is_empty() {
        tell!(
            "389-ds would have to be restarted then: it loads these plug-ins only at its start: {}.",
            report.would_wait.join(", ")
        );
    }
}

/// The warning about a back end.
pub(super) fn back_end_warning(product: &Product) -> Option<&'static str> {
    (product.back_end == Some(BackEnd::BerkeleyDb)).then_some(
        "Warning: the back end of this server is Berkeley DB. As Debian and Ubuntu have it, it hangs under load. Move the server \
         to LMDB: OPERATIONS.md, The back end of 389-ds. (On RHEL and Fedora it has not been seen to hang.)",
    )
}
