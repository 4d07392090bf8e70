//! Settings under their own names: `pbm/settings/deletion/retention` is `deletion.retention`. So etcd can give what the
//! guide has no key for.

use super::{
    Keys, Reading,
    forms::{list, plain},
};
use crate::config::source::value::Raw;

/// Where settings are found under their own names.
pub(super) const OWN: &str = "pbm/settings/";

/// Settings that name files and folders of one machine, besides those that end in `_file`.
const FILES: [&str; 5] =
    ["backup.folder", "etcd.client_certificate", "etcd.client_key", "http.tls_certificate", "http.tls_key"];

/// Whether a setting must not come from etcd: those that say where etcd is, and those that name files. Otherwise
/// whoever may write to etcd could have any file read that the process can read.
pub(super) fn is_of_machine(setting: &str) -> bool {
    setting.starts_with("etcd.") || setting.ends_with("_file") || FILES.contains(&setting)
}

/// The key for a setting under its own name.
pub(super) fn key_of(setting: &str) -> String {
    format!("{OWN}{}", setting.replace('.', "/"))
}

pub(super) fn read(keys: &mut Keys<'_>, reading: &mut Reading) {
    for name in keys.names_in(OWN) {
        let setting = name.strip_prefix(OWN).unwrap_or(name).replace('/', ".");
        let Some(found) = keys.take(name) else { continue };
        if is_of_machine(&setting) {
            let reason = format!("{setting} concerns one machine: set it in the file or the environment");
            reading.refuse(&found, reason);
        } else {
            let raw = found.read(value);
            reading.add(setting, &[found], raw);
        }
    }
}

/// A JSON array is a list; everything else is one text, from which a line break at its end is removed.
fn value(text: &str) -> Result<Raw, String> {
    match text.trim_start().chars().next() {
        Some('[') => list(text).map(Raw::Many),
        Some('"') => Ok(Raw::One(plain(text))),
        _ => Ok(Raw::One(text.trim_end_matches(['\n', '\r']).to_owned())),
    }
}
