//! Backup, restore and comparison, as administrators use them: against real servers, in exchange with other tools, and
//! killed half way.

mod bad_files;
mod conflicts;
mod cut_files;
mod elsewhere;
mod fixture;
mod foreign;
mod hashes;
mod http;
mod interrupted;
mod replace;
mod round_trip;
mod schedule;
mod secrets;
mod ways;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run_without_world(&[
        ("round_trip", round_trip::TRIALS),
        ("ways", ways::TRIALS),
        ("elsewhere", elsewhere::TRIALS),
        ("foreign", foreign::TRIALS),
        ("hashes", hashes::TRIALS),
        ("bad_files", bad_files::TRIALS),
        ("cut_files", cut_files::TRIALS),
        ("conflicts", conflicts::TRIALS),
        ("interrupted", interrupted::TRIALS),
        ("replace", replace::TRIALS),
        ("schedule", schedule::TRIALS),
        ("http", http::TRIALS),
        ("secrets", secrets::TRIALS),
    ])
}
