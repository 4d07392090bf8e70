//! The plug-ins: which ones are enabled, and with which settings.

use super::{
    Setup, SetupError, SetupEvent, config,
    desired::{INDEX_CLASS, MEMBER_OF, attribute_names, difference, entries},
    failed,
};
use crate::{error::DirectoryError, product::plugins};
use ldap_text::{
    attribute::AttributeName,
    ldif::{Attribute, Change, Modification, ModifyKind, Value},
};
use mail_model::{entry::EntryView, names};

pub(super) const PLUGINS: &str = include_str!("../../../../schema/plugins.ldif");

const DYNAMIC_PLUGINS: AttributeName = AttributeName::from_static("nsslapd-dynamic-plugins");
const CONTAINER_SCOPE: AttributeName = AttributeName::from_static("nsslapd-pluginContainerScope");
/// The only plug-in of those listed here that 389-ds cannot start at run time.
const NEEDS_RESTART: &str = "USN";

impl<F: FnMut(SetupEvent<'_>)> Setup<'_, F> {
    pub(super) async fn plugins(&mut self, with_member_of: bool) -> Result<(), SetupError> {
        let step = "setting up the plug-ins";
        let settings = self.read(&config(&[]), &[DYNAMIC_PLUGINS]).await.map_err(failed(step))?;
        let mark = self.directory.restart_mark().await.map_err(failed(step))?;
        let is_on = |value: &str| value.eq_ignore_ascii_case("on");
        let dynamic = settings.is_some_and(|entry| entry.first(&DYNAMIC_PLUGINS).is_some_and(is_on));
        if with_member_of {
            self.member_of_plugin(dynamic).await.map_err(failed(step))?;
        }
        self.report.member_of_is_on = self.directory.member_of_is_on().await.map_err(failed(step))?;
        let root = self.directory.tree().root().to_string();
        let [domains, _, groups, ..] = self.directory.tree().folders().map(ToString::to_string);
        for plugin in entries(PLUGINS, &[("root", root), ("domains", domains), ("groups", groups)]) {
            let plugin = self.with_scope_as_it_is(plugin).await.map_err(failed(step))?;
            let name =
                plugin.dn.rdn().and_then(|rdn| rdn.value_of(&names::CN)).unwrap_or_default().to_owned();
            let mark = if dynamic && name != NEEDS_RESTART { None } else { mark.as_deref() };
            let is_changed = self.ensure_plugin(&plugin, mark).await.map_err(failed(step))?;
            if self.dry_run && is_changed && mark.is_some() {
                self.report.would_wait.push(name);
            }
        }
        let idle = self.directory.idle_plugins().await.map_err(failed(step))?;
        self.report.waiting = idle.unwrap_or_default().waiting;
        Ok(())
    }

    /// Enables the plug-in memberOf.
    async fn member_of_plugin(&mut self, dynamic: bool) -> Result<(), DirectoryError> {
        for plugin in entries(MEMBER_OF, &[]).into_iter().filter(|entry| !entry.is_of_class(INDEX_CLASS)) {
            let is_changed = self.ensure_plugin(&plugin, None).await?;
            self.report.member_of_waits = is_changed && !dynamic;
        }
        Ok(())
    }

    /// Brings a plug-in to the wanted state; `true` if that took a change. If the change takes effect only after a
    /// restart, the plug-in is marked.
    async fn ensure_plugin(
        &mut self,
        wanted: &ldap_text::ldif::Entry,
        mark: Option<&str>,
    ) -> Result<bool, DirectoryError> {
        let attributes = [attribute_names(wanted), vec![names::DESCRIPTION]].concat();
        let current = self.read(&wanted.dn, &attributes).await?;
        let Some(mut change) = difference(wanted, current.as_ref()) else { return Ok(false) };
        if let Some(mark) = mark {
            let had = current.as_ref().map_or(&[][..], |current| current.values(&names::DESCRIPTION));
            add_mark(&mut change.change, mark, had);
        }
        self.apply(&change).await.map(|()| true)
    }

    /// Removes the scope from a wanted plug-in if the plug-in is enabled already.
    async fn with_scope_as_it_is(
        &mut self,
        mut plugin: ldap_text::ldif::Entry,
    ) -> Result<ldap_text::ldif::Entry, DirectoryError> {
        if !plugin.attributes.iter().any(|attribute| attribute.name == CONTAINER_SCOPE) {
            return Ok(plugin);
        }
        let Some(current) = self.read(&plugin.dn, &[plugins::ENABLED, CONTAINER_SCOPE]).await? else {
            return Ok(plugin);
        };
        if plugins::is_enabled(&current) {
            plugin.attributes.retain(|attribute| attribute.name != CONTAINER_SCOPE);
            self.report.renames_search_everything = current.first(&CONTAINER_SCOPE).is_none();
        }
        Ok(plugin)
    }
}

/// Makes a change of a plug-in also set the mark in place of an older one; other descriptions stay.
fn add_mark(change: &mut Change, mark: &str, had: &[String]) {
    let description = |values| Attribute { name: names::DESCRIPTION, values };
    match change {
        Change::Add(attributes) => attributes.push(description(vec![mark.into()])),
        Change::Modify(modifications) => {
            let older: Vec<Value> = had
                .iter()
                .filter(|value| plugins::is_mark(value))
                .map(|value| value.as_str().into())
                .collect();
            let steps = [(ModifyKind::Delete, older), (ModifyKind::Add, vec![mark.into()])];
            let steps = steps.into_iter().filter(|(_, values)| !values.is_empty());
            modifications
                .extend(steps.map(|(kind, values)| Modification { kind, attribute: description(values) }));
        }
        Change::Rename { .. } | Change::Delete => {}
    }
}
