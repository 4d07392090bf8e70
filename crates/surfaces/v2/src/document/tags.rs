//! The groups of operations.

use utoipa::openapi::tag::{Tag, TagBuilder};

/// Each tag: the prefix of its paths, its name and its description.
const TAGS: &[(&str, &str, &str)] = &[
    ("/v2/auth", "Log-in", "Tokens."),
    ("/v2/users/", "Users", "People: one company's, with a mailbox each."),
    ("/v2/tenants", "Tenants", "Companies on the same servers, each with its own domains."),
    ("/v2/maillists", "Mailing lists", "Addresses that deliver to many, by members or by conditions."),
    ("/v2/resourcegroups/", "Resource groups", "Folders of resources."),
    ("/v2/resources/", "Resources", "Bookable things, such as meeting rooms."),
    ("/v2/addressbook/", "Address book", "The contacts of a tenant's users."),
    ("/v2/actions", "Actions", "Synchronization with sources from outside, and the recall of messages."),
    ("/v2/backup/", "Backup", "Backup and restore of everything, or of a tenant."),
    ("/v2/restore/", "Backup", "Backup and restore of everything, or of a tenant."),
    ("/health/", "Health", "Whether the process runs and is ready for requests."),
    ("/", "Document", "This document."),
];

/// The tag of a path.
pub(super) fn of(path: &str) -> &'static str {
    let tag = TAGS.iter().find(|(beginning, ..)| path.starts_with(beginning));
    tag.map_or("", |(_, name, _)| name)
}

/// All tags.
pub(super) fn all() -> Vec<Tag> {
    let mut tags: Vec<_> = TAGS.iter().collect();
    // One tag may have several paths.
    tags.dedup_by_key(|(_, name, _)| *name);
    tags.into_iter()
        .map(|(_, name, about)| TagBuilder::new().name(*name).description(Some(*about)).build())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_tag_and_each_beginning_of_a_path_stands_once() {
        let listed = all();
        let names: BTreeSet<_> = listed.iter().map(|tag| &tag.name).collect();
        assert_eq!(names.len(), listed.len());
        let beginnings: BTreeSet<_> = TAGS.iter().map(|(beginning, ..)| beginning).collect();
        assert_eq!(beginnings.len(), TAGS.len());
    }
}
