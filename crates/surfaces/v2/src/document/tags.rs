//! What the operations are grouped by.

use utoipa::openapi::tag::{Tag, TagBuilder};

/// Each tag: the beginning of the paths that it has, its name, and what it is about.
const TAGS: &[(&str, &str, &str)] = &[
    ("/v2/auth", "Log-in", "Tokens."),
    ("/v2/users/", "Users", "People: one company's, with a mailbox each."),
    ("/v2/tenants", "Tenants", "Companies on the same servers, each with domains of its own."),
    ("/v2/maillists", "Mailing lists", "Addresses that reach many, with members or by conditions."),
    ("/v2/resourcegroups/", "Resource groups", "Folders of resources."),
    ("/v2/resources/", "Resources", "What can be booked, such as meeting rooms."),
    ("/v2/addressbook/", "Address book", "Whom the people of a tenant can write to."),
    ("/v2/backup/", "Backup", "Everything, or a tenant, as a file."),
    ("/v2/restore/", "Backup", "Everything, or a tenant, as a file."),
    ("/health/", "Health", "Whether the process runs and whether it can work."),
    ("/", "Document", "What you are reading."),
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
