//! What an endpoint is. Each is declared once, beside its handler: the router, the rights, the document and the tests are made of
//! the list of these declarations ([`crate::requests::ENDPOINTS`]).

use super::document::{Answer, Declared, PathName};
use crate::{answer::Failure, call::Call};
use actix_web::http::Method;
use administration::policy::Action;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use utoipa::openapi::request_body::RequestBody;
use web::answer::Reply;

/// The parameter that names the tenant where the path does not.
pub const TENANT_PARAMETER: &str = "tenant-id";

/// Largest body in bytes.
const MAX_BODY: usize = 1024 * 1024;
/// Largest body of a request that needs no account, in bytes: a login, a password and a token, percent-encoded, and room for
/// names. Anybody can have as many such bodies in memory as there are connections.
const MAX_OPEN_BODY: usize = 16 * 1024;

/// A request that the API knows.
pub struct Endpoint {
    /// Its name in the document (`operationId`).
    pub name: &'static str,
    /// Its method.
    pub method: Verb,
    /// Its path, with names in braces for the parts that vary.
    pub path: &'static str,
    /// Who may use it.
    pub access: Access,
    /// Does what is asked for.
    pub handler: Handler,
    /// What most endpoints do not have.
    pub particulars: Particulars,
    /// What the document says of it.
    pub document: Document,
}

/// What most endpoints do not have.
#[derive(Clone, Copy, Debug)]
pub struct Particulars {
    /// What it may carry besides parameters.
    pub takes: Takes,
    /// What its body is.
    pub body: Body,
    /// Whether a parameter names its tenant.
    pub tenant: TenantParameter,
    /// Whether an address of `auth.allowed_subnets` is not enough: what is read has hashes of passwords, or what is written
    /// may have.
    pub needs_token: bool,
    /// Whether an open endpoint tells administrators what others need not know.
    pub tells_administrators_more: bool,
    /// Whether caches may keep its answers: they are the same for everybody, and part of the program.
    pub is_cacheable: bool,
}

impl Particulars {
    /// Those of most endpoints.
    pub const NONE: Self = Self {
        takes: Takes::Nothing,
        body: Body::Parameters,
        tenant: TenantParameter::None,
        needs_token: false,
        tells_administrators_more: false,
        is_cacheable: false,
    };

    /// Those of an endpoint that takes something besides parameters, and has no others.
    #[must_use]
    pub const fn taking(takes: Takes) -> Self {
        Self { takes, ..Self::NONE }
    }
}

/// Does what a request asks for. Boxed, since each request's future would else be as large as the largest handler's, and is
/// moved as a whole.
pub type Handler = for<'a, 'b> fn(&'a mut Call<'b>) -> LocalBoxFuture<'a, Result<Reply, Failure>>;

/// What the document says of an endpoint.
#[derive(Clone, Copy)]
pub struct Document {
    /// What it is for, in short.
    pub summary: &'static str,
    /// What else there is to say; empty where there is nothing.
    pub about: &'static str,
    /// What it takes, besides the parts of its path. A debug build holds its handler to it.
    pub parameters: fn() -> Vec<Declared>,
    /// Parts of its path that are something of their own here.
    pub path_names: &'static [PathName],
    /// What its body is, where that is not parameters.
    pub body: Option<fn() -> RequestBody>,
    /// A body to begin with when trying it out.
    pub example: Option<fn() -> Value>,
    /// The answer of success.
    pub answer: fn() -> Answer,
    /// The statuses of failures that its other properties do not tell of.
    pub fails_with: &'static [u16],
}

impl Document {
    /// What declarations begin with: no parameters, and the guide's answer to a write.
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

/// A method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Reads.
    Get,
    /// Does something with what is there, or makes something whose name the path does not say.
    Post,
    /// Makes what the path names.
    Put,
    /// Changes it.
    Patch,
    /// Deletes it.
    Delete,
}

impl Verb {
    /// As HTTP has it.
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

/// What a request may carry besides parameters; elsewhere it is refused rather than ignored, unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// `If-Match` (RFC 9110 section 13.1.1): it changes what is there.
    IfMatch,
    /// `If-None-Match` (section 13.1.2): the client may have what it reads already. Elsewhere it is ignored.
    IfNoneMatch,
    /// `Idempotency-Key`: it makes something.
    IdempotencyKey,
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// Parameters.
    Parameters,
    /// Bytes of any number, read while they come.
    Stream,
}

/// Whether a request names its tenant by a parameter, as the guide has it for mailing lists (3.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TenantParameter {
    /// The path names it, or there is none.
    None,
    /// It does.
    Required,
    /// It does, unless it is about everything.
    Optional,
}

/// Who may use an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody, without a token.
    Open,
    /// Whoever may do something: the table of rights says who that is.
    For(Action),
}
