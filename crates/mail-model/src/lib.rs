#![doc = include_str!("../README.md")]

pub mod address;
pub mod deletion;
pub mod entry;
pub mod names;
pub mod tenant;
pub mod tree;
pub mod user;
