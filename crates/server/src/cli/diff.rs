//! `pbm diff`: compares an LDIF file with the directory, or two files.

use super::{
    ConfigArgs, Outcome, USAGE,
    backup::{backup_directory, tenants},
    block_on,
    print::{tell, to_stdout},
    restore::{Spooled, place_of, with_hint},
    with_advice,
};
use crate::config::Config;
use administration::clock;
use clap::Args;
use directory::{
    Directory,
    backup::Extent,
    backup::file::LdifFile,
    restore::{
        self, Comparison, Existing, OtherRoot, Restore, RestoreEvent, RestoreRequest, Summary, Told,
        compare_files,
    },
};
use ldap_text::dn::Dn;
use std::{path::PathBuf, process::ExitCode};

const EXAMPLE: &str = "Examples:

  $ pbm diff everything.ldif.zst --config pbm.toml
  $ pbm diff monday.ldif.zst tuesday.ldif.zst

With one file, prints the changes that would make the directory equal to the file; with two files, the changes that \
would make the first equal to the second. The output is LDIF change records without passwords. Attributes that the \
server sets itself, such as modification times, are ignored.

Exit code: 0 when there is no difference, 1 when there are differences, 2 on an error.";

#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct DiffArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// A file, or `-` for standard input.
    file: PathBuf,
    /// The file to compare the first one with, instead of the directory.
    other: Option<PathBuf>,
    /// Compare only this tenant; may be repeated. Only with one file.
    #[arg(long = "tenant", value_name = "ID", conflicts_with = "other")]
    tenants: Vec<String>,
    /// Compare a backup that is truncated or was altered.
    #[arg(long)]
    force: bool,
}

/// Unlike other commands, this one reports by its exit code whether there are differences.
pub(super) fn diff(args: &DiffArgs) -> Result<Outcome, ExitCode> {
    let compared = if let Some(other) = &args.other {
        two_files(args, other)
    } else {
        with_directory(&args.config.load()?.config, args)
    };
    Ok(compared.or_else(|error| {
        tell!("pbm: {}", with_advice(error.as_ref()));
        Ok(ExitCode::from(USAGE))
    }))
}

fn two_files(args: &DiffArgs, other: &std::path::Path) -> Outcome {
    let (first, second) = (Spooled::of(&args.file)?, Spooled::of(other)?);
    let comparison = compare_files(&first.file, &second.file, args.force, |told| match told {
        Told::Change(change) => to_stdout(format_args!("{change}")),
        Told::Unreadable { file, reason } => {
            let name = if *file == first.file { &args.file } else { other };
            tell!("{}: it cannot be read: {reason}", name.display());
        }
    });
    let comparison = comparison.map_err(with_hint)?;
    let Comparison { same, different, only_first, only_second, unreadable } = comparison;
    tell!(
        "{same} the same, {different} different, {only_first} only in the first, {only_second} only in the second, \
         {unreadable} that can't be read."
    );
    Ok(exit_code(comparison.is_equal()))
}

fn with_directory(config: &Config, args: &DiffArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    let request = RestoreRequest {
        extent: Extent::of_tenants(tenants(&args.tenants)?),
        existing: Existing::Update,
        dry_run: true,
        force: args.force,
        other_root: OtherRoot::Refused,
        limited_to: None,
        now: clock::now(),
    };
    let spooled = Spooled::of(&args.file)?;
    let directory = backup_directory(config)?;
    let shown = |event: &RestoreEvent<'_>| match event.outcome {
        restore::Outcome::Added(change)
        | restore::Outcome::Updated(change)
        | restore::Outcome::Removed(change)
        | restore::Outcome::Different(change) => to_stdout(format_args!("{change}")),
        restore::Outcome::Refused(refusal) => tell!("{}{refusal}", place_of(event)),
        restore::Outcome::Same => {}
    };
    block_on(async {
        let service = &config.ldap.credentials.dn;
        let summary = compare(directory, service, spooled.file.clone(), request, shown).await?;
        Ok(exit_code(is_equal(&summary)))
    })
}

/// Compares a file with the directory, by a dry run of the restore that would bring the directory to the state of the
/// file, and prints the counts.
pub(super) async fn compare(
    directory: Directory,
    service: &Dn,
    file: LdifFile,
    request: RestoreRequest,
    on_event: impl Fn(&RestoreEvent<'_>),
) -> anyhow::Result<Summary> {
    let request = RestoreRequest { existing: Existing::Update, dry_run: true, ..request };
    let prepared = Restore::prepare(directory, service, file, request, |_| {});
    let restore = Box::pin(prepared).await.map_err(with_hint)?;
    let surplus = restore.surplus().await?;
    let summary = Box::pin(restore.run(surplus, async |event| on_event(&event))).await?;
    tell!(
        "{} the same, {} different, {} only in the file, {} only in the directory, {} that can't be restored.",
        summary.same,
        summary.updated,
        summary.added,
        summary.removed,
        summary.refused
    );
    Ok(summary)
}

/// Whether a comparison found no difference.
pub(super) fn is_equal(summary: &Summary) -> bool {
    summary.added + summary.updated + summary.removed + summary.refused == 0
}

fn exit_code(is_equal: bool) -> ExitCode {
    if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
