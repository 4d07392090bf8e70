//! Another process that holds servers, to be killed: this test binary, running one of its own tests.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use sandbox::{DirectoryServer, RedisServer};

const FOLDER: &str = "SANDBOX_TEST_FOLDER";

/// Not a test of its own: the body of a holder process.
#[test]
#[ignore = "run by other tests, in a process of its own"]
fn hold_two_servers() {
    let Some(folder) = env::var_os(FOLDER).map(PathBuf::from) else { return };
    let _directory = DirectoryServer::in_folder(folder.join("ds")).start().unwrap();
    let _redis = RedisServer::in_folder(folder.join("redis")).start().unwrap();
    fs::write(folder.join("ready"), "").unwrap();
    loop {
        sleep(Duration::from_mins(1));
    }
}

/// Starts a holder with servers in `ds` and `redis` of the folder, and waits for both.
pub(crate) fn hold(program: &mut Command, folder: &Path) -> Child {
    let mut child = program
        .args(["--exact", "holder::hold_two_servers", "--ignored"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let ready = folder.join("ready");
    assert!(
        within(Duration::from_secs(20), || ready.exists() || child.try_wait().unwrap().is_some()),
        "the holder holds nothing"
    );
    assert!(ready.exists(), "the holder ended");
    fs::remove_file(ready).unwrap();
    child
}

pub(crate) fn this_program() -> PathBuf {
    env::current_exe().unwrap()
}

pub(crate) fn within(limit: Duration, holds: impl FnMut() -> bool) -> bool {
    let mut holds = holds;
    let since = Instant::now();
    while since.elapsed() < limit {
        if holds() {
            return true;
        }
        sleep(Duration::from_millis(20));
    }
    false
}
