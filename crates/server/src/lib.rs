#![doc = include_str!("../README.md")]
#![warn(clippy::print_stdout, clippy::print_stderr, reason = "cli::print knows what to do when nobody reads")]

pub mod api;
pub mod backup;
pub mod bulk;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod jobs;
mod open_files;
mod spelling;
pub mod telemetry;
