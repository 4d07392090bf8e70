#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod answers;
pub mod backup;
pub mod changing;
mod connection;
mod entry;
pub mod error;
pub mod following;
pub mod lists;
pub mod maillists;
mod operations;
mod pool;
pub mod purge;
pub mod resources;
pub mod restore;
pub mod settings;
pub mod setup;
mod subschema;
pub mod tenants;
pub mod users;
pub mod written;

pub use entry::Entry;
pub use operations::{Directory, Scan, Scope};
