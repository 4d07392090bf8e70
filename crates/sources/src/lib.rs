#![doc = include_str!("../README.md")]

pub mod bitrix24;
pub mod ldap;
pub mod mapping;
mod read;

pub use read::{Ending, Passed, Read, Reader, SourceError, Sweep};
