//! A backup of everything. Raw: `ldapsearch` of the same entries into a file, bound as the same account. For
//! information: the same as the Directory Manager, for whom 389-ds does not evaluate access rules, and the server's own
//! export.

use crate::{
    arguments::Arguments,
    contents::run_task,
    load::median,
    people::ROOT,
    raw::Login,
    report::{Row, Target},
    world::World,
};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

const AT_LEAST: Target = Target::Ratio(1.0);
const MOST_MEMORY: Target = Target::Memory(60.0);
/// The interval between samples of pbm's memory.
const LOOK: Duration = Duration::from_millis(5);

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    let folder = tempfile::Builder::new().prefix("pbm-bench-").tempdir()?;
    let (ours, raw) = (folder.path().join("ours.ldif"), folder.path().join("raw.ldif"));
    let export = world.directory_folder().join("export.ldif");
    let (mut rates, mut memory) = (Vec::new(), Vec::new());
    let (mut managers, mut exports) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let by_raw = timed(|| search(&world.backup_directory, &raw))?;
        let by_manager = timed(|| search(&world.manager, &raw))?;
        let mut most = 0.0;
        let by_ours = timed(|| {
            most = back_up(world, &ours)?;
            Ok(())
        })?;
        let by_export = timed(|| world.manager.once(async |ldap| run_task(ldap, "export", &export).await))?;
        fs::remove_file(&export)?;
        let count = entries_of(&ours)?;
        ensure!(entries_of(&raw)? == count, "ldapsearch finds other entries than pbm");
        let entries = f64::from(count);
        rates.push((entries / by_ours, entries / by_raw));
        managers.push(entries / by_manager);
        exports.push(entries / by_export);
        memory.push(most);
    }
    let ours = median(rates.iter().map(|(ours, _)| *ours).collect());
    let raw = median(rates.iter().map(|(_, raw)| *raw).collect());
    let memory = memory.into_iter().fold(0.0, f64::max);
    Ok(vec![
        Row::of_rates("backup, entries, by ldapsearch", ours, raw, AT_LEAST),
        Row::of_rates("backup, by ldapsearch as manager", ours, median(managers), Target::None),
        Row::of_rates("backup, by the server's own export", ours, median(exports), Target::None),
        Row::of_memory("backup, most memory", memory, MOST_MEMORY),
    ])
}

/// The duration of a function in seconds.
pub(super) fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<f64> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed().as_secs_f64())
}

fn search(login: &Login, file: &Path) -> anyhow::Result<()> {
    let mut command = Command::new("ldapsearch");
    command.args(["-LLL", "-x", "-H", &login.url, "-D", &login.dn, "-w", &login.password, "-b", ROOT]);
    // 389-ds hides subentries, such as password policies, from a search that does not name their class.
    let everything = "(|(objectClass=*)(objectClass=ldapSubEntry))";
    command.args([everything, "*", "aci", "nsAccountLock"]).stdout(fs::File::create(file)?);
    let status = command.status().context("cannot run ldapsearch (package ldap-utils)")?;
    ensure!(status.success(), "ldapsearch failed");
    Ok(())
}

/// Makes a backup, and returns the peak memory of pbm, in MB.
fn back_up(world: &World, file: &Path) -> anyhow::Result<f64> {
    let mut command = world.program.command("backup")?;
    let mut child = command.arg("--output").arg(file).stdout(Stdio::null()).spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0.0_f64;
    loop {
        if let Some(ended) = child.try_wait()? {
            ensure!(ended.success(), "pbm backup failed");
            return Ok(most);
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let peak = text.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        most = most.max(peak.and_then(|peak| peak.parse::<f64>().ok()).unwrap_or(0.0) / 1024.0);
        sleep(LOOK);
    }
}

/// The number of entries in a file.
fn entries_of(file: &Path) -> anyhow::Result<u32> {
    let text = fs::read(file)?;
    let count = text.split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"dn:")).count();
    Ok(u32::try_from(count)?)
}
