//! `pbm check`: tests a configuration and every connection in it.

use super::{
    Outcome, block_on,
    init::{MEMBER_OF_WARNING, back_end_warning},
    print::say,
    with_advice,
};
use crate::config::{Config, etcd_keys::UnusedKey, loading::Loaded};
use crate::etcd::settings::Endpoint;
use address_book::{
    reader::{AddressBook, CheckError},
    settings::{RedisAddress, RedisPlace, RedisSettings},
};
use directory::{
    Directory, Scope,
    error::DirectoryError,
    product::Product,
    product::completeness::Completeness,
    product::plugins::IdlePlugins,
    settings::{Credentials, LdapSettings, LdapUrl},
};
use ldap_text::filter::Filter;
use mail_model::{names, tenant::TenantId};
use mail_store::{Doveadm, settings::DoveadmSettings};
use sources::{Passed, Reader};
use std::{process::ExitCode, sync::Arc};
use visible_text::chain;
use web::tls::TlsFiles;

pub(super) fn check(loaded: &Loaded) -> Outcome {
    let config = &loaded.config;
    say!("configuration: no mistakes");
    let etcd_is_sound = check_etcd(loaded);
    let https_is_sound = match config.http.tls.as_ref().map(TlsFiles::read).transpose() {
        Ok(_) => true,
        Err(error) => {
            say!("https: {}", chain(&error));
            false
        }
    };
    let mut sound = etcd_is_sound && https_is_sound;
    block_on(async {
        for url in &config.ldap.urls {
            match check_url(config, url).await {
                Ok(findings) => {
                    sound &= findings.is_sound;
                    say!("{url}: {}", findings.lines.join("\n  "));
                }
                Err(error) => {
                    sound = false;
                    say!("{url}: {}", explain(&error, config));
                }
            }
        }
        if let Some(account) = &config.backup.account {
            sound &= check_backups(config, account).await;
        }
        match config.address_book.redis.as_ref().filter(|_| config.address_book.is_used) {
            None => {
                say!(
                    "redis: not used; the directory answers all address book requests, and there is no feed of changes"
                );
            }
            Some(redis) => sound &= check_redis(config, redis).await,
        }
        if let Some(doveadm) = &config.doveadm {
            sound &= check_doveadm(doveadm).await;
        }
        let sources = &config.sync.settings;
        for (name, source) in [("ad", &sources.directory), ("bitrix24", &sources.bitrix24)] {
            if let Some(source) = source {
                sound &= check_source(name, source).await;
            }
        }
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Prints what etcd gave.
fn check_etcd(loaded: &Loaded) -> bool {
    let Some(etcd) = &loaded.etcd else { return true };
    match &etcd.snapshot {
        Ok(snapshot) => {
            let (keys, revision) = (snapshot.values.len(), snapshot.revision);
            say!("etcd at {}: {keys} keys at revision {revision}", etcd.client.endpoint());
            if !snapshot.denied.is_empty() {
                say!("  The account may not read {}: they count as empty.", snapshot.denied.join(", "));
            }
        }
        Err((endpoint, error)) => {
            say!("etcd at {endpoint}: {}; pbm serve would start without it", chain(error));
        }
    }
    for endpoint in config_endpoints(loaded).filter(|endpoint| endpoint.is_exposed()) {
        say!(
            "  Warning: {endpoint} is not secured by TLS: whoever can change an answer is a super administrator."
        );
    }
    for UnusedKey { key, reason } in &loaded.unused {
        say!("  {key} is not used: {reason}");
    }
    for warning in &loaded.warnings {
        say!("  Warning: {warning}");
    }
    etcd.snapshot.is_ok()
}

fn config_endpoints(loaded: &Loaded) -> impl Iterator<Item = &Endpoint> {
    loaded.config.etcd.iter().flat_map(|etcd| &etcd.endpoints)
}

/// Reaches a source of contacts, and prints the result.
async fn check_source(name: &str, source: &Reader) -> bool {
    let probed = source.probe().await;
    match &probed {
        Ok(missing) => {
            say!("sync.{name}: connected and logged in");
            for Passed { what, why, .. } in missing {
                say!("  Warning: {what}: {why}");
            }
        }
        Err(error) => say!("sync.{name}: {error}"),
    }
    probed.is_ok()
}

/// Checks the account for backups and restores, and prints the result.
async fn check_backups(config: &Config, account: &Credentials) -> bool {
    let Some(ldap) = config.ldap_for_backups() else { return true };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    let (sound, findings) = match directory.sees_passwords().await {
        Ok(true) => (true, "connected, and may read what backups need".to_owned()),
        Ok(false) => (false, "connected, but may not read password hashes: run pbm init".to_owned()),
        Err(error) => (false, explained(&error, "backup")),
    };
    say!("backups as {}: {findings}", account.dn);
    sound && check_policies(config, account, &directory).await
}

/// Checks that the password policies named in pbm's accounts exist, and prints the missing ones. The account for
/// backups can see them.
async fn check_policies(config: &Config, account: &Credentials, directory: &Directory) -> bool {
    let decoy = config.tree.decoy();
    let accounts = [&config.ldap.credentials.dn, &account.dn, &decoy];
    match directory.without_their_policy(&accounts).await {
        Ok(missing) => {
            for (account, policy) in &missing {
                say!(
                    "{account}: its password policy {policy} does not exist, so its password may expire or be locked: run pbm init"
                );
            }
            missing.is_empty()
        }
        Err(error) => {
            say!("password policies: {}", explained(&error, "backup"));
            false
        }
    }
}

/// Checks the mail server, and prints the result.
async fn check_doveadm(settings: &DoveadmSettings) -> bool {
    let doveadm = Doveadm::new(settings);
    let asked = tokio::task::spawn_blocking(move || doveadm.missing_commands()).await;
    let (is_sound, findings) = match asked {
        Ok(Ok(missing)) if missing.is_empty() => {
            (true, "connected, and has the commands that pbm needs".to_owned())
        }
        Ok(Ok(missing)) => (false, format!("lacks the commands {}", missing.join(", "))),
        Ok(Err(error)) => (false, chain(&error)),
        Err(error) => (false, chain(&error)),
    };
    say!("doveadm at {}: {findings}", settings.url);
    is_sound
}

/// Checks Redis, and prints the result.
async fn check_redis(config: &Config, redis: &RedisSettings) -> bool {
    let place = words_for(&redis.place);
    let book = match AddressBook::new(&config.address_book, config.tree.clone(), v2::json::render) {
        Ok(book) => book,
        Err(error) => {
            say!("{place}: {}; check redis.ca_file", chain(&error));
            return false;
        }
    };
    let checked = book.check().await;
    match &checked {
        Ok(()) => say!("{place}: connected{}", if redis.tls.is_some() { ", secured by TLS" } else { "" }),
        Err(error) => say!("{place}: {}{}", chain(error), hint(error, redis)),
    }
    checked.is_ok()
}

fn words_for(place: &RedisPlace) -> String {
    let written = |address: &RedisAddress| format!("{}:{}", address.host, address.port);
    match place {
        RedisPlace::Server(address) => format!("redis at {}", written(address)),
        RedisPlace::Sentinels { sentinels, master } => {
            let sentinels: Vec<_> = sentinels.iter().map(written).collect();
            format!("redis {master} of the sentinels {}", sentinels.join(", "))
        }
    }
}

/// Advice on an error of Redis.
fn hint(error: &CheckError, redis: &RedisSettings) -> &'static str {
    match error {
        CheckError::Connection(_) if redis.tls.is_some() => {
            "; is it running, are host and port right, does it speak TLS, and does redis.ca_file sign its certificate?"
        }
        CheckError::Connection(_) => {
            "; is it running, are host and port right, and does it want TLS (rediss:// or redis.tls)?"
        }
        CheckError::LogIn(_) if redis.password.is_none() => "; set redis.password_file or redis.password",
        CheckError::LogIn(_) => "; check redis.username and redis.password",
        CheckError::NoMaster(_) => "; check redis.sentinel_master, and whether its master is up",
        CheckError::Refused(_) => {
            "; the user needs reading, writing and scripts under redis.prefix and the command INFO, and the server must take writes"
        }
    }
}

/// The results of checking a server to which pbm could bind.
struct Findings {
    lines: Vec<String>,
    is_sound: bool,
}

async fn check_url(config: &Config, url: &LdapUrl) -> Result<Findings, DirectoryError> {
    let settings = LdapSettings { urls: vec![url.clone()], ..config.ldap.clone() };
    let directory = Directory::new(Arc::new(settings), config.tree.clone());
    let completeness = directory.completeness().await?;
    if completeness == Completeness::Unfinished {
        return Ok(Findings { lines: vec![completeness.to_string()], is_sound: false });
    }
    let missing = missing_folders(config, &directory).await?;
    let tenant = match directory.tenant(&TenantId::default_tenant()).await? {
        Some(tenant) => tenant,
        None if missing.is_empty() || missing.len() == KEYS.len() => return Err(DirectoryError::NotFound),
        None => return Ok(Findings { lines: missing, is_sound: false }),
    };
    let domains: Vec<_> = tenant.domains.iter().map(ToString::to_string).collect();
    let secured = if config.ldap.start_tls { ", secured by StartTLS" } else { "" };
    let (account, domains) = (&config.ldap.credentials.dn, domains.join(", "));
    let product = directory.product().await?;
    let mut lines = vec![
        format!("connected{secured}, bound as {account}, tenant default serves {domains}"),
        described(&product),
    ];
    lines.extend(back_end_warning(&product).map(str::to_owned));
    lines.extend(directory.member_of_is_on().await?.then(|| MEMBER_OF_WARNING.to_owned()));
    let conflicts = directory.conflict_entries().await?;
    if conflicts.count() > 0 {
        lines.push(format!("Warning: {conflicts}."));
    }
    let idle = directory.idle_plugins().await?;
    let is_sound = missing.is_empty() && idle.as_ref().is_none_or(IdlePlugins::is_empty);
    lines.extend(missing);
    match idle {
        None => {
            lines.push("plug-ins unknown: run pbm init, which lets the service account see them".to_owned());
        }
        Some(idle) if idle.is_empty() => {}
        Some(idle) => lines.push(format!("plug-ins do not run, so an address may be given twice: {idle}")),
    }
    Ok(Findings { lines, is_sound })
}

/// The settings that name the folders, in the order of [`Tree::folders`](mail_model::tree::Tree::folders).
const KEYS: [&str; 6] =
    ["tree.domains", "tree.people", "tree.groups", "tree.resources", "tree.contacts", "tree.system"];

/// The missing folders, each with the setting that names it and advice.
async fn missing_folders(config: &Config, directory: &Directory) -> Result<Vec<String>, DirectoryError> {
    let everything = Filter::present(names::OBJECT_CLASS);
    let [domains, people, groups, resources, contacts, system] = config.tree.folders();
    // The service account may not read the folder of accounts, but it may read one below it.
    let answers = config.tree.answers();
    let looked_for = [domains, people, groups, resources, contacts, &answers];
    let named = [domains, people, groups, resources, contacts, system];
    let mut missing = Vec::new();
    for ((key, folder), named) in KEYS.iter().zip(looked_for).zip(named) {
        if directory.find(folder, Scope::Base, &everything, &[names::NO_ATTRIBUTES]).await?.is_none() {
            missing.push(format!(
                "{key}: there is no {named} that the service account can read: correct the name, or run pbm init, which makes \
                 the folder"
            ));
        }
    }
    Ok(missing)
}

/// Describes a server.
fn described(product: &Product) -> String {
    let version = product.version.as_deref().unwrap_or("a server that does not report its version");
    match &product.back_end {
        Some(back_end) => format!("{version}, back end {back_end}"),
        None => format!("{version}, back end unknown: run pbm init, which lets the service account read it"),
    }
}

/// Advice on an error.
fn explain(error: &DirectoryError, config: &Config) -> String {
    if matches!(error, DirectoryError::NotFound) {
        let root = config.tree.root();
        return format!(
            "connected, but there is no tenant default below {root} that the service account can read: is tree.root right? Then run pbm init"
        );
    }
    explained(error, "ldap")
}

/// An error with its causes and advice. `keys` is the section of the configuration that holds the account.
fn explained(error: &DirectoryError, keys: &str) -> String {
    let is_of_account = matches!(error, DirectoryError::Unreachable(cause) if cause.is_of_account());
    let settings =
        if is_of_account { format!(" ({keys}.bind_dn, {keys}.bind_password)") } else { String::new() };
    format!("{}{settings}", with_advice(error))
}
