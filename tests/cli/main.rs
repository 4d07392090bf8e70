//! The command line, each command as a process of its own.

mod addressbook_follow;
mod check;
mod commands;
mod dev;
mod import_users;
mod init;
mod readme;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run_without_world(&[
        ("init", init::TRIALS),
        ("check", check::TRIALS),
        ("commands", commands::TRIALS),
        ("import_users", import_users::TRIALS),
        ("dev", dev::TRIALS),
        ("addressbook_follow", addressbook_follow::TRIALS),
        ("readme", readme::TRIALS),
    ])
}
