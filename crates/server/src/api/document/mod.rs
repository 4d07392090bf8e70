//! The `OpenAPI` document of the whole API, made of what serves it: the table of endpoints, the fields with what they
//! may hold, the listings, and the structures that answers are written from. What it says in words stands here too.

mod answers;
mod examples;
mod fields;
mod kinds;
mod operations;
mod parameters;
mod rights;
mod tags;
mod words;

use crate::{
    api::{authenticate, backup, health, maillists, resourcegroups, tenants, users},
    bulk,
    http::{endpoint::Endpoint, message::FailureBody},
};
use std::sync::LazyLock;
use strum::VariantArray;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Components, ComponentsBuilder, OpenApi, OpenApiBuilder, Paths, RefOr, Schema, Server,
        info::{Info, InfoBuilder, LicenseBuilder},
        schema::AnyOfBuilder,
        security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};

/// The document as JSON.
pub(super) static JSON: LazyLock<Vec<u8>> =
    LazyLock::new(|| serde_json::to_vec(&document()).unwrap_or_default());

/// Whether a parameter stands in the document of an endpoint.
pub(super) fn is_documented(endpoint: Endpoint, name: &str) -> bool {
    static NAMES: LazyLock<Vec<Vec<&str>>> = LazyLock::new(|| {
        let names = |endpoint: &Endpoint| parameters::declared(*endpoint).iter().map(|p| p.name).collect();
        Endpoint::VARIANTS.iter().map(names).collect()
    });
    // The variants stand in the order of their numbers.
    NAMES.get(endpoint as usize).is_some_and(|names| names.contains(&name))
}

fn document() -> OpenApi {
    let mut paths = Paths::new();
    for endpoint in Endpoint::VARIANTS {
        let methods = vec![operations::method(*endpoint)];
        paths.add_path_operation(endpoint.path(), methods, operations::operation(*endpoint));
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

fn info() -> Info {
    let license = LicenseBuilder::new()
        .name(env!("CARGO_PKG_LICENSE"))
        .identifier(Some(env!("CARGO_PKG_LICENSE")))
        .build();
    InfoBuilder::new()
        .title("PBM API")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(words::INTRODUCTION))
        .license(Some(license))
        .build()
}

/// The schemas of structures that answers are written from, with those of their parts.
fn derived() -> Vec<(String, RefOr<Schema>)> {
    let mut schemas = Vec::new();
    add::<FailureBody<'_>>(&mut schemas);
    add::<health::Status>(&mut schemas);
    add::<authenticate::Granted<'_>>(&mut schemas);
    add::<users::ShownMembership>(&mut schemas);
    add::<tenants::Row>(&mut schemas);
    add::<tenants::Shown>(&mut schemas);
    add::<tenants::Made<'_>>(&mut schemas);
    add::<maillists::Shown>(&mut schemas);
    add::<resourcegroups::Shown>(&mut schemas);
    schemas.push((bulk::Report::name().into_owned(), any_of(bulk::Report::schema())));
    bulk::Report::schemas(&mut schemas);
    add::<backup::Line>(&mut schemas);
    schemas
}

/// A line of a report on a row that is an error looks like one on an error elsewhere, so not just one shape fits it.
fn any_of(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::OneOf(one)) => {
            let any = AnyOfBuilder::new().description(one.description);
            one.items.into_iter().fold(any, AnyOfBuilder::item).into()
        }
        other => other,
    }
}

fn add<T: ToSchema>(schemas: &mut Vec<(String, RefOr<Schema>)>) {
    schemas.push((T::name().into_owned(), T::schema()));
    T::schemas(schemas);
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
        .schema("ContactChange", answers::contact_change())
        .schema("ImportRow", operations::import_row())
        .schema("Success", answers::done())
        .schemas_from_iter(derived());
    let components = answers::FAILURES
        .iter()
        .fold(components, |components, failure| components.response(failure.name, failure.response()));
    let headers = answers::headers();
    headers.into_iter().fold(components, |components, (name, header)| components.header(name, header)).build()
}
