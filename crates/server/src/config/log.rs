//! The section `log`.

use super::source::Source;

/// The log settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// The format.
    pub format: LogFormat,
    /// The least severe level that is written.
    pub level: tracing::Level,
}

/// The format of logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// `Pretty` on a terminal, otherwise `Json`.
    Auto,
    /// For people.
    Pretty,
    /// One JSON object per line.
    Json,
}

pub(super) fn log(source: &mut Source) -> LogConfig {
    let format = source.parsed("log.format", |text| match text {
        "auto" => Ok(LogFormat::Auto),
        "pretty" => Ok(LogFormat::Pretty),
        "json" => Ok(LogFormat::Json),
        _ => Err("must be auto, pretty or json".to_owned()),
    });
    let level = source.parsed("log.level", |text| {
        text.parse().map_err(|_| "must be error, warn, info, debug or trace".into())
    });
    source.default_is("log.format", "auto");
    source.default_is("log.level", "info");
    LogConfig { format: format.unwrap_or(LogFormat::Auto), level: level.unwrap_or(tracing::Level::INFO) }
}
