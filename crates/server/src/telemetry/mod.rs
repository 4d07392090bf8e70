//! Logs: pretty on a terminal, otherwise one JSON object per line, always on stderr. Events have fixed dotted names;
//! entries appear by their identifiers, never by address or name.

mod json;

use crate::config::{LogConfig, LogFormat};
use json::JsonLines;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// The target that logs a refused account; a command reports this in its own words at its end.
const REFUSED_ACCOUNTS: &str = "directory::refused_accounts";

/// Starts the log of a server process. A second call has no effect.
pub fn start(config: LogConfig) {
    start_with(config, "");
}

/// Starts the log of a command that prints its result.
pub fn start_of_command(config: LogConfig) {
    start_with(config, &format!(",{REFUSED_ACCOUNTS}=off"));
}

fn start_with(config: LogConfig, exceptions: &str) {
    let terminal = std::io::stderr().is_terminal();
    let pretty = match config.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    // Libraries may log personal data at debug level; the LDAP library even whole operations. What actix logs as an
    // error of a stream is a client's malformed request or a closed connection.
    let level = config.level;
    let filter = format!(
        "warn,actix_http=off,server={level},v2={level},administration={level},web={level},directory={level},address_book={level}{exceptions}"
    );
    let builder =
        fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).with_ansi(terminal);
    let _already_started =
        if pretty { builder.try_init() } else { builder.event_format(JsonLines).try_init() };
}
