//! Secret files: created once with a random secret, readable only by their owner.

use anyhow::Context;
use rand::distr::{Alphanumeric, SampleString};
use secrecy::{ExposeSecret, SecretString};
use std::{fs::OpenOptions, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

/// Letters and digits of a generated secret: 143 bits.
const LENGTH: usize = 24;

/// The secret in a file; creates the file if it does not exist.
pub(super) fn secret_file(path: &Path) -> anyhow::Result<SecretString> {
    secret_file_of(path, LENGTH)
}

/// Like [`secret_file`], with a secret of a given length.
pub(super) fn secret_file_of(path: &Path, length: usize) -> anyhow::Result<SecretString> {
    match std::fs::read_to_string(path) {
        Ok(text) => return Ok(text.trim_end().into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    }
    let secret = SecretString::from(Alphanumeric.sample_string(&mut rand::rng(), length));
    write_private(path, secret.expose_secret())?;
    Ok(secret)
}

/// Writes a file that only its owner can read.
pub(super) fn write_private(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let write = |path: &Path| options.open(path).and_then(|mut file| writeln!(file, "{text}"));
    write(path).with_context(|| format!("cannot write {}", path.display()))
}
