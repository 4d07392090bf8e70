//! The declaration of an endpoint. Each endpoint is declared once, beside its handler. The router, the rights, the
//! document and the tests are generated from the list of these declarations ([`crate::requests::ENDPOINTS`]).

use super::document::{Answer, Declared, PathName};
use crate::{answer::Failure, call::Call};
use actix_web::http::Method;
use administration::policy::Action;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use utoipa::openapi::request_body::RequestBody;
use web::answer::Reply;

/// The parameter that names the tenant, for paths that do not.
pub const TENANT_PARAMETER: &str = "tenant-id";

/// The largest body that is parameters, in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// The largest body of a request that needs no account, in bytes: a login, a password and a token, percent-encoded,
/// with room for names. Anybody can keep as many such bodies in memory as there are connections.
const MAX_OPEN_BODY: usize = 16 * 1024;

/// An endpoint of the API.
pub struct Endpoint {
    /// Its name in the document (`operationId`).
    pub name: &'static str,
    /// Its method.
    pub method: Verb,
    /// Its path, with the variable parts in braces.
    pub path: &'static str,
    /// The roles that may use it.
    pub access: Access,
    /// Handles the request.
    pub handler: Handler,
    /// Properties that most endpoints do not have.
    pub particulars: Particulars,
    /// Its part of the document.
    pub document: Document,
}

/// Properties that most endpoints do not have.
#[derive(Clone, Copy, Debug)]
pub struct Particulars {
    /// The header that it takes besides parameters.
    pub takes: Takes,
    /// The kind of its body.
    pub body: Body,
    /// Whether a parameter names the tenant.
    pub tenant: TenantParameter,
    /// Whether an address of `auth.allowed_subnets` is not enough, because the answer contains hashes of passwords, or
    /// the request may write them.
    pub needs_token: bool,
    /// Whether an open endpoint tells super administrators more than others.
    pub tells_administrators_more: bool,
    /// Whether caches may store its answers, because they are the same for everybody and part of the program.
    pub is_cacheable: bool,
}

impl Particulars {
    /// The properties of most endpoints.
    pub const NONE: Self = Self {
        takes: Takes::Nothing,
        body: Body::Parameters,
        tenant: TenantParameter::None,
        needs_token: false,
        tells_administrators_more: false,
        is_cacheable: false,
    };

    /// The properties of an endpoint whose only difference is the header that it takes.
    #[must_use]
    pub const fn taking(takes: Takes) -> Self {
        Self { takes, ..Self::NONE }
    }
}

/// Handles a request. The future is boxed, because otherwise the future of every request would be as large as the
/// largest handler's, and is moved as a whole.
pub type Handler = for<'a, 'b> fn(&'a mut Call<'b>) -> LocalBoxFuture<'a, Result<Reply, Failure>>;

/// The part of an endpoint in the document.
#[derive(Clone, Copy)]
pub struct Document {
    /// The summary, a few words.
    pub summary: &'static str,
    /// The rest of the description; may be empty.
    pub about: &'static str,
    /// The parameters, besides the variable parts of the path. A debug build checks the handler against them.
    pub parameters: fn() -> Vec<Declared>,
    /// Variable parts of the path that have a meaning of their own here.
    pub path_names: &'static [PathName],
    /// The body, if it is not parameters.
    pub body: Option<fn() -> RequestBody>,
    /// The example of a body on the page that tries requests.
    pub example: Option<fn() -> Value>,
    /// The successful answer.
    pub answer: fn() -> Answer,
    /// The failure statuses that do not follow from the other properties.
    pub fails_with: &'static [u16],
}

impl Document {
    /// The base of declarations: no parameters, and the guide's answer to a write.
    pub const BASE: Self = Self {
        summary: "",
        about: "",
        parameters: Vec::new,
        path_names: &[],
        body: None,
        example: None,
        answer: Answer::done,
        fails_with: &[],
    };
}

impl Endpoint {
    /// The largest body that is parameters, in bytes.
    #[must_use]
    pub fn most_of_body(&self) -> usize {
        if self.access == Access::Open { MAX_OPEN_BODY } else { MAX_BODY }
    }
}

/// The method of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Acts on existing entries, or creates an entry whose name the server chooses.
    Post,
    /// Creates the entry that the path names.
    Put,
    /// Changes the entry that the path names.
    Patch,
    /// Deletes the entry that the path names.
    Delete,
}

impl Verb {
    /// The method in HTTP.
    #[must_use]
    pub fn method(self) -> Method {
        match self {
            Self::Get => Method::GET,
            Self::Post => Method::POST,
            Self::Put => Method::PUT,
            Self::Patch => Method::PATCH,
            Self::Delete => Method::DELETE,
        }
    }
}

/// The header that a request may carry. Another endpoint refuses it instead of ignoring it, unless stated otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// `If-Match` (RFC 9110 section 13.1.1), on a change of an existing entry.
    IfMatch,
    /// `If-None-Match` (section 13.1.2), on a read whose answer the client may have already. Other endpoints ignore it.
    IfNoneMatch,
    /// `Idempotency-Key`, on the creation of an entry.
    IdempotencyKey,
}

/// The kind of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Parameters.
    Parameters,
    /// A stream of any length, read as it arrives.
    Stream,
}

/// Whether a parameter names the tenant, as in the guide for mailing lists (3.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantParameter {
    /// No: the path names it, or there is no tenant.
    None,
    /// Yes.
    Required,
    /// Yes, unless the request is about everything.
    Optional,
    /// Yes; without it, the request is about the caller's own tenant, or about everything for super administrators.
    CallersOwn,
    /// No: the request concerns the caller's own tenant, or every tenant if the caller is a super administrator.
    Callers,
}

/// The callers that may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Open,
    /// The callers whose role allows an action in the table of rights.
    For(Action),
}
