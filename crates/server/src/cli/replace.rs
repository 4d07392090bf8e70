//! `pbm restore --replace-all`: empties the server and imports a file.

use super::{
    Outcome, USAGE,
    backup::{STANDARD, backup_directory, bar},
    block_on, diff,
    manager::as_manager,
    print::{tell, to_stderr},
    restore::{RestoreArgs, Spooled, can_ask, place_of, request, say, with_hint},
};
use crate::{
    backup::{SaveError, Target, save},
    config::Config,
};
use administration::clock;
use anyhow::{Context, bail};
use directory::{
    Directory,
    backup::{BackupError, BackupRequest, Extent},
    product::completeness::Completeness,
    restore::{self, OwnAccounts, ReplaceError, Replacement, RestoreEvent},
};
use jiff::Timestamp;
use ldap_text::dn::Dn;
use std::{
    io::{self, BufRead},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

pub(super) fn replace(config: &Config, args: &RestoreArgs) -> Outcome {
    if !args.yes && !args.dry_run && !can_ask() {
        tell!(
            "pbm: --replace-all deletes everything in the server, and nobody can confirm it here: use --yes, or --dry-run to \
             examine the file only"
        );
        return Ok(ExitCode::from(USAGE));
    }
    let manager = args.manager.credentials()?;
    let spooled = Spooled::of(&args.file)?;
    block_on(async {
        let directory = as_manager(config, manager.clone());
        let server = directory.answering_server().await.map_err(|error| args.manager.explained(error))?;
        // If there are several servers, every step has to work on the same one.
        let config = &Config { ldap: config.ldap.only(&server), ..config.clone() };
        let directory = as_manager(config, manager);
        let replacement = Box::pin(examined(config, args, &spooled, directory.clone())).await?;
        let refused = told(&replacement);
        if args.dry_run {
            return Ok(exit_code(refused == 0));
        }
        if !args.yes && !confirm(config.tree.root(), &server)? {
            bail!("nothing was done");
        }
        if !args.no_safety_backup {
            Box::pin(back_up(config, args, &directory)).await?;
        }
        let skipped = Box::pin(imported(replacement)).await?;
        let is_same = Box::pin(verified(config, args, &spooled, directory)).await?;
        Ok(exit_code(is_same && skipped + refused == 0))
    })
}

/// Reads the file, and finds everything that is wrong with it.
async fn examined(
    config: &Config,
    args: &RestoreArgs,
    spooled: &Spooled,
    directory: Directory,
) -> anyhow::Result<Replacement> {
    let reading = bar("{wide_bar} {bytes} of {total_bytes} examined");
    reading.set_length(spooled.file.size()?);
    let read = reading.clone();
    let accounts =
        OwnAccounts { service: config.ldap.credentials.clone(), backup: config.backup.account.clone() };
    let (file, folder) = (spooled.file.clone(), args.import_folder.clone());
    let on_read = move |bytes| read.inc(bytes as u64);
    let prepared = Replacement::prepare(directory, accounts, file, request(args)?, folder, on_read);
    let prepared = Box::pin(prepared).await;
    reading.finish_and_clear();
    prepared.map_err(|error| match error {
        ReplaceError::Restore(error) => with_hint(error),
        error => error.into(),
    })
}

/// Prints what was found in the file; returns the number of entries that can't be imported.
fn told(replacement: &Replacement) -> u64 {
    let findings = replacement.findings();
    say(&findings);
    let (listed, unlisted) = replacement.refused();
    let mut refused = unlisted;
    for (line, dn, outcome) in listed {
        refused += 1;
        let event =
            RestoreEvent { line: Some(line), dn, outcome: &restore::Outcome::Refused(outcome.clone()) };
        tell!("{}{outcome}", place_of(&event));
    }
    if unlisted > 0 {
        tell!("{unlisted} more entries can't be imported and are not listed above.");
    }
    tell!("{} entries can be imported, {refused} can't.", findings.entries);
    if replacement.is_replicated() {
        tell!(
            "Warning: this server is a replica. The import gives its entries a new generation: initialize every other server from \
             this one afterwards (dsconf INSTANCE repl-agmt init …), and until then let nobody write to them."
        );
    }
    refused
}

/// Asks for the root DN, which nobody types by mistake.
fn confirm(root: &Dn, server: &str) -> io::Result<bool> {
    to_stderr(format_args!(
        "Everything below {root} in {server} will be deleted and replaced by the file. Type the root DN to continue ({root}): "
    ));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(Dn::parse(answer.trim()).is_ok_and(|answer| answer == *root))
}

/// Backs up what will be deleted, if there is anything that can be read.
async fn back_up(config: &Config, args: &RestoreArgs, directory: &Directory) -> anyhow::Result<()> {
    match directory.completeness().await {
        Ok(Completeness::Unfinished) => {
            tell!("No backup is made first: an earlier restore by --replace-all was not finished.");
            return Ok(());
        }
        Err(error) if error.is_of_back_end() => {
            tell!(
                "No backup is made first: the back end is out of service, as after an import that was interrupted."
            );
            return Ok(());
        }
        _ => {}
    }
    let now = clock::now();
    let path = safety_file(config, &args.file, now);
    let request = BackupRequest { extent: Extent::Everything, without_super: false, counts: false, now };
    let refuses = || {
        format!(
            "what is in the directory cannot be backed up into {}, so nothing was done; --no-safety-backup goes on without",
            path.display()
        )
    };
    let target = Target::file(&path).with_context(refuses)?;
    match Box::pin(save(directory, &request, target, |_| {})).await {
        Ok(saved) => tell!("{} entries of the directory saved in {}.", saved.entries, path.display()),
        Err(SaveError::Backup(BackupError::Nothing)) => {
            tell!("No backup is made first: the directory is empty.");
        }
        Err(error) => return Err(error).with_context(refuses),
    }
    Ok(())
}

/// The file of the backup: in the folder of scheduled backups, which never removes it, or else beside the restored file.
fn safety_file(config: &Config, file: &Path, now: Timestamp) -> PathBuf {
    let beside = file.parent().filter(|folder| !folder.as_os_str().is_empty() && file != Path::new(STANDARD));
    let schedule = config.backup.schedule.as_ref().map(|schedule| schedule.folder.as_path());
    let folder = schedule.or(beside).unwrap_or(Path::new("."));
    folder.join(format!("before-replace-all-{}.ldif.zst", now.strftime("%Y%m%dT%H%M%SZ")))
}

/// Imports the entries; returns the number of those that the server has skipped.
async fn imported(replacement: Replacement) -> anyhow::Result<u64> {
    let entries = replacement.findings().entries;
    let written = bar("{wide_bar} {pos} of {len} entries written for 389-ds, {per_sec}, {eta} left");
    written.set_length(entries);
    let progress = bar("{spinner} {elapsed} {wide_msg}");
    let (shown, status) = (written.clone(), progress.clone());
    let on_written = move || shown.inc(1);
    let on_status = |text: &str| {
        written.finish_and_clear();
        status.set_message(format!("389-ds imports {entries} entries: {text}"));
        status.tick();
    };
    let imported = Box::pin(Arc::new(replacement).run(on_written, on_status)).await;
    progress.finish_and_clear();
    let skipped = imported?;
    for line in &skipped {
        tell!("389-ds: {line}");
    }
    tell!("{} entries imported.", entries.saturating_sub(skipped.len() as u64));
    Ok(skipped.len() as u64)
}

/// Compares the directory with the file, as `pbm diff` does; returns whether they are the same.
async fn verified(
    config: &Config,
    args: &RestoreArgs,
    spooled: &Spooled,
    manager: Directory,
) -> anyhow::Result<bool> {
    let directory = if config.backup.account.is_some() { backup_directory(config)? } else { manager };
    tell!("Comparing the directory with the file:");
    let service = &config.ldap.credentials.dn;
    let compared = diff::compare(directory, service, spooled.file.clone(), request(args)?, |_| {});
    let summary = Box::pin(compared).await?;
    let is_equal = diff::is_equal(&summary);
    if !is_equal {
        tell!("pbm diff shows the differences.");
    }
    Ok(is_equal)
}

fn exit_code(is_success: bool) -> ExitCode {
    if is_success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
