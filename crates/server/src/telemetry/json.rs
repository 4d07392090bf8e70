//! Log events as JSON, one object per line. An error includes all its causes; the library's format has only the
//! outermost one, such as "the directory is out of reach".

use serde::ser::{SerializeMap, Serializer};
use serde_json::Value;
use std::{error::Error, fmt};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields,
        format::Writer,
        time::{FormatTime, SystemTime},
    },
    registry::LookupSpan,
};
use visible_text::chain;

/// The JSON format.
pub(super) struct JsonLines;

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut timestamp = String::new();
        SystemTime.format_time(&mut Writer::new(&mut timestamp))?;
        let mut fields = Fields::default();
        event.record(&mut fields);
        let metadata = event.metadata();
        let line = fields.line(&timestamp, metadata.level().as_str(), metadata.target());
        writeln!(out, "{}", line.map_err(|_| fmt::Error)?)
    }
}

/// The fields of an event, in their original order.
#[derive(Default)]
struct Fields(Vec<(&'static str, Value)>);

impl Fields {
    fn line(&self, timestamp: &str, level: &str, target: &str) -> serde_json::Result<String> {
        let mut line = Vec::new();
        let mut json = serde_json::Serializer::new(&mut line);
        let mut map = json.serialize_map(None)?;
        map.serialize_entry("timestamp", timestamp)?;
        map.serialize_entry("level", level)?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.serialize_entry("target", target)?;
        map.end()?;
        Ok(String::from_utf8_lossy(&line).into_owned())
    }

    fn put(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.push((field.name(), value.into()));
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value);
    }

    // Durations in milliseconds have this type.
    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put(field, u64::try_from(value).unwrap_or(u64::MAX));
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put(field, i64::try_from(value).unwrap_or(i64::MAX));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.put(field, chain(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::Write,
        sync::{Arc, Mutex},
    };

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[derive(Debug, thiserror::Error)]
    #[error("out of reach")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn an_error_stands_in_its_line_with_what_caused_it() {
        let written = Written::default();
        let writer = written.clone();
        let subscriber =
            tracing_subscriber::fmt().event_format(JsonLines).with_writer(move || writer.clone()).finish();
        tracing::subscriber::with_default(subscriber, || {
            let error = Outer(std::io::Error::other("a \"cause\"\nof two lines"));
            let none: Option<&str> = None;
            tracing::error!(
                count = 3,
                milliseconds = std::time::Duration::from_millis(7).as_millis(),
                difference = -7_i128,
                ratio = 0.5,
                is_late = true,
                none,
                error = &error as &dyn Error,
                "it.failed"
            );
        });
        let text = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        let line: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(line["error"], "out of reach: a \"cause\"\nof two lines");
        assert_eq!(
            (&line["count"], &line["ratio"], &line["is_late"]),
            (&3.into(), &0.5.into(), &true.into())
        );
        assert_eq!((&line["milliseconds"], &line["difference"]), (&7.into(), &(-7).into()));
        assert_eq!((&line["message"], &line["level"]), (&"it.failed".into(), &"ERROR".into()));
        assert!(line.get("none").is_none() && line["timestamp"].as_str().unwrap().ends_with('Z'), "{line}");
    }
}
