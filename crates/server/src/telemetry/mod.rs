//! Logs: pretty on a terminal, otherwise one JSON object per line, always on stderr. Events have fixed dotted names;
//! entries appear by their identifiers, never by address or name.

mod json;

use crate::config::{LogConfig, LogFormat};
use json::JsonLines;
use std::{io::IsTerminal, sync::OnceLock};
use tracing::Level;
use tracing_subscriber::{EnvFilter, fmt, reload::Handle};

/// The target that logs a refused account; a command reports this in its own words at its end.
const REFUSED_ACCOUNTS: &str = "directory::refused_accounts";

/// Replaces the filter of a running log.
static RELOAD: OnceLock<Box<dyn Fn(EnvFilter) + Send + Sync>> = OnceLock::new();

/// Changes the least severe level that is written, if the log of a server process has been started.
pub fn set_level(level: Level) {
    if let Some(reload) = RELOAD.get() {
        reload(filter(level, ""));
    }
}

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
    let builder = fmt().with_env_filter(filter(config.level, exceptions)).with_writer(std::io::stderr);
    let builder = builder.with_ansi(terminal);
    if pretty {
        let builder = builder.with_filter_reloading();
        keep(builder.reload_handle());
        let _already_started = builder.try_init();
    } else {
        let builder = builder.event_format(JsonLines).with_filter_reloading();
        keep(builder.reload_handle());
        let _already_started = builder.try_init();
    }
}

fn keep<S: 'static>(handle: Handle<EnvFilter, S>) {
    // Fails only if the subscriber is gone.
    let reload = move |filter| drop(handle.reload(filter));
    let _already_started = RELOAD.set(Box::new(reload));
}

/// Libraries may log personal data at debug level; the LDAP library even whole operations. What actix logs as an error
/// of a stream is a client's malformed request or a closed connection.
fn filter(level: Level, exceptions: &str) -> EnvFilter {
    EnvFilter::new(format!(
        "warn,actix_http=off,server={level},v2={level},administration={level},sources={level},mail_store={level},web={level},directory={level},address_book={level}{exceptions}"
    ))
}
