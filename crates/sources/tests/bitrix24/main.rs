//! The reader of Bitrix24 against a stand-in of a portal.

mod faults;
mod fixture;
mod limits;
mod reading;
