//! The entry point of the PBM API: authenticates the caller, checks their rights, decodes the request and calls the
//! handler.

use super::{
    answer::Failure,
    call::{Call, Names, StreamedBody, read_whole},
    idempotency::{self, Begun, claim},
    message::FailureBody,
    permission::{Sender, authenticate, client_of, reach_of},
    services::{LiveSettings, Services, Worker},
};
use crate::{
    document,
    endpoint::{Access, Body as BodyKind, Endpoint, TENANT_PARAMETER, Takes, TenantParameter, Verb},
    requests::ROUTES,
};
use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::Bytes,
};
use administration::{caller::Actor, clock, policy::Reach};
use futures_util::{FutureExt, future::LocalBoxFuture};
use mail_model::{revision::Precondition, tenant::TenantId};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use std::time::{Duration, Instant};
use web::{
    answer::{JSON, Message, Reply},
    form::{Body, Parameters},
    idempotency::{HEADER, Keyed},
    path,
    precondition::{IfMatch, Known, if_match},
    surface::{Surface, Trace},
    transport::RequestBody,
};

/// If a body arrives within this time, the rights that were read before it still hold.
const SLOW_BODY: Duration = Duration::from_secs(1);
/// The most names in the header `X-Ignored-Parameters`.
const MAX_IGNORED: usize = 20;

const IGNORED_PARAMETERS: HeaderName = HeaderName::from_static("x-ignored-parameters");
impl Surface for Worker {
    fn prefixes(&self) -> &'static [&'static str] {
        &["/v2/", "/health/", "/openapi.json", "/docs"]
    }

    fn answer<'a>(
        &'a self,
        request: &'a HttpRequest,
        body: RequestBody,
        trace: &'a mut Trace,
    ) -> LocalBoxFuture<'a, Result<HttpResponse, web::answer::Failure>> {
        async move { Ok(answer(self, request, body, trace).await?) }.boxed_local()
    }

    fn failure_body(&self, message: &Message) -> (Vec<u8>, HeaderValue) {
        (FailureBody::new(message).json(), HeaderValue::from_static(JSON))
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Bearer")
    }
}

async fn answer(
    worker: &Worker,
    request: &HttpRequest,
    payload: RequestBody,
    trace: &mut Trace,
) -> Result<HttpResponse, Failure> {
    let Worker { services, administration, books } = worker;
    let path = path::parse(request.uri().path())
        .map_err(|e| Failure::new(StatusCode::BAD_REQUEST, &e.to_string()))?;
    let (endpoint, names) = ROUTES.find(request.method(), path.segments)?;
    trace.route = Some((endpoint.method.method(), endpoint.path));
    trace.is_cacheable = endpoint.particulars.is_cacheable;
    let client = client_of(services, request);
    let (now, live) = (clock::now(), services.live.get());
    let actor = actor_of(worker, &live, request, endpoint, Sender { client, now }).await?;
    trace.asked_by = actor.as_ref().map(|actor| actor.log_id().to_owned());
    let place = (Names::of(names), path.parameters);
    let began = Instant::now();
    let Asked { names, reach, precondition, parameters, streamed, keyed } =
        Asked::read(services, endpoint, actor.as_ref(), request, payload, place).await?;
    let was_slow = began.elapsed() > SLOW_BODY;
    let mut call = Call {
        directory: administration.lookup(),
        administration,
        books,
        services,
        live,
        actor,
        reach,
        client,
        now,
        precondition,
        known: Known::of_request(request),
        parameters,
        streamed,
        names,
    };
    if was_slow {
        call.recheck().await?;
    }
    let outcome = handle(keyed, endpoint, &mut call).await;
    debug_assert_documented(endpoint, &call.parameters);
    let reply = outcome?;
    let reply = if request.method() == Method::HEAD { reply.for_head() } else { reply };
    Ok(with_ignored(reply, call.parameters))
}

/// The caller; `None` for an endpoint that needs none.
async fn actor_of(
    worker: &Worker,
    live: &LiveSettings,
    request: &HttpRequest,
    endpoint: &Endpoint,
    sender: Sender,
) -> Result<Option<Actor>, Failure> {
    let Worker { services, administration, .. } = worker;
    let directory = administration.lookup();
    match endpoint.access {
        // A caller with an invalid token, or none, gets the answer that everybody gets.
        Access::Open if endpoint.particulars.tells_administrators_more => {
            Ok(authenticate(services, live, directory, request, endpoint, sender).await.ok())
        }
        Access::Open => Ok(None),
        Access::For(_) => authenticate(services, live, directory, request, endpoint, sender).await.map(Some),
    }
}

/// In a debug build, checks that the document lists every parameter that the handler takes.
fn debug_assert_documented(endpoint: &Endpoint, parameters: &Parameters) {
    for name in parameters.asked() {
        debug_assert!(
            document::is_documented(endpoint, name),
            "{} takes {name} and the document hides it",
            endpoint.name
        );
    }
}

/// The decoded request, and the extent of the caller's rights for it.
struct Asked<'a> {
    names: Names<'a>,
    reach: Reach,
    precondition: Precondition,
    parameters: Parameters,
    streamed: Option<StreamedBody>,
    keyed: Option<Keyed>,
}

impl<'a> Asked<'a> {
    /// Decodes a request. The last argument is the names and the parameters in the path.
    async fn read(
        services: &Services,
        endpoint: &Endpoint,
        actor: Option<&Actor>,
        request: &HttpRequest,
        payload: RequestBody,
        (mut names, in_path): (Names<'a>, &str),
    ) -> Result<Self, Failure> {
        // Authorize before the body is read if the path names the tenant.
        let reach = match endpoint.particulars.tenant {
            TenantParameter::None | TenantParameter::Callers => Some(reach_of(endpoint, actor, &names)?),
            TenantParameter::Required | TenantParameter::Optional | TenantParameter::CallersOwn => None,
        };
        let precondition = precondition_of(endpoint, request)?;
        let (body, streamed) = match endpoint.particulars.body {
            BodyKind::Stream => (Bytes::new(), Some(streamed_body(request, payload))),
            BodyKind::Parameters => (read_body(request, payload, endpoint.most_of_body()).await?, None),
        };
        let kind = if streamed.is_some() { Body::Form(&body) } else { body_kind(request, &body)? };
        let mut parameters = Parameters::decode(in_path, request.query_string(), kind)?;
        let reach = if let Some(reach) = reach {
            reach
        } else {
            names.tenant = tenant_parameter(&mut parameters, endpoint.particulars.tenant, actor)?;
            reach_of(endpoint, actor, &names)?
        };
        let keyed = match actor {
            Some(actor) => key_of(endpoint, services, actor, request, &body)?,
            None => None,
        };
        Ok(Self { names, reach, precondition, parameters, streamed, keyed })
    }
}

/// Calls the handler, at most once for an idempotency key.
async fn handle(keyed: Option<Keyed>, endpoint: &Endpoint, call: &mut Call<'_>) -> Result<Reply, Failure> {
    match keyed {
        None => (endpoint.handler)(call).await,
        Some(keyed) => Box::pin(handle_once(&keyed, endpoint, call)).await,
    }
}

/// Calls the handler for a request with a key, unless the key has an answer.
async fn handle_once(keyed: &Keyed, endpoint: &Endpoint, call: &mut Call<'_>) -> Result<Reply, Failure> {
    match claim(keyed, call.administration, call.now).await? {
        Begun::Answered(reply) => {
            // Ignored parameters were reported in the first answer.
            call.parameters = Parameters::default();
            Ok(reply)
        }
        Begun::New(claim) => {
            let outcome = (endpoint.handler)(call).await;
            idempotency::keep(call.administration, &claim, &outcome).await;
            outcome
        }
    }
}

/// The parameter `tenant-id`, for paths without a tenant. An invalid id is answered as a tenant that does not exist.
fn tenant_parameter(
    parameters: &mut Parameters,
    kind: TenantParameter,
    actor: Option<&Actor>,
) -> Result<Option<TenantId>, Failure> {
    let text = parameters.take(TENANT_PARAMETER)?.filter(|text| !text.is_empty());
    match text {
        Some(text) => TenantId::parse(&text).map(Some).map_err(|_| Failure::not_found("tenant")),
        None if kind == TenantParameter::Optional => Ok(None),
        None if kind == TenantParameter::CallersOwn => Ok(actor.and_then(Actor::only_tenant).cloned()),
        None => Err(Failure::missing(TENANT_PARAMETER)),
    }
}

fn precondition_of(endpoint: &Endpoint, request: &HttpRequest) -> Result<Precondition, Failure> {
    let precondition = match if_match(request)? {
        IfMatch::Absent => Precondition::None,
        IfMatch::Any => Precondition::AnyVersion,
        IfMatch::OneOf(tags) => Precondition::OneOf(tags),
    };
    let is_change = endpoint.method != Verb::Get;
    if precondition.is_some() && is_change && endpoint.particulars.takes != Takes::IfMatch {
        let message = "The header If-Match is for requests that change or delete one entry: leave it out.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(precondition)
}

fn key_of(
    endpoint: &Endpoint,
    services: &Services,
    actor: &Actor,
    request: &HttpRequest,
    body: &[u8],
) -> Result<Option<Keyed>, Failure> {
    if endpoint.method == Verb::Get {
        return Ok(None);
    }
    if endpoint.particulars.takes == Takes::IdempotencyKey {
        return Ok(Keyed::of_request(&services.digests, actor.log_id(), request, body)?);
    }
    if request.headers().contains_key(HEADER) {
        let message = "The header Idempotency-Key is for requests that create one entry: leave it out.";
        return Err(Failure::new(StatusCode::BAD_REQUEST, message));
    }
    Ok(None)
}

fn streamed_body(request: &HttpRequest, payload: RequestBody) -> StreamedBody {
    let charset = request.mime_type().ok().flatten();
    let charset = charset.and_then(|mime| mime.get_param("charset").map(|value| value.as_str().to_owned()));
    let (media_type, announced) = (request.content_type().to_ascii_lowercase(), announced_length(request));
    let content_encoding = request.headers().get(header::CONTENT_ENCODING);
    let content_encoding =
        content_encoding.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    StreamedBody { media_type, charset, announced, content_encoding, payload }
}

/// The length of the body, if the client sends it.
fn announced_length(request: &HttpRequest) -> Option<u64> {
    request.headers().get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body of at most `most` bytes.
async fn read_body(request: &HttpRequest, payload: RequestBody, most: usize) -> Result<Bytes, Failure> {
    let too_large = || format!("The body is too large: at most {most} bytes.");
    read_whole(payload, announced_length(request), most, too_large).await
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

/// Names come from the client: all characters but letters, digits, `-`, `_` and `.` are escaped.
const IGNORED_ESCAPES: &percent_encoding::AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
