//! The command line.

mod addressbook;
mod backup;
mod check;
mod demo;
mod dev;
mod dev_files;
mod diff;
mod import_users;
mod init;
mod purge;
mod restore;
mod serve;
mod tenant;

use crate::config::Config;
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use std::{future::Future, path::PathBuf, process::ExitCode};

/// Exit code for a wrong command line or configuration.
const USAGE: u8 = 2;

/// Administration of corporate mail on 389 Directory Server: the PBM v2 API, an address book, soft deletion.
#[derive(Parser)]
#[command(name = "pbm", version, arg_required_else_help = true, after_help = "Try it out:  pbm dev")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    Serve(ConfigArgs),
    /// Test a configuration and every connection in it, and say what is wrong.
    Check(ConfigArgs),
    /// Prepare a directory: schema, plug-ins, indexes, folders, service account, tenant `default`, first super
    /// administrator. Can be run again at any time and changes only what differs.
    Init(init::InitArgs),
    /// Remove the users and tenants whose retention is over. `pbm serve` does the same every hour.
    Purge(purge::PurgeArgs),
    /// Save everything, or some tenants, as LDIF, hashes of passwords included.
    Backup(backup::BackupArgs),
    /// Restore from LDIF: a file of `pbm backup`, `ldapsearch`, `db2ldif` or any other.
    Restore(restore::RestoreArgs),
    /// Compare an LDIF file with the directory, or with another file.
    Diff(diff::DiffArgs),
    /// Work with tenants.
    Tenant(tenant::TenantArgs),
    /// Make and change the users that a CSV or NDJSON file lists.
    ImportUsers(import_users::ImportArgs),
    /// Follow a tenant's address book over the API.
    Addressbook(addressbook::AddressBookArgs),
    /// Try pbm out: starts a private 389-ds, prepares it, fills it with demo people and serves.
    Dev(dev::DevArgs),
}

#[derive(Args)]
struct ConfigArgs {
    /// Configuration file (TOML); see pbm.example.toml. Variables such as `PBM_LDAP__URLS` win over it.
    #[arg(long, short, value_name = "FILE", env = "PBM_CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Reads the configuration, or says all that is wrong with it.
    fn read(&self) -> Result<Config, ExitCode> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Config::read(self.config.as_deref(), environment).map_err(|mistakes| {
            eprintln!("pbm: the configuration has {} mistake(s):", mistakes.len());
            for mistake in mistakes {
                eprintln!("  {mistake}");
            }
            if self.config.is_none() {
                eprintln!("No file was given: use --config FILE.");
            }
            ExitCode::from(USAGE)
        })
    }
}

/// Reads the command line and does what it says.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(args) => with_config(&args, serve::serve),
        Command::Check(args) => with_config(&args, check::check),
        Command::Init(args) => with_config(&args.config, |config| init::init(config, &args)),
        Command::Purge(args) => with_config(&args.config, |config| purge::purge(config, &args)),
        Command::Backup(args) => with_config(&args.config, |config| backup::backup(config, &args)),
        Command::Restore(args) => with_config(&args.config, |config| restore::restore(config, &args)),
        Command::Diff(args) => diff::diff(&args),
        Command::Tenant(args) => with_config(args.config(), |config| tenant::tenant(config, &args)),
        Command::ImportUsers(args) => {
            with_config(&args.config, |config| import_users::import_users(config, &args))
        }
        Command::Addressbook(args) => Ok(addressbook::addressbook(args)),
        Command::Dev(args) => Ok(dev::dev(&args)),
    };
    match outcome {
        Ok(Ok(code)) | Err(code) => code,
        Ok(Err(error)) => {
            eprintln!("pbm: {}", crate::config::chain(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// A command's outcome: its exit code, or an error to print.
type Outcome = anyhow::Result<ExitCode>;

fn with_config(args: &ConfigArgs, command: impl FnOnce(&Config) -> Outcome) -> Result<Outcome, ExitCode> {
    args.read().map(|config| command(&config))
}

/// Runs a command's async part. Requests are served by threads of their own, so one is enough here.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start the runtime")?.block_on(future)
}

/// Ready on SIGTERM or Ctrl-C.
async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let (terminate, interrupt) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
    let (Ok(mut terminate), Ok(mut interrupt)) = (terminate, interrupt) else {
        tracing::error!("signals.unavailable");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
