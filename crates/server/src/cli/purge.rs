//! `pbm purge`: removes the users whose retention is over.

use super::{ConfigArgs, Outcome, block_on};
use crate::{clock, config::Config};
use clap::Args;
use directory::Directory;
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
};

/// How often progress is shown.
const PROGRESS_STEP: usize = 100;

#[derive(Args)]
pub(super) struct PurgeArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// Print what would be removed, as LDIF, and remove nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn purge(config: &Config, args: &PurgeArgs) -> Outcome {
    crate::telemetry::start(config.log);
    let directory = Directory::new(config.ldap_shared(), config.tree.clone());
    let (retention, now) = (config.retention, clock::now());
    block_on(async {
        if args.dry_run {
            let count = directory
                .purge_dry_run(retention, now, |user, change| {
                    println!(
                        "# deleted {}, kept until {}\n{change}",
                        user.since,
                        retention.kept_until(user.since)
                    );
                })
                .await?;
            eprintln!("{count} user(s) would be removed.");
        } else {
            let terminal = std::io::stderr().is_terminal();
            let mut removed = 0_usize;
            let report = directory
                .purge(retention, now, |_| {
                    removed += 1;
                    if terminal && removed.is_multiple_of(PROGRESS_STEP) {
                        eprint!("\r{removed} removed");
                        let _shown = std::io::stderr().flush();
                    }
                })
                .await?;
            if terminal && removed >= PROGRESS_STEP {
                eprintln!();
            }
            println!("{} user(s) removed.", report.removed);
            if report.overtaken > 0 {
                println!("{} left alone: restored or removed by someone else meanwhile.", report.overtaken);
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
