//! Backups that are made by themselves. What is due follows from the files that are there, so a restart makes none twice,
//! and replicas with one folder share the work. An older backup is removed only after a newer one is whole.

use super::{SaveError, Target, keeping, save};
use crate::config::backup::Schedule;
use administration::{
    backups::{ScheduledBackup, note_conflicts},
    clock,
};
use directory::{
    Directory,
    backup::{BackedUp, BackupRequest, Extent},
};
use jiff::Timestamp;
use std::{fs, io, path::Path, time::Duration};

/// How long it is until a backup that came to nothing is tried again, or less where backups are made more often.
const RETRY: Duration = Duration::from_secs(600);
/// How long a replica waits for its turn at most.
const LONGEST_TURN: Duration = Duration::from_secs(60);
/// How old a file is that was begun and not ended because the process was killed.
const LEFT: Duration = Duration::from_secs(24 * 3600);
/// How often the clock is looked at: it may be set, and the machine may sleep.
const LOOK: Duration = Duration::from_secs(60);

/// Backs everything up whenever that is due; never ends.
pub async fn run(directory: &Directory, schedule: &Schedule, note: &ScheduledBackup) {
    loop {
        let wait = match due_in(schedule) {
            Ok(Some(wait)) => {
                // Whoever made the latest one.
                note.note(true);
                wait.min(LOOK)
            }
            Ok(None) => match in_turn(directory, schedule).await {
                Ok(()) => Duration::ZERO,
                Err(error) => failed(note, schedule, &error),
            },
            Err(error) => failed(note, schedule, &SaveError::File(error)),
        };
        tokio::time::sleep(wait).await;
    }
}

fn failed(note: &ScheduledBackup, schedule: &Schedule, error: &SaveError) -> Duration {
    note.note(false);
    tracing::error!(error = error as &dyn std::error::Error, "backup.failed");
    schedule.every.min(RETRY)
}

/// Backs up after a random while, unless a replica has been faster.
async fn in_turn(directory: &Directory, schedule: &Schedule) -> Result<(), SaveError> {
    let longest = (schedule.every / 10).min(LONGEST_TURN);
    tokio::time::sleep(longest.mul_f64(rand::random::<f64>())).await;
    if due_in(schedule).map_err(SaveError::File)?.is_some() {
        return Ok(());
    }
    back_up(directory, schedule).await
}

async fn back_up(directory: &Directory, schedule: &Schedule) -> Result<(), SaveError> {
    let now = clock::now();
    let request = BackupRequest { extent: Extent::Everything, without_super: false, counts: false, now };
    let path = schedule.folder.join(keeping::name_of(now));
    let BackedUp { entries, set_aside } = save(directory, &request, Target::file(&path)?, |_| {}).await?;
    note_conflicts(&set_aside);
    tracing::info!(entries, file = %path.display(), "backup.done");
    remove_superfluous(schedule).map_err(SaveError::File)
}

/// How long it is until the next backup; `None` where it is due.
fn due_in(schedule: &Schedule) -> io::Result<Option<Duration>> {
    let now = clock::now();
    // One of the future says that the clock was wrong, and nothing else.
    let newest = times(schedule)?.into_iter().filter(|time| *time <= now).max();
    let Some(newest) = newest else { return Ok(None) };
    let age = Duration::try_from(now.duration_since(newest)).unwrap_or_default();
    Ok(schedule.every.checked_sub(age).filter(|wait| !wait.is_zero()))
}

/// When the backups that are there were begun.
fn times(schedule: &Schedule) -> io::Result<Vec<Timestamp>> {
    fs::create_dir_all(&schedule.folder)?;
    let mut times = Vec::new();
    for file in fs::read_dir(&schedule.folder)? {
        times.extend(file?.file_name().to_str().and_then(keeping::time_of));
    }
    Ok(times)
}

fn remove_superfluous(schedule: &Schedule) -> io::Result<()> {
    for time in keeping::superfluous(&times(schedule)?, schedule.keep) {
        let path = schedule.folder.join(keeping::name_of(time));
        if removed(&path)? {
            tracing::info!(file = %path.display(), "backup.removed");
        }
    }
    for file in fs::read_dir(&schedule.folder)? {
        let file = file?;
        let is_left = file.file_name().to_str().is_some_and(keeping::is_unfinished)
            && file.metadata()?.modified()?.elapsed().is_ok_and(|age| age > LEFT);
        if is_left {
            removed(&file.path())?;
        }
    }
    Ok(())
}

/// Removes a file; whether it was there: a replica may have been faster.
fn removed(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
