//! Owns the random names and passwords of a sandbox. There is no fallback to a guessable source.

use std::fmt::Write as _;

use crate::error::SandboxError;

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], SandboxError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(SandboxError::Random)?;
    Ok(bytes)
}

/// `2 * N` lower-case hexadecimal digits: safe in file names, LDIF, URLs and shell words.
pub(crate) fn hex<const N: usize>() -> Result<String, SandboxError> {
    let mut digits = String::new();
    for byte in bytes::<N>()? {
        // Writing to a String cannot fail.
        let _ = write!(digits, "{byte:02x}");
    }
    Ok(digits)
}
