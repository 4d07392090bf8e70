//! The command line, each command in a process of its own.

mod accounts;
mod addressbook_follow;
mod check;
mod commands;
mod dev;
mod import_tables;
mod import_users;
mod init;
mod pipes;
mod readers;
mod readme;
mod restart;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run_without_world(&[
        ("accounts", accounts::TRIALS),
        ("init", init::TRIALS),
        ("pipes", pipes::TRIALS),
        ("check", check::TRIALS),
        ("commands", commands::TRIALS),
        ("import_users", import_users::TRIALS),
        ("import_tables", import_tables::TRIALS),
        ("dev", dev::TRIALS),
        ("addressbook_follow", addressbook_follow::TRIALS),
        ("readers", readers::TRIALS),
        ("readme", readme::TRIALS),
        ("restart", restart::TRIALS),
    ])
}
