//! Inputs of an attacker: each once achieved more than it should, and must not do so again. `make attack` runs them at
//! full size; `make test` runs them with fewer connections and smaller files.

mod clients;
mod connections;
mod lists;
mod passwords;
mod restores;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run_without_world(&[
        ("clients", clients::TRIALS),
        ("connections", connections::TRIALS),
        ("lists", lists::TRIALS),
        ("passwords", passwords::TRIALS),
        ("restores", restores::TRIALS),
    ])
}
