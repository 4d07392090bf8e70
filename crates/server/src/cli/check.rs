//! `pbm check`: tests a configuration and every connection in it.

use super::{Outcome, block_on};
use crate::config::{Config, chain};
use directory::{
    Directory,
    error::{DirectoryError, Unreachable},
    settings::{LdapSettings, LdapUrl},
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
        Ok(if sound { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
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
