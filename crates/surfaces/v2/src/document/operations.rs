//! The operation of each endpoint in the document: its description, and the parameters in their usual places.

use super::{
    PathName,
    answers::responses,
    kinds::{Shape, address_of_request, described, domain, group_name, tenant_id, text},
    parameters::Declared,
    rights, tags,
};
use crate::endpoint::{Access, Body, Endpoint, Takes, TenantParameter, Verb};
use utoipa::openapi::{
    Content, ContentBuilder, HttpMethod, Required,
    path::{Operation, OperationBuilder, Parameter, ParameterBuilder, ParameterIn},
    request_body::{RequestBody, RequestBodyBuilder},
    schema::ObjectBuilder,
    security::SecurityRequirement,
};
use web::{
    form::{MAX_PARAMETERS, MAX_VALUE},
    idempotency::MAX_KEY,
};

/// The name of the security scheme.
pub(super) const TOKEN: &str = "token";

/// The documented place of an endpoint's parameters. Requests may put them anywhere; the document names the usual
/// place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ParameterLocation {
    Query,
    Body,
    /// Both, as in the guide for mailing lists and actions.
    QueryOrBody,
}

impl ParameterLocation {
    fn of(endpoint: &Endpoint) -> Self {
        let particulars = endpoint.particulars;
        if matches!(endpoint.method, Verb::Get | Verb::Delete) || particulars.body == Body::Stream {
            Self::Query
        } else if particulars.tenant != TenantParameter::None {
            Self::QueryOrBody
        } else {
            Self::Body
        }
    }
}

/// A method in the document.
pub(super) fn method(verb: Verb) -> HttpMethod {
    match verb {
        Verb::Get => HttpMethod::Get,
        Verb::Post => HttpMethod::Post,
        Verb::Put => HttpMethod::Put,
        Verb::Patch => HttpMethod::Patch,
        Verb::Delete => HttpMethod::Delete,
    }
}

/// The operation of an endpoint.
pub(super) fn operation(endpoint: &Endpoint) -> Operation {
    let document = endpoint.document;
    let description = [document.about, &rights::in_words(endpoint.access)].join("\n\n");
    let security = match endpoint.access {
        Access::Open => Vec::new(),
        Access::For(_) => vec![SecurityRequirement::new::<_, _, String>(TOKEN, [])],
    };
    OperationBuilder::new()
        .operation_id(Some(endpoint.name))
        .tag(tags::of(endpoint.path))
        .summary(Some(document.summary))
        .description(Some(description.trim()))
        .parameters(Some(parameters(endpoint)))
        .request_body(body(endpoint))
        .responses(responses(endpoint))
        .securities(Some(security))
        .build()
}

fn parameters(endpoint: &Endpoint) -> Vec<Parameter> {
    let place = ParameterLocation::of(endpoint);
    let in_query =
        if place == ParameterLocation::Body { Vec::new() } else { (endpoint.document.parameters)() };
    let query = in_query.into_iter().map(|parameter| in_query_of(parameter, place));
    in_path(endpoint).chain(query).chain(header(endpoint)).collect()
}

fn in_query_of(parameter: Declared, place: ParameterLocation) -> Parameter {
    let is_required = parameter.is_required && place == ParameterLocation::Query;
    let about = match place {
        ParameterLocation::QueryOrBody if parameter.is_required => {
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

fn in_path(endpoint: &Endpoint) -> impl Iterator<Item = Parameter> {
    let names = endpoint.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(move |name| {
        let own = endpoint.document.path_names.iter().chain(PATH_NAMES).find(|known| known.name == name);
        let (about, shape) = own.map_or(("A name.", text().into()), |known| (known.about, (known.shape)()));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Path)
            .description(Some(about))
            .required(Required::True)
            .schema(Some(shape))
            .build()
    })
}

/// The variable parts that mean the same in every path.
const PATH_NAMES: &[PathName] = &[
    PathName { name: "tenant", about: "The tenant's id, in any letter case.", shape: tenant_id },
    PathName { name: "mail", about: "An address.", shape: address_of_request },
    PathName {
        name: "group",
        about: "The name of a resource group, without leading, trailing or consecutive blanks, in any letter case.",
        shape: group_name,
    },
    PathName { name: "domain", about: "A mail domain, in any script.", shape: domain },
];

/// `*`, or entity tags (RFC 9110 sections 13.1.1 and 13.1.2).
const ENTITY_TAGS: &str = r#"^(\*|[ ,]*(W/)?"[^"]*"( *,[ ,]*(W/)?"[^"]*")*[ ,]*)$"#;

fn header(endpoint: &Endpoint) -> Option<Parameter> {
    let (name, about, shape) = match endpoint.particulars.takes {
        Takes::Nothing => return None,
        Takes::IfMatch => (
            "If-Match",
            "One or several ETags, or `*`: the change is made to these versions only (412 otherwise).",
            text().pattern(Some(ENTITY_TAGS)).examples(["\"3-1042\""]),
        ),
        Takes::IfNoneMatch => (
            "If-None-Match",
            "One or several ETags of answers that the client has: 304 without a body if one of them is current.",
            text().pattern(Some(ENTITY_TAGS)).examples(["\"3-1042\""]),
        ),
        Takes::IdempotencyKey => (
            "Idempotency-Key",
            "A text of your choice: a repeat of the request with the same key within 24 hours gets the stored \
             answer and changes nothing.",
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

fn body(endpoint: &Endpoint) -> Option<RequestBody> {
    if let Some(body) = endpoint.document.body {
        return Some(body());
    }
    let place = ParameterLocation::of(endpoint);
    let parameters = (endpoint.document.parameters)();
    if place == ParameterLocation::Query || parameters.is_empty() {
        return None;
    }
    let is_required =
        place == ParameterLocation::Body && parameters.iter().any(|parameter| parameter.is_required);
    let object = parameters.into_iter().fold(ObjectBuilder::new(), |object, parameter| {
        let is_required = place == ParameterLocation::Body && parameter.is_required;
        let object = object.property(parameter.name, described(parameter.shape, &parameter.about));
        if is_required { object.required(parameter.name) } else { object }
    });
    let shape: Shape = object.into();
    let about = format!(
        "At most {} bytes, {MAX_PARAMETERS} parameters and {MAX_VALUE} bytes per value.",
        endpoint.most_of_body()
    );
    let body = RequestBodyBuilder::new()
        .description(Some(about))
        .required(Some(if is_required { Required::True } else { Required::False }))
        .content("application/x-www-form-urlencoded", content(endpoint, shape.clone()))
        .content("application/json", content(endpoint, shape));
    Some(body.build())
}

fn content(endpoint: &Endpoint, shape: Shape) -> Content {
    let example = endpoint.document.example.map(|example| example());
    ContentBuilder::new().schema(Some(shape)).example(example).build()
}
