//! Conversions in processes of their own, a few at a time. Decoders read bytes of strangers, and not every one of them bounds what
//! it allocates; the kernel does. A decoder that takes more memory or time than it may ends with its process, and nothing else does.

use crate::{Format, MAX_IMAGE, Refused, convert};
use mail_model::photo::Photo;
use rustix::process::{Resource, Rlimit, setrlimit};
use std::{
    ffi::{OsStr, OsString},
    io::{self, Read, Write},
    os::unix::process::CommandExt as _,
    process::{ExitCode, Stdio},
    time::Duration,
};
use tokio::{
    io::AsyncWriteExt,
    process::{Child, Command},
    sync::Semaphore,
    time::timeout,
};

/// The argument by which the program is told to convert one image from its standard input; see [`convert_standard_input`].
pub const COMMAND: &str = "convert-photo";

/// Stands behind [`COMMAND`] where the process is bounded.
const BOUNDED: &str = "bounded";

/// Conversions at a time.
const AT_A_TIME: usize = 2;
/// Address space of a process that converts, in bytes: the program itself, its threads, the image, and what decoding takes. An
/// image that is taken needs at most 100 MB of memory.
const MEMORY: u64 = 256 << 20;
/// Seconds of processor time for an image. The largest takes a quarter of a second.
const PROCESSOR_SECONDS: u64 = 5;
/// How long a conversion may take, waiting for a processor included.
const LONGEST: Duration = Duration::from_secs(20);
/// What stands before a photo, and before the reason why there is none.
const PHOTO: u8 = 0;
const REFUSED: u8 = 1;
/// The exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);

/// Why there is no photo.
#[derive(Debug, thiserror::Error)]
pub enum Unconverted {
    /// The image can't be taken.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// No process could be started for it.
    #[error("no process to convert an image")]
    Process(#[from] io::Error),
}

/// Makes a photo of an image in a process of its own, once it is its turn. Where the caller goes away, the process is ended.
///
/// `program` is a program that calls [`convert_standard_input`] when its only argument is [`COMMAND`].
///
/// # Errors
/// [`Unconverted`].
pub async fn convert_apart(program: impl AsRef<OsStr>, image: &[u8]) -> Result<Photo, Unconverted> {
    // Closed never, so the error of a closed one has no meaning.
    let _permit = TURNS.acquire().await.ok();
    let child = Command::new(program)
        .arg(COMMAND)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()?;
    match timeout(LONGEST, talk(child, image)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(Refused::TooCostly.into()),
    }
}

async fn talk(mut child: Child, image: &[u8]) -> Result<Photo, Unconverted> {
    if let Some(mut input) = child.stdin.take() {
        // A process that has ended reads no more; what it said counts.
        let _written = input.write_all(image).await;
    }
    let output = child.wait_with_output().await?;
    match output.stdout.split_first() {
        Some((&PHOTO, photo)) => {
            let photo = Photo::parse(photo.to_vec());
            photo.map_err(|_| Refused::Unreadable(Format::Unknown).into())
        }
        Some((&REFUSED, reason)) => {
            let reason = serde_json::from_slice(reason);
            Err(reason.unwrap_or(Refused::Unreadable(Format::Unknown)).into())
        }
        // A decoder that panics has met an image that it can't read.
        _ if output.status.code() == Some(PANICKED) => Err(Refused::Unreadable(Format::Unknown).into()),
        _ => Err(Refused::TooCostly.into()),
    }
}

/// Converts the image on the standard input, and writes the photo to the standard output, or why there is none. `arguments` are
/// those behind [`COMMAND`].
///
/// The process bounds itself, then begins once more: an allocator may have reserved any address space before.
#[must_use]
pub fn convert_standard_input(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let outcome = match arguments.next() {
        Some(argument) if argument == BOUNDED => answer(),
        _ => bounded(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// Sets the bounds and begins once more; comes back only where that fails.
fn bounded() -> io::Result<()> {
    let most = |most: u64| Rlimit { current: Some(most), maximum: Some(most) };
    setrlimit(Resource::As, most(MEMORY))?;
    setrlimit(Resource::Cpu, most(PROCESSOR_SECONDS))?;
    setrlimit(Resource::Core, most(0))?;
    Err(std::process::Command::new("/proc/self/exe").args([COMMAND, BOUNDED]).exec())
}

fn answer() -> io::Result<()> {
    let mut image = Vec::new();
    io::stdin().lock().take(MAX_IMAGE as u64 + 1).read_to_end(&mut image)?;
    let (sign, bytes) = match convert(&image) {
        Ok(photo) => (PHOTO, photo.into_bytes()),
        Err(refused) => (REFUSED, serde_json::to_vec(&refused)?),
    };
    let mut out = io::stdout().lock();
    out.write_all(&[sign])?;
    out.write_all(&bytes)?;
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_conversion_waits_for_its_turn() {
        let all = TURNS.acquire_many(u32::try_from(AT_A_TIME).unwrap()).await.unwrap();
        let waiting = tokio::spawn(convert_apart("/bin/false", b"GIF89a"));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        drop(all);
        let refused = waiting.await.unwrap().unwrap_err();
        assert!(matches!(refused, Unconverted::Refused(Refused::TooCostly)), "{refused}");
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_no_fault_of_the_image() {
        let refused = convert_apart("/nowhere", b"GIF89a").await.unwrap_err();
        assert!(matches!(refused, Unconverted::Process(_)), "{refused}");
    }
}
