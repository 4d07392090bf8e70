//! Real servers, started and stopped; what they hold is looked at with the tools their packages bring.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod backends;
mod commands;
mod directory;
mod holder;
mod leftovers;
mod redis;
mod sentinels;
mod tls;
