//! A look into Redis past `pbm`, and a hand that spoils what is there: the command redis-cli.

use crate::{process::run_program, programs};

/// The password of every Redis that the tests start: with characters that mean something in a URL, in redis.conf and in
/// a shell.
pub const REDIS_PASSWORD: &str = "redis secret/1#\"@:?";

/// Speaks to one Redis server.
#[derive(Clone, Debug)]
pub struct RedisEye {
    port: u16,
}

impl RedisEye {
    /// Of the server at a port of this machine.
    pub fn new(port: u16) -> Self {
        Self { port }
    }

    /// Runs a command, which must succeed; its answer, a line a value.
    #[track_caller]
    pub fn run(&self, command: &[&str]) -> String {
        let port = self.port.to_string();
        let arguments = ["-e", "-h", "127.0.0.1", "-p", &port].into_iter().chain(command.iter().copied());
        let environment = [("REDISCLI_AUTH", REDIS_PASSWORD)];
        let answer = run_program(&programs::program("redis-cli"), arguments, &environment, "");
        answer.expect_success().stdout.trim_end_matches('\n').to_owned()
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

    /// A key's value with its type, as Redis itself writes it down, so that two can be compared.
    #[track_caller]
    pub fn dump(&self, key: &str) -> String {
        // Hexadecimal, since the value is binary and would not survive as text.
        let script = "return (redis.call('DUMP', KEYS[1]) or ''):gsub('.', function(c) return ('%02x'):format(c:byte()) end)";
        self.run(&["EVAL", script, "1", key])
    }
}
