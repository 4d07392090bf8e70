//! HTTP: the table of endpoints, what a request is taken apart into, what an answer is made of.

pub mod answer;
pub mod application;
pub mod call;
pub mod dispatch;
pub mod endpoint;
pub mod form;
pub mod idempotency;
mod listener;
pub mod message;
pub mod path;
mod permission;
pub mod precondition;
mod request_head;
pub mod settling;
