//! Plug-ins that pbm relies on and that do not run: those that are disabled, and those that wait for a restart of
//! 389-ds.
//!
//! 389-ds shows whether a plug-in is enabled, but not whether it runs. Some changes of a plug-in take effect only at
//! the next start. When a setup makes such a change, it also marks the plug-in's entry, in the same write, with the
//! start time of the running server. While the server reports the same start time (`starttime` of `cn=monitor`), it
//! has not been restarted. The mark does not have to be removed afterwards, and every process that may read it knows
//! the state.

use crate::{Lookup, Scope, error::DirectoryError};
use ldap_text::{attribute::AttributeName, dn::Dn, filter::Filter};
use mail_model::{entry::EntryView, names};
use std::fmt;

/// The plug-ins that pbm relies on, as `schema/plugins.ldif` names them.
const NAMES: [&str; 4] =
    ["pbm address uniqueness", "pbm domain uniqueness", "referential integrity postoperation", "USN"];
/// A plug-in that pbm does not need; see decision 27.
const MEMBER_OF: &str = "MemberOf Plugin";
/// The beginning of the mark.
const MARK: &str = "pbm: waits for a restart of the server that was started at ";

pub(crate) const ENABLED: AttributeName = AttributeName::from_static("nsslapd-pluginEnabled");
const START_TIME: AttributeName = AttributeName::from_static("starttime");

/// Plug-ins that pbm relies on and that do not run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IdlePlugins {
    /// They will run once 389-ds has been restarted.
    pub waiting: Vec<String>,
    /// They are disabled, or do not exist.
    pub off: Vec<String>,
}

impl IdlePlugins {
    /// Whether all of them run.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.off.is_empty()
    }
}

impl fmt::Display for IdlePlugins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let waiting = (!self.waiting.is_empty()).then(|| {
            format!(
                "restart 389-ds, which loads these plug-ins only at its start: {}",
                self.waiting.join(", ")
            )
        });
        let off = (!self.off.is_empty())
            .then(|| format!("run pbm init, since these plug-ins are off: {}", self.off.join(", ")));
        let parts: Vec<_> = [waiting, off].into_iter().flatten().collect();
        f.write_str(&parts.join("; "))
    }
}

impl Lookup {
    /// The plug-ins that do not run; `None` if the account may not read their state (`pbm init` gives it the right).
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn idle_plugins(&self) -> Result<Option<IdlePlugins>, DirectoryError> {
        let Some(mark) = self.restart_mark().await? else { return Ok(None) };
        let named = Filter::any(NAMES.map(|name| Filter::equal(names::CN, name)));
        let attributes = [names::CN, ENABLED, names::DESCRIPTION];
        let scan = self.scan(&folder(), Scope::Children, &named, &attributes).await?;
        let found = scan.gather(|entry| Some(entry.clone())).await?;
        if found.is_empty() {
            return Ok(None);
        }
        let mut idle = IdlePlugins::default();
        for name in NAMES {
            let is_it = |value: &String| value.eq_ignore_ascii_case(name);
            let entry = found.iter().find(|entry| entry.values(&names::CN).iter().any(is_it));
            match entry.filter(|entry| is_enabled(*entry)) {
                None => idle.off.push(name.to_owned()),
                Some(entry) if entry.values(&names::DESCRIPTION).contains(&mark) => {
                    idle.waiting.push(name.to_owned());
                }
                Some(_) => {}
            }
        }
        Ok(Some(idle))
    }

    /// Whether the plug-in memberOf is enabled; `false` also if the account may not read its state.
    ///
    /// # Errors
    /// [`DirectoryError`] when the directory does not answer.
    pub async fn member_of_is_on(&self) -> Result<bool, DirectoryError> {
        let (plugin, named) = (folder().child(names::CN, MEMBER_OF), Filter::equal(names::CN, MEMBER_OF));
        let plugin = self.find(&plugin, Scope::Base, &named, &[ENABLED]).await?;
        Ok(plugin.is_some_and(|plugin| is_enabled(&plugin)))
    }

    /// The mark for a plug-in that waits for the next start of the running server.
    pub(crate) async fn restart_mark(&self) -> Result<Option<String>, DirectoryError> {
        let monitor = Dn::empty().child(names::CN, "monitor");
        let everything = Filter::present(names::OBJECT_CLASS);
        let monitor = self.find(&monitor, Scope::Base, &everything, &[START_TIME]).await?;
        Ok(monitor.and_then(|monitor| Some(format!("{MARK}{}", monitor.first(&START_TIME)?))))
    }
}

/// Whether the entry of a plug-in says that the plug-in is enabled.
pub(crate) fn is_enabled(plugin: &impl EntryView) -> bool {
    plugin.first(&ENABLED).is_some_and(|value| value.eq_ignore_ascii_case("on"))
}

/// Whether the description of a plug-in is a mark.
pub(crate) fn is_mark(description: &str) -> bool {
    description.starts_with(MARK)
}

fn folder() -> Dn {
    Dn::empty().child(names::CN, "config").child(names::CN, "plugins")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plug_ins_are_those_of_the_schema_folder() {
        let file = include_str!("../../../../schema/plugins.ldif");
        let named = file
            .lines()
            .filter_map(|line| line.strip_prefix("dn: cn=")?.strip_suffix(",cn=plugins,cn=config"));
        assert_eq!(named.collect::<Vec<_>>(), NAMES);
    }

    #[test]
    fn what_is_to_be_done_is_said_of_each_kind() {
        let some = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        let idle = IdlePlugins { waiting: some(&["USN"]), off: some(&["a", "b"]) };
        let said = "restart 389-ds, which loads these plug-ins only at its start: USN; run pbm init, since these plug-ins are off: a, b";
        assert_eq!(idle.to_string(), said);
        assert!(IdlePlugins::default().is_empty() && !idle.is_empty());
    }
}
