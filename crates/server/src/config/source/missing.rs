//! What a configuration lacks: mistakes, and warnings about optional features that only etcd configures.

use super::{Mistake, Origin, Source, etcd_keys};

impl Source {
    /// A required value.
    pub fn required<T>(&mut self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has_mistake(key) {
            self.mistake(key, self.is_missing(key));
        }
        value
    }

    /// A value without which an optional feature, named by its section, cannot work.
    pub fn required_by<T>(&mut self, feature: &str, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has_mistake(key) {
            self.incomplete(feature, key, &self.is_missing(key));
        }
        value
    }

    /// Records that an optional feature is incomplete: a mistake, unless only etcd configures the feature. The keys of
    /// the guide may be there for other services, and some credentials have no key in it.
    pub fn incomplete(&mut self, feature: &str, key: &str, reason: &str) {
        let is_of_feature = |key: &str| key.strip_prefix(feature).is_some_and(|rest| rest.starts_with('.'));
        let origins =
            self.settings.iter().filter(|(key, _)| is_of_feature(key)).map(|(_, setting)| &setting.origin);
        let mut set = origins.filter(|origin| **origin != Origin::Default).peekable();
        if set.peek().is_some() && set.all(|origin| matches!(origin, Origin::Etcd(_))) {
            let reason = format!("{reason}; {feature} stays off");
            self.warnings.push(Mistake { place: key.to_owned(), reason });
        } else {
            self.mistake(key, reason);
        }
    }

    /// Says that a setting is missing, and which key of etcd could give it.
    fn is_missing(&self, key: &str) -> String {
        let of_etcd = Some(key).filter(|_| self.uses_etcd).and_then(etcd_keys::key_for);
        of_etcd.map_or_else(|| "is missing".to_owned(), |of_etcd| format!("is missing (etcd {of_etcd})"))
    }

    /// Reports a setting that is useless without another one, unless the other one has a mistake.
    pub fn needs(&mut self, key: &str, other: &str, has_other: bool, reason: &str) {
        if !has_other && !self.has_mistake(other) {
            self.mistake(key, reason);
        }
    }
}
