//! What commands print: the one place that writes to standard output and to standard error.
//!
//! Whoever reads a pipe may have seen enough (`pbm check | head -3`). Rust programs ignore SIGPIPE and get an error instead,
//! on which `println!` panics. Here the process ends as quietly as the signal would have ended it, and where output is lost for
//! another reason, such as a full disk, it fails and says so.

use std::{
    fmt::Arguments,
    io::{self, ErrorKind, Write},
    process,
};

/// What a shell shows of a process that SIGPIPE (13) has ended.
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

/// Prints to standard output as it stands.
pub(super) fn to_stdout(text: Arguments<'_>) {
    // What cannot be printed has ended the process.
    let _printed = Stdout.write_fmt(text);
}

/// Prints to standard error as it stands. Nothing could be told of its failures but that of a pipe.
pub(super) fn to_stderr(text: Arguments<'_>) {
    let mut stderr = io::stderr().lock();
    if let Err(error) = stderr.write_fmt(text).and_then(|()| stderr.flush())
        && error.kind() == ErrorKind::BrokenPipe
    {
        process::exit(BROKEN_PIPE);
    }
}

/// Standard output; a write that fails ends the process.
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
