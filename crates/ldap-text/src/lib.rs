#![doc = include_str!("../README.md")]

pub mod attribute;
pub mod dn;
pub mod filter;
pub mod generalized_time;
pub mod ldif;

pub use attribute::{AttributeName, AttributeNameError};
pub use dn::{Dn, DnError, Rdn};
pub use filter::Filter;
