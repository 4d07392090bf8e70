//! A look into Redis past `pbm`, and a hand that spoils what is there.

use sandbox::RedisServer;

/// The password of every Redis that the tests start: with characters that mean something in a URL, in redis.conf and in
/// a shell.
pub const REDIS_PASSWORD: &str = "redis secret/1#\"@:?";

/// Writes a value down in hexadecimal, since it is binary and would not survive as text.
const DUMP: &str = "local value = redis.call('DUMP', KEYS[1]) or ''
return (value:gsub('.', function(byte) return ('%02x'):format(byte:byte()) end))";

/// Looks into one Redis server.
#[derive(Clone, Copy, Debug)]
pub struct RedisProbe<'a>(&'a RedisServer);

impl<'a> RedisProbe<'a> {
    /// Of a server.
    pub fn new(server: &'a RedisServer) -> Self {
        Self(server)
    }

    /// Runs a command, which must succeed; its answer, a line a value.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> String {
        self.0.command(command).unwrap_or_else(|error| panic!("{command:?}: {error}"))
    }

    /// The keys that a pattern finds, sorted.
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

    /// A key's value, so that two can be compared.
    #[track_caller]
    pub fn dump(&self, key: &str) -> String {
        self.run(&["EVAL", DUMP, "1", key])
    }
}
