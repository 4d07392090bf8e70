#![doc = include_str!("../README.md")]

pub mod accounts;
mod connection;
mod entry;
pub mod error;
mod operations;
mod pool;
pub mod purge;
pub mod settings;
pub mod setup;
pub mod tenants;
pub mod users;

pub use entry::Entry;
pub use operations::{Directory, Scan, Scope};
