//! The leftovers of a `kill -9` of a server or of the program that held it, and the next start in that folder.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use sandbox::{DirectoryServer, RedisServer};
use tempfile::TempDir;

use crate::commands::{add_unit, config_folder, entry, has_unit, processes_in, redis, semaphore};
use crate::holder::{hold, this_program, within};

const NOBODY: u32 = 65_534;

#[test]
fn stale_files_do_not_stop_the_next_start() {
    let folder = TempDir::new().unwrap();
    let mut server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    add_unit(&server, "kept");
    server.kill();
    let copy = copy_of(folder.path());
    assert!(semaphore(folder.path()).exists());
    drop(server);
    // The state after a kill of everything: locks that name a live process, a semaphore that no process holds.
    restore(&copy, folder.path());
    fs::write(folder.path().join(format!("lock/server/{}", std::process::id())), "").unwrap();
    fs::write(folder.path().join("run/pid"), format!("{}\n", std::process::id())).unwrap();
    fs::write(semaphore(folder.path()), "stale").unwrap();

    let server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    assert!(has_unit(&server, "kept"));
}

#[test]
fn an_orphan_of_the_folder_is_stopped_first() {
    let folder = TempDir::new().unwrap();
    let mut server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    server.kill();
    drop(server);
    let config = folder.path().join(config_folder(folder.path()));
    let mut orphan = Command::new("/usr/sbin/ns-slapd")
        .arg("-D")
        .arg(&config)
        .args(["-d", "0", "-i"])
        .arg(folder.path().join("run/pid"))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lock = folder.path().join(format!("lock/server/{}", orphan.id()));
    assert!(within(Duration::from_secs(5), || lock.exists()));

    let server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    assert!(orphan.try_wait().unwrap().is_some(), "the orphan still runs");
    assert!(!entry(&server, server.suffix()).is_empty());
}

#[test]
fn an_unfinished_set_up_begins_anew() {
    let folder = TempDir::new().unwrap();
    let mut server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    let old = config_folder(folder.path());
    server.kill();
    drop(server);
    fs::remove_file(folder.path().join("sandbox.ready")).unwrap();
    fs::write(format!("/dev/shm/sem.{old}.stats"), "stale").unwrap();

    let server = DirectoryServer::in_folder(folder.path()).start().unwrap();
    assert_ne!(config_folder(folder.path()), old);
    assert!(!fs::exists(format!("/dev/shm/sem.{old}.stats")).unwrap());
    assert!(!entry(&server, server.suffix()).is_empty());
}

#[test]
fn servers_die_with_a_killed_parent_and_the_folders_continue() {
    let folder = TempDir::new().unwrap();
    let (ds, cache) = (folder.path().join("ds"), folder.path().join("redis"));
    let mut holder = hold(&mut Command::new(this_program()), folder.path());
    assert_eq!((processes_in(&ds).len(), processes_in(&cache).len()), (1, 1));
    holder.kill().unwrap();
    holder.wait().unwrap();
    let directory = DirectoryServer::in_folder(&ds).start().unwrap();
    let cache_server = RedisServer::in_folder(&cache).start().unwrap();
    assert_eq!(processes_in(&ds), [directory.pid().unwrap()]);
    assert_eq!(processes_in(&cache), [cache_server.pid().unwrap()]);
    assert_eq!(redis(&cache_server, &["PING"]), "PONG");
    drop((directory, cache_server));

    let mut holder = hold(&mut Command::new(this_program()), folder.path());
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(within(Duration::from_secs(5), || processes_in(folder.path()).is_empty()));
    fs::remove_file(semaphore(&folder.path().join("ds"))).unwrap();
}

#[test]
fn an_ordinary_user_can_do_it_too() {
    if fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) != 0) {
        return; // Then every test here shows it.
    }
    let folder = TempDir::new().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    chown(folder.path(), Some(NOBODY), Some(NOBODY)).unwrap();
    // That user may not have access to the build folder.
    let program = folder.path().join("holder");
    fs::copy(this_program(), &program).unwrap();
    let ids = [format!("--reuid={NOBODY}"), format!("--regid={NOBODY}"), "--clear-groups".into()];
    let mut command = Command::new("setpriv");
    let mut holder =
        hold(command.args(ids).arg(&program).current_dir("/").env("PATH", "/usr/bin:/bin"), folder.path());
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert!(within(Duration::from_secs(5), || processes_in(folder.path()).is_empty()));
    fs::remove_file(semaphore(&folder.path().join("ds"))).unwrap();
}

fn copy_of(folder: &Path) -> TempDir {
    let copy = TempDir::new().unwrap();
    restore_with(folder, copy.path());
    copy
}

fn restore(copy: &TempDir, folder: &Path) {
    for name in ["lock", "run"] {
        let _ = fs::remove_dir_all(folder.join(name));
    }
    restore_with(copy.path(), folder);
}

fn restore_with(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from.join("lock")).arg(from.join("run")).arg(to).status();
    assert!(status.unwrap().success());
}
