//! Programs that run beside a trial.

use harness::{Installation, pbm, within};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

/// How long a program may take to reach a state.
pub(crate) const PATIENCE: Duration = Duration::from_secs(90);

/// A running program, and its output on stderr.
pub(crate) struct Running {
    pub(crate) child: Child,
    log: PathBuf,
}

impl Running {
    pub(crate) fn start(command: &mut Command, log: PathBuf) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(fs::File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), log }
    }

    /// A command of `pbm` with the usual configuration.
    pub(crate) fn pbm(installation: &Installation, arguments: &[&str]) -> Self {
        let mut command = Command::new(pbm());
        command.args(arguments).arg("--config").arg(installation.usual_config());
        Self::start(&mut command, installation.file("command.log"))
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        let seen = within(PATIENCE, || self.log().contains(text) || self.child.try_wait().unwrap().is_some());
        assert!(seen && self.log().contains(text), "{text:?} is missing: {}", self.log());
    }

    #[track_caller]
    pub(crate) fn expect_success(&mut self) {
        assert!(self.child.wait().unwrap().success(), "{}", self.log());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The process of a program, found by a folder in its command line.
pub(crate) fn pid_of(program: &str, folder: &Path) -> Option<u32> {
    let folder = folder.to_str().unwrap();
    fs::read_dir("/proc").unwrap().flatten().find_map(|process| {
        let pid = process.file_name().to_str()?.parse().ok()?;
        let command = fs::read(process.path().join("cmdline")).ok()?;
        let command = String::from_utf8_lossy(&command).into_owned();
        (command.split('\0').next()?.ends_with(program) && command.contains(folder)).then_some(pid)
    })
}
