#![doc = include_str!("../README.md")]

mod certificates;
mod child;
mod directory;
mod error;
mod folder;
mod percent;
mod port;
mod programs;
mod random;
mod redis;
mod stray;

pub use directory::{Backend, DirectoryServer, DirectoryServerOptions, UnknownBackend};
pub use error::SandboxError;
pub use redis::{RedisSentinels, RedisSentinelsOptions, RedisServer, RedisServerOptions};
