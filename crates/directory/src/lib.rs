#![doc = include_str!("../README.md")]

pub mod accounts;
pub mod answers;
pub mod backup;
mod batches;
pub mod changing;
mod connection;
mod entry;
pub mod error;
pub mod following;
pub mod lists;
pub mod liveness;
pub mod maillists;
mod operations;
mod pool;
pub mod product;
pub mod purge;
mod refused_accounts;
pub mod resources;
pub mod restore;
mod scan;
pub mod settings;
pub mod setup;
pub mod sources;
mod subschema;
pub mod tenants;
pub mod users;
pub mod written;

pub use entry::Entry;
pub use operations::{Directory, Lookup, Scope};
pub use scan::Scan;
