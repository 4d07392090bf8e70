//! The source of settings: etcd (see [`super::etcd_keys`]), a TOML file, which takes precedence over it, and the
//! environment, which takes precedence over both (`PBM_LDAP__URLS` is `ldap.urls`, and
//! `PBM_ADDRESS_BOOK__CACHE__ENABLED` is `address_book.cache.enabled`, a key of a section within a section). Every
//! setting is read by its key and parsed separately, so that all mistakes are found at once, including unknown keys.
//! Values from the environment are not converted: a password `0123` remains `0123`.

mod inputs;
mod missing;
pub mod value;

use super::etcd_keys::{self, UnusedKey, forms::Form};
use crate::etcd::snapshot::Snapshot;
pub use inputs::Inputs;
use secrecy::SecretString;
use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    fmt,
    ops::RangeInclusive,
    path::Path,
    str::FromStr,
    time::Duration,
};
pub use value::{Effective, Origin, Setting, Settings};
use value::{Raw, Value};
use visible_text::spelling::did_you_mean;

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

/// Settings by key, and the mistakes found so far.
pub struct Source {
    values: BTreeMap<String, Value>,
    asked: BTreeSet<&'static str>,
    settings: Settings,
    mistakes: Vec<Mistake>,
    warnings: Vec<Mistake>,
    unused: Vec<UnusedKey>,
    /// Whether settings may come from etcd.
    uses_etcd: bool,
}

/// The result of reading a source.
#[derive(Debug)]
pub struct Findings {
    /// All mistakes, including unknown keys.
    pub mistakes: Vec<Mistake>,
    /// What keeps an optional feature off that etcd configures in part.
    pub warnings: Vec<Mistake>,
    /// The settings that are in force.
    pub settings: Settings,
    /// The keys of etcd without effect.
    pub unused: Vec<UnusedKey>,
}

impl Source {
    /// Reads a file (an absent file counts as empty) and environment variables.
    #[must_use]
    pub fn read(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::of(&Inputs::new(file, environment), None)
    }

    /// Reads the inputs, and what etcd holds.
    #[must_use]
    pub fn of(inputs: &Inputs, etcd: Option<&Snapshot>) -> Self {
        let (values, mistakes) = inputs.values();
        let uses_etcd = etcd.is_some() || values.contains_key("etcd.endpoints");
        let (asked, settings) = (BTreeSet::new(), Settings::new());
        let (warnings, unused) = (Vec::new(), Vec::new());
        let mut source = Self { values, asked, settings, mistakes, warnings, unused, uses_etcd };
        if let Some(snapshot) = etcd {
            source.add_etcd(snapshot);
        }
        source
    }

    fn add_etcd(&mut self, snapshot: &Snapshot) {
        let root = match self.values.get("tree.root") {
            Some(Value { raw: Raw::One(root), .. }) => Some(root.clone()),
            _ => None,
        };
        let read = etcd_keys::read(snapshot, root.as_deref());
        self.unused.extend(read.unused);
        for (setting, value) in read.values {
            match self.values.entry(setting) {
                Entry::Vacant(entry) => {
                    entry.insert(value);
                }
                Entry::Occupied(winner) => {
                    let reason = format!("{} is set by {}", winner.key(), winner.get().origin);
                    self.unused.extend(UnusedKey::all_of(&value.origin, &reason));
                }
            }
        }
    }

    /// Records a mistake. If the value at that place comes from etcd, the mistake names the keys.
    pub fn mistake(&mut self, place: &str, reason: impl Into<String>) {
        let mut reason = reason.into();
        if let Some(Setting { origin: origin @ Origin::Etcd(_), .. }) = self.settings.get(place) {
            reason = format!("{reason} ({origin})");
        }
        self.mistakes.push(Mistake { place: place.to_owned(), reason });
    }

    /// Whether there is a mistake in a setting, or in the one that names the file with its value.
    fn has_mistake(&self, key: &str) -> bool {
        let is_of_key = |place: &str| place == key || place.strip_suffix("_file") == Some(key);
        self.mistakes.iter().any(|mistake| is_of_key(&mistake.place))
    }

    fn take(&mut self, key: &'static str) -> Option<Raw> {
        self.asked.insert(key);
        let Some(Value { raw, origin }) = self.values.remove(key) else {
            self.settings.insert(key, Setting { value: Effective::Unset, origin: Origin::Default });
            return None;
        };
        let value = match &raw {
            Raw::One(text) => Effective::Text(text.clone()),
            Raw::Many(texts) => Effective::List(texts.clone()),
            Raw::Wrong(_) => Effective::Unset,
        };
        self.settings.insert(key, Setting { value, origin });
        match raw {
            Raw::Wrong(reason) => {
                self.mistake(key, reason);
                None
            }
            raw => Some(raw),
        }
    }

    fn set_effective(&mut self, key: &'static str, value: Effective) {
        if let Some(setting) = self.settings.get_mut(key) {
            setting.value = value;
        }
    }

    /// Says which value is in force if a setting that was read is not set.
    pub fn default_is(&mut self, key: &'static str, value: &(impl ToString + ?Sized)) {
        if let Some(setting @ Setting { value: Effective::Unset, origin: Origin::Default }) =
            self.settings.get_mut(key)
        {
            setting.value = Effective::Text(value.to_string());
        }
    }

    /// Of settings that exclude each other, keeps those of the origin that takes precedence. Each group begins with the
    /// setting that decides; the others go with it.
    pub fn prefer(&mut self, groups: &[&[&str]]) {
        let rank_of = |key: &str| self.values.get(key).map_or(0, |value| value.origin.rank());
        let ranks: Vec<u8> = groups.iter().map(|group| group.first().map_or(0, |key| rank_of(key))).collect();
        let highest = ranks.iter().max().copied().unwrap_or_default();
        for (group, _) in groups.iter().zip(ranks).filter(|(_, rank)| *rank < highest) {
            for key in *group {
                self.drop_below(key, highest);
            }
        }
    }

    fn drop_below(&mut self, key: &str, rank: u8) {
        if let Some(value) = self.values.remove(key) {
            if value.origin.rank() < rank {
                let reason = "a setting that excludes it takes precedence";
                self.unused.extend(UnusedKey::all_of(&value.origin, reason));
            } else {
                self.values.insert(key.to_owned(), value);
            }
        }
    }

    /// A text, if it is set.
    pub fn text(&mut self, key: &'static str) -> Option<String> {
        match self.take(key)? {
            Raw::One(text) => Some(text),
            Raw::Many(_) | Raw::Wrong(_) => {
                self.mistake(key, "must be one value, not a list");
                None
            }
        }
    }

    /// A secret, if it is set, as a value or as the name of a file with the value.
    pub fn secret(&mut self, key: &'static str, file_key: &'static str) -> Option<SecretString> {
        self.prefer(&[&[key], &[file_key]]);
        let itself = self.text(key).map(SecretString::from);
        let file = self.text(file_key);
        let secret = match file {
            None => itself,
            Some(file) => {
                if itself.is_some() {
                    self.mistake(key, format!("is set together with {file_key}; set only one of them"));
                }
                self.secret_in(&file, key, file_key)
            }
        };
        let shown = secret.clone().map_or(Effective::Unset, Effective::Secret);
        self.set_effective(key, shown);
        secret
    }

    fn secret_in(&mut self, file: &str, key: &'static str, file_key: &'static str) -> Option<SecretString> {
        match std::fs::read_to_string(file) {
            Ok(text) => {
                let origin = self.settings.get(file_key).map(|setting| setting.origin.clone());
                if let (Some(setting), Some(origin)) = (self.settings.get_mut(key), origin) {
                    setting.origin = origin;
                }
                Some(SecretString::from(text.trim_end_matches(['\n', '\r'])))
            }
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

    /// A text. In etcd it may have any of the forms that are usual there; then it is converted to that of the file.
    fn text_in(&mut self, key: &'static str, form: Form) -> Option<String> {
        let text = self.text(key)?;
        if !matches!(self.settings.get(key), Some(Setting { origin: Origin::Etcd(_), .. })) {
            return Some(text);
        }
        match form.read(&text) {
            Ok(Raw::One(text)) => {
                self.set_effective(key, Effective::Text(text.clone()));
                Some(text)
            }
            Ok(_) => Some(text),
            Err(reason) => {
                self.mistake(key, reason);
                None
            }
        }
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
            Raw::Wrong(_) => return None,
        };
        self.set_effective(key, Effective::List(texts.clone()));
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
        let form = if key.ends_with("_seconds") { Form::Seconds } else { Form::Text };
        let number = self.text_in(key, form).and_then(|text| self.keep(key, &text, parse));
        self.default_is(key, &default);
        number.unwrap_or(default)
    }

    /// A value that is `true` or `false`, or its default.
    pub fn flag(&mut self, key: &'static str, default: bool) -> bool {
        let flag = self.optional_flag(key);
        self.default_is(key, &default);
        flag.unwrap_or(default)
    }

    /// A value that is `true` or `false`, if it is set.
    pub fn optional_flag(&mut self, key: &'static str) -> Option<bool> {
        let text = self.text_in(key, Form::Flag)?;
        self.keep(key, &text, super::boolean)
    }

    /// A duration such as `30d`, or its default.
    pub fn duration(&mut self, key: &'static str, default_millis: u64) -> Duration {
        let time = self.text_in(key, Form::Span).and_then(|text| self.keep(key, &text, duration));
        let default = Duration::from_millis(default_millis);
        self.default_is(key, &humantime::format_duration(default));
        time.unwrap_or(default)
    }

    /// A span of time of at least a second, such as an interval at which a job runs.
    pub fn seconds(&mut self, key: &'static str, default: Duration) -> Duration {
        let parse = |text: &str| match duration(text)? {
            time if time < Duration::from_secs(1) => Err("must be at least 1s".to_owned()),
            time => Ok(time),
        };
        let time = self.text_in(key, Form::Span).and_then(|text| self.keep(key, &text, parse));
        self.default_is(key, &humantime::format_duration(default));
        time.unwrap_or(default)
    }

    /// The keys that were read: all keys that exist.
    #[must_use]
    pub fn known_keys(&self) -> &BTreeSet<&'static str> {
        &self.asked
    }

    /// The mistakes in the settings that were read.
    #[must_use]
    pub fn mistakes_so_far(&self) -> Vec<Mistake> {
        self.mistakes.clone()
    }

    /// All mistakes, including unknown keys.
    #[must_use]
    pub fn into_mistakes(self) -> Vec<Mistake> {
        self.finish().mistakes
    }

    /// Ends the reading: what is left belongs to no setting. Unknown settings in etcd are not mistakes, since another
    /// version of pbm may read them.
    #[must_use]
    pub fn finish(mut self) -> Findings {
        for (key, value) in std::mem::take(&mut self.values) {
            let hint = did_you_mean(self.asked.iter().copied(), &key);
            match value.origin {
                Origin::Etcd(_) => {
                    let reason = format!("this version of pbm has no setting {key}{hint}");
                    self.unused.extend(UnusedKey::all_of(&value.origin, &reason));
                }
                _ => self.mistake(&key, format!("is not a setting{hint}")),
            }
        }
        self.unused.sort_unstable();
        let Self { mistakes, warnings, settings, unused, .. } = self;
        Findings { mistakes, warnings, settings, unused }
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "must be a span of time such as 30d, 12h, 15m, 10s or 500ms".to_owned())
}

#[cfg(test)]
mod tests;
