#![doc = include_str!("../README.md")]

mod ahead;
pub mod book;
mod copy;
pub mod desk;
pub mod export;
pub mod feed;
mod feeder;
mod recording;
mod reports;
pub mod settings;
mod snapshots;
mod store;
mod words;
