//! The answers of each endpoint: those that can come, with their bodies and headers.

use super::kinds::{Shape, integer, text};
use crate::{
    api::{authenticate, backup, health, maillists, resourcegroups, tenants, users},
    bulk,
    http::{
        answer::{JSON, NDJSON},
        endpoint::{Access, Endpoint, Takes, TenantParameter},
    },
};
use serde_json::Value;
use utoipa::{
    ToSchema,
    openapi::{
        Content, Header, Ref, RefOr, Response, ResponseBuilder, Responses,
        header::HeaderBuilder,
        schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, OneOfBuilder, Type},
    },
};

/// The answers that an endpoint can give.
pub(super) fn responses(endpoint: Endpoint) -> Responses {
    let responses = Responses::new();
    let mut all = responses;
    all.responses.insert("200".to_owned(), RefOr::T(success(endpoint)));
    if endpoint.takes() == Takes::IfNoneMatch {
        all.responses.insert("304".to_owned(), RefOr::T(not_modified()));
    }
    for failure in FAILURES.iter().filter(|failure| (failure.comes)(endpoint)) {
        all.responses.insert(failure.status.to_string(), Ref::from_response_name(failure.name).into());
    }
    all
}

/// A failure that several endpoints share.
pub(super) struct Failing {
    status: u16,
    pub(super) name: &'static str,
    about: &'static str,
    comes: fn(Endpoint) -> bool,
    header: Option<&'static str>,
}

/// Every failure, and where it can come.
#[rustfmt::skip]
pub(super) const FAILURES: &[Failing] = &[
    Failing { status: 400, name: "BadRequest", comes: |_| true, header: None,
        about: "Parameters or headers are missing or wrong; each parameter with its reason." },
    Failing { status: 401, name: "Unauthorized", comes: |e| has_roles(e) || e == Endpoint::Authenticate,
        header: Some("WWW-Authenticate"),
        about: "No token, or none that counts (`TOKEN EXPIRED`: renew it); or the login or the password is wrong." },
    Failing { status: 403, name: "Forbidden", comes: has_roles, header: None,
        about: "Not with this role, or not in this tenant." },
    Failing { status: 404, name: "NotFound", comes: names_something, header: None,
        about: "There is no such thing." },
    Failing { status: 409, name: "Conflict", comes: can_conflict, header: Some("Retry-After"),
        about: "A name or an address is taken, or the state of the thing forbids it. With `Retry-After`: the first \
                request with this Idempotency-Key is under way." },
    Failing { status: 410, name: "Gone", comes: |e| e == Endpoint::ListContactChanges, header: None,
        about: "The feed has no such place, or no more: start over without `since`." },
    Failing { status: 412, name: "PreconditionFailed", comes: |e| e.takes() == Takes::IfMatch, header: None,
        about: "It has changed since the version in If-Match." },
    Failing { status: 413, name: "ContentTooLarge", comes: |e| !e.takes_rows(), header: None,
        about: "The body is too large." },
    Failing { status: 415, name: "UnsupportedMediaType", comes: |_| true, header: None,
        about: "The body is of another media type." },
    Failing { status: 422, name: "KeyOfAnotherRequest", comes: |e| e.takes() == Takes::IdempotencyKey, header: None,
        about: "The Idempotency-Key was used for another request." },
    Failing { status: 429, name: "TooManyRequests", comes: |e| e == Endpoint::Authenticate,
        header: Some("Retry-After"), about: "Too many failed log-ins." },
    Failing { status: 431, name: "HeadTooLarge", comes: |_| true, header: None,
        about: "The head of the request is too large." },
    Failing { status: 500, name: "InternalServerError", comes: |e| asks_directory(e) && e != Endpoint::Ready,
        header: None, about: "A fault inside; the log has the reason under the X-Request-Id." },
    Failing { status: 503, name: "ServiceUnavailable", comes: asks_directory, header: Some("Retry-After"),
        about: "The directory is out of reach and nothing was changed, or the outcome of a change is unknown, or there \
                is no feed of changes now; the message says which." },
];

fn has_roles(endpoint: Endpoint) -> bool {
    endpoint.access() != Access::Open
}

fn names_something(endpoint: Endpoint) -> bool {
    endpoint.path().contains('{') && endpoint != Endpoint::CreateTenant
        || endpoint.tenant_parameter() != TenantParameter::None
}

fn can_conflict(endpoint: Endpoint) -> bool {
    let takes_names = [
        Endpoint::PatchUser,
        Endpoint::DeleteTenant,
        Endpoint::AddDomain,
        Endpoint::RemoveDomain,
        Endpoint::PatchMailList,
        Endpoint::RenameResourceGroup,
    ];
    endpoint.takes() == Takes::IdempotencyKey || takes_names.contains(&endpoint)
}

fn asks_directory(endpoint: Endpoint) -> bool {
    has_roles(endpoint) || matches!(endpoint, Endpoint::Authenticate | Endpoint::Ready)
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

/// The answer of success.
fn success(endpoint: Endpoint) -> Response {
    let response = if endpoint == Endpoint::ExportContacts {
        FILES.iter().fold(about("The file."), |response, media_type| {
            let shape = if *media_type == JSON { list_of("Contact") } else { text().into() };
            response.content(*media_type, Content::new(Some(shape)))
        })
    } else {
        let (words, media_type, shape) = content(endpoint);
        about(words).content(media_type, Content::new(Some(shape)))
    };
    with_headers(response, [REQUEST_ID, IGNORED].iter().chain(own_headers(endpoint))).build()
}

/// The media types of exports.
const FILES: &[&str] = &["text/vcard", "text/csv", "text/plain", JSON];

fn about(words: &str) -> ResponseBuilder {
    ResponseBuilder::new().description(words)
}

fn not_modified() -> Response {
    let response = about("What the client has is what there is.");
    with_headers(response, [REQUEST_ID, IGNORED].iter().chain(own_headers(Endpoint::ListContacts))).build()
}

fn with_headers<'a>(response: ResponseBuilder, names: impl Iterator<Item = &'a &'a str>) -> ResponseBuilder {
    names.fold(response, |response, name| response.header_ref(*name, Ref::new(header_place(name))))
}

/// The headers of the answer of success that not all have.
fn own_headers(endpoint: Endpoint) -> &'static [&'static str] {
    match endpoint {
        Endpoint::ListContacts => &["ETag", "Cache-Control"],
        Endpoint::ExportContacts => &["Content-Disposition"],
        _ if has_version(endpoint) => &["ETag"],
        _ => &[],
    }
}

fn has_version(endpoint: Endpoint) -> bool {
    use Endpoint::{ReadMailList, ReadResource, ReadResourceGroup, ReadTenant, ReadUser};
    matches!(endpoint, ReadUser | ReadTenant | ReadMailList | ReadResourceGroup | ReadResource)
}

fn content(endpoint: Endpoint) -> (&'static str, &'static str, Shape) {
    let shape = match endpoint {
        Endpoint::Authenticate => named::<authenticate::Granted<'_>>(),
        Endpoint::Live | Endpoint::Ready => named::<health::Status>(),
        Endpoint::ReadUser => by_name("User"),
        Endpoint::ReadTenant => named::<tenants::Shown>(),
        Endpoint::ReadMailList => named::<maillists::Shown>(),
        Endpoint::ReadResourceGroup => named::<resourcegroups::Shown>(),
        Endpoint::ReadResource => by_name("Resource"),
        Endpoint::ListMemberships => page_of("maillists", named::<users::ShownMembership>()),
        Endpoint::ListUsers => {
            page_of("users", AnyOfBuilder::new().item(by_name("User")).item(by_name("DeletedUser")))
        }
        Endpoint::ListTenants => page_of("tenants", named::<tenants::Row>()),
        Endpoint::ListMailLists => page_of("maillists", named::<maillists::Shown>()),
        Endpoint::ListResourceGroups => page_of("resourcegroups", named::<resourcegroups::Shown>()),
        Endpoint::ListResources => page_of("resources", by_name("ResourceRow")),
        Endpoint::CreateTenantOfDomain => named::<tenants::Made<'_>>(),
        Endpoint::ImportUsers => {
            return ("A line of JSON for each row, in their order, and a summary.", NDJSON, report());
        }
        Endpoint::BackUp => {
            return ("The entries, and at the end their number and a checksum.", backup::LDIF, text().into());
        }
        Endpoint::Restore => {
            let lines = lines_of(named::<backup::Line>());
            return ("A line of JSON for what is worth a word, and a summary.", NDJSON, lines);
        }
        Endpoint::ListContacts => page_of("contacts", by_name("Contact")),
        Endpoint::SuggestContacts => object_of("contacts", list_of("Contact")),
        Endpoint::ListContactChanges => changes(),
        Endpoint::ReadContact => return ("The contact.", "text/vcard", text().into()),
        Endpoint::ReadDocument => ObjectBuilder::new().schema_type(Type::Object).into(),
        Endpoint::ReadDocs => return ("The page.", "text/html", text().into()),
        Endpoint::ReadDocsFile => return ("The file.", "*/*", Shape::default()),
        _ => return ("Done.", JSON, by_name("Success")),
    };
    ("What was asked for.", JSON, shape)
}

fn by_name(name: &str) -> Shape {
    Ref::from_schema_name(name).into()
}

fn named<T: ToSchema>() -> Shape {
    by_name(&T::name())
}

/// A page of a list, its entries under the list's own name.
fn page_of(name: &str, entry: impl Into<Shape>) -> Shape {
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
    [name, "count", "page", "pages", "per_page"].into_iter().fold(object, ObjectBuilder::required).into()
}

fn list_of(name: &str) -> Shape {
    ArrayBuilder::new().items(by_name(name)).into()
}

fn object_of(name: &str, shape: Shape) -> Shape {
    ObjectBuilder::new().property(name, shape).required(name).into()
}

/// A page of the feed of changes.
fn changes() -> Shape {
    let more = ObjectBuilder::new()
        .schema_type(Type::Boolean)
        .description(Some("Whether there is a next page already."));
    let object = ObjectBuilder::new()
        .property("changes", list_of("ContactChange"))
        .property("since", text().description(Some("Where the next page begins.")))
        .property("more", more);
    ["changes", "since", "more"].into_iter().fold(object, ObjectBuilder::required).into()
}

/// A change of the feed: a contact is there, or is there no longer.
pub(super) fn contact_change() -> OneOfBuilder {
    let of = |op: &str, name: &str, shape: Shape| {
        let op = text().enum_values(Some([op]));
        let object = ObjectBuilder::new().property("op", op).property(name, shape);
        ["op", name].into_iter().fold(object, ObjectBuilder::required)
    };
    let id = super::kinds::uuid("The identifier of the contact.");
    OneOfBuilder::new().item(of("put", "contact", by_name("Contact"))).item(of("delete", "id", id))
}

fn report() -> Shape {
    lines_of(named::<bulk::Report>())
}

fn lines_of(line: Shape) -> Shape {
    let lines = text().content_media_type(JSON).content_schema(Some(line));
    lines.description(Some("A JSON object a line.")).into()
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
