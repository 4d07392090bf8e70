//! `pbm purge`: removes the users and tenants whose retention is over.

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
                .purge_dry_run(retention, now, |since, change| {
                    let since = since.time();
                    println!("# deleted {since}, kept until {}\n{change}", retention.kept_until(since));
                })
                .await?;
            eprintln!("{} user(s) would be removed.", count.users);
            if count.tenants > 0 {
                eprintln!("{} tenant(s) would be removed.", count.tenants);
            }
        } else {
            let terminal = std::io::stderr().is_terminal();
            let mut removed = 0_usize;
            let purge = directory.purge(retention, now, || {
                removed += 1;
                if terminal && removed.is_multiple_of(PROGRESS_STEP) {
                    eprint!("\r{removed} removed");
                    let _shown = std::io::stderr().flush();
                }
            });
            let report = Box::pin(purge).await?;
            if terminal && removed >= PROGRESS_STEP {
                eprintln!();
            }
            println!("{} user(s) removed.", report.users);
            if report.tenants > 0 {
                println!("{} tenant(s) removed.", report.tenants);
            }
            if report.overtaken > 0 {
                println!("{} left alone: restored or removed by someone else meanwhile.", report.overtaken);
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}
