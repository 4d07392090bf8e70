//! Owns reading and changing `dse.ldif`, the configuration of 389-ds, while the server is down.
//!
//! Preserves every value that it is not asked to change. Comments are dropped, as the server does itself.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::{SandboxError, at};
use crate::folder::write_private;

/// The configuration entries of one server.
#[derive(Debug)]
pub(crate) struct Dse {
    file: PathBuf,
    entries: Vec<Entry>,
}

/// One entry: its lines unfolded, the first one being the `dn:`.
#[derive(Debug)]
struct Entry {
    dn: String,
    lines: Vec<String>,
}

impl Dse {
    /// Reads `file`, or the copy that the server keeps if it was killed between the two renames of an update.
    pub(crate) fn read(file: &Path) -> Result<Self, SandboxError> {
        let text = fs::read_to_string(file).map_err(at("read", file));
        let text = match text {
            Ok(text) if !text.is_empty() => text,
            unusable => fs::read_to_string(file.with_extension("ldif.bak")).or(unusable)?,
        };
        Ok(Self::parse(file, &text))
    }

    pub(crate) fn parse(file: &Path, text: &str) -> Self {
        let mut entries = Vec::new();
        let mut lines: Vec<String> = Vec::new();
        for line in text.lines().chain([""]) {
            if let Some(more) = line.strip_prefix(' ')
                && let Some(last) = lines.last_mut()
            {
                last.push_str(more);
            } else if line.trim().is_empty() {
                entries.extend(Entry::of(std::mem::take(&mut lines)));
            } else if !line.starts_with('#') {
                lines.push(line.to_owned());
            }
        }
        Self { file: file.to_path_buf(), entries }
    }

    pub(crate) fn has(&self, dn: &str) -> bool {
        let dn = normal(dn);
        self.entries.iter().any(|entry| entry.dn == dn)
    }

    /// The first value of an attribute.
    pub(crate) fn get(&self, dn: &str, attribute: &str) -> Option<&str> {
        let dn = normal(dn);
        let entry = self.entries.iter().find(|entry| entry.dn == dn)?;
        entry.lines.iter().find_map(|line| value_of(line, attribute))
    }

    /// Replaces all values of each attribute by the one given.
    pub(crate) fn set(&mut self, dn: &str, values: &[(&str, &str)]) -> Result<(), SandboxError> {
        let wanted = normal(dn);
        let Some(entry) = self.entries.iter_mut().find(|entry| entry.dn == wanted) else {
            return Err(SandboxError::NoSuchEntry { file: self.file.clone(), dn: dn.to_owned() });
        };
        for (attribute, value) in values {
            entry.lines.retain(|line| value_of(line, attribute).is_none());
            entry.lines.push(format!("{attribute}: {value}"));
        }
        Ok(())
    }

    pub(crate) fn write(&self) -> Result<(), SandboxError> {
        write_private(&self.file, self.text().as_bytes())
    }

    /// Exactly one blank line between entries: at two in a row the server refuses to start.
    fn text(&self) -> String {
        self.entries.iter().map(|entry| entry.lines.join("\n") + "\n").collect::<Vec<_>>().join("\n")
    }
}

impl Entry {
    fn of(lines: Vec<String>) -> Option<Self> {
        let dn = normal(value_of(lines.first()?, "dn")?);
        Some(Self { dn, lines })
    }
}

/// The value, if the line is of that attribute (ignoring options and case).
fn value_of<'a>(line: &'a str, attribute: &str) -> Option<&'a str> {
    let (name, value) = line.split_once(':')?;
    name.eq_ignore_ascii_case(attribute).then(|| value.trim())
}

/// The form for comparing names in `dse.ldif`, which differ only in case and in the space after a comma.
fn normal(dn: &str) -> String {
    dn.split(',').map(|part| part.trim().to_ascii_lowercase()).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# a comment\ndn: cn=config\ncn: config\nnsslapd-port: 1\n\n\n\
                        dn: cn=a, cn=config\nnsslapd-long: one\n  two\nx:: AAAA\n";

    fn dse() -> Dse {
        Dse::parse(Path::new("dse.ldif"), TEXT)
    }

    #[test]
    fn names_are_compared_without_case_and_space() {
        assert_eq!(dse().get("CN=A,cn=config", "NSSLAPD-LONG"), Some("one two"));
        assert_eq!(dse().get("cn=b,cn=config", "cn"), None);
    }

    #[test]
    fn a_value_is_replaced_or_added() {
        let mut dse = dse();
        dse.set("cn=config", &[("nsslapd-port", "2"), ("nsslapd-new", "on")]).unwrap();
        assert_eq!(dse.get("cn=config", "nsslapd-port"), Some("2"));
        assert_eq!(dse.get("cn=config", "nsslapd-new"), Some("on"));
    }

    #[test]
    fn an_entry_that_is_not_there_is_an_error() {
        let error = dse().set("cn=Nonsense,cn=plugins,cn=config", &[]).unwrap_err();
        assert_eq!(error.to_string(), "dse.ldif has no entry cn=Nonsense,cn=plugins,cn=config");
    }

    #[test]
    fn entries_are_one_blank_line_apart() {
        let text = dse().text();
        assert_eq!(
            text,
            "dn: cn=config\ncn: config\nnsslapd-port: 1\n\n\
             dn: cn=a, cn=config\nnsslapd-long: one two\nx:: AAAA\n"
        );
    }
}
