#![doc = include_str!("../README.md")]

mod ahead;
pub mod book;
mod copy;
pub mod export;
pub mod feed;
mod feeder;
pub mod reader;
mod recording;
mod reports;
mod review;
pub mod settings;
mod snapshots;
mod store;
mod words;
