#![doc = include_str!("../README.md")]

mod answer;
mod client;
pub mod error;
pub mod mail_user;
pub mod message_id;
pub mod recall;
pub mod report;
pub mod settings;

pub use client::Doveadm;

#[cfg(test)]
mod tests;
