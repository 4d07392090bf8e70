//! `pbm import-users`: creates and changes the users that a file lists.

use super::{
    ConfigArgs, Outcome, USAGE, block_on, patient,
    print::{say, tell},
};
use crate::config::Config;
use administration::{caller::Actor, clock, imports::Importer};
use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use directory::Directory;
use futures_util::StreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use mail_model::tenant::TenantId;
use std::{
    fs::File,
    io::{self, IsTerminal, Read},
    path::{Path, PathBuf},
    pin::{Pin, pin},
    process::ExitCode,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};
use v2::imports::{self, Charset, Format, Import, Mode, Report, RowReport, Rows, Summary};
use visible_text::Visible;
use web::answer::Message;

/// Denotes standard input.
const STDIN: &str = "-";

/// The file name extensions of workbooks.
const WORKBOOKS: [&str; 5] = ["xlsx", "xlsm", "xlsb", "xls", "ods"];

const EXAMPLE: &str = "Example:

  $ cat people.csv
  mail;userPassword;employeeNumber;cn;sn;alias
  ivan@acme.example;Correct-Horse-7;2;Иван;Петров;ivan.petrov@acme.example,ip@acme.example
  $ pbm import-users people.csv --tenant acme --dry-run
  $ pbm import-users people.csv --tenant acme

The first line names the columns: mail, userPassword, and the fields of the API. The separator of the cells (`;`, `,`, \
tab, `|`, `:` or blanks) is detected, and so is the encoding: UTF-8, UTF-16, or a guess among windows-1251, \
windows-1252, cp866, koi8-r and those of the Macintosh, which is reported at the end; --charset sets it. An empty cell \
changes nothing. The CSV export of the address book can be imported, too. NDJSON has one object per line:

  {\"mail\": \"ivan@acme.example\", \"title\": \"Engineer\", \"alias\": [\"ip@acme.example\"]}

An invalid row does not stop the others. Completed rows are not undone: correct the file, and run the command again \
with --mode upsert, which skips users that already match the file.

Exit code: 0 without errors, 1 with errors, 2 when the command line or the configuration is wrong.";

#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The file, or `-` for standard input.
    file: PathBuf,
    /// The tenant of the users.
    #[arg(long)]
    tenant: String,
    /// What to do with an address that a user already has.
    #[arg(long, value_enum, default_value_t = ModeArg::Create)]
    mode: ModeArg,
    /// Format of the file; by default from its name: .csv, .tsv, .tab or .txt, .ndjson, .jsonl or .json; .gz may
    /// follow.
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// Encoding of a CSV file; detected by default: utf-8, utf-16, windows-1251, windows-1252, iso-8859-1, cp866,
    /// koi8-r, or another name of the Encoding Standard.
    #[arg(long, value_parser = charset_of)]
    charset: Option<Charset>,
    /// Check every row against the directory without writing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeArg {
    /// Report an error
    Create,
    /// Change the user's fields in the given columns
    Upsert,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// A table
    Csv,
    /// One JSON object per line
    Ndjson,
}

fn charset_of(label: &str) -> Result<Charset, String> {
    Charset::of_label(label).ok_or_else(|| format!("must be {}", Charset::EXPECTED))
}

pub(super) fn import_users(config: &Config, args: &ImportArgs) -> Outcome {
    crate::telemetry::start_of_command(config.log);
    if args.file != Path::new(STDIN) && !args.file.exists() {
        bail!("no such file: {}", args.file.display());
    }
    let format = match format(args) {
        Ok(format) => format,
        Err(reason) => {
            tell!("pbm: {reason}");
            return Ok(ExitCode::from(USAGE));
        }
    };
    let id = TenantId::parse(&args.tenant).with_context(|| format!("--tenant {:?}", args.tenant))?;
    let (file, size) = open(&args.file)?;
    let progress = progress(size);
    let counted = progress.clone();
    let reader = tokio_util::io::InspectReader::new(Blocking(file), move |piece| {
        counted.inc(piece.len() as u64);
    });
    block_on(async {
        let directory = patient(Directory::new(config.ldap_shared(), config.tree.clone()));
        if directory.tenant(&id).await?.is_none() {
            bail!("there is no tenant {id}");
        }
        let import = import(config, args, directory, id)?;
        let rows = Rows::new(reader, format, import.mode);
        let told = Box::pin(follow(import, rows, &progress)).await;
        progress.finish_and_clear();
        let summary = told.summary;
        told.conclude(args.dry_run);
        Ok(if summary.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn import(
    config: &Config,
    args: &ImportArgs,
    directory: Directory,
    tenant: TenantId,
) -> anyhow::Result<Import> {
    Ok(Import {
        importer: Importer::new(directory, &Actor::Operator, None, &tenant)?,
        tenant,
        mode: match args.mode {
            ModeArg::Create => Mode::Create,
            ModeArg::Upsert => Mode::Upsert,
        },
        dry_run: args.dry_run,
        comparisons: None,
        default_language: config.users.default_language,
        retention: config.retention,
        now: clock::now,
    })
}

/// The summary at the end of an import.
#[derive(Default)]
struct Told {
    summary: Summary,
    encoding: String,
    is_guessed: bool,
    /// The names in the first rows.
    names: Vec<String>,
    header_is_wrong: bool,
}

/// Imports the rows and prints the problems.
async fn follow(import: Import, rows: Rows<impl AsyncRead + Unpin>, progress: &ProgressBar) -> Told {
    let mut reports = pin!(imports::run(import, rows));
    let mut told = Told::default();
    while let Some(report) = reports.next().await {
        match report {
            Report::Row(RowReport { line, message, name, .. }) => {
                told.names.extend(name);
                for reason in message.iter().flat_map(Message::reasons) {
                    progress.suspend(|| tell!("line {line}: {reason}"));
                }
            }
            Report::Stop(stop) => {
                told.header_is_wrong |= stop.is_of_header();
                progress.suspend(|| tell!("{stop}"));
            }
            Report::End { summary, encoding, encoding_guessed, .. } => {
                told = Told { summary, encoding, is_guessed: encoding_guessed, ..told };
            }
        }
    }
    told
}

impl Told {
    fn conclude(&self, dry_run: bool) {
        let no_row = self.summary.rows == 0 && self.summary.errors > 0;
        match (self.header_is_wrong, no_row) {
            (true, _) => say!("Nothing was imported: the header is not valid."),
            (false, true) => say!("Nothing was imported: no row could be read."),
            (false, false) => say!("{}", in_words(self.summary, dry_run)),
        }
        if dry_run && !self.names.is_empty() {
            let names: Vec<_> = self.names.iter().map(|name| Visible(name).to_string()).collect();
            say!("The names in the first rows, as read: {}.", names.join(", "));
        }
        // Explains why letters may look wrong.
        if self.is_guessed {
            say!(
                "The file was read as {}. That is a guess: if names look wrong, set the encoding with --charset.",
                self.encoding
            );
        }
    }
}

fn in_words(summary: Summary, dry_run: bool) -> String {
    let Summary { rows, created, updated, unchanged, skipped, errors } = summary;
    let skipped = if skipped == 0 { String::new() } else { format!("{skipped} skipped (no users), ") };
    let (would, done) = if dry_run { ("would be ", "; nothing was written") } else { ("", "") };
    format!(
        "{rows} row(s): {created} {would}created, {updated} {would}updated, {unchanged} unchanged, {skipped}{errors} error(s){done}."
    )
}

/// The format, as given or from the file's name.
fn format(args: &ImportArgs) -> Result<Format, String> {
    let name = args.file.to_string_lossy().to_ascii_lowercase();
    let unpacked = Path::new(name.strip_suffix(".gz").unwrap_or(&name));
    let format = args.format.or_else(|| match unpacked.extension()?.to_str()? {
        "csv" | "tsv" | "tab" | "txt" => Some(FormatArg::Csv),
        "ndjson" | "jsonl" | "json" => Some(FormatArg::Ndjson),
        _ => None,
    });
    match format {
        None if WORKBOOKS
            .iter()
            .any(|end| unpacked.extension().is_some_and(|extension| extension == *end)) =>
        {
            Err(format!("{} is a workbook: save its table as CSV, and import that", args.file.display()))
        }
        Some(FormatArg::Csv) => Ok(Format::Csv { charset: args.charset }),
        Some(FormatArg::Ndjson) if args.charset.is_some_and(|charset| !charset.is_unicode()) => {
            Err("NDJSON is always UTF-8: leave --charset out".to_owned())
        }
        Some(FormatArg::Ndjson) => Ok(Format::Ndjson),
        None => Err(format!(
            "the file name {} does not show the format: use --format csv or --format ndjson",
            args.file.display()
        )),
    }
}

/// Opens the file, and returns its size if it has one.
fn open(path: &Path) -> anyhow::Result<(Box<dyn Read>, Option<u64>)> {
    if path == Path::new(STDIN) {
        return Ok((Box::new(io::stdin()), None));
    }
    let file = File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let metadata = file.metadata().with_context(|| format!("cannot read {}", path.display()))?;
    if metadata.is_dir() {
        bail!("{} is a folder", path.display());
    }
    Ok((Box::new(file), metadata.is_file().then_some(metadata.len())))
}

/// A progress bar on a terminal, by bytes read; nothing elsewhere.
fn progress(size: Option<u64>) -> ProgressBar {
    if !io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let (bar, template) = match size {
        Some(size) => (ProgressBar::new(size), "{wide_bar} {bytes} of {total_bytes}, {eta} left"),
        None => (ProgressBar::no_length(), "{spinner} {bytes}"),
    };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    bar.with_style(style)
}

/// A file that is read on this thread. The read blocks the thread, but no row is being imported in that time.
struct Blocking(Box<dyn Read>);

impl AsyncRead for Blocking {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            match self.0.read(buffer.initialize_unfilled()) {
                Ok(read) => {
                    buffer.advance(read);
                    return Poll::Ready(Ok(()));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }
}
