//! `pbm restore`: restores from LDIF.

use super::{
    ConfigArgs, Outcome, USAGE,
    backup::{STANDARD, backup_directory, bar, tenants},
    block_on,
    print::{tell, to_stderr, to_stdout},
};
use crate::config::Config;
use administration::clock;
use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use directory::{
    backup::Extent,
    backup::file::LdifFile,
    restore::{
        self, Event, Existing, Findings, OtherRoot, Refusal, Restore, RestoreError, RestoreRequest, Summary,
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
  $ ldapsearch -LLL -x -D … -W -b dc=example,dc=com | pbm restore -

Reads what `pbm backup`, `ldapsearch`, `db2ldif` and `slapcat` write, plain or packed by gzip or zstd, its entries in any order. The \
file is read whole before anything is written: when it is cut, was altered or is no LDIF, nothing is. An entry that is wrong, \
or can't be read, stops no other. It may be killed and run again: what is done already is passed over.

What a file from elsewhere says nothing of at all, such as hashes of passwords, locks or access rules, is left alone. The \
passwords of the accounts that pbm itself uses are never changed.

Exit code: 0 when all is as asked, 1 when an entry was refused, 2 when the command line or the configuration is wrong.";

#[derive(Args)]
#[command(after_help = EXAMPLE)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
pub(super) struct RestoreArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The file, or `-` for standard input.
    file: PathBuf,
    /// What is done with an entry that is there and differs.
    #[arg(long, value_enum, default_value_t = ExistingArg::Keep)]
    existing: ExistingArg,
    /// Remove what the file lacks. Asks first.
    #[arg(long)]
    mirror: bool,
    /// Restore this tenant only; may be given several times.
    #[arg(long = "tenant", value_name = "ID")]
    tenants: Vec<String>,
    /// Print what would be done, as LDIF, and do nothing.
    #[arg(long)]
    dry_run: bool,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
    /// Print each change and each difference as LDIF.
    #[arg(long, short)]
    verbose: bool,
    /// Restore a backup that is cut or was altered.
    #[arg(long)]
    force: bool,
    /// Restore a file of another root DN as one of ours: of the one that is given, or else of the one that all its entries
    /// share.
    #[arg(long, value_name = "ROOT", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    rebase: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ExistingArg {
    /// It stays, and is counted as different
    Keep,
    /// It becomes as in the file
    Update,
}

pub(super) fn restore(config: &Config, args: &RestoreArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    let request = request(args)?;
    let can_ask = io::stdin().is_terminal() && io::stderr().is_terminal();
    let is_sure = args.yes || args.dry_run || !args.mirror;
    if !is_sure && !can_ask {
        tell!(
            "pbm: --mirror removes entries, and nobody can be asked here: use --yes, or --dry-run to see which"
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
                "the names of {} records cannot be read, so it is not known what the file lacks: --mirror would remove what \
                 may be in it; nothing was done. Without --mirror, or with --dry-run alone, they are told",
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

fn request(args: &RestoreArgs) -> anyhow::Result<RestoreRequest> {
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

/// A file that can be read more than once: a copy of it where it comes through a pipe.
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

/// An error, and what to do about it.
pub(super) fn with_hint(error: RestoreError) -> anyhow::Error {
    let hint = match &error {
        RestoreError::Cut => "--force restores what is there",
        RestoreError::Altered => "--force takes it as it is",
        RestoreError::OtherRoot { .. } => "--rebase restores the one as the other",
        RestoreError::NothingOfIt => "look at --tenant",
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}; {hint}")
}

fn say(findings: &Findings) {
    use directory::backup::Verdict;
    match findings.verdict {
        Verdict::Whole { entries } => {
            tell!("The backup is whole: {entries} entries, and the checksum fits.");
        }
        Verdict::Cut => tell!("Warning: the backup is cut."),
        Verdict::Altered => tell!("Warning: the backup was altered since it was made."),
        Verdict::Foreign => {}
    }
}

fn confirm(count: usize) -> io::Result<bool> {
    to_stderr(format_args!("{count} entries that the file lacks will be removed. Go on? [y/N] "));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes" | "д" | "да"))
}

/// What is shown while a restore goes on.
struct Shows<'a> {
    changes: bool,
    progress: &'a ProgressBar,
}

impl Shows<'_> {
    fn event(&self, event: &Event<'_>) {
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
                let told = "# left as it is; --existing update would make it so:\n";
                self.progress.suspend(|| to_stdout(format_args!("{told}{}", commented(change))));
            }
            _ => {}
        }
    }

    fn refused(&self, event: &Event<'_>, refusal: &Refusal) {
        self.progress.suspend(|| tell!("{}{refusal}", place_of(event)));
    }
}

/// The line and the name of an entry, as far as they are known, before what is told of it.
pub(super) fn place_of(event: &Event<'_>) -> String {
    let line = event.line.map(|line| format!("line {line}: ")).unwrap_or_default();
    let name = event.dn.to_string();
    if name.is_empty() { line } else { format!("{line}{name}: ") }
}

/// A change that is not made: whoever feeds the output to a tool must not make it.
fn commented(change: &ldap_text::ldif::ChangeRecord) -> String {
    let lines = change.to_string();
    let lines = lines.trim_end().lines().map(|line| format!("# {line}\n"));
    lines.chain(["\n".to_owned()]).collect()
}

/// What can be done about entries that differ and were kept.
fn advise(summary: &Summary, is_shown: bool, existing: ExistingArg) {
    if summary.different == 0 || existing == ExistingArg::Update {
        return;
    }
    let shows = if is_shown { "" } else { "--verbose shows what differs, and " };
    tell!("What differs was left as it is: {shows}--existing update makes it as in the file.");
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
        tell!("{unlisted} more were refused that are not listed above.");
    }
    let done = if dry_run { "; nothing was written" } else { "" };
    tell!("{} entries: {}{done}.", summary.entries() + left_out, parts.join(", "));
}
