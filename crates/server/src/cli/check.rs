//! `pbm check`: tests a configuration and every connection in it.

use super::{Outcome, block_on};
use crate::config::{Config, chain};
use address_book::{
    desk::{AddressBook, CheckError},
    settings::{RedisAddress, RedisPlace, RedisSettings},
};
use directory::{
    Directory,
    error::{DirectoryError, Unreachable},
    settings::{Credentials, LdapSettings, LdapUrl},
};
use mail_model::tenant::TenantId;
use std::{process::ExitCode, sync::Arc};

pub(super) fn check(config: &Config) -> Outcome {
    println!("configuration: no mistakes");
    let mut sound = match config.http.check_tls() {
        Ok(()) => true,
        Err(error) => {
            println!("https: {}", chain(&error));
            false
        }
    };
    block_on(async {
        for url in &config.ldap.urls {
            match check_url(config, url).await {
                Ok(findings) => println!("{url}: {findings}"),
                Err(error) => {
                    sound = false;
                    println!("{url}: {}", explain(&error, config));
                }
            }
        }
        if let Some(account) = &config.backup.account {
            sound &= check_backups(config, account).await;
        }
        match &config.address_book.redis {
            None => println!(
                "redis: not used; the directory answers for the address book, without a feed of changes"
            ),
            Some(redis) => sound &= check_redis(config, redis).await,
        }
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Whether the account that backs up and restores is of use; says so.
async fn check_backups(config: &Config, account: &Credentials) -> bool {
    let Some(ldap) = config.ldap_for_backups() else { return true };
    let directory = Directory::new(Arc::new(ldap), config.tree.clone());
    let (sound, findings) = match directory.sees_passwords().await {
        Ok(true) => (true, "connected, and may read what backups need".to_owned()),
        Ok(false) => (false, "connected, but may not read hashes of passwords: run pbm init".to_owned()),
        Err(DirectoryError::Unreachable(Unreachable::Bind { code: 49, .. })) => (
            false,
            "the bind was refused; check backup.bind_password, or run pbm init, which makes the account"
                .to_owned(),
        ),
        Err(error) => (false, chain(&error)),
    };
    println!("backups as {}: {findings}", account.dn);
    sound
}

/// Whether Redis is of use; says so.
async fn check_redis(config: &Config, redis: &RedisSettings) -> bool {
    let place = words_for(&redis.place);
    let book = match AddressBook::new(&config.address_book, config.tree.clone()) {
        Ok(book) => book,
        Err(error) => {
            println!("{place}: {}; check redis.ca_file", chain(&error));
            return false;
        }
    };
    let checked = book.check().await;
    match &checked {
        Ok(()) => println!("{place}: connected{}", if redis.tls.is_some() { ", secured by TLS" } else { "" }),
        Err(error) => println!("{place}: {}{}", chain(error), hint(error, redis)),
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

/// What to do about an error of Redis.
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

async fn check_url(config: &Config, url: &LdapUrl) -> Result<String, DirectoryError> {
    let settings = LdapSettings { urls: vec![url.clone()], ..config.ldap.clone() };
    let directory = Directory::new(Arc::new(settings), config.tree.clone());
    directory.ping().await?;
    let tenant = directory.tenant(&TenantId::default_tenant()).await?.ok_or(DirectoryError::NotFound)?;
    let domains: Vec<_> = tenant.domains.iter().map(ToString::to_string).collect();
    let secured = if config.ldap.start_tls { ", secured by StartTLS" } else { "" };
    Ok(format!(
        "connected{secured}, bound as {}, tenant default serves {}",
        config.ldap.credentials.dn,
        domains.join(", ")
    ))
}

/// What to do about an error.
fn explain(error: &DirectoryError, config: &Config) -> String {
    let hint = match error {
        DirectoryError::NotFound => {
            let root = config.tree.root();
            return format!(
                "connected, but there is no tenant default below {root} that the service account can read: run pbm init"
            );
        }
        DirectoryError::Unreachable(Unreachable::Bind { code: 49, .. }) => {
            "; check ldap.bind_dn and ldap.bind_password, or run pbm init, which sets the password"
        }
        DirectoryError::Unreachable(Unreachable::Bind { code: 13, .. }) => {
            "; the server wants a secure connection: use ldaps:// or ldap.start_tls = true"
        }
        DirectoryError::Unreachable(Unreachable::Connection(_)) => {
            "; is the server running, are host and port right, and does ldap.ca_file sign its certificate?"
        }
        _ => "",
    };
    format!("{}{hint}", chain(error))
}
