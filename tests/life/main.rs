//! What happens over time: deletion and purge, and a directory, a Redis or a process that fails.

mod chaos;
mod deletion;
mod failure;
mod garbage;
mod group_deletion;
mod load;
mod purge;
mod redis_failure;
mod replicas;
mod sentinel;
mod site;
mod stale_book;
mod tenant_purge;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(&[
        deletion::TRIALS,
        purge::TRIALS,
        tenant_purge::TRIALS,
        group_deletion::TRIALS,
        failure::TRIALS,
        redis_failure::TRIALS,
        replicas::TRIALS,
        sentinel::TRIALS,
        stale_book::TRIALS,
        garbage::TRIALS,
        chaos::TRIALS,
    ])
}
