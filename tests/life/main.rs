//! What happens over time: deletion and purge, and a directory or a process that fails under the server.

mod deletion;
mod failure;
mod group_deletion;
mod purge;
mod tenant_purge;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(&[
        deletion::TRIALS,
        purge::TRIALS,
        tenant_purge::TRIALS,
        group_deletion::TRIALS,
        failure::TRIALS,
    ])
}
