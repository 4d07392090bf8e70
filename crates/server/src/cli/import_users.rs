//! `pbm import-users`: makes and changes the users that a file lists.

use super::{ConfigArgs, Outcome, USAGE, block_on};
use crate::{
    bulk::{self, Charset, Format, Import, Mode, Report, RowReport, Rows, Summary},
    clock,
    config::Config,
    http::message::Message,
};
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

/// What stands for standard input.
const STDIN: &str = "-";

const EXAMPLE: &str = "Example:

  $ cat people.csv
  mail;userPassword;employeeNumber;cn;sn;alias
  ivan@acme.example;Correct-Horse-7;2;Иван;Петров;ivan.petrov@acme.example,ip@acme.example
  $ pbm import-users people.csv --tenant acme --dry-run
  $ pbm import-users people.csv --tenant acme

The first line names the columns: mail, userPassword, and the fields of the API. `,` separates them as well as \
`;`, and the encoding, UTF-8 or windows-1251, is found out. An empty cell changes nothing. NDJSON has an object a \
line:

  {\"mail\": \"ivan@acme.example\", \"title\": \"Engineer\", \"alias\": [\"ip@acme.example\"]}

A row that is wrong stops no other. What was done is not undone: correct the file, and run it again with \
--mode upsert, which passes over users that are as the file says already.

Exit code: 0 without errors, 1 with errors, 2 when the command line or the configuration is wrong.";

#[derive(Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct ImportArgs {
    #[command(flatten)]
    pub(super) config: ConfigArgs,
    /// The file, or `-` for standard input.
    file: PathBuf,
    /// The tenant whose users they are.
    #[arg(long)]
    tenant: String,
    /// What is done with an address that a user has already.
    #[arg(long, value_enum, default_value_t = ModeArg::Create)]
    mode: ModeArg,
    /// How the file is written; by default as its name ends: .csv or .txt, .ndjson, .jsonl or .json.
    #[arg(long, value_enum)]
    format: Option<FormatArg>,
    /// Encoding of a CSV file; by default found out.
    #[arg(long, value_enum)]
    charset: Option<CharsetArg>,
    /// Check every row against the directory, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum ModeArg {
    /// It is an error
    Create,
    /// The user is changed, by the columns that are given
    Upsert,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum FormatArg {
    /// A table
    Csv,
    /// A JSON object a line
    Ndjson,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CharsetArg {
    /// UTF-8
    #[value(name = "utf-8")]
    Utf8,
    /// As Excel of a Russian Windows saves it
    #[value(name = "windows-1251")]
    Windows1251,
}

pub(super) fn import_users(config: &Config, args: &ImportArgs) -> Outcome {
    crate::telemetry::start(config.log);
    let format = match format(args) {
        Ok(format) => format,
        Err(reason) => {
            eprintln!("pbm: {reason}");
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
        let directory = Directory::new(config.ldap_shared(), config.tree.clone());
        if directory.tenant(&id).await?.is_none() {
            bail!("there is no tenant {id}");
        }
        let import = import(config, args, directory, id);
        let rows = Rows::new(reader, format, import.mode);
        let summary = Box::pin(follow(import, rows, &progress)).await;
        progress.finish_and_clear();
        conclude(summary, args.dry_run);
        Ok(if summary.errors == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    })
}

fn import(config: &Config, args: &ImportArgs, directory: Directory, tenant: TenantId) -> Import {
    Import {
        directory,
        tenant,
        mode: match args.mode {
            ModeArg::Create => Mode::Create,
            ModeArg::Upsert => Mode::Upsert,
        },
        dry_run: args.dry_run,
        // Whoever has the service account's password may do anything that it can.
        may_make_super: true,
        retention: config.retention,
        now: clock::now,
    }
}

/// Does the rows and says what is wrong.
async fn follow(import: Import, rows: Rows<impl AsyncRead + Unpin>, progress: &ProgressBar) -> Summary {
    let mut reports = pin!(bulk::run(import, rows));
    let mut end = Summary::default();
    while let Some(report) = reports.next().await {
        match report {
            Report::Row(RowReport { line, message, .. }) => {
                for reason in message.iter().flat_map(Message::reasons) {
                    progress.suspend(|| eprintln!("line {line}: {reason}"));
                }
            }
            Report::Stop(stop) => {
                progress.suspend(|| eprintln!("{stop}"));
            }
            Report::End { summary, .. } => end = summary,
        }
    }
    end
}

fn conclude(summary: Summary, dry_run: bool) {
    let Summary { rows, created, updated, unchanged, errors } = summary;
    let (would, done) = if dry_run { ("would be ", "; nothing was written") } else { ("", "") };
    println!(
        "{rows} row(s): {created} {would}created, {updated} {would}updated, {unchanged} unchanged, {errors} error(s){done}."
    );
}

/// The format, as it is named or as the file's name ends.
fn format(args: &ImportArgs) -> Result<Format, String> {
    let ending = args.file.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let format = args.format.or_else(|| match ending.to_ascii_lowercase().as_str() {
        "csv" | "txt" => Some(FormatArg::Csv),
        "ndjson" | "jsonl" | "json" => Some(FormatArg::Ndjson),
        _ => None,
    });
    let charset = args.charset.map(|charset| match charset {
        CharsetArg::Utf8 => Charset::Utf8,
        CharsetArg::Windows1251 => Charset::Windows1251,
    });
    match format {
        Some(FormatArg::Csv) => Ok(Format::Csv { charset }),
        Some(FormatArg::Ndjson) if charset == Some(Charset::Windows1251) => {
            Err("NDJSON is always UTF-8: leave --charset out".to_owned())
        }
        Some(FormatArg::Ndjson) => Ok(Format::Ndjson),
        None => Err(format!(
            "the name {} does not tell how the file is written: use --format csv or --format ndjson",
            args.file.display()
        )),
    }
}

/// Opens the file, and tells its size where it has one.
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

/// A bar on a terminal, of the bytes that are read; elsewhere nothing.
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

/// A file that is read on this thread. That holds the thread up, but while rows are read none is being done.
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
