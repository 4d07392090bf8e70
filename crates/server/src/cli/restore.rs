//! `pbm restore`: restores from LDIF.

use super::{
    ConfigArgs, Outcome, USAGE,
    backup::{STANDARD, backup_directory, bar, tenants},
    block_on,
    manager::ManagerArgs,
    print::{tell, to_stderr, to_stdout},
    replace::replace,
};
use crate::config::Config;
use administration::clock;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use directory::{
    backup::Extent,
    backup::file::LdifFile,
    restore::{
        self, Existing, Findings, OtherRoot, Refusal, Restore, RestoreError, RestoreEvent, RestoreRequest,
        Summary,
    },
};
use indicatif::ProgressBar;
use ldap_text::dn::Dn;
use std::{
    fs,
    io::{self, BufRead, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
};
use tempfile::NamedTempFile;

const EXAMPLE: &str = "Examples:

  $ pbm restore everything.ldif.zst --dry-run > plan.ldif
  $ pbm restore everything.ldif.zst
  $ pbm restore everything.ldif.zst --existing update --tenant acme
  $ pbm restore everything.ldif.zst --replace-all --manager-password-file manager-password
  $ ldapsearch -LLL -x -D … -W -b dc=example,dc=com | pbm restore -

Reads the output of `pbm backup`, `ldapsearch`, `db2ldif` and `slapcat`, plain or compressed by gzip or zstd, with \
entries in any order. The whole file is read before anything is written: if it is truncated, altered or not valid \
LDIF, nothing is written. An invalid or unreadable entry does not stop the others. The command may be killed and run \
again: it skips completed entries.

Data that a file from another program does not contain at all, such as password hashes, locks or access rules, is not \
changed. The passwords of the accounts that pbm itself uses are never changed.

With --replace-all 389-ds empties its back end and imports the file, several times as fast. Run it on the machine of \
389-ds. First the whole file is examined, and what is in the directory is backed up into a file beside it (or in \
backup.folder). During the import pbm answers 503. If it is interrupted, pbm and `pbm check` report that the server \
lacks entries: run the same command again. At the end the directory is compared with the file. Other suppliers of the \
same entries must be initialized from this server afterwards.

Exit code: 0 on success, 1 when an entry was refused, 2 when the command line or the configuration is wrong.";

#[derive(Args)]
#[command(after_help = EXAMPLE)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The file, or `-` for standard input.
    pub(super) file: PathBuf,
    /// What to do with an existing entry that differs.
    #[arg(long, value_enum, default_value_t = ExistingArg::Keep)]
    existing: ExistingArg,
    /// Delete everything in the back end first and import the file in seconds, by the import task of 389-ds, bound as
    /// its manager (asks for confirmation). For a server that lost its data.
    #[arg(long, conflicts_with_all = ["mirror", "existing", "tenants"])]
    pub(super) replace_all: bool,
    /// With `--replace-all`: do not back up what is deleted.
    #[arg(long, requires = "replace_all")]
    pub(super) no_safety_backup: bool,
    /// With `--replace-all`: a folder in which 389-ds finds the files that pbm writes [default: nsslapd-ldifdir of
    /// 389-ds, on the same machine].
    #[arg(long, value_name = "FOLDER", requires = "replace_all")]
    pub(super) import_folder: Option<PathBuf>,
    #[command(flatten)]
    pub(super) manager: ManagerArgs,
    /// Delete entries that are not in the file (asks for confirmation).
    #[arg(long)]
    mirror: bool,
    /// Restore only this tenant; may be repeated.
    #[arg(long = "tenant", value_name = "ID")]
    tenants: Vec<String>,
    /// Print the changes as LDIF and make none.
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Skip the confirmation.
    #[arg(long, short)]
    pub(super) yes: bool,
    /// Print each change and each difference as LDIF.
    #[arg(long, short)]
    pub(super) verbose: bool,
    /// Restore a backup that is truncated or was altered.
    #[arg(long)]
    force: bool,
    /// Restore a file with another root DN under the configured one. ROOT is the root DN in the file; by default the
    /// one that all its entries share.
    #[arg(long, value_name = "ROOT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    rebase: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExistingArg {
    /// Leave the entry as it is and report it
    Keep,
    /// Change the entry to match the file
    Update,
}

pub(super) fn restore(config: &Config, args: &RestoreArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    if args.replace_all {
        return replace(config, args);
    }
    let request = request(args)?;
    let can_ask = can_ask();
    let is_sure = args.yes || args.dry_run || !args.mirror;
    if !is_sure && !can_ask {
        tell!(
            "pbm: --mirror deletes entries, and nobody can confirm it here: use --yes, or --dry-run to list them"
        );
        return Ok(ExitCode::from(USAGE));
    }
    let spooled = Spooled::of(&args.file)?;
    let directory = backup_directory(config)?;
    block_on(async {
        let reading = bar("{wide_bar} {bytes} of {total_bytes} looked at");
        reading.set_length(spooled.file.size()?);
        let read = reading.clone();
        let service = &config.ldap.credentials.dn;
        let prepared = Restore::prepare(directory, service, spooled.file.clone(), request, move |bytes| {
            read.inc(bytes as u64);
        });
        let prepared = Box::pin(prepared).await;
        reading.finish_and_clear();
        let restore = prepared.map_err(with_hint)?;
        let findings = restore.findings();
        say(&findings);
        if args.mirror && findings.unnamed > 0 {
            bail!(
                "the names of {} records cannot be read, so --mirror could delete entries that the file contains; nothing \
                 was done. Run it without --mirror, or with --dry-run alone, to list these records",
                findings.unnamed
            );
        }
        let surplus = if args.mirror { restore.surplus().await? } else { Vec::new() };
        if !surplus.is_empty() && !is_sure && !confirm(surplus.len())? {
            bail!("nothing was done");
        }
        let progress = bar("{wide_bar} {pos} of {len} entries, {eta} left");
        progress.set_length(findings.entries + surplus.len() as u64);
        let shows = Shows { changes: args.dry_run || args.verbose, progress: &progress };
        let restored = Box::pin(restore.run(surplus, async |event| shows.event(&event))).await;
        progress.finish_and_clear();
        let summary = restored?;
        conclude(&summary, args.dry_run);
        advise(&summary, shows.changes, args.existing);
        Ok(if summary.refused == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

/// Whether there is a terminal on which a question can be answered.
pub(super) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

pub(super) fn request(args: &RestoreArgs) -> anyhow::Result<RestoreRequest> {
    Ok(RestoreRequest {
        extent: Extent::of_tenants(tenants(&args.tenants)?),
        existing: match args.existing {
            ExistingArg::Keep => Existing::Keep,
            ExistingArg::Update => Existing::Update,
        },
        dry_run: args.dry_run,
        force: args.force,
        other_root: match args.rebase.last().map(String::as_str) {
            None => OtherRoot::Refused,
            Some("") => OtherRoot::Any,
            Some(root) => OtherRoot::Named(Dn::parse(root).with_context(|| format!("--rebase {root}"))?),
        },
        limited_to: None,
        now: clock::now(),
    })
}

/// A file that can be read more than once: input from a pipe is copied first.
pub(super) struct Spooled {
    pub(super) file: LdifFile,
    _copy: Option<NamedTempFile>,
}

impl Spooled {
    pub(super) fn of(path: &Path) -> anyhow::Result<Self> {
        let unreadable = || format!("cannot read {}", path.display());
        let mut input: Box<dyn io::Read> = if path == Path::new(STANDARD) {
            Box::new(io::stdin())
        } else {
            let metadata = fs::metadata(path).with_context(unreadable)?;
            if metadata.is_dir() {
                bail!("{} is a folder", path.display());
            }
            let file = fs::File::open(path).with_context(unreadable)?;
            if metadata.is_file() {
                return Ok(Self { file: LdifFile::new(path), _copy: None });
            }
            Box::new(file)
        };
        let mut copy = NamedTempFile::new().context("cannot keep a copy of what comes in")?;
        io::copy(&mut input, &mut copy).with_context(unreadable)?;
        Ok(Self { file: LdifFile::new(copy.path()), _copy: Some(copy) })
    }
}

/// An error with advice.
pub(super) fn with_hint(error: RestoreError) -> anyhow::Error {
    let hint = match &error {
        RestoreError::Cut => "--force restores the entries that it has",
        RestoreError::Altered => "--force restores it nevertheless",
        RestoreError::OtherRoot { .. } => "--rebase restores the one as the other",
        RestoreError::NothingOfIt => "look at --tenant",
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}; {hint}")
}

pub(super) fn say(findings: &Findings) {
    use directory::backup::Verdict;
    match findings.verdict {
        Verdict::Whole { entries } => {
            tell!("The backup is whole: {entries} entries, and the checksum fits.");
        }
        Verdict::Cut => tell!("Warning: the backup is truncated."),
        Verdict::Altered => tell!("Warning: the backup was altered since it was made."),
        Verdict::Foreign => {}
    }
}

fn confirm(count: usize) -> io::Result<bool> {
    to_stderr(format_args!("{count} entries that are not in the file will be deleted. Continue? [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "д" | "да"))
}

/// Prints the progress of a restore.
struct Shows<'a> {
    changes: bool,
    progress: &'a ProgressBar,
}

impl Shows<'_> {
    fn event(&self, event: &RestoreEvent<'_>) {
        self.progress.inc(1);
        match event.outcome {
            restore::Outcome::Refused(refusal) => self.refused(event, refusal),
            restore::Outcome::Added(change)
            | restore::Outcome::Updated(change)
            | restore::Outcome::Removed(change)
                if self.changes =>
            {
                self.progress.suspend(|| to_stdout(format_args!("{change}")));
            }
            restore::Outcome::Different(change) if self.changes => {
                let told = "# not changed; --existing update would make this change:\n";
                self.progress.suspend(|| to_stdout(format_args!("{told}{}", commented(change))));
            }
            _ => {}
        }
    }

    fn refused(&self, event: &RestoreEvent<'_>, refusal: &Refusal) {
        self.progress.suspend(|| tell!("{}{refusal}", place_of(event)));
    }
}

/// The line and the name of an entry, as far as they are known, as a prefix of a message.
pub(super) fn place_of(event: &RestoreEvent<'_>) -> String {
    let line = event.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let name = event.dn.to_string();
    if name.is_empty() { line } else { format!("{line}{name}: ") }
}

/// A change that is not made, as comments: a tool that applies the output must not make it.
fn commented(change: &ldap_text::ldif::ChangeRecord) -> String {
    let lines = change.to_string();
    let lines = lines.trim_end().lines().map(|line| format!("# {line}\n"));
    lines.chain(["\n".to_owned()]).collect()
}

/// Advice about entries that differ and were kept.
fn advise(summary: &Summary, is_shown: bool, existing: ExistingArg) {
    if summary.different == 0 || existing == ExistingArg::Update {
        return;
    }
    let shows = if is_shown { "" } else { "--verbose shows the differences, and " };
    tell!("Entries that differ were not changed: {shows}--existing update changes them to match the file.");
}

fn conclude(summary: &Summary, dry_run: bool) {
    let Summary { added, updated, removed, same, different, refused, unlisted, left_out } = *summary;
    let would = if dry_run { "would be " } else { "" };
    let mut parts = vec![
        format!("{added} {would}added"),
        format!("{updated} {would}updated"),
        format!("{same} the same"),
        format!("{different} different"),
        format!("{refused} refused"),
    ];
    if removed > 0 {
        parts.insert(2, format!("{removed} {would}removed"));
    }
    if left_out > 0 {
        parts.push(format!("{left_out} of other tenants left out"));
    }
    if unlisted > 0 {
        tell!("{unlisted} more entries were refused and are not listed above.");
    }
    let done = if dry_run { "; nothing was written" } else { "" };
    tell!("{} entries: {}{done}.", summary.entries() + left_out, parts.join(", "));
}
