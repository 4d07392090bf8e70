//! A restore into an empty prepared server. Raw: adds of the same entries over as many connections. For comparison:
//! `ldapadd`, with one connection, and the server's own import. Then the same again, when there is nothing to do,
//! compared with `ldapadd -c`. And a restore by `--replace-all`, which examines the file first and compares the directory
//! with it afterwards; raw: the server's own import of the same file.
//!
//! All except `--replace-all` and the server itself are bound as the account with which pbm restores: for the Directory
//! Manager 389-ds does not evaluate access rules, and adds a tenth more. Each fills a server of its own, so there is one
//! round.

use super::backup::timed;
use crate::{
    arguments::Arguments,
    contents::run_task,
    load::{self, Until},
    raw::{Adding, Login},
    report::{Row, Target},
    world::{Empty, World},
};
use anyhow::Context;
use ldap_text::ldif::{Change, ChangeRecord, LdifReader, Record};
use mail_model::names;
use std::{
    fs::{self, File},
    io::BufReader,
    path::Path,
    process::{Command, Stdio},
    sync::{Arc, Mutex, PoisonError},
};

/// Connections of the raw adds: as many as `pbm restore` uses.
const CONNECTIONS: usize = 64;
const AT_LEAST: Target = Target::Ratio(0.9);
const NOTHING_TO_DO: Target = Target::Ratio(5.0);
const REPLACE: Target = Target::Ratio(0.7);

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::Builder::new().prefix("pbm-bench-").tempdir()?;
    let file = folder.path().join("all.ldif");
    world.program.run(world.program.command("backup")?.arg("--output").arg(&file))?;
    let users = f64::from(u32::try_from(arguments.users())?);
    let rate = |name: &str, seconds: f64| {
        eprintln!("restore, {name}: {seconds:.1} s");
        users / seconds
    };
    let server = Empty::start(arguments)?;
    let raw = rate("raw adds", timed(|| add(&server.backup_directory, &file))?);
    let server = Empty::start(arguments)?;
    let one = rate("ldapadd", timed(|| ldapadd(&server.backup_directory, &file))?);
    let server = Empty::start(arguments)?;
    let import = rate("import", timed(|| import(&server, &file))?);
    let server = Empty::start(arguments)?;
    let replace = rate("ours, --replace-all", timed(|| replace(&server, &file))?);
    let server = Empty::start(arguments)?;
    let restore = || server.program.run(server.program.command("restore")?.arg(&file));
    let ours = rate("ours", timed(restore)?);
    let again = rate("ours, nothing to do", timed(restore)?);
    let one_again = rate("ldapadd -c, nothing to do", timed(|| ldapadd(&server.backup_directory, &file))?);
    Ok(vec![
        Row::of_rates("restore, users, by raw adds", ours, raw, AT_LEAST),
        Row::of_rates("restore, by ldapadd", ours, one, Target::None),
        Row::of_rates("restore, by the server's own import", ours, import, Target::None),
        Row::of_rates("restore --replace-all, by the server's own import", replace, import, REPLACE),
        Row::of_rates("restore, nothing to do, by ldapadd -c", again, one_again, NOTHING_TO_DO),
    ])
}

/// Adds the users of a file.
fn add(login: &Login, file: &Path) -> anyhow::Result<()> {
    let mut records = Vec::new();
    for record in LdifReader::new(BufReader::new(File::open(file)?)) {
        if let Record::Entry(entry) = record?
            && entry.is_of_class(names::USER_CLASS)
        {
            records.push(ChangeRecord { dn: entry.dn, change: Change::Add(entry.attributes) });
        }
    }
    let each = records.len().div_ceil(CONNECTIONS);
    let records = Arc::new(Mutex::new(records));
    load::run(CONNECTIONS, Until::Times(each), async || {
        let records = records.clone();
        // The administrator already exists.
        let is_new = |record: &ChangeRecord| !record.dn.to_string().starts_with("mail=admin@");
        let next = move || {
            let mut records = records.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(records.pop().filter(is_new))
        };
        Ok(Adding { ldap: login.bind().await?, next })
    })
    .map(|_| ())
}

fn replace(server: &Empty, file: &Path) -> anyhow::Result<()> {
    let mut command = server.program.command("restore")?;
    command.arg(file).args(["--replace-all", "--yes", "--no-safety-backup"]);
    command.arg("--manager-password-file").arg(server.manager_password_file());
    server.program.run(&mut command)
}

/// Existing entries are skipped, and are not a failure here.
fn ldapadd(login: &Login, file: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("ldapadd");
    command.args(["-c", "-x", "-H", &login.url, "-D", &login.dn, "-w", &login.password, "-f"]).arg(file);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().map(|_| ()).context("cannot run ldapadd (package ldap-utils)")
}

fn import(server: &Empty, file: &Path) -> anyhow::Result<()> {
    // The server's user must be able to read the folder.
    let copy = server.folder().join("import.ldif");
    fs::write(&copy, fs::read(file)?)?;
    server.manager().once(async |ldap| run_task(ldap, "import", &copy).await)
}
