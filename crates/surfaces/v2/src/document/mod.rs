//! The `OpenAPI` document of the API, generated from the code: the declarations of endpoints, the fields with their
//! limits, and the structures of answers.

mod answers;
mod fields;
pub(crate) mod kinds;
mod operations;
mod parameters;
mod rights;
mod tags;

pub use answers::Answer;
pub(crate) use answers::{by_name, list_of};
pub(crate) use fields::{about_resource, about_user};
pub use parameters::Declared;
pub(crate) use parameters::{
    And, deleted, dry_run, in_path, new_address, optional_tenant, page, page_of, tenant_parameter,
};

use crate::message::FailureBody;
use crate::{endpoint::Endpoint, requests::ENDPOINTS};
use kinds::Shape;
use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ComponentsBuilder, OpenApi, OpenApiBuilder, Paths, RefOr, Schema, Server,
        info::{Info, InfoBuilder, LicenseBuilder},
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

/// The document as JSON.
pub(super) static JSON: LazyLock<Vec<u8>> =
    LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default());

/// A variable part of a path in the document.
pub struct PathName {
    /// Its name.
    pub name: &'static str,
    /// Its description.
    pub about: &'static str,
    /// Its schema.
    pub shape: fn() -> Shape,
}

/// Whether the document of an endpoint contains a parameter.
#[must_use]
pub fn is_documented(endpoint: &Endpoint, parameter: &str) -> bool {
    static NAMES: LazyLock<HashMap<&str, HashSet<&str>>> = LazyLock::new(|| {
        let names = |endpoint: &Endpoint| (endpoint.document.parameters)().iter().map(|p| p.name).collect();
        ENDPOINTS.iter().map(|endpoint| (endpoint.name, names(endpoint))).collect()
    });
    NAMES.get(endpoint.name).is_some_and(|names| names.contains(parameter))
}

/// The description of the whole document.
const INTRODUCTION: &str = "\
Administration of a mail system: tenants, users, mailing lists, resources.

**Parameters** are documented in their usual place. They are accepted in the query, in a form or a flat JSON \
object in the body with any method, and after the first raw `&` of the path's last segment; the path overrides the \
body, and the body the query. Unknown parameters are ignored and listed in `X-Ignored-Parameters`. An empty value \
(`null` in JSON) clears an optional field.

**Access**: a token from `POST /v2/auth`. Clients at addresses that the administrator of the server has allowed need \
no token and act as a super administrator, except for backups and restores; pages of other sites cannot use this (403).

**Answers** are JSON, unless stated otherwise, and carry `X-Request-Id`: the one of the request, or a new one. \
Failures have a `message`: a sentence, or a reason for each parameter that is wrong. `HEAD` is answered like `GET` \
without the body; other methods of a path get 405, other paths 404.";

fn document() -> OpenApi {
    let mut paths = Paths::new();
    for endpoint in ENDPOINTS {
        let methods = vec![operations::method(endpoint.method)];
        paths.add_path_operation(endpoint.path, methods, operations::operation(endpoint));
    }
    OpenApiBuilder::new()
        .info(info())
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components()))
        .security(Some([SecurityRequirement::new::<_, _, String>(operations::TOKEN, [])]))
        .tags(Some(tags::all()))
        .build()
}

/// Whether an endpoint takes its parameters in a body.
#[cfg(test)]
pub(super) fn has_form(endpoint: &Endpoint) -> bool {
    endpoint.document.body.is_none() && operations::operation(endpoint).request_body.is_some()
}

fn info() -> Info {
    let license = LicenseBuilder::new()
        .name(env!("CARGO_PKG_LICENSE"))
        .identifier(Some(env!("CARGO_PKG_LICENSE")))
        .build();
    InfoBuilder::new()
        .title("PBM API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(INTRODUCTION))
        .license(Some(license))
        .build()
}

/// The schemas of the structures of answers, with the structures that these contain.
fn of_answers() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = vec![(FailureBody::name().into_owned(), FailureBody::schema())];
    FailureBody::schemas(&mut schemas);
    schemas.extend(ENDPOINTS.iter().flat_map(|endpoint| (endpoint.document.answer)().schemas));
    schemas
}

fn components() -> Components {
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("The access token of POST /v2/auth."))
        .build();
    let components = ComponentsBuilder::new()
        .security_scheme(operations::TOKEN, SecurityScheme::Http(token))
        .schema("User", fields::user())
        .schema("DeletedUser", fields::deleted_user())
        .schema("Resource", fields::one_resource())
        .schema("ResourceRow", fields::resource())
        .schema("Contact", fields::contact())
        .schema("Success", answers::done())
        .schemas_from_iter(of_answers());
    let components = answers::FAILURES
        .iter()
        .fold(components, |components, failure| components.response(failure.name, failure.response()));
    let headers = answers::headers();
    headers.into_iter().fold(components, |components, (name, header)| components.header(name, header)).build()
}
