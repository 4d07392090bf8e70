//! The operation of each endpoint: what it is called, what it takes and where.

use super::{
    answers::responses,
    examples,
    kinds::{Shape, address_of_request, described, domain, group_name, tenant_id, text},
    parameters::{Declared, declared},
    rights, tags,
    words::about,
};
use crate::{
    api::backup::LDIF,
    bulk,
    http::{
        answer::NDJSON,
        dispatch::MAX_BODY,
        endpoint::{Access, Endpoint, Takes, TenantParameter},
        form::{MAX_PARAMETERS, MAX_VALUE},
        idempotency::MAX_KEY,
    },
};
use actix_web::http::Method;
use utoipa::openapi::{
    Content, ContentBuilder, HttpMethod, Ref, Required,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::ObjectBuilder,
    security::SecurityRequirement,
};

/// The name of the security scheme.
pub(super) const TOKEN: &str = "token";

/// Where the parameters of an endpoint may stand. (In truth anywhere; the document says the usual place.)
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Query,
    Body,
    /// In both, as the guide has it for mailing lists.
    QueryOrBody,
}

impl Place {
    fn of(endpoint: Endpoint) -> Self {
        if matches!(endpoint.method(), Method::GET | Method::DELETE) || endpoint.takes_rows() {
            Self::Query
        } else if endpoint.tenant_parameter() != TenantParameter::None {
            Self::QueryOrBody
        } else {
            Self::Body
        }
    }
}

/// The method of an endpoint.
pub(super) fn method(endpoint: Endpoint) -> HttpMethod {
    match endpoint.method() {
        Method::POST => HttpMethod::Post,
        Method::PUT => HttpMethod::Put,
        Method::PATCH => HttpMethod::Patch,
        Method::DELETE => HttpMethod::Delete,
        // The table has no other.
        _ => HttpMethod::Get,
    }
}

/// The operation of an endpoint.
pub(super) fn operation(endpoint: Endpoint) -> Operation {
    let description = [about(endpoint), &rights::in_words(endpoint.access())].join("\n\n");
    let security = match endpoint.access() {
        Access::Open => Vec::new(),
        Access::ByRole(_) => vec![SecurityRequirement::new::<_, _, String>(TOKEN, [])],
    };
    OperationBuilder::new()
        .operation_id(Some(id(endpoint)))
        .tag(tags::of(endpoint))
        .summary(Some(endpoint.summary()))
        .description(Some(description.trim()))
        .parameters(Some(parameters(endpoint)))
        .request_body(body(endpoint))
        .responses(responses(endpoint))
        .securities(Some(security))
        .build()
}

/// The endpoint's own name, as such names are written.
fn id(endpoint: Endpoint) -> String {
    let name = format!("{endpoint:?}");
    name.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_lowercase() } else { c }).collect()
}

fn parameters(endpoint: Endpoint) -> Vec<Parameter> {
    let place = Place::of(endpoint);
    let in_query = if place == Place::Body { Vec::new() } else { declared(endpoint) };
    let query = in_query.into_iter().map(|parameter| in_query_of(parameter, place));
    in_path(endpoint).chain(query).chain(header(endpoint)).collect()
}

fn in_query_of(parameter: Declared, place: Place) -> Parameter {
    let is_required = parameter.is_required && place == Place::Query;
    let about = match place {
        Place::QueryOrBody if parameter.is_required => {
            format!("{} Required here or in the body.", parameter.about)
        }
        _ => parameter.about,
    };
    let required = if is_required { Required::True } else { Required::False };
    ParameterBuilder::new()
        .name(parameter.name)
        .parameter_in(ParameterIn::Query)
        .description(Some(about))
        .required(required)
        .schema(Some(parameter.shape))
        .build()
}

fn in_path(endpoint: Endpoint) -> impl Iterator<Item = Parameter> {
    let names = endpoint.path().split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(move |name| {
        let (about, shape) = part_of_path(endpoint, name);
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .description(Some(about))
            .required(Required::True)
            .schema(Some(shape))
            .build()
    })
}

/// A UUID, and what vCards end with.
const VCARD_NAME: &str = r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\.vcf$";

/// What stands in a part of a path.
fn part_of_path(endpoint: Endpoint, name: &str) -> (&'static str, Shape) {
    match name {
        "file" if endpoint == Endpoint::ReadContact => {
            ("The `id` of a contact, and `.vcf`.", text().pattern(Some(VCARD_NAME)).into())
        }
        "tenant" => ("The tenant's id, in any letter case.", tenant_id()),
        "mail" => ("An address.", address_of_request()),
        "group" => (
            "The name of a resource group, without blanks at its ends or in a row, in any letter case.",
            group_name(),
        ),
        "domain" => ("A mail domain, in any script.", domain()),
        _ => ("A name.", text().into()),
    }
}

/// `*`, or entity tags (RFC 9110 sections 13.1.1 and 13.1.2).
const ENTITY_TAGS: &str = r#"^(\*|(W/)?"[^"]*"( *, *(W/)?"[^"]*")*)$"#;

fn header(endpoint: Endpoint) -> Option<Parameter> {
    let (name, about, shape) = match endpoint.takes() {
        Takes::Nothing => return None,
        Takes::IfMatch => (
            "If-Match",
            "The ETag of an answer, or several, or `*`: the change is made to this version only (412 otherwise).",
            text().pattern(Some(ENTITY_TAGS)).examples(["\"3-1042\""]),
        ),
        Takes::IfNoneMatch => (
            "If-None-Match",
            "The ETag of an answer that is here already, or several: 304 without a body where it would come again.",
            text().pattern(Some(ENTITY_TAGS)).examples(["\"3-1042\""]),
        ),
        Takes::IdempotencyKey => (
            "Idempotency-Key",
            "A text of your choice: the same request with the same key within 24 hours is answered as the first \
             one was and does nothing more.",
            text().pattern(Some("^[ -~]+$")).min_length(Some(1)).max_length(Some(MAX_KEY)),
        ),
    };
    let parameter = ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .description(Some(about))
        .required(Required::False)
        .schema(Some(shape));
    Some(parameter.build())
}

fn body(endpoint: Endpoint) -> Option<RequestBody> {
    match endpoint {
        Endpoint::ImportUsers => return Some(rows()),
        Endpoint::Restore => return Some(ldif()),
        _ => {}
    }
    let place = Place::of(endpoint);
    let parameters = declared(endpoint);
    if place == Place::Query || parameters.is_empty() {
        return None;
    }
    let is_required = place == Place::Body && parameters.iter().any(|parameter| parameter.is_required);
    let object = parameters.into_iter().fold(ObjectBuilder::new(), |object, parameter| {
        let is_required = place == Place::Body && parameter.is_required;
        let object = object.property(parameter.name, described(parameter.shape, &parameter.about));
        if is_required { object.required(parameter.name) } else { object }
    });
    let shape: Shape = object.into();
    let about =
        format!("At most {MAX_BODY} bytes, {MAX_PARAMETERS} parameters and {MAX_VALUE} bytes a value.");
    let body = RequestBodyBuilder::new()
        .description(Some(about))
        .required(Some(if is_required { Required::True } else { Required::False }))
        .content("application/x-www-form-urlencoded", content(endpoint, shape.clone()))
        .content("application/json", content(endpoint, shape));
    Some(body.build())
}

fn content(endpoint: Endpoint, shape: Shape) -> Content {
    ContentBuilder::new().schema(Some(shape)).example(examples::body(endpoint)).build()
}

fn ldif() -> RequestBody {
    let example = "dn: mail=ivan@example.com,ou=default,ou=People,dc=example,dc=com\nobjectClass: top\n";
    let shape = text().description(Some("Entries (RFC 2849), no changes.")).examples([example]);
    RequestBodyBuilder::new()
        .description(Some("LDIF, plain or packed by gzip or zstd, of any size and any media type."))
        .required(Some(Required::True))
        .content(LDIF, Content::new(Some(shape)))
        .build()
}

fn rows() -> RequestBody {
    let csv = "A header row with the names of fields, then a row for each user; `;` or `,` between fields. UTF-8, or \
               Windows-1251 by the parameter `charset` of the media type.";
    let example = "mail;userPassword;employeeNumber;cn;sn\nivan@example.com;Correct-Horse-7;2;Ivan;Petrov\n";
    let about = format!("A row for each user, of at most {} bytes; as many as you like.", bulk::MAX_RECORD);
    let lines = text()
        .description(Some("A JSON object a line."))
        .content_media_type("application/json")
        .content_schema(Some(Ref::from_schema_name("ImportRow")));
    RequestBodyBuilder::new()
        .description(Some(about))
        .required(Some(Required::True))
        .content("text/csv", Content::new(Some(text().description(Some(csv)).examples([example]))))
        .content(NDJSON, Content::new(Some(lines)))
        .build()
}

/// A row of an import.
pub(super) fn import_row() -> ObjectBuilder {
    let mail = described(address_of_request(), "The address of the user.");
    let object = ObjectBuilder::new()
        .description(Some("A row of an import: the parameters of a new user, and its address."))
        .property("mail", mail)
        .required("mail");
    let fields = declared(Endpoint::CreateUser).into_iter().filter(|parameter| parameter.name != "tenant-id");
    fields.fold(object, |object, field| object.property(field.name, described(field.shape, &field.about)))
}
