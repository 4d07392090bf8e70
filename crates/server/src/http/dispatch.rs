//! The one way of every request: who is asking, may it, what does it want, do it, answer, log.

use super::{
    answer::{Failure, Reply},
    application::{Services, Worker},
    call::{Call, Names, Rows},
    endpoint::{Access, Endpoint, NoEndpoint, Takes, TenantParameter},
    form::{Body, Parameters},
    idempotency::{self, Begun, Keyed},
    path,
    permission::{authenticate, client_address, right_of},
    precondition::{self, Known},
    request_head,
    settling::Settling,
};
use crate::{api, auth::Actor, clock};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::{Bytes, Payload},
};
use mail_model::{revision::Precondition, tenant::TenantId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::Instant;
use uuid::Uuid;

/// Largest body in bytes.
pub const MAX_BODY: usize = 1024 * 1024;
/// Most names in the header `X-Ignored-Parameters`.
const MAX_IGNORED: usize = 20;

/// The parameter that names the tenant where the path does not.
pub const TENANT_PARAMETER: &str = "tenant-id";

const IGNORED_PARAMETERS: HeaderName = HeaderName::from_static("x-ignored-parameters");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the log says of a request: filled in as it becomes known.
#[derive(Default)]
struct Trace {
    endpoint: Option<Endpoint>,
    asked_by: Option<Actor>,
}

/// Answers a request.
pub async fn dispatch(worker: &Worker, request: HttpRequest, payload: Payload) -> HttpResponse {
    let began = Instant::now();
    let mut trace = Trace::default();
    let outcome = answer(worker, &request, payload, &mut trace).await;
    let id = request_id(&request);
    let (mut response, cause) = match outcome {
        Ok(response) => (response, None),
        Err(mut failure) => {
            let cause = failure.take_cause();
            (failure.into_response(), cause)
        }
    };
    log(&trace, &response, cause, id.to_str().unwrap_or_default(), began);
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

async fn answer(
    worker: &Worker,
    request: &HttpRequest,
    payload: Payload,
    trace: &mut Trace,
) -> Result<HttpResponse, Failure> {
    let Worker { services, directory, keeper, desk } = worker;
    refuse_replaced(request.uri().path())?;
    let path = path::parse(request.uri().path())
        .map_err(|e| Failure::new(StatusCode::BAD_REQUEST, &e.to_string()))?;
    let endpoint = Endpoint::find(request.method(), &path.segments)?;
    trace.endpoint = Some(endpoint);
    let mut names = Names::of(endpoint, path.segments);
    let client = client_address(services, request);
    let now = clock::now();
    let actor = match endpoint.access() {
        Access::Open => None,
        Access::ByRole(_) => Some(authenticate(services, directory, request, client, now).await?),
    };
    trace.asked_by.clone_from(&actor);
    // Before the body is read, wherever the path says enough.
    let right = match endpoint.tenant_parameter() {
        TenantParameter::None => Some(right_of(endpoint, actor.as_ref(), &names)?),
        TenantParameter::Required | TenantParameter::Optional => None,
    };
    let precondition = precondition_of(endpoint, request)?;
    let (body, rows) = if endpoint.takes_rows() {
        (Bytes::new(), Some(rows_of(request, payload)))
    } else {
        (read_body(request, payload).await?, None)
    };
    let kind = if rows.is_some() { Body::Form(&body) } else { body_kind(request, &body)? };
    let mut parameters = Parameters::decode(path.parameters, request.query_string(), kind)?;
    let right = if let Some(right) = right {
        right
    } else {
        names.tenant = tenant_parameter(&mut parameters, endpoint.tenant_parameter())?;
        right_of(endpoint, actor.as_ref(), &names)?
    };
    let keyed = match &actor {
        Some(actor) => key_of(endpoint, services, actor, request, &body)?,
        None => None,
    };
    let known = Known::of_request(request);
    let keeper = keeper.as_ref();
    let mut call = Call {
        directory,
        keeper,
        desk,
        services,
        right,
        client,
        now,
        precondition,
        known,
        parameters,
        rows,
        names,
    };
    let outcome = handle(keyed, endpoint, &mut call).await;
    // The document lists what handlers take; whatever reaches a handler in a debug build proves it.
    for name in call.parameters.asked() {
        debug_assert!(
            api::is_documented(endpoint, name),
            "{endpoint:?} takes {name} and the document hides it"
        );
    }
    let reply = outcome?;
    let reply = if request.method() == Method::HEAD { reply.for_head() } else { reply };
    Ok(with_ignored(reply, call.parameters))
}

/// Does what a request asks for. Whatever comes of it, once it is answered others read what it wrote.
async fn handle(keyed: Option<Keyed>, endpoint: Endpoint, call: &mut Call<'_>) -> Result<Reply, Failure> {
    let settling = endpoint.may_change_something().then(|| Settling::begin(call.desk));
    let outcome = match keyed {
        None => api::handle(endpoint, call).await,
        Some(keyed) => Box::pin(handle_once(&keyed, endpoint, call)).await,
    };
    if let Some(settling) = settling {
        settling.end().await;
    }
    outcome
}

/// Does what a request with a key asks for, unless it was done before.
async fn handle_once(keyed: &Keyed, endpoint: Endpoint, call: &mut Call<'_>) -> Result<Reply, Failure> {
    match keyed.claim(call.directory, call.now).await? {
        Begun::Answered(reply) => {
            // They were looked at the first time.
            call.parameters = Parameters::default();
            Ok(reply)
        }
        Begun::New(claim) => {
            let outcome = api::handle(endpoint, call).await;
            idempotency::keep(call.directory, &claim, &outcome).await;
            outcome
        }
    }
}

/// The parameter `tenant-id`, of requests whose path has no tenant; an impossible one does not exist.
fn tenant_parameter(parameters: &mut Parameters, kind: TenantParameter) -> Result<Option<TenantId>, Failure> {
    let text = parameters.take(TENANT_PARAMETER)?.filter(|text| !text.is_empty());
    match text {
        Some(text) => TenantId::parse(&text).map(Some).map_err(|_| Failure::not_found("tenant")),
        None if kind == TenantParameter::Optional => Ok(None),
        None => Err(Failure::missing(TENANT_PARAMETER)),
    }
}

fn precondition_of(endpoint: Endpoint, request: &HttpRequest) -> Result<Precondition, Failure> {
    let precondition = precondition::of_request(request)?;
    let is_change = !matches!(endpoint.method(), Method::GET);
    if precondition.is_some() && is_change && endpoint.takes() != Takes::IfMatch {
        let message = "The header If-Match goes with requests that change or delete one thing that is there.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(precondition)
}

fn key_of(
    endpoint: Endpoint,
    services: &Services,
    actor: &Actor,
    request: &HttpRequest,
    body: &[u8],
) -> Result<Option<Keyed>, Failure> {
    if endpoint.method() == Method::GET {
        return Ok(None);
    }
    if endpoint.takes() == Takes::IdempotencyKey {
        return Keyed::of_request(&services.digests, actor, request, body);
    }
    if request.headers().contains_key(idempotency::HEADER) {
        let message = "The header Idempotency-Key goes with requests that make one thing.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(None)
}

fn rows_of(request: &HttpRequest, payload: Payload) -> Rows {
    let charset = request.mime_type().ok().flatten();
    let charset = charset.and_then(|mime| mime.get_param("charset").map(|value| value.as_str().to_owned()));
    Rows { media_type: request.content_type().to_ascii_lowercase(), charset, payload }
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
fn request_id(request: &HttpRequest) -> HeaderValue {
    let is_plain = |id: &&HeaderValue| {
        (1..=64).contains(&id.len())
            && id.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
    };
    let given = request.headers().get(REQUEST_ID).filter(is_plain);
    given.cloned().unwrap_or_else(|| {
        let mut text = Uuid::encode_buffer();
        let id = Uuid::new_v4().hyphenated().encode_lower(&mut text);
        HeaderValue::from_str(id).unwrap_or(HeaderValue::from_static("-"))
    })
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
