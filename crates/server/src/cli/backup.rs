//! `pbm backup`: saves everything, or some tenants, as LDIF.

use super::{
    ConfigArgs, Outcome, USAGE, block_on, patient,
    print::{Stdout, tell},
};
use crate::{
    backup::{Target, save},
    config::Config,
};
use administration::{backups::order, caller::Actor, clock};
use anyhow::Context;
use clap::Args;
use directory::{
    Directory,
    backup::{BackedUp, BackupProgress, BackupRequest},
    settings::LdapSettings,
};
use indicatif::{ProgressBar, ProgressStyle};
use mail_model::tenant::TenantId;
use std::{
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Connections of a command: 389-ds adds a fifth more entries over 64 connections than over 32, and no other task needs
/// any.
const CONNECTIONS: usize = 64;

/// Denotes standard input or output.
pub(super) const STANDARD: &str = "-";

const EXAMPLE: &str = "Examples:

  $ pbm backup --config pbm.toml --output everything.ldif.zst
  $ pbm backup --config pbm.toml --tenant acme | gpg --encrypt --recipient backup@example.com > acme.ldif.gpg

The file holds password hashes, so only its owner can read it. It ends with the number of entries and a checksum, so \
`pbm restore` and `pbm diff` detect a truncated or altered file. Every tool that reads LDIF can read it.

Exit code: 0 when everything is saved (conflict entries are listed and omitted), 1 on failure, 2 when the command line \
or the configuration is wrong.";

#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct BackupArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The file, compressed if its name ends with .gz or .zst; `-` for standard output. An existing file is replaced
    /// when the new one is complete.
    #[arg(long, short, value_name = "FILE", default_value = STANDARD)]
    output: PathBuf,
    /// Save only this tenant; may be repeated.
    #[arg(long = "tenant", value_name = "ID")]
    tenants: Vec<String>,
}

pub(super) fn backup(config: &Config, args: &BackupArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    let request = order(&Actor::Operator, tenants(&args.tenants)?, clock::now())?;
    let is_standard = args.output == Path::new(STANDARD);
    if is_standard && io::stdout().is_terminal() {
        tell!("pbm: a backup holds password hashes and is not printed to a terminal: use --output FILE");
        return Ok(ExitCode::from(USAGE));
    }
    let directory = backup_directory(config)?;
    let target = if is_standard {
        Target::Stream(Box::new(Stdout))
    } else {
        Target::file(&args.output).with_context(|| format!("--output {}", args.output.display()))?
    };
    let progress = bar("{wide_bar} {pos} of {len} entries, {eta} left");
    let request = BackupRequest { counts: io::stderr().is_terminal(), ..request };
    let shown = |BackupProgress { written, expected }| {
        progress.set_length(expected.max(written));
        progress.set_position(written);
    };
    let saved = block_on(async { Ok(Box::pin(save(&directory, &request, target, shown)).await?) });
    progress.finish_and_clear();
    let BackedUp { entries, set_aside } = saved?;
    tell!("{entries} entries saved.");
    if set_aside.count() > 0 {
        tell!("Not saved: {set_aside}.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Parses the IDs of tenants.
pub(super) fn tenants(texts: &[String]) -> anyhow::Result<Vec<TenantId>> {
    texts.iter().map(|text| TenantId::parse(text).with_context(|| format!("--tenant {text:?}"))).collect()
}

/// The directory, accessed with the account for backups and restores.
pub(super) fn backup_directory(config: &Config) -> anyhow::Result<Directory> {
    let ldap = config.ldap_for_backups().context(
        "no account that may read password hashes is configured: set backup.bind_password_file and run pbm init, \
         which makes the account",
    )?;
    let connections = ldap.connections.max(CONNECTIONS);
    let settings = Arc::new(LdapSettings { connections, ..ldap });
    Ok(patient(Directory::new(settings, config.tree.clone())))
}

/// A progress bar on a terminal; nothing elsewhere.
pub(super) fn bar(template: &str) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
