//! The Directory Manager, as whom `pbm init` and `pbm restore --replace-all` bind.

use super::patient;
use crate::config::Config;
use anyhow::{Context, bail};
use clap::Args;
use directory::{
    Directory,
    error::{DirectoryError, Unreachable},
    settings::{Credentials, LdapSettings, OnHang},
};
use ldap_text::dn::Dn;
use secrecy::SecretString;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// The variable with the Directory Manager's password.
const PASSWORD: &str = "PBM_MANAGER_PASSWORD";

#[derive(Args)]
pub(super) struct ManagerArgs {
    /// Who may change the configuration of 389-ds.
    #[arg(long, value_name = "DN", default_value = "cn=Directory Manager")]
    manager_dn: String,
    /// File with the manager's password. `PBM_MANAGER_PASSWORD` is taken instead where it is set.
    #[arg(long, value_name = "FILE")]
    manager_password_file: Option<PathBuf>,
}

impl ManagerArgs {
    /// The account with its password.
    pub(super) fn credentials(&self) -> anyhow::Result<Credentials> {
        let dn = Dn::parse(&self.manager_dn).context("--manager-dn is not a valid DN")?;
        Ok(Credentials { dn, password: self.password()? })
    }

    fn password(&self) -> anyhow::Result<SecretString> {
        if let Ok(password) = std::env::var(PASSWORD) {
            return Ok(password.into());
        }
        match &self.manager_password_file {
            Some(file) => read_secret(file),
            None => bail!(
                "the password of {} is needed: --manager-password-file FILE or {PASSWORD}",
                self.manager_dn
            ),
        }
    }

    /// A manager who is refused needs different advice than the accounts of the configuration.
    pub(super) fn explained(&self, error: DirectoryError) -> anyhow::Error {
        match error {
            DirectoryError::Unreachable(cause) if cause.is_of_account() => self.refused(&cause),
            error => error.into(),
        }
    }

    fn refused(&self, cause: &Unreachable) -> anyhow::Error {
        anyhow::anyhow!(
            "the directory does not let {} in: {cause}; check --manager-dn, and the password in --manager-password-file or \
             {PASSWORD}",
            self.manager_dn
        )
    }
}

/// The directory, bound as its manager.
pub(super) fn as_manager(config: &Config, manager: Credentials) -> Directory {
    let settings = LdapSettings { credentials: manager, on_hang: OnHang::Wait, ..config.ldap.clone() };
    patient(Directory::new(Arc::new(settings), config.tree.clone()))
}

/// The secret in a file, without line breaks at its end.
pub(super) fn read_secret(file: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(text.trim_end_matches(['\n', '\r']).into())
}
