//! Logs: pretty on a terminal, a JSON object a line otherwise, always on stderr. Events have fixed dotted
//! names; entries appear by their identifiers, never by address or name.

use crate::config::{LogConfig, LogFormat};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, fmt};

/// Starts the log. A second call changes nothing.
pub fn start(config: LogConfig) {
    let terminal = std::io::stderr().is_terminal();
    let pretty = match config.format {
        LogFormat::Auto => terminal,
        LogFormat::Pretty => true,
        LogFormat::Json => false,
    };
    // Libraries may name personal data at debug; the LDAP library even whole operations.
    // What actix calls an error of a stream is a client's broken request or a closed connection.
    let level = config.level;
    let filter = format!("warn,actix_http=off,server={level},directory={level},address_book={level}");
    let builder =
        fmt().with_env_filter(EnvFilter::new(filter)).with_writer(std::io::stderr).with_ansi(terminal);
    let _already_started =
        if pretty { builder.try_init() } else { builder.json().flatten_event(true).try_init() };
}
