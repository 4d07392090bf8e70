//! `pbm init`: prepares a directory.

use super::{ConfigArgs, Outcome, block_on};
use crate::config::Config;
use anyhow::{Context, bail};
use clap::Args;
use directory::{
    Directory,
    settings::{Credentials, LdapSettings},
    setup::{SetupEvent, SetupReport, SetupRequest},
};
use ldap_text::{dn::Dn, ldif::Change};
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
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// The variable that holds the super administrator's password.
pub(super) const ADMIN_PASSWORD: &str = "PBM_ADMIN_PASSWORD";
/// The variable that holds the Directory Manager's password.
const MANAGER_PASSWORD: &str = "PBM_MANAGER_PASSWORD";

#[derive(Args)]
pub(super) struct InitArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// A mail domain that the tenant `default` serves.
    #[arg(long)]
    domain: String,
    /// Address of the first super administrator [default: admin@DOMAIN]. Made only when there is none.
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// File with the first super administrator's password; made with a random one (mode 0600) when it is not
    /// there. `PBM_ADMIN_PASSWORD` is taken instead where it is set.
    #[arg(long, value_name = "FILE")]
    admin_password_file: Option<PathBuf>,
    /// Who may change the configuration of 389-ds.
    #[arg(long, value_name = "DN", default_value = "cn=Directory Manager")]
    manager_dn: String,
    /// File with the manager's password. `PBM_MANAGER_PASSWORD` is taken instead where it is set.
    #[arg(long, value_name = "FILE")]
    manager_password_file: Option<PathBuf>,
    /// Print the changes as LDIF and make none.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn init(config: &Config, args: &InitArgs) -> Outcome {
    let domain = Domain::parse(&args.domain).with_context(|| format!("--domain {}", args.domain))?;
    let address = args.admin.clone().unwrap_or_else(|| format!("admin@{domain}"));
    let manager = Credentials {
        dn: Dn::parse(&args.manager_dn).context("--manager-dn is no DN")?,
        password: manager_password(args)?,
    };
    let password = admin_password(args)?;
    let request = SetupRequest {
        service: config.ldap.credentials.clone(),
        backup: config.backup.account.clone(),
        administrator: administrator(&address, &password, &domain)?,
        domain,
    };
    let report =
        block_on(set_up(config, manager, &request, args.dry_run, |event| print(&event, args.dry_run)))?;
    conclude(&report, args.dry_run);
    Ok(ExitCode::SUCCESS)
}

/// Sets a directory up, bound as its manager.
pub(super) async fn set_up(
    config: &Config,
    manager: Credentials,
    request: &SetupRequest,
    dry_run: bool,
    on_event: impl FnMut(SetupEvent<'_>),
) -> anyhow::Result<SetupReport> {
    let settings = LdapSettings { credentials: manager, ..config.ldap.clone() };
    let directory = Directory::new(Arc::new(settings), config.tree.clone());
    Ok(directory.set_up(request, dry_run, on_event).await?)
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
    NewUser::new(Some(mail), Some(password), fields, &tenant, errors).map_err(|errors| {
        let reasons: Vec<_> = errors.by_parameter().values().cloned().collect();
        anyhow::anyhow!("the administrator cannot be made: {}", reasons.join("; "))
    })
}

fn manager_password(args: &InitArgs) -> anyhow::Result<SecretString> {
    if let Ok(password) = std::env::var(MANAGER_PASSWORD) {
        return Ok(password.into());
    }
    match &args.manager_password_file {
        Some(file) => read_secret(file),
        None => bail!(
            "the password of {} is needed: --manager-password-file FILE or {MANAGER_PASSWORD}",
            args.manager_dn
        ),
    }
}

fn admin_password(args: &InitArgs) -> anyhow::Result<SecretString> {
    if let Ok(password) = std::env::var(ADMIN_PASSWORD) {
        return Ok(password.into());
    }
    match &args.admin_password_file {
        Some(file) if args.dry_run && !file.exists() => Ok("not made in a dry run".into()),
        Some(file) => super::dev_files::secret_file(file),
        None => bail!(
            "a password for the first super administrator is needed: --admin-password-file FILE or {ADMIN_PASSWORD}"
        ),
    }
}

fn read_secret(file: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim_end_matches(['\n', '\r']).into())
}

fn print(event: &SetupEvent<'_>, dry_run: bool) {
    match event {
        SetupEvent::Change(change) if dry_run => print!("{change}"),
        SetupEvent::Change(change) => {
            let done = match change.change {
                Change::Add(_) => "added",
                Change::Modify(_) => "changed",
                Change::Rename { .. } => "renamed",
                Change::Delete => "removed",
            };
            println!("{done} {}", change.dn);
        }
        SetupEvent::Indexing => eprint!("."),
        SetupEvent::AdministratorMade if !dry_run => println!("made the first super administrator"),
        SetupEvent::AdministratorMade => {}
    }
}

fn conclude(report: &SetupReport, dry_run: bool) {
    let changes = report.changes;
    match (changes, dry_run) {
        (0, _) => eprintln!("Everything is as it should be; nothing to change."),
        (_, true) => eprintln!("{changes} change(s) would be made."),
        (_, false) => eprintln!("{changes} change(s) made."),
    }
    if let Some(other) = &report.other_password_admin {
        eprintln!(
            "Restores cannot bring back hashed passwords: passwordAdminDN in cn=config is {other}. If that is a group, add the \
             account backup.bind_dn to it; otherwise replace it by a group of both."
        );
    }
    if !report.restart_for.is_empty() {
        eprintln!(
            "Restart 389-ds now: it loads these plug-ins only at its start: {}.",
            report.restart_for.join(", ")
        );
    }
}
