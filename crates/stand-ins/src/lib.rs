#![doc = include_str!("../README.md")]

pub mod active_directory;
pub mod bitrix24;
mod clock;
mod http;
mod tls;
