//! Backup, restore and comparison, as their administrators use them: against real servers, with other tools on the other
//! side, and killed in the middle.

mod bad_files;
mod elsewhere;
mod http;
mod interrupted;
mod round_trip;
mod scene;
mod schedule;
mod ways;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run_without_world(&[
        ("round_trip", round_trip::TRIALS),
        ("ways", ways::TRIALS),
        ("elsewhere", elsewhere::TRIALS),
        ("bad_files", bad_files::TRIALS),
        ("interrupted", interrupted::TRIALS),
        ("schedule", schedule::TRIALS),
        ("http", http::TRIALS),
    ])
}
