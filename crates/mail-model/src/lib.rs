#![doc = include_str!("../README.md")]

pub mod address;
pub mod answer;
pub mod changes;
pub mod conflicts;
pub mod contact;
pub mod deletion;
pub mod entry;
pub mod field;
pub mod folding;
pub mod list;
pub mod maillist;
pub mod names;
pub mod naming;
pub mod photo;
pub mod pieces;
pub mod resource;
pub mod restorable;
pub mod revision;
pub mod run;
pub mod scripts;
pub mod source;
#[cfg(test)]
mod stored;
pub mod tenant;
pub mod tested;
pub mod tree;
pub mod user;
