//! The one way of every request: who is asking, may it, what does it want, do it, answer, log.

use crate::{
    api,
    auth::{Actor, client, tokens::TokenError},
    clock,
    http::{
        answer::{Failure, Reply, TOKEN_EXPIRED},
        application::Services,
        endpoint::{Access, Endpoint, NoEndpoint, Right, Rights},
        form::{Body, Parameters},
        path, request_head,
    },
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::{Bytes, Payload},
};
use directory::Directory;
use jiff::Timestamp;
use mail_model::{address::MailAddress, tenant::TenantId, user::role::Role};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::{
    net::{IpAddr, Ipv4Addr},
    time::Instant,
};

/// Largest body in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// Most names in the header `X-Ignored-Parameters`.
const MAX_IGNORED: usize = 20;

const IGNORED_PARAMETERS: HeaderName = HeaderName::from_static("x-ignored-parameters");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// A request that may be done: what a handler works with.
pub struct Call<'a> {
    /// The directory, through this thread's connections.
    pub directory: &'a Directory,
    /// What all threads share.
    pub services: &'a Services,
    /// What who asks may do.
    pub right: Right,
    /// Where it asks from.
    pub client: IpAddr,
    /// When.
    pub now: Timestamp,
    /// The parameters; what is left of them is reported as ignored.
    pub parameters: Parameters,
    /// Names in the path, decoded.
    names: Names,
}

impl Call<'_> {
    /// The tenant in the path; an impossible one does not exist.
    ///
    /// # Errors
    /// 404.
    pub fn tenant(&self) -> Result<&TenantId, Failure> {
        self.names.tenant.as_ref().ok_or_else(|| Failure::not_found("tenant"))
    }

    /// The address in the path; an impossible one does not exist.
    ///
    /// # Errors
    /// 404.
    pub fn mail(&self) -> Result<MailAddress, Failure> {
        self.names.mail().ok_or_else(|| Failure::not_found("user"))
    }

    /// The address in the path as it was sent, for a request that makes it.
    #[must_use]
    pub fn mail_text(&self) -> &str {
        self.names.mail.as_deref().unwrap_or_default()
    }
}

/// What the path names.
#[derive(Default)]
struct Names {
    tenant: Option<TenantId>,
    mail: Option<String>,
}

impl Names {
    fn of(endpoint: Endpoint, segments: Vec<String>) -> Self {
        let mut names = Self::default();
        for (pattern, segment) in endpoint.path().split('/').skip(1).zip(segments) {
            match pattern {
                "{tenant}" => names.tenant = TenantId::parse(&segment).ok(),
                "{mail}" => names.mail = Some(segment),
                _ => {}
            }
        }
        names
    }

    fn mail(&self) -> Option<MailAddress> {
        MailAddress::parse(self.mail.as_deref()?).ok()
    }
}

/// What the log says of a request: filled in as it becomes known.
#[derive(Default)]
struct Trace {
    endpoint: Option<Endpoint>,
    asked_by: Option<Actor>,
}

/// Answers a request.
pub async fn dispatch(
    services: &Services,
    directory: &Directory,
    request: HttpRequest,
    payload: Payload,
) -> HttpResponse {
    let began = Instant::now();
    let mut trace = Trace::default();
    let outcome = answer(services, directory, &request, payload, &mut trace).await;
    let id = request_id(&request);
    let (mut response, cause) = match outcome {
        Ok(response) => (response, None),
        Err(mut failure) => {
            let cause = failure.take_cause();
            (failure.into_response(), cause)
        }
    };
    log(&trace, &response, cause, &id, began);
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn answer(
    services: &Services,
    directory: &Directory,
    request: &HttpRequest,
    payload: Payload,
    trace: &mut Trace,
) -> Result<HttpResponse, Failure> {
    refuse_replaced(request.uri().path())?;
    let path = path::parse(request.uri().path())
        .map_err(|e| Failure::new(StatusCode::BAD_REQUEST, &e.to_string()))?;
    let endpoint = Endpoint::find(request.method(), &path.segments)?;
    trace.endpoint = Some(endpoint);
    let names = Names::of(endpoint, path.segments);
    let client = client_address(services, request);
    let now = clock::now();
    let right = match endpoint.access() {
        Access::Open => Right::All,
        Access::ByRole(rights) => {
            let actor = authenticate(services, directory, request, client, now).await?;
            let right = right_of(&actor, &names, rights);
            trace.asked_by = Some(actor);
            right?
        }
    };
    let body = read_body(request, payload).await?;
    let parameters = Parameters::decode(path.parameters, request.query_string(), body_kind(request, &body)?)?;
    let mut call = Call { directory, services, right, client, now, parameters, names };
    let reply = api::handle(endpoint, &mut call).await?;
    Ok(with_ignored(reply, call.parameters))
}

/// Answers a request whose head the listener has replaced (see [`request_head`]).
fn refuse_replaced(path: &str) -> Result<(), Failure> {
    match path {
        request_head::MALFORMED => Err(Failure::new(StatusCode::BAD_REQUEST, "This is no HTTP/1.1 request.")),
        request_head::TOO_LARGE => {
            let message = format!(
                "The head of the request is too large: at most {} bytes and {} headers.",
                request_head::MAX_HEAD,
                request_head::MAX_HEADERS
            );
            Err(Failure::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &message))
        }
        _ => Ok(()),
    }
}

async fn authenticate(
    services: &Services,
    directory: &Directory,
    request: &HttpRequest,
    client: IpAddr,
    now: Timestamp,
) -> Result<Actor, Failure> {
    let Some(value) = request.headers().get(header::AUTHORIZATION) else {
        let trusted = client::is_in(client, &services.allowed_subnets);
        return if trusted { Ok(Actor::TrustedSubnet) } else { Err(Failure::unauthorized()) };
    };
    let token = value.to_str().ok().and_then(|value| value.split_once(' '));
    let Some((_, token)) = token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer")) else {
        return Err(Failure::unauthorized());
    };
    let subject = services.tokens.read_access(token.trim(), now).map_err(|error| match error {
        TokenError::Expired => Failure::new(StatusCode::UNAUTHORIZED, TOKEN_EXPIRED),
        TokenError::Invalid => Failure::unauthorized(),
    })?;
    let account = services.accounts.of_token(directory, &subject).await?;
    account.map(Actor::Account).ok_or_else(Failure::unauthorized)
}

fn right_of(actor: &Actor, names: &Names, rights: Rights) -> Result<Right, Failure> {
    let is_own = names.tenant.as_ref().is_some_and(|tenant| actor.is_of(tenant));
    let right = match (actor.role(), is_own) {
        (Role::SuperAdministrator, true) => rights.super_own,
        (Role::SuperAdministrator, false) => rights.super_foreign,
        (Role::Administrator, true) => rights.administrator_own,
        (Role::Administrator, false) => rights.administrator_foreign,
        (Role::User, true) => rights.user_own,
        (Role::User, false) => rights.user_foreign,
    };
    let is_itself = || match (&names.tenant, names.mail()) {
        (Some(tenant), Some(mail)) => actor.is_itself(tenant, &mail),
        _ => false,
    };
    match right {
        Right::All | Right::AllButSuper => Ok(right),
        Right::Itself | Right::OwnPassword if is_itself() => Ok(right),
        Right::Itself | Right::OwnPassword | Right::None => Err(Failure::forbidden()),
    }
}

fn client_address(services: &Services, request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
    let forwarded = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok());
    client::address(peer, forwarded, &services.trusted_proxies)
}

async fn read_body(request: &HttpRequest, payload: Payload) -> Result<Bytes, Failure> {
    let too_large = || {
        Failure::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            &format!("The body is too large: at most {MAX_BODY} bytes."),
        )
    };
    let announced =
        request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > MAX_BODY as u64) {
        return Err(too_large());
    }
    match payload.to_bytes_limited(MAX_BODY).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => Err(Failure::new(StatusCode::BAD_REQUEST, "The body could not be read to its end.")),
        Err(_) => Err(too_large()),
    }
}

fn body_kind<'a>(request: &HttpRequest, body: &'a [u8]) -> Result<Body<'a>, Failure> {
    match request.content_type().to_ascii_lowercase().as_str() {
        "" | "application/x-www-form-urlencoded" => Ok(Body::Form(body)),
        _ if body.is_empty() => Ok(Body::Form(body)),
        "application/json" => Ok(Body::Json(body)),
        _ => Err(Failure::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The body must be application/x-www-form-urlencoded or application/json.",
        )),
    }
}

fn with_ignored(reply: Reply, parameters: Parameters) -> HttpResponse {
    let mut response = reply.into_response();
    let ignored = parameters.into_ignored();
    if !ignored.is_empty() {
        let names = ignored
            .iter()
            .take(MAX_IGNORED)
            .map(|name| utf8_percent_encode(name, IGNORED_ESCAPES).to_string());
        let list = names.collect::<Vec<_>>().join(", ");
        if let Ok(value) = HeaderValue::from_str(&list) {
            response.headers_mut().insert(IGNORED_PARAMETERS, value);
        }
    }
    response
}

/// Names come from the client: whatever is no letter, digit, `-`, `_` or `.` is escaped.
const IGNORED_ESCAPES: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');

impl From<NoEndpoint> for Failure {
    fn from(reason: NoEndpoint) -> Self {
        match reason {
            NoEndpoint::UnknownPath => Self::not_found("path"),
            NoEndpoint::OtherMethods(allowed) => Self::method_not_allowed(&allowed),
        }
    }
}

/// The request's own identifier, where it is a plain one, or a new one.
fn request_id(request: &HttpRequest) -> String {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let plain = |id: &&str| {
        (1..=64).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    given.filter(plain).map_or_else(|| uuid::Uuid::new_v4().to_string(), str::to_owned)
}

fn log(
    trace: &Trace,
    response: &HttpResponse,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    id: &str,
    began: Instant,
) {
    let status = response.status().as_u16();
    let (method, route) = trace.endpoint.map_or((Method::GET, "unknown"), |e| (e.method(), e.path()));
    let asked_by = trace.asked_by.as_ref().map(Actor::log_id);
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    if let Some(cause) = cause {
        let cause = cause.as_ref() as &(dyn std::error::Error + 'static);
        tracing::error!(request = id, %method, route, status, milliseconds, asked_by, error = cause, "http.request.failed");
    } else if method == Method::GET {
        tracing::debug!(request = id, %method, route, status, milliseconds, asked_by, "http.request.done");
    } else {
        tracing::info!(request = id, %method, route, status, milliseconds, asked_by, "http.request.done");
    }
}
