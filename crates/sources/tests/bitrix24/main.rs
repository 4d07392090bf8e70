//! The reader of Bitrix24 against a stand-in of a portal.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may fail")]

mod faults;
mod fixture;
mod limits;
mod photos;
mod probe;
mod reading;
