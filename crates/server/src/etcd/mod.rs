//! A client of etcd 3.4 and newer, through its JSON gateway: reads ranges of keys at one revision, and watches them.
//! It blocks, so it belongs on a thread of its own.

pub mod client;
pub mod error;
mod gateway;
pub mod settings;
pub mod snapshot;
pub mod watch;
