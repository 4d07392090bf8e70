#![doc = include_str!("../README.md")]

pub mod api;
pub mod auth;
pub mod backup;
pub mod bulk;
pub mod cli;
pub mod clock;
pub mod config;
pub mod http;
pub mod jobs;
mod spelling;
pub mod telemetry;
