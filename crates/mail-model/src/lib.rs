#![doc = include_str!("../README.md")]

pub mod address;
pub mod answer;
pub mod changes;
pub mod contact;
pub mod deletion;
pub mod entry;
pub mod field;
pub mod list;
pub mod maillist;
pub mod names;
pub mod resource;
pub mod revision;
#[cfg(test)]
mod stored;
pub mod tenant;
pub mod tree;
pub mod user;
