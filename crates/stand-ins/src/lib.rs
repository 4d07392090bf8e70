#![doc = include_str!("../README.md")]

pub mod bitrix24;
mod clock;
mod http;
mod tls;
