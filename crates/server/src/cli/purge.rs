//! `pbm purge`: removes the users and tenants whose retention has ended.

use super::{
    ConfigArgs, Outcome, block_on, patient,
    print::{say, tell, to_stderr},
};
use crate::config::Config;
use administration::clock;
use clap::Args;
use directory::{
    Directory,
    purge::{FailedEntry, PurgeReport},
};
use std::{io::IsTerminal, process::ExitCode};

/// Progress is shown after this many entries.
const PROGRESS_STEP: usize = 100;

#[derive(Args)]
pub(super) struct PurgeArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print the entries that would be removed, as LDIF, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn purge(config: &Config, args: &PurgeArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    let directory = patient(Directory::new(config.ldap_shared(), config.tree.clone()));
    let (retention, now) = (config.retention, clock::now());
    block_on(async {
        if args.dry_run {
            let count = directory
                .purge_dry_run(retention, now, |since, change| {
                    let since = since.time();
                    say!("# deleted {since}, kept until {}\n{change}", retention.kept_until(since));
                })
                .await?;
            tell!("{} user(s) would be removed.", count.users);
            if count.tenants > 0 {
                tell!("{} tenant(s) would be removed.", count.tenants);
            }
        } else {
            let terminal = std::io::stderr().is_terminal();
            let mut removed = 0_usize;
            let purge = directory.purge(retention, now, || {
                removed += 1;
                if terminal && removed.is_multiple_of(PROGRESS_STEP) {
                    to_stderr(format_args!("\r{removed} removed"));
                }
            });
            let report = Box::pin(purge).await?;
            if terminal && removed >= PROGRESS_STEP {
                tell!("");
            }
            say!("{} user(s) removed.", report.users);
            if report.tenants > 0 {
                say!("{} tenant(s) removed.", report.tenants);
            }
            if report.overtaken > 0 {
                say!(
                    "{} skipped: another client restored or removed them in the meantime.",
                    report.overtaken
                );
            }
            return Ok(conclude_failures(&report));
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Lists the entries that could not be removed.
fn conclude_failures(report: &PurgeReport) -> ExitCode {
    if report.failed == 0 {
        return ExitCode::SUCCESS;
    }
    say!("{} could not be removed; find them by nsUniqueId:", report.failed);
    for FailedEntry { id, reason } in &report.failures {
        say!("  {id}: {reason}");
    }
    let more = report.failed - report.failures.len();
    if more > 0 {
        say!("  and {more} more");
    }
    ExitCode::FAILURE
}
