//! Logs: pretty on a terminal, a JSON object a line otherwise, always on stderr. Events have fixed dotted
//! names; entries appear by their identifiers, never by address or name.

mod json;

use crate::config::{LogConfig, LogFormat};
use json::JsonLines;
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// What logs that an account is refused; a command says the same in its own words at its end.
const REFUSED_ACCOUNTS: &str = "directory::refused_accounts";

/// Starts the log of what serves. A second call changes nothing.
pub fn start(config: LogConfig) {
    start_with(config, "");
}

/// Starts the log of a command that prints its outcome.
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
    // Libraries may name personal data at debug; the LDAP library even whole operations.
    // What actix calls an error of a stream is a client's broken request or a closed connection.
    let level = config.level;
    let filter = format!(
        "warn,actix_http=off,server={level},v2={level},administration={level},web={level},directory={level},address_book={level}{exceptions}"
    );
    let builder =
        fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).with_ansi(terminal);
    let _already_started =
        if pretty { builder.try_init() } else { builder.event_format(JsonLines).try_init() };
}
