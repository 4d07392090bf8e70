//! The schema: which attributes and classes of pbm a server lacks or has in another form. The server rewrites
//! definitions (it adds an origin and changes spaces), so they are compared word by word.

use super::desired;
use ldap_text::{
    attribute::AttributeName,
    ldif::{Attribute, Change, ChangeRecord, Entry, Modification, ModifyKind, Value},
};
use mail_model::entry::EntryView;

/// The schema of this project.
pub const SCHEMA: &str = include_str!("../../../../schema/60pbm.ldif");

pub(crate) const ATTRIBUTE_TYPES: AttributeName = AttributeName::from_static("attributeTypes");
pub(crate) const OBJECT_CLASSES: AttributeName = AttributeName::from_static("objectClasses");

/// The entry of pbm's schema: `cn=schema` with its definitions.
pub(super) fn wanted() -> Option<Entry> {
    desired::entries(SCHEMA, &[]).into_iter().next()
}

/// The change that brings a server's schema up to date. Attributes come before the classes that use them.
pub(super) fn difference(wanted: &Entry, current: &impl EntryView) -> Option<ChangeRecord> {
    let mut modifications = Vec::new();
    for kind in [ATTRIBUTE_TYPES, OBJECT_CLASSES] {
        let ours = wanted.attributes.iter().filter(|a| a.name == kind).flat_map(|a| &a.values);
        let has = current.values(&kind);
        let missing: Vec<&Value> =
            ours.filter(|ours| !has.iter().any(|has| words(has) == words_of(ours))).collect();
        let outdated: Vec<Value> = has
            .iter()
            .filter(|has| missing.iter().any(|ours| identifier(has) == identifier(&text(ours))))
            .map(|has| has.as_str().into())
            .collect();
        let missing: Vec<Value> = missing.into_iter().cloned().collect();
        for (step, values) in [(ModifyKind::Delete, outdated), (ModifyKind::Add, missing)] {
            if !values.is_empty() {
                modifications
                    .push(Modification { kind: step, attribute: Attribute { name: kind.clone(), values } });
            }
        }
    }
    (!modifications.is_empty())
        .then(|| ChangeRecord { dn: wanted.dn.clone(), change: Change::Modify(modifications) })
}

fn text(value: &Value) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn words_of(value: &Value) -> Vec<String> {
    words(&text(value))
}

/// The words of a definition (RFC 4512 section 4.1) without its extensions (`X-…`).
fn words(definition: &str) -> Vec<String> {
    let body = definition
        .find(" X-")
        .map_or(definition, |extensions| definition.get(..extensions).unwrap_or_default());
    body.split(|c: char| c.is_whitespace() || c == '(' || c == ')')
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect()
}

fn identifier(definition: &str) -> Option<String> {
    words(definition).into_iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Current(Vec<String>, Vec<String>);

    impl EntryView for Current {
        fn values(&self, name: &AttributeName) -> &[String] {
            if *name == ATTRIBUTE_TYPES { &self.0 } else { &self.1 }
        }
    }

    fn ours(kind: &AttributeName) -> Vec<String> {
        let wanted = wanted().unwrap();
        wanted.attributes.iter().filter(|a| a.name == *kind).flat_map(|a| &a.values).map(text).collect()
    }

    #[test]
    fn a_server_with_our_schema_in_its_own_spelling_needs_nothing() {
        let respell = |d: &String| d.replace(" X-ORIGIN 'pbm' )", "  X-ORIGIN ( 'pbm' 'user defined' ) )");
        let current = Current(
            ours(&ATTRIBUTE_TYPES).iter().map(respell).collect(),
            ours(&OBJECT_CLASSES).iter().map(respell).collect(),
        );
        assert_eq!(difference(&wanted().unwrap(), &current), None);
    }

    #[test]
    fn an_older_form_of_a_class_is_replaced() {
        let old: Vec<_> = ours(&OBJECT_CLASSES).iter().map(|d| d.replace(" $ pbmPurging", "")).collect();
        let change =
            difference(&wanted().unwrap(), &Current(ours(&ATTRIBUTE_TYPES), old)).unwrap().to_string();
        assert!(
            change.contains("delete: objectClasses") && change.contains("add: objectClasses"),
            "{change}"
        );
        assert!(!change.contains("attributeTypes"), "{change}");
    }

    #[test]
    fn every_attribute_named_in_rust_is_in_our_schema_or_in_the_stock_one() {
        let ours = ours(&ATTRIBUTE_TYPES).join("\n");
        for name in mail_model::names::ALL_ATTRIBUTES {
            let is_ours = ours.contains(&format!("NAME '{name}'"));
            let is_project_name =
                name.as_str().starts_with("pbm") || ["telegram", "skype"].contains(&name.as_str());
            assert_eq!(is_ours, is_project_name, "{name}");
        }
    }
}
