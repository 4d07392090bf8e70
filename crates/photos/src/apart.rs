//! Converts images in separate processes, a few at a time. Decoders read untrusted bytes, and not all of them limit
//! their allocations; the kernel does. A decoder that exceeds its memory or time ends only its own process.

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

/// The argument that makes the program convert one image from its standard input; see [`convert_standard_input`].
pub const COMMAND: &str = "convert-photo";

/// Follows [`COMMAND`] if the limits of the process are set already.
const BOUNDED: &str = "bounded";

/// The number of conversions at a time.
const AT_A_TIME: usize = 2;
/// The address space of a converting process, in bytes: the program itself, its threads, the image, and the memory for
/// decoding. An image that is accepted needs at most 100 MB of memory.
const MEMORY: u64 = 256 << 20;
/// Seconds of CPU time for an image. The largest takes a quarter of a second.
const PROCESSOR_SECONDS: u64 = 5;
/// How long a conversion may take, including the wait for a CPU.
const LONGEST: Duration = Duration::from_secs(20);
/// The first byte of the output before a photo, and before the reason why there is none.
const PHOTO: u8 = 0;
const REFUSED: u8 = 1;
/// The exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

static TURNS: Semaphore = Semaphore::const_new(AT_A_TIME);

/// Why a conversion failed.
#[derive(Debug, thiserror::Error)]
pub enum Unconverted {
    /// The image was refused.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The process could not be started.
    #[error("the process that converts images cannot be started")]
    Process(#[from] io::Error),
}

/// Converts an image to a photo in a separate process, when a permit is free. If the future is dropped, the process is
/// killed.
///
/// `program` is a program that calls [`convert_standard_input`] when its only argument is [`COMMAND`].
///
/// # Errors
/// [`Unconverted`].
pub async fn convert_apart(program: impl AsRef<OsStr>, image: &[u8]) -> Result<Photo, Unconverted> {
    // The semaphore is never closed, so this error never occurs.
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
        // A process that has ended does not read any more; its output counts.
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
        // A decoder that panics could not read the image.
        _ if output.status.code() == Some(PANICKED) => Err(Refused::Unreadable(Format::Unknown).into()),
        _ => Err(Refused::TooCostly.into()),
    }
}

/// Converts the image on the standard input, and writes the photo, or the reason why there is none, to the standard
/// output. `arguments` are those after [`COMMAND`].
///
/// The process sets its own limits and then executes itself again, since an allocator may already have reserved
/// address space.
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

/// Sets the limits and executes the program again; returns only if that fails.
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
