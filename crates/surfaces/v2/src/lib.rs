#![doc = include_str!("../README.md")]

pub mod answer;
pub mod call;
mod contact_json;
pub mod dispatch;
pub mod document;
pub mod endpoint;
mod errors;
pub mod idempotency;
pub mod imports;
pub mod json;
mod listed;
pub mod message;
mod names;
mod orders;
mod parameters;
mod permission;
pub mod requests;
pub mod services;
