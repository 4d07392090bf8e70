//! The answers of each endpoint, with their bodies and headers.

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

/// The successful answer of an endpoint.
pub struct Answer {
    words: &'static str,
    contents: Vec<(&'static str, Shape)>,
    headers: &'static [&'static str],
    /// The structures that the answer is serialized from, with the structures that these contain.
    pub(super) schemas: Vec<(String, RefOr<Schema>)>,
}

impl Answer {
    /// JSON of a structure.
    pub(crate) fn of<T: ToSchema>() -> Self {
        Self::json(named::<T>()).written_from::<T>()
    }

    /// JSON of a schema.
    pub(crate) fn json(shape: impl Into<Shape>) -> Self {
        Self::file("The requested data.", JSON, shape)
    }

    /// A page of a list of structures, under the list's own name.
    pub(crate) fn page_of<T: ToSchema>(name: &str) -> Self {
        Self::json(page_of(name, named::<T>())).written_from::<T>()
    }

    /// A page of a list whose entries have a schema.
    pub(crate) fn page_of_shape(name: &str, entry: impl Into<Shape>) -> Self {
        Self::json(page_of(name, entry))
    }

    /// The guide's answer to every write.
    pub(crate) fn done() -> Self {
        Self::file("Done.", JSON, by_name("Success"))
    }

    /// Lines of JSON, each of a structure.
    pub(crate) fn lines_of<T: ToSchema>(words: &'static str) -> Self {
        let lines = text().content_media_type(JSON).content_schema(Some(named::<T>()));
        Self::file(words, NDJSON, lines.description(Some("A JSON object a line."))).written_from::<T>()
    }

    /// Adds lines of JSON, each of a structure, as another form of the answer.
    pub(crate) fn with_lines_of<T: ToSchema>(mut self, words: &'static str) -> Self {
        let lines = text().content_media_type(JSON).content_schema(Some(named::<T>()));
        self.contents.push((NDJSON, lines.description(Some(words)).into()));
        self.written_from::<T>()
    }

    /// A body of one media type.
    pub(crate) fn file(words: &'static str, media_type: &'static str, shape: impl Into<Shape>) -> Self {
        Self::files(words, vec![(media_type, shape.into())])
    }

    /// A body of one of several media types.
    pub(crate) fn files(words: &'static str, contents: Vec<(&'static str, Shape)>) -> Self {
        Self { words, contents, headers: &[], schemas: Vec::new() }
    }

    /// Adds a schema under a name.
    pub(crate) fn with_schema(mut self, name: &str, schema: impl Into<Shape>) -> Self {
        self.schemas.push((name.to_owned(), schema.into()));
        self
    }

    /// With the header `ETag`.
    pub(crate) fn with_version(self) -> Self {
        self.with_headers(&["ETag"])
    }

    /// Adds headers that not all answers have.
    pub(crate) fn with_headers(self, headers: &'static [&'static str]) -> Self {
        Self { headers, ..self }
    }

    fn written_from<T: ToSchema>(mut self) -> Self {
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        self
    }

    /// Lets the structure match several of its variants at once.
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
        let response = ResponseBuilder::new().description("The client's copy is current.");
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
    /// Whether an endpoint can give it, by its declaration. An endpoint may list it in `fails_with` as well.
    comes: fn(&Endpoint) -> bool,
    header: Option<&'static str>,
}

/// All failures, each with the endpoints that can give it.
#[rustfmt::skip]
pub(super) const FAILURES: &[Failing] = &[
    Failing { status: 400, name: "BadRequest", comes: |_| true, header: None,
        about: "Parameters or headers are missing or not valid; the message has a reason for each parameter." },
    Failing { status: 401, name: "Unauthorized", comes: has_roles, header: Some("WWW-Authenticate"),
        about: "The token is missing or not valid (`TOKEN EXPIRED`: renew it); or the login or password is wrong." },
    Failing { status: 403, name: "Forbidden", comes: has_roles, header: None,
        about: "The caller's role does not allow this, or not in this tenant; or a page of another site may have made \
                a request without a token." },
    Failing { status: 404, name: "NotFound", comes: names_something, header: None,
        about: "The path, or the entry that it names, does not exist." },
    Failing { status: 409, name: "Conflict", comes: |e| e.particulars.takes == Takes::IdempotencyKey, header: Some("Retry-After"),
        about: "A name or an address is taken, or the state of the entry forbids the change. With `Retry-After`: the \
                first request with this Idempotency-Key is under way." },
    Failing { status: 410, name: "Gone", comes: |_| false, header: None,
        about: "The `since` token is unknown or has expired: start over without it." },
    Failing { status: 412, name: "PreconditionFailed", comes: |e| e.particulars.takes == Takes::IfMatch, header: None,
        about: "The entry has changed since the version in If-Match." },
    Failing { status: 413, name: "ContentTooLarge", comes: |e| e.particulars.body == Body::Parameters, header: None,
        about: "The body is too large." },
    Failing { status: 415, name: "UnsupportedMediaType", comes: |_| true, header: None,
        about: "The body is of another media type." },
    Failing { status: 422, name: "KeyOfAnotherRequest", comes: |e| e.particulars.takes == Takes::IdempotencyKey, header: None,
        about: "The Idempotency-Key was used for another request." },
    Failing { status: 429, name: "TooManyRequests", comes: |_| false, header: Some("Retry-After"),
        about: "Too many failed log-ins; or another restore of the tenant is under way." },
    Failing { status: 431, name: "HeadTooLarge", comes: |_| true, header: None,
        about: "The request line and the headers are too large." },
    Failing { status: 500, name: "InternalServerError", comes: has_roles, header: None,
        about: "An internal error; the log has the reason under the X-Request-Id." },
    Failing { status: 502, name: "BadGateway", comes: |_| false, header: None,
        about: "Another system that this request needs did not answer as it should; the message says which, and why." },
    Failing { status: 503, name: "ServiceUnavailable", comes: has_roles, header: Some("Retry-After"),
        about: "The directory is unreachable and nothing was changed, or the outcome of a change is unknown, or the \
                feed of changes is not available now; the message says which." },
    Failing { status: 507, name: "InsufficientStorage", comes: |_| false, header: None,
        about: "The disk of the server has no space for the body." },
];

fn has_roles(endpoint: &Endpoint) -> bool {
    endpoint.access != Access::Open
}

/// Whether the path names something besides the entry that the request creates.
fn names_something(endpoint: &Endpoint) -> bool {
    let makes_what_it_names =
        endpoint.method == Verb::Put && endpoint.particulars.takes == Takes::IdempotencyKey;
    endpoint.path.matches('{').count() > usize::from(makes_what_it_names)
        || matches!(endpoint.particulars.tenant, TenantParameter::Required | TenantParameter::Optional)
}

impl Failing {
    /// The failure in the document.
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
        (IGNORED, header("Unknown parameters of the request, separated by commas.", text())),
        (
            "ETag",
            header(
                "The version of the entry or of the address book, for If-Match or If-None-Match.",
                text().pattern(Some("^\".+\"$")),
            ),
        ),
        ("Cache-Control", header("Whether and how long caches may store the answer.", text())),
        ("Content-Disposition", header("The suggested file name.", text())),
        ("Retry-After", header("Seconds to wait before trying again.", integer().minimum(Some(0)))),
        ("WWW-Authenticate", header("The authentication scheme.", text())),
    ]
}

/// A reference to the schema of this name.
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
        .property("count", count("Number of entries on all pages.", 0))
        .property("page", count("Number of this page.", 1))
        .property("pages", count("Number of pages.", 0))
        .property("per_page", count("Entries per page.", 1));
    [name, "count", "page", "pages", "per_page"].into_iter().fold(object, ObjectBuilder::required)
}

/// A list of the schema of this name.
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
