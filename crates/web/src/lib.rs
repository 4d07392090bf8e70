#![doc = include_str!("../README.md")]

pub mod answer;
pub mod client;
pub mod form;
mod forwarded;
pub mod idempotency;
pub mod path;
pub mod precondition;
pub mod provenance;
pub mod routes;
pub mod surface;
pub mod tls;
pub mod transport;
