//! The API over HTTP, all trials against one `pbm serve`.

mod access;
mod access_cases;
mod addressbook_contacts;
mod addressbook_pages;
mod addressbook_rights;
mod addressbook_versions;
mod adoption;
mod auth;
mod bad_input;
mod bad_requests;
mod bad_wire;
mod behind;
mod bulk_fixture;
mod bulk_tables;
mod bulk_values;
mod changes;
mod concurrency;
mod conflicts;
mod dynamic_lists;
mod export;
mod few_candidates;
mod file_formats;
mod fixture;
mod guide;
mod guide_maillists;
mod guide_resources;
mod guide_tenants;
mod http;
mod idempotency;
mod lists;
mod locks;
mod maillist_members;
mod maillist_nesting;
mod maillists;
mod openapi;
mod own_writes;
mod photos;
mod renames;
mod resource_groups;
mod resources;
mod shell;
mod spellings;
mod suggest;
mod tenant_deletion;
mod tenant_domains;
mod tenants;
mod users;

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::run(&[
        guide::TRIALS,
        guide_tenants::TRIALS,
        guide_resources::TRIALS,
        guide_maillists::TRIALS,
        access::TRIALS,
        users::TRIALS,
        locks::TRIALS,
        lists::TRIALS,
        renames::TRIALS,
        auth::TRIALS,
        bad_input::TRIALS,
        bad_requests::TRIALS,
        bad_wire::TRIALS,
        bulk_tables::TRIALS,
        bulk_values::TRIALS,
        conflicts::TRIALS,
        http::TRIALS,
        tenants::TRIALS,
        tenant_domains::TRIALS,
        tenant_deletion::TRIALS,
        maillists::TRIALS,
        maillist_members::TRIALS,
        maillist_nesting::TRIALS,
        adoption::TRIALS,
        dynamic_lists::TRIALS,
        resource_groups::TRIALS,
        resources::TRIALS,
        concurrency::TRIALS,
        idempotency::TRIALS,
        openapi::TRIALS,
        addressbook_contacts::TRIALS,
        addressbook_contacts::TRIALS.without_redis(),
        addressbook_pages::TRIALS,
        addressbook_pages::TRIALS.without_redis(),
        addressbook_versions::TRIALS,
        addressbook_versions::TRIALS.without_redis(),
        addressbook_rights::TRIALS,
        addressbook_rights::TRIALS.without_redis(),
        export::TRIALS,
        export::TRIALS.without_redis(),
        photos::TRIALS,
        photos::TRIALS.without_redis(),
        own_writes::TRIALS,
        own_writes::TRIALS.without_redis(),
        behind::TRIALS,
        behind::TRIALS.without_redis(),
        changes::TRIALS,
        changes::none::TRIALS.without_redis(),
        few_candidates::TRIALS,
        suggest::TRIALS,
        suggest::TRIALS.without_redis(),
        spellings::TRIALS,
        spellings::TRIALS.without_redis(),
    ])
}
