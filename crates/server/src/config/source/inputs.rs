//! The file and the environment that a configuration is read from. They are kept as they were at the start, so that a
//! change in etcd does not bring half of a file into force that somebody is editing.

use super::{
    Mistake,
    value::{Origin, Raw, Value},
};
use secrecy::{ExposeSecret, SecretString};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

const PREFIX: &str = "PBM_";
const NESTING: &str = "__";

/// The file and the environment.
#[derive(Debug)]
pub struct Inputs {
    file: Option<File>,
    environment: Vec<(String, SecretString)>,
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// Its text, or why it cannot be read.
    text: Result<SecretString, String>,
}

impl Inputs {
    /// Reads a file (an absent file counts as empty) and environment variables.
    #[must_use]
    pub fn new(file: Option<&Path>, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let is_setting = |name: &str| name.strip_prefix(PREFIX).is_some_and(|key| key.contains(NESTING));
        let environment = environment.into_iter().filter(|(name, _)| is_setting(name));
        Self {
            file: file.map(File::read),
            environment: environment.map(|(name, value)| (name, value.into())).collect(),
        }
    }

    /// The values by key, and the mistakes that keep a file from being read.
    pub(super) fn values(&self) -> (BTreeMap<String, Value>, Vec<Mistake>) {
        let (mut values, mut mistakes) = (BTreeMap::new(), Vec::new());
        if let Some(file) = &self.file {
            match file.table() {
                Ok(table) => file.add_table("", table, &mut values),
                Err(reason) => mistakes.push(Mistake { place: file.path.display().to_string(), reason }),
            }
        }
        for (name, value) in &self.environment {
            let key = name.strip_prefix(PREFIX).unwrap_or(name).to_ascii_lowercase().replace(NESTING, ".");
            let raw = Raw::One(value.expose_secret().to_owned());
            values.insert(key, Value { raw, origin: Origin::Environment(name.clone()) });
        }
        (values, mistakes)
    }
}

impl File {
    fn read(path: &Path) -> Self {
        let text = std::fs::read_to_string(path).map(SecretString::from);
        Self { path: path.to_owned(), text: text.map_err(|error| format!("cannot be read: {error}")) }
    }

    fn table(&self) -> Result<toml::Table, String> {
        let text = self.text.as_ref().map_err(Clone::clone)?;
        text.expose_secret().parse().map_err(|error: toml::de::Error| error.to_string().trim_end().to_owned())
    }

    fn add_table(&self, above: &str, table: toml::Table, values: &mut BTreeMap<String, Value>) {
        for (name, value) in table {
            let key = if above.is_empty() { name } else { format!("{above}.{name}") };
            let raw = match value {
                toml::Value::Table(table) => {
                    self.add_table(&key, table, values);
                    continue;
                }
                toml::Value::Array(values) => Raw::Many(values.into_iter().map(text_of).collect()),
                value => Raw::One(text_of(value)),
            };
            values.insert(key, Value { raw, origin: Origin::File(self.path.clone()) });
        }
    }
}

fn text_of(value: toml::Value) -> String {
    match value {
        toml::Value::String(text) => text,
        other => other.to_string(),
    }
}
