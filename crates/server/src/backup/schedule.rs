//! Scheduled backups. The present files decide whether a backup is due, so a restart makes no backup twice, and
//! replicas that share a folder share the work. An older backup is deleted only after a newer one is complete.

use super::{SaveError, Target, keeping, save};
use crate::config::backup::Schedule;
use administration::{
    backups::{ScheduledBackup, note_conflicts},
    clock,
};
use directory::{
    Lookup,
    backup::{BackedUp, BackupRequest, Extent},
};
use jiff::Timestamp;
use std::{fs, io, path::Path, time::Duration};

/// The pause before a failed backup is tried again; shorter if the backup interval is shorter.
const RETRY: Duration = Duration::from_secs(600);
/// The longest wait of a replica for its turn.
const LONGEST_TURN: Duration = Duration::from_secs(60);
/// The age at which an unfinished file counts as left over from a killed process.
const LEFT: Duration = Duration::from_secs(24 * 3600);
/// How often the clock is read: it may be set, and the machine may sleep.
const LOOK: Duration = Duration::from_secs(60);

/// Makes a backup whenever one is due; never ends.
pub async fn run(directory: &Lookup, schedule: &Schedule, note: &ScheduledBackup) {
    loop {
        let wait = match due_in(schedule) {
            Ok(Some(wait)) => {
                // Whichever replica made the latest backup.
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

/// Makes a backup after a random delay, unless another replica has already made it.
async fn in_turn(directory: &Lookup, schedule: &Schedule) -> Result<(), SaveError> {
    let longest = (schedule.every / 10).min(LONGEST_TURN);
    tokio::time::sleep(longest.mul_f64(rand::random::<f64>())).await;
    if due_in(schedule).map_err(SaveError::File)?.is_some() {
        return Ok(());
    }
    back_up(directory, schedule).await
}

async fn back_up(directory: &Lookup, schedule: &Schedule) -> Result<(), SaveError> {
    let now = clock::now();
    let request = BackupRequest { extent: Extent::Everything, without_super: false, counts: false, now };
    let path = schedule.folder.join(keeping::name_of(now));
    let BackedUp { entries, set_aside } = save(directory, &request, Target::file(&path)?, |_| {}).await?;
    note_conflicts(&set_aside);
    tracing::info!(entries, file = %path.display(), "backup.done");
    remove_superfluous(schedule).map_err(SaveError::File)
}

/// The time until the next backup; `None` if it is due.
fn due_in(schedule: &Schedule) -> io::Result<Option<Duration>> {
    let now = clock::now();
    // A file from the future only shows that the clock was wrong.
    let newest = times(schedule)?.into_iter().filter(|time| *time <= now).max();
    let Some(newest) = newest else { return Ok(None) };
    let age = Duration::try_from(now.duration_since(newest)).unwrap_or_default();
    Ok(schedule.every.checked_sub(age).filter(|wait| !wait.is_zero()))
}

/// The start times of the present backups.
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

/// Deletes a file; returns whether it existed: another replica may have been faster.
fn removed(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
