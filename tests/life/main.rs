//! What happens over time: deletion and purge, and a directory that fails under the server.

mod deletion;
mod failure;
mod purge;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(&[deletion::TRIALS, purge::TRIALS, failure::TRIALS])
}
