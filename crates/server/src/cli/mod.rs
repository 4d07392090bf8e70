//! The command line.

mod addressbook;
mod backup;
mod check;
mod config;
mod demo;
mod dev;
mod dev_files;
mod diff;
mod import_users;
mod init;
mod manager;
mod print;
mod purge;
mod replace;
mod restore;
mod serve;
mod sync;
mod tenant;

use crate::config::{
    Config,
    loading::{LoadError, Loaded},
    source::Inputs,
};
use crate::etcd::error::EtcdError;
use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use directory::{Directory, error::Unreachable};
use print::tell;
use std::{future::Future, path::PathBuf, process::ExitCode, time::Duration};
use visible_text::chain;

/// Exit code for a wrong command line or configuration.
const USAGE: u8 = 2;

/// Administration of corporate mail on 389 Directory Server: the PBM v2 API, an address book, soft deletion.
#[derive(Parser)]
#[command(
    name = "pbm",
    version,
    arg_required_else_help = true,
    after_help = "Try it out:  pbm dev\n\nA command whose output pipe is closed ends with exit code 141."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API.
    #[command(
        after_help = "Exit code: 0 when a signal (SIGTERM, Ctrl-C) ends it, 1 when it cannot serve, 2 when the command line or \
        the configuration is wrong."
    )]
    Serve(ConfigArgs),
    /// Test a configuration and every connection in it, and report the problems.
    #[command(
        after_help = "Exit code: 0 when there is no error (warnings do not count), 1 when there is an error, 2 when the command line or \
        the configuration is."
    )]
    Check(ConfigArgs),
    /// Prepare a directory: schema, plug-ins, indexes, folders, service account, tenant `default`, first super
    /// administrator. Safe to run again: changes only what differs.
    #[command(
        after_help = "Exit code: 0 when the directory is prepared, even if 389-ds still needs a restart; 1 on failure; 2 \
        when the command line or the configuration is wrong. Completed steps are kept; run the command again to continue."
    )]
    Init(init::InitArgs),
    /// Remove the users and tenants whose retention has ended. `pbm serve` does the same every hour.
    #[command(
        after_help = "Exit code: 0 when all are removed, 1 when an entry could not be removed or the directory failed, 2 when the \
        command line or the configuration is wrong."
    )]
    Purge(purge::PurgeArgs),
    /// Save everything, or some tenants, as LDIF, including password hashes.
    Backup(backup::BackupArgs),
    /// Restore from LDIF: a file of `pbm backup`, `ldapsearch`, `db2ldif` or another program.
    Restore(restore::RestoreArgs),
    /// Compare an LDIF file with the directory, or with another file.
    Diff(diff::DiffArgs),
    /// Work with tenants.
    Tenant(tenant::TenantArgs),
    /// Create and change the users that a CSV or NDJSON file lists.
    ImportUsers(import_users::ImportArgs),
    /// Synchronize a tenant with a source from outside: Active Directory or another directory, or Bitrix24.
    Sync(sync::SyncArgs),
    /// Follow a tenant's address book over the API.
    Addressbook(addressbook::AddressBookArgs),
    /// Show the settings that are in force, and how to store them in etcd.
    Config(config::ConfigCommandArgs),
    /// Try pbm out: starts a private 389-ds, prepares it, fills it with demo people and serves.
    #[command(
        after_help = "Exit code: 0 when a signal (SIGTERM, Ctrl-C) ends it, 1 when it cannot serve, 2 when the command line is wrong."
    )]
    Dev(dev::DevArgs),
}

#[derive(Args)]
struct ConfigArgs {
    /// Configuration file (TOML); see pbm.example.toml. Variables such as `PBM_LDAP__URLS` take precedence.
    #[arg(long, short, value_name = "FILE", env = "PBM_CONFIG")]
    config: Option<PathBuf>,
}

impl ConfigArgs {
    /// Reads the configuration, or prints every mistake in it.
    fn load(&self) -> Result<Loaded, ExitCode> {
        self.read().map_err(|error| self.explain(&error))
    }

    fn read(&self) -> Result<Loaded, LoadError> {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        let inputs = Inputs::new(self.config.as_deref(), environment);
        let waits = |endpoint: &str, error: &EtcdError| {
            tell!("pbm: waiting for etcd at {endpoint}: {}", chain(error));
        };
        Loaded::read(inputs, waits)
    }

    /// Prints why there is no configuration; returns the exit code.
    fn explain(&self, error: &LoadError) -> ExitCode {
        let LoadError::Mistakes { findings, etcd } = error else {
            tell!("pbm: {}", chain(error));
            return ExitCode::FAILURE;
        };
        tell!("pbm: {error}:");
        for mistake in &findings.mistakes {
            tell!("  {mistake}");
        }
        if let Some(etcd) = etcd {
            tell!("{etcd}.");
        }
        if self.config.is_none() {
            tell!("No configuration file was given: use --config FILE.");
        }
        ExitCode::from(USAGE)
    }
}

/// Parses the command line and runs the command.
#[must_use]
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(args) => args.load().map(serve::serve),
        Command::Check(args) => args.load().map(|loaded| check::check(&loaded)),
        Command::Init(args) => with_config(&args.config, |config| init::init(config, &args)),
        Command::Purge(args) => with_config(&args.config, |config| purge::purge(config, &args)),
        Command::Backup(args) => with_config(&args.config, |config| backup::backup(config, &args)),
        Command::Restore(args) => with_config(&args.config, |config| restore::restore(config, &args)),
        Command::Diff(args) => diff::diff(&args),
        Command::Tenant(args) => with_config(args.config(), |config| tenant::tenant(config, &args)),
        Command::ImportUsers(args) => {
            with_config(&args.config, |config| import_users::import_users(config, &args))
        }
        Command::Sync(args) => with_config(&args.config, |config| sync::sync(config, &args)),
        Command::Addressbook(args) => Ok(addressbook::addressbook(args)),
        Command::Config(args) => args.run(),
        Command::Dev(args) => Ok(dev::dev(&args)),
    };
    match outcome {
        Ok(Ok(code)) | Err(code) => code,
        Ok(Err(error)) => {
            tell!("pbm: {}", with_advice(error.as_ref()));
            ExitCode::FAILURE
        }
    }
}

/// An error with its causes, and advice if a server or an account is the cause.
fn with_advice(error: &(dyn std::error::Error + 'static)) -> String {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    let cause = causes.find_map(|cause| cause.downcast_ref::<Unreachable>());
    let advice = cause.and_then(Unreachable::advice).map(|advice| format!("; {advice}"));
    format!("{}{}", chain(error), advice.unwrap_or_default())
}

/// A command's outcome: its exit code, or an error to print.
type Outcome = anyhow::Result<ExitCode>;

fn with_config(args: &ConfigArgs, command: impl FnOnce(&Config) -> Outcome) -> Result<Outcome, ExitCode> {
    args.load().map(|loaded| command(&loaded.config))
}

/// Runs a command's async part. Threads of their own serve requests, so one thread is enough here.
fn block_on<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    tokio::task::LocalSet::new().block_on(&runtime.context("cannot start the runtime")?, future)
}

/// How long a command waits for a server that takes no writes.
const READ_ONLY_TIMEOUT: Duration = Duration::from_secs(60);

/// A directory whose writes wait while the server takes none, as during one of its tasks; reports the wait.
fn patient(directory: Directory) -> Directory {
    directory.patient(READ_ONLY_TIMEOUT, |waited| {
        let (waited, most) = (waited.as_secs(), READ_ONLY_TIMEOUT.as_secs());
        tell!("The directory takes no writes; waiting for it ({waited} of at most {most} s).");
    })
}

/// Completes on SIGTERM or Ctrl-C.
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
