//! Real servers, started and stopped; the tests inspect them with the tools of their packages.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

mod backends;
mod commands;
mod directory;
mod dovecot;
mod etcd;
mod holder;
mod leftovers;
mod redis;
mod sentinels;
mod slapd;
mod tls;
