#![doc = include_str!("../README.md")]

mod certificates;
mod child;
mod directory;
mod dovecot;
mod error;
mod etcd;
mod folder;
mod ldapmodify;
mod percent;
mod port;
mod programs;
mod random;
mod redis;
mod samba;
mod slapd;
mod stray;
mod tls;

pub use directory::{Backend, DirectoryServer, DirectoryServerOptions, UnknownBackend};
pub use dovecot::{DovecotServer, DovecotServerOptions};
pub use error::SandboxError;
pub use etcd::{EtcdServer, EtcdServerOptions};
pub use redis::{RedisSentinels, RedisSentinelsOptions, RedisServer, RedisServerOptions};
pub use samba::{SambaServer, SambaServerOptions};
pub use slapd::{SlapdServer, SlapdServerOptions};
