#![doc = include_str!("../README.md")]

pub mod book;
pub mod feed;
pub mod settings;
mod words;
