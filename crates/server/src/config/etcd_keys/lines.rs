//! The opposite direction: the keys of etcd that would give the settings that are in force.

use super::{
    folders::{FOLDERS, ROOT},
    own::{is_of_machine, key_of},
    table::ROWS,
};
use crate::config::source::value::{Effective, Origin, Setting, Settings};
use ldap_text::dn::Dn;
use mail_model::names;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// A key to store.
#[derive(Debug)]
pub struct Line {
    /// The key.
    pub key: String,
    /// The value.
    pub value: SecretString,
    /// Whether the value is a secret.
    pub is_secret: bool,
}

/// All settings that are not defaults, as keys of etcd.
#[derive(Debug, Default)]
pub struct Lines {
    /// The keys to store.
    pub put: Vec<Line>,
    /// Settings that stay in the file or the environment, since they concern one machine.
    pub of_machine: Vec<&'static str>,
}

impl Lines {
    /// The keys for some settings: those of the guide where they can express a value, and otherwise the setting's own.
    #[must_use]
    pub fn of(settings: &Settings) -> Self {
        let mut lines = Self::default();
        for (setting, Setting { value, origin }) in settings {
            if *origin == Origin::Default || *value == Effective::Unset {
                continue;
            }
            if is_of_machine(setting) {
                if !is_file_of_secret(settings, setting) {
                    lines.of_machine.push(setting);
                }
                continue;
            }
            let by_guide = guide(settings, setting, value).unwrap_or_default();
            if by_guide.is_empty() {
                lines.add(key_of(setting), own_value(value), value);
            }
            for (key, text) in by_guide {
                lines.add(key, text, value);
            }
        }
        lines
    }

    fn add(&mut self, key: String, text: String, value: &Effective) {
        let is_secret = matches!(value, Effective::Secret(_));
        self.put.push(Line { key, value: text.into(), is_secret });
    }
}

impl Line {
    /// The command that stores the key, for a shell.
    #[must_use]
    pub fn command(&self) -> String {
        let value = self.value.expose_secret();
        let options_end = if value.starts_with('-') { "-- " } else { "" };
        format!("etcdctl put {options_end}{} {}", quoted(&self.key), quoted(value))
    }

    /// The command as a comment without its value.
    #[must_use]
    pub fn masked(&self) -> String {
        format!("# etcdctl put {} ********", quoted(&self.key))
    }
}

/// A word for a POSIX shell.
fn quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_@%+=:,./-".contains(&byte);
    if !text.is_empty() && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Whether a setting names the file with a secret that is stored itself.
fn is_file_of_secret(settings: &Settings, setting: &str) -> bool {
    let secret = setting.strip_suffix("_file").and_then(|name| settings.get(name));
    secret.is_some_and(|secret| matches!(secret.value, Effective::Secret(_)))
}

fn own_value(value: &Effective) -> String {
    let json = |text: &str| serde_json::Value::from(text).to_string();
    let text = match value {
        Effective::Unset => "",
        Effective::List(texts) => return serde_json::Value::from(texts.clone()).to_string(),
        Effective::Text(text) => text,
        Effective::Secret(secret) => secret.expose_secret(),
    };
    // Otherwise it would be read as JSON, or lose its end.
    let needs_json = text.trim_start().starts_with(['[', '"']) || text.ends_with(['\n', '\r']);
    if needs_json || text.trim().is_empty() { json(text) } else { text.to_owned() }
}

/// The keys of the guide for a setting; none if the guide has none, or they cannot express the value.
fn guide(settings: &Settings, setting: &str, value: &Effective) -> Option<Vec<(String, String)>> {
    let one = |key: &str, text: String| vec![(key.to_owned(), text)];
    match (setting, value) {
        ("ldap.urls", Effective::List(urls)) => directory(urls),
        ("redis.url", Effective::Text(url)) => redis(url),
        ("tree.root", Effective::Text(root)) => Some(one(ROOT, root.clone())),
        (_, Effective::Text(name)) if setting.starts_with("tree.") => {
            let (key, _) = FOLDERS.iter().find(|(_, named)| *named == setting)?;
            Some(one(key, folder(settings, key, name)?))
        }
        (_, Effective::Secret(secret)) => {
            let text = secret.expose_secret();
            let row = ROWS.iter().find(|row| row.setting == setting)?;
            (!text.ends_with(['\n', '\r']) && !text.trim().is_empty()).then(|| one(row.key, text.to_owned()))
        }
        (_, value) => {
            let row = ROWS.iter().find(|row| row.setting == setting)?;
            Some(one(row.key, row.form.write(value)?))
        }
    }
}

fn folder(settings: &Settings, key: &str, name: &str) -> Option<String> {
    if key.starts_with("psn/cab/") {
        return Some(Dn::empty().child(names::OU, name).to_string());
    }
    let Some(Setting { value: Effective::Text(root), .. }) = settings.get("tree.root") else { return None };
    Some(Dn::parse(root).ok()?.child(names::OU, name).to_string())
}

fn directory(urls: &[String]) -> Option<Vec<(String, String)>> {
    let [url] = urls else { return None };
    let url = Url::parse(url).ok()?;
    let port = match (url.scheme(), url.port()) {
        ("ldap", None) => 389,
        ("ldaps", None | Some(636)) => 636,
        ("ldap", Some(port)) if port != 636 => port,
        _ => return None,
    };
    host_and_port("psn/ldap", &url, port)
}

fn redis(url: &str) -> Option<Vec<(String, String)>> {
    let url = Url::parse(url.trim()).ok()?;
    let is_plain = url.scheme() == "redis" && matches!(url.path(), "" | "/" | "/0");
    if is_plain { host_and_port("services/redis", &url, url.port().unwrap_or(6379)) } else { None }
}

fn host_and_port(section: &str, url: &Url, port: u16) -> Option<Vec<(String, String)>> {
    let host = url.host_str().filter(|host| !host.is_empty())?.trim_matches(['[', ']']);
    Some(vec![(format!("{section}/host"), host.to_owned()), (format!("{section}/port"), port.to_string())])
}
