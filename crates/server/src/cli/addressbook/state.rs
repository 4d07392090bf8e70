//! The file in which a follower keeps its token.
//!
//! It holds the token and a line break, or is empty at the beginning. A new token is written to a second file, synced
//! to disk and renamed, so a kill leaves either the old token or the new one.

use anyhow::{Context, ensure};
use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The maximum length of a token in bytes: it must fit into a request line.
pub(super) const MAX_TOKEN: usize = 4096;

pub(super) struct State {
    path: PathBuf,
}

impl State {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// The token; empty if there is none yet.
    pub(super) fn read(&self) -> anyhow::Result<String> {
        let text = match fs::read_to_string(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            read => read.with_context(|| format!("cannot read {}", self.path.display()))?,
        };
        let token = text.trim_end();
        let is_token = token.len() <= MAX_TOKEN && token.chars().all(|c| c.is_ascii_graphic());
        ensure!(is_token, "{} does not hold a valid token; remove it to start over", self.path.display());
        Ok(token.to_owned())
    }

    /// Saves a token; an empty one means the beginning.
    pub(super) fn write(&self, token: &str) -> anyhow::Result<()> {
        self.replace(token).with_context(|| format!("cannot write {}", self.path.display()))
    }

    fn replace(&self, token: &str) -> io::Result<()> {
        let mut name = OsString::from(&self.path);
        name.push(".new");
        let new = PathBuf::from(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        writeln!(file, "{token}")?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        File::open(self.folder())?.sync_all()
    }

    fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let state = State::new(folder.path().join("state"));
        assert_eq!(state.read().unwrap(), "");
        for token in ["abc-1", "", "def.2"] {
            state.write(token).unwrap();
            assert_eq!(state.read().unwrap(), token);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn what_is_no_token_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        for text in ["two words", "один", "a\nb", &"x".repeat(MAX_TOKEN + 1)] {
            fs::write(&path, text).unwrap();
            let error = State::new(path.clone()).read().unwrap_err().to_string();
            assert!(error.ends_with("does not hold a valid token; remove it to start over"), "{error}");
        }
        assert!(State::new(folder.path().to_path_buf()).read().is_err());
        assert!(State::new(folder.path().join("no/folder")).write("a").is_err());
    }
}
