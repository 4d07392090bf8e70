//! Direct access to Redis, without `pbm`, to read its data and to corrupt it.

use sandbox::RedisServer;

/// The password of every Redis that the tests start: with characters that have a meaning in a URL, in redis.conf and in
/// a shell.
pub const REDIS_PASSWORD: &str = "redis secret/1#\"@:?";

/// Writes a value in hexadecimal, because it is binary and would not survive as text.
const DUMP: &str = "local value = redis.call('DUMP', KEYS[1]) or ''
return (value:gsub('.', function(byte) return ('%02x'):format(byte:byte()) end))";

/// Reads and changes one Redis server directly.
#[derive(Clone, Copy, Debug)]
pub struct RedisProbe<'a>(&'a RedisServer);

impl<'a> RedisProbe<'a> {
    /// Access to a server.
    pub fn new(server: &'a RedisServer) -> Self {
        Self(server)
    }

    /// Runs a command, which must succeed; returns the answer, one value per line.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> String {
        self.0.command(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// The keys that match a pattern, sorted.
    #[track_caller]
    pub fn keys(&self, pattern: &str) -> Vec<String> {
        let mut keys: Vec<_> = self.run(&["KEYS", pattern]).lines().map(str::to_owned).collect();
        keys.retain(|key| !key.is_empty());
        keys.sort_unstable();
        keys
    }

    /// The type of a key's value.
    #[track_caller]
    pub fn kind(&self, key: &str) -> String {
        self.run(&["TYPE", key])
    }

    /// A key's value in a form that can be compared.
    #[track_caller]
    pub fn dump(&self, key: &str) -> String {
        self.run(&["EVAL", DUMP, "1", key])
    }
}
