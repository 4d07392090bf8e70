//! Output of commands: the only module that writes to standard output and standard error.
//!
//! The reader of a pipe may close it early (`pbm check | head -3`). Rust programs ignore SIGPIPE and get an error
//! instead, on which `println!` panics. Here the process exits as quietly as on the signal. If output is lost for
//! another reason, such as a full disk, the process reports it and fails.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
    process,
};

/// The exit code that a shell reports for a process killed by SIGPIPE (13).
const BROKEN_PIPE: i32 = 128 + 13;

/// Prints a line to standard output.
macro_rules! say {
    ($($text:tt)*) => { $crate::cli::print::to_stdout(format_args!("{}\n", format_args!($($text)*))) };
}

/// Prints a line to standard error.
macro_rules! tell {
    ($($text:tt)*) => { $crate::cli::print::to_stderr(format_args!("{}\n", format_args!($($text)*))) };
}

pub(super) use {say, tell};

/// Prints to standard output without a line break.
pub(super) fn to_stdout(text: Arguments<'_>) {
    // A failure has already ended the process.
    let _printed = Stdout.write_fmt(text);
}

/// Prints to standard error without a line break. Only a closed pipe can be handled; other failures have nowhere to be
/// reported.
pub(super) fn to_stderr(text: Arguments<'_>) {
    let mut stderr = io::stderr().lock();
    if let Err(error) = stderr.write_fmt(text).and_then(|()| stderr.flush())
        && error.kind() == ErrorKind::BrokenPipe
    {
        process::exit(BROKEN_PIPE);
    }
}

/// Standard output; a failed write ends the process.
pub(super) struct Stdout;

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::stdout().write(bytes).map_err(|error| end(&error))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stdout().flush().map_err(|error| end(&error))
    }
}

fn end(error: &io::Error) -> io::Error {
    if error.kind() == ErrorKind::Interrupted {
        return ErrorKind::Interrupted.into();
    }
    if error.kind() == ErrorKind::BrokenPipe {
        process::exit(BROKEN_PIPE);
    }
    to_stderr(format_args!("pbm: cannot write to standard output: {error}\n"));
    process::exit(1)
}
