//! The requests of the API. Each handler turns the parameters into a command of `mail-model`, has it executed, and
//! turns the outcome into an answer.

mod actions;
mod addressbook;
mod authenticate;
mod backup;
mod bulk;
mod docs;
mod health;
mod maillists;
mod resourcegroups;
mod resources;
mod restore;
mod restore_report;
mod tenants;
pub(crate) mod users;

use crate::endpoint::Endpoint;
use crate::{
    answer::{Failure, success},
    call::Call,
};
use directory::{changing::WriteError, tenants::TenantAtHand};
use std::sync::LazyLock;
use web::{answer::Reply, routes::Routes};

/// The tenant of a request.
async fn find_tenant(call: &Call<'_>) -> Result<TenantAtHand, Failure> {
    let tenant = Box::pin(call.directory.tenant(call.tenant()?)).await?;
    tenant.ok_or_else(|| Failure::not_found("tenant"))
}

/// The answer to a change of an entry of the kind `what`.
fn done(call: &Call<'_>, what: &str, outcome: Result<(), WriteError>) -> Result<Reply, Failure> {
    outcome.map_err(|error| Failure::of_write(what, error, call.live.retention))?;
    Ok(success())
}

/// All endpoints. Only these are served, documented and tested.
pub static ENDPOINTS: &[Endpoint] = &[
    authenticate::AUTHENTICATE,
    health::LIVE,
    health::READY,
    users::LIST,
    users::CREATE,
    users::READ,
    users::PATCH,
    users::DELETE,
    users::RESTORE,
    bulk::IMPORT,
    users::MEMBERSHIPS,
    users::photo::READ,
    users::photo::PUT,
    users::photo::DELETE,
    tenants::LIST,
    tenants::CREATE_OF_DOMAIN,
    tenants::CREATE,
    tenants::READ,
    tenants::PATCH,
    tenants::DELETE,
    tenants::RESTORE,
    tenants::ADD_DOMAIN,
    tenants::REMOVE_DOMAIN,
    maillists::LIST,
    maillists::CREATE,
    maillists::PATCH,
    maillists::DELETE,
    maillists::READ,
    resourcegroups::LIST,
    resourcegroups::CREATE,
    resourcegroups::READ,
    resourcegroups::RENAME,
    resourcegroups::DELETE,
    resources::LIST,
    resources::CREATE,
    resources::READ,
    resources::PATCH,
    resources::DELETE,
    addressbook::LIST,
    addressbook::SUGGEST,
    addressbook::CHANGES,
    addressbook::EXPORT,
    addressbook::READ,
    actions::recall::RECALL,
    backup::BACK_UP,
    restore::RESTORE,
    actions::sync::PEOPLE_OF_BITRIX24,
    actions::sync::PEOPLE_OF_DIRECTORY,
    actions::sync::GROUPS_OF_DIRECTORY,
    actions::runs::LIST,
    actions::runs::READ,
    docs::DOCUMENT,
    docs::PAGE,
    docs::PAGE_FILE,
];

/// The routes to the endpoints.
pub static ROUTES: LazyLock<Routes<&'static Endpoint>> =
    LazyLock::new(|| Routes::new(ENDPOINTS.iter().map(|e| (e.method.method(), e.path, e))));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document;
    use std::collections::HashSet;

    #[test]
    fn each_endpoint_is_declared_once_and_in_words() {
        let mut names = HashSet::new();
        let mut places = HashSet::new();
        for endpoint in ENDPOINTS {
            let Endpoint { name, path, document, .. } = endpoint;
            assert!(names.insert(*name), "two are called {name}");
            assert!(places.insert((endpoint.method.method(), *path)), "{name} stands where another one does");
            assert!(!document.summary.is_empty() && !document.summary.ends_with('.'), "{name}");
            let parameters: HashSet<_> = (document.parameters)().iter().map(|p| p.name).collect();
            assert_eq!(parameters.len(), (document.parameters)().len(), "{name} takes one twice");
        }
    }

    #[test]
    fn every_form_has_an_example_of_parameters_that_there_are() {
        for endpoint in ENDPOINTS {
            let example = endpoint.document.example.map(|example| example());
            assert_eq!(example.is_some(), document::has_form(endpoint), "{}", endpoint.name);
            for name in example.iter().flat_map(|example| example.as_object().unwrap().keys()) {
                assert!(document::is_documented(endpoint, name), "{} {name}", endpoint.name);
            }
        }
    }
}
