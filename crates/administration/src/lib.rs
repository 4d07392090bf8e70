#![doc = include_str!("../README.md")]

pub mod accounts;
mod administration;
mod answers;
pub mod attempts;
pub mod backups;
pub mod caller;
pub mod changes;
pub mod clock;
pub mod configuration;
pub mod health;
pub mod imports;
pub mod log_in;
pub mod long_work;
mod mail_lists;
pub mod photos;
pub mod policy;
pub mod recall;
mod resources;
pub mod restores;
pub mod sync;
mod tenants;
pub mod tokens;
pub mod turns;
mod users;

pub use administration::Administration;
