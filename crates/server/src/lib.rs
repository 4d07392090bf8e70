#![doc = include_str!("../README.md")]
#![warn(clippy::print_stdout, clippy::print_stderr, reason = "cli::print knows what to do when nobody reads")]

pub mod application;
mod backoff;
pub mod backup;
pub mod cli;
pub mod config;
pub mod etcd;
pub mod following;
pub mod jobs;
pub mod live;
mod open_files;
pub mod telemetry;
