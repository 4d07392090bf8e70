#![doc = include_str!("../README.md")]

pub mod bitrix24;
pub mod ldap;
pub mod mapping;
mod read;
mod reader;
mod shown;

pub use read::{Ending, Passed, Read, SourceError, Sweep};
pub use reader::Reader;
