//! The source of settings: a TOML file, and the environment, which takes precedence (`PBM_LDAP__URLS` is `ldap.urls`,
//! and `PBM_ADDRESS_BOOK__CACHE__ENABLED` is `address_book.cache.enabled`, a key of a section within a section). Every
//! setting is read by its key and parsed separately, so that all mistakes are found at once, including unknown keys.
//! Values from the environment are not converted: a password `0123` remains `0123`.

use secrecy::SecretString;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    ops::RangeInclusive,
    path::Path,
    str::FromStr,
    time::Duration,
};
use visible_text::spelling::did_you_mean;

const PREFIX: &str = "PBM_";
const NESTING: &str = "__";

/// A mistake in the configuration: its place and its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The key, or the file.
    pub place: String,
    /// The problem and the expected value.
    pub reason: String,
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

/// A value before it is parsed.
enum Raw {
    One(String),
    Many(Vec<String>),
}

/// Settings by key, and the mistakes found so far.
pub struct Source {
    values: BTreeMap<String, Raw>,
    asked: BTreeSet<&'static str>,
    mistakes: Vec<Mistake>,
}

impl Source {
    /// Reads a file (an absent file counts as empty) and environment variables.
    #[must_use]
    pub fn read(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut source = Self { values: BTreeMap::new(), asked: BTreeSet::new(), mistakes: Vec::new() };
        if let Some(path) = file {
            match std::fs::read_to_string(path) {
                Ok(text) => source.add_toml(path, &text),
                Err(error) => source.mistake(&path.display().to_string(), format!("cannot be read: {error}")),
            }
        }
        for (name, value) in environment {
            if let Some(key) = name.strip_prefix(PREFIX).filter(|key| key.contains(NESTING)) {
                source.values.insert(key.to_ascii_lowercase().replace(NESTING, "."), Raw::One(value));
            }
        }
        source
    }

    fn add_toml(&mut self, path: &Path, text: &str) {
        match text.parse::<toml::Table>() {
            Ok(table) => self.add_table("", table),
            Err(error) => self.mistake(&path.display().to_string(), error.to_string().trim_end().to_owned()),
        }
    }

    fn add_table(&mut self, above: &str, table: toml::Table) {
        for (name, value) in table {
            let key = if above.is_empty() { name } else { format!("{above}.{name}") };
            let raw = match value {
                toml::Value::Table(table) => {
                    self.add_table(&key, table);
                    continue;
                }
                toml::Value::Array(values) => Raw::Many(values.into_iter().map(text_of).collect()),
                value => Raw::One(text_of(value)),
            };
            self.values.insert(key, raw);
        }
    }

    /// Records a mistake.
    pub fn mistake(&mut self, place: &str, reason: impl Into<String>) {
        self.mistakes.push(Mistake { place: place.to_owned(), reason: reason.into() });
    }

    fn take(&mut self, key: &'static str) -> Option<Raw> {
        self.asked.insert(key);
        self.values.remove(key)
    }

    /// A text, if it is set.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Raw::One(text) => Some(text),
            Raw::Many(_) => {
                self.mistake(key, "must be one value, not a list");
                None
            }
        }
    }

    /// A secret, if it is set, as a value or as the name of a file with the value.
    pub fn secret(&mut self, key: &'static str, file_key: &'static str) -> Option<SecretString> {
        let itself = self.text(key).map(SecretString::from);
        let Some(file) = self.text(file_key) else { return itself };
        if itself.is_some() {
            self.mistake(key, format!("is set together with {file_key}; set only one of them"));
        }
        match std::fs::read_to_string(&file) {
            Ok(text) => Some(SecretString::from(text.trim_end_matches(['\n', '\r']))),
            Err(error) => {
                self.mistake(file_key, format!("{file} cannot be read: {error}"));
                None
            }
        }
    }

    /// A value of a type, if it is set.
    pub fn parsed<T>(
        &mut self,
        key: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let text = self.text(key)?;
        self.keep(key, &text, parse)
    }

    fn keep<T>(&mut self, key: &str, text: &str, parse: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        parse(text).map_err(|reason| self.mistake(key, format!("{text:?} {reason}"))).ok()
    }

    /// A list of values of a type; in the environment, separated by commas.
    pub fn list<T>(
        &mut self,
        key: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let texts = match self.take(key)? {
            Raw::Many(texts) => texts,
            Raw::One(text) => {
                text.split(',').map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned).collect()
            }
        };
        Some(texts.iter().filter_map(|text| self.keep(key, text, &parse)).collect())
    }

    /// A number, or its default.
    pub fn number<T>(&mut self, key: &'static str, default: T, allowed: &RangeInclusive<T>) -> T
    where
        T: FromStr + PartialOrd + fmt::Display,
    {
        let wrong = || format!("must be a whole number from {} to {}", allowed.start(), allowed.end());
        let parse =
            |text: &str| text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(wrong);
        self.parsed(key, parse).unwrap_or(default)
    }

    /// A duration such as `30d`, or its default.
    pub fn duration(&mut self, key: &'static str, default_millis: u64) -> Duration {
        self.parsed(key, duration).unwrap_or(Duration::from_millis(default_millis))
    }

    /// A span of time of at least a second, such as an interval at which a job runs.
    pub fn seconds(&mut self, key: &'static str, default: Duration) -> Duration {
        let parse = |text: &str| match duration(text)? {
            time if time < Duration::from_secs(1) => Err("must be at least 1s".to_owned()),
            time => Ok(time),
        };
        self.parsed(key, parse).unwrap_or(default)
    }

    /// A required value.
    pub fn required<T>(&mut self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.mistakes.iter().any(|mistake| mistake.place == key) {
            self.mistake(key, "is missing");
        }
        value
    }

    /// The keys that were read: all keys that exist.
    #[must_use]
    pub fn known_keys(&self) -> &BTreeSet<&'static str> {
        &self.asked
    }

    /// All mistakes, including unknown keys.
    #[must_use]
    pub fn into_mistakes(mut self) -> Vec<Mistake> {
        let unknown: Vec<_> = self.values.keys().cloned().collect();
        for key in unknown {
            let hint = did_you_mean(self.asked.iter().copied(), &key);
            self.mistake(&key, format!("is not a setting{hint}"));
        }
        self.mistakes
    }
}

fn text_of(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    }
}
fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "must be a span of time such as 30d, 12h, 15m, 10s or 500ms".to_owned())
}
