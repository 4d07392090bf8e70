//! The answers of each endpoint: those that can come, with their bodies and headers.

use super::kinds::{Shape, integer, text};
use crate::endpoint::{Access, Body, Endpoint, Takes, TenantParameter, Verb};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        Content, Header, Ref, RefOr, Response, ResponseBuilder, Responses, Schema,
        header::HeaderBuilder,
        schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Type},
    },
};
use web::answer::{JSON, NDJSON};

/// The answer of success of an endpoint.
pub struct Answer {
    words: &'static str,
    contents: Vec<(&'static str, Shape)>,
    headers: &'static [&'static str],
    /// Structures that it is written from, with those of their parts.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Answer {
    /// A structure.
    pub(crate) fn of<T: ToSchema>() -> Self {
        Self::json(named::<T>()).written_from::<T>()
    }

    /// JSON of a shape.
    pub(crate) fn json(shape: impl Into<Shape>) -> Self {
        Self::file("What was asked for.", JSON, shape)
    }

    /// A page of a list of structures, under the list's own name.
    pub(crate) fn page_of<T: ToSchema>(name: &str) -> Self {
        Self::json(page_of(name, named::<T>())).written_from::<T>()
    }

    /// A page of a list whose entries have a shape.
    pub(crate) fn page_of_shape(name: &str, entry: impl Into<Shape>) -> Self {
        Self::json(page_of(name, entry))
    }

    /// The guide's answer to every write.
    pub(crate) fn done() -> Self {
        Self::file("Done.", JSON, by_name("Success"))
    }

    /// Lines of JSON, each a structure.
    pub(crate) fn lines_of<T: ToSchema>(words: &'static str) -> Self {
        let lines = text().content_media_type(JSON).content_schema(Some(named::<T>()));
        Self::file(words, NDJSON, lines.description(Some("A JSON object a line."))).written_from::<T>()
    }

    /// Something of a media type.
    pub(crate) fn file(words: &'static str, media_type: &'static str, shape: impl Into<Shape>) -> Self {
        Self::files(words, vec![(media_type, shape.into())])
    }

    /// Something of one of several media types.
    pub(crate) fn files(words: &'static str, contents: Vec<(&'static str, Shape)>) -> Self {
        Self { words, contents, headers: &[], schemas: Vec::new() }
    }

    /// With a structure that it names.
    pub(crate) fn with_schema(mut self, name: &str, schema: impl Into<Shape>) -> Self {
        self.schemas.push((name.to_owned(), schema.into()));
        self
    }

    /// With the header `ETag`.
    pub(crate) fn with_version(self) -> Self {
        self.with_headers(&["ETag"])
    }

    /// With headers that not all answers have.
    pub(crate) fn with_headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    fn written_from<T: ToSchema>(mut self) -> Self {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        self
    }

    /// Of a structure that may look like one of its forms or like several.
    pub(crate) fn of_any_form(mut self) -> Self {
        if let Some((_, schema)) = self.schemas.first_mut()
            && let RefOr::T(Schema::OneOf(one)) = schema
        {
            let any = AnyOfBuilder::new().description(one.description.take());
            *schema = std::mem::take(&mut one.items).into_iter().fold(any, AnyOfBuilder::item).into();
        }
        self
    }

    fn response(&self) -> Response {
        let response = ResponseBuilder::new().description(self.words);
        let response = self.contents.iter().fold(response, |response, (media_type, shape)| {
            response.content(*media_type, Content::new(Some(shape.clone())))
        });
        self.with_all_headers(response).build()
    }

    fn not_modified(&self) -> Response {
        let response = ResponseBuilder::new().description("What the client has is what there is.");
        self.with_all_headers(response).build()
    }

    fn with_all_headers(&self, response: ResponseBuilder) -> ResponseBuilder {
        let names = [REQUEST_ID, IGNORED].iter().chain(self.headers);
        names.fold(response, |response, name| response.header_ref(*name, Ref::new(header_place(name))))
    }
}

/// The answers that an endpoint can give.
pub(super) fn responses(endpoint: &Endpoint) -> Responses {
    let mut all = Responses::new();
    let answer = (endpoint.document.answer)();
    all.responses.insert("200".to_owned(), RefOr::T(answer.response()));
    if endpoint.particulars.takes == Takes::IfNoneMatch {
        all.responses.insert("304".to_owned(), RefOr::T(answer.not_modified()));
    }
    let comes = |failure: &&Failing| {
        (failure.comes)(endpoint) || endpoint.document.fails_with.contains(&failure.status)
    };
    for failure in FAILURES.iter().filter(comes) {
        all.responses.insert(failure.status.to_string(), Ref::from_response_name(failure.name).into());
    }
    all
}

/// A failure that several endpoints share.
pub(super) struct Failing {
    pub(super) status: u16,
    pub(super) name: &'static str,
    about: &'static str,
    /// Whether it comes where an endpoint is as it is; one may say so itself as well.
    comes: fn(&Endpoint) -> bool,
    header: Option<&'static str>,
}

/// Every failure, and where it can come.
#[rustfmt::skip]
pub(super) const FAILURES: &[Failing] = &[
    Failing { status: 400, name: "BadRequest", comes: |_| true, header: None,
        about: "Parameters or headers are missing or wrong; each parameter with its reason." },
    Failing { status: 401, name: "Unauthorized", comes: has_roles, header: Some("WWW-Authenticate"),
        about: "No token, or none that counts (`TOKEN EXPIRED`: renew it); or the login or the password is wrong." },
    Failing { status: 403, name: "Forbidden", comes: has_roles, header: None,
        about: "Not with this role, or not in this tenant; or a page of another site may have made a request without a token." },
    Failing { status: 404, name: "NotFound", comes: names_something, header: None,
        about: "There is no such thing." },
    Failing { status: 409, name: "Conflict", comes: |e| e.particulars.takes == Takes::IdempotencyKey, header: Some("Retry-After"),
        about: "A name or an address is taken, or the state of the thing forbids it. With `Retry-After`: the first \
                request with this Idempotency-Key is under way." },
    Failing { status: 410, name: "Gone", comes: |_| false, header: None,
        about: "The feed has no such place, or no more: start over without `since`." },
    Failing { status: 412, name: "PreconditionFailed", comes: |e| e.particulars.takes == Takes::IfMatch, header: None,
        about: "It has changed since the version in If-Match." },
    Failing { status: 413, name: "ContentTooLarge", comes: |e| e.particulars.body == Body::Parameters, header: None,
        about: "The body is too large." },
    Failing { status: 415, name: "UnsupportedMediaType", comes: |_| true, header: None,
        about: "The body is of another media type." },
    Failing { status: 422, name: "KeyOfAnotherRequest", comes: |e| e.particulars.takes == Takes::IdempotencyKey, header: None,
        about: "The Idempotency-Key was used for another request." },
    Failing { status: 429, name: "TooManyRequests", comes: |_| false, header: Some("Retry-After"),
        about: "Too many failed log-ins; or another restore of the tenant is under way." },
    Failing { status: 431, name: "HeadTooLarge", comes: |_| true, header: None,
        about: "The head of the request is too large." },
    Failing { status: 500, name: "InternalServerError", comes: has_roles, header: None,
        about: "A fault inside; the log has the reason under the X-Request-Id." },
    Failing { status: 503, name: "ServiceUnavailable", comes: has_roles, header: Some("Retry-After"),
        about: "The directory is out of reach and nothing was changed, or the outcome of a change is unknown, or there \
                is no feed of changes now; the message says which." },
    Failing { status: 507, name: "InsufficientStorage", comes: |_| false, header: None,
        about: "There is no room for the body on the disk." },
];

fn has_roles(endpoint: &Endpoint) -> bool {
    endpoint.access != Access::Open
}

/// Whether it names something besides the one thing that it makes.
fn names_something(endpoint: &Endpoint) -> bool {
    let makes_what_it_names =
        endpoint.method == Verb::Put && endpoint.particulars.takes == Takes::IdempotencyKey;
    endpoint.path.matches('{').count() > usize::from(makes_what_it_names)
        || endpoint.particulars.tenant != TenantParameter::None
}

impl Failing {
    /// The answer itself.
    pub(super) fn response(&self) -> Response {
        let response = ResponseBuilder::new()
            .description(self.about)
            .header_ref(REQUEST_ID, Ref::new(header_place(REQUEST_ID)))
            .content(JSON, Content::new(Some(Ref::from_schema_name("Error"))));
        let response = match self.header {
            Some(name) => response.header_ref(name, Ref::new(header_place(name))),
            None => response,
        };
        response.build()
    }
}

const REQUEST_ID: &str = "X-Request-Id";
const IGNORED: &str = "X-Ignored-Parameters";

fn header_place(name: &str) -> String {
    format!("#/components/headers/{name}")
}

/// The headers of answers.
pub(super) fn headers() -> [(&'static str, Header); 7] {
    let header = |about: &str, shape: ObjectBuilder| {
        HeaderBuilder::new().description(Some(about)).schema(Some(shape)).build()
    };
    [
        (REQUEST_ID, header("The identifier of the request, as the log has it.", text())),
        (IGNORED, header("Parameters that the request does not know, separated by commas.", text())),
        (
            "ETag",
            header(
                "The version of what is shown, for If-Match or If-None-Match.",
                text().pattern(Some("^\".+\"$")),
            ),
        ),
        ("Cache-Control", header("How it may be kept.", text())),
        ("Content-Disposition", header("What to call the file.", text())),
        ("Retry-After", header("Seconds to wait before trying again.", integer().minimum(Some(0)))),
        ("WWW-Authenticate", header("How to log in.", text())),
    ]
}

/// The schema of a name.
pub(crate) fn by_name(name: &str) -> Shape {
    Ref::from_schema_name(name).into()
}

fn named<T: ToSchema>() -> Shape {
    by_name(&T::name())
}

/// A page of a list, its entries under the list's own name.
fn page_of(name: &str, entry: impl Into<Shape>) -> ObjectBuilder {
    let count = |about: &str, least: u64| integer().minimum(Some(least)).description(Some(about));
    let object = ObjectBuilder::new()
        .property(
            name,
            ArrayBuilder::new().items(entry.into()).description(Some("The entries of this page.")),
        )
        .property("count", count("How many there are on all pages.", 0))
        .property("page", count("Number of this page.", 1))
        .property("pages", count("How many pages there are.", 0))
        .property("per_page", count("Entries a page.", 1));
    [name, "count", "page", "pages", "per_page"].into_iter().fold(object, ObjectBuilder::required)
}

/// A list of the schema of a name.
pub(crate) fn list_of(name: &str) -> Shape {
    ArrayBuilder::new().items(by_name(name)).into()
}

/// The guide's answer to every write.
pub(super) fn done() -> ObjectBuilder {
    ObjectBuilder::new()
        .property(
            "success",
            ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([Value::Bool(true)])),
        )
        .required("success")
}
