//! The API over HTTP, all trials against one `pbm serve`.

mod access;
mod auth;
mod bad_input;
mod bad_wire;
mod conflicts;
mod guide;
mod http;
mod lists;
mod renames;
mod scene;
mod users;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(&[
        guide::TRIALS,
        access::TRIALS,
        users::TRIALS,
        lists::TRIALS,
        renames::TRIALS,
        auth::TRIALS,
        bad_input::TRIALS,
        bad_wire::TRIALS,
        conflicts::TRIALS,
        http::TRIALS,
    ])
}
