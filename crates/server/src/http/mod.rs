//! The way of a request of the API: what it is taken apart into, what an answer is made of.

pub mod answer;
pub mod application;
pub mod call;
pub mod dispatch;
pub mod idempotency;
pub mod message;
mod permission;
