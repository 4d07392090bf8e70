//! Surfaces: APIs and pages, each with its own paths, error format and authentication challenge. The server does for
//! all of them what none may forget: it reads the head, assigns an identifier to the request, logs it, and sets the
//! cache headers of the answer.

use crate::{
    answer::{Failure, Message},
    transport::{Connection, MAX_HEAD, MAX_HEADERS, RequestBody, UnreadHead},
};
use actix_web::{
    App, HttpRequest, HttpResponse,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::{self, Data, Payload},
};
use futures_util::future::LocalBoxFuture;
use std::{error::Error, time::Instant};
use uuid::Uuid;

/// Answers the requests whose paths belong to it.
pub trait Surface {
    /// The prefixes of its paths, such as `/v2/`. The first surface of a server also answers all other paths.
    fn prefixes(&self) -> &'static [&'static str];

    /// Answers a request, and fills in the trace.
    fn answer<'a>(
        &'a self,
        request: &'a HttpRequest,
        body: RequestBody,
        trace: &'a mut Trace,
    ) -> LocalBoxFuture<'a, Result<HttpResponse, Failure>>;

    /// The body of a failure, with its media type.
    fn failure_body(&self, message: &Message) -> (Vec<u8>, HeaderValue);

    /// The authentication challenge (RFC 9110 section 11.6.1).
    fn challenge(&self) -> HeaderValue;
}

/// What the log needs about a request; filled in as it becomes known.
#[derive(Default)]
pub struct Trace {
    /// The method and the pattern of its endpoint.
    pub route: Option<(Method, &'static str)>,
    /// The caller, as named in the log.
    pub asked_by: Option<String>,
    /// Whether caches may store the answer.
    pub is_cacheable: bool,
}

/// The surfaces of a server, on one of its threads. There is at least one.
pub struct Surfaces {
    first: Box<dyn Surface>,
    others: Vec<Box<dyn Surface>>,
}

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Makes browsers trust the `Content-Type` of an answer (WHATWG Fetch).
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// No cache may store tokens, hashes or data about people (RFC 9111 section 5.2.2.5). A client that sends
/// `If-None-Match` has a copy of its own, which is not a cache.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

impl Surfaces {
    /// Creates it with the first surface, which also answers paths that belong to none.
    #[must_use]
    pub fn new(first: Box<dyn Surface>) -> Self {
        Self { first, others: Vec::new() }
    }

    /// Adds another surface.
    #[must_use]
    pub fn with(mut self, other: Box<dyn Surface>) -> Self {
        self.others.push(other);
        self
    }

    /// The surface to which a path belongs.
    fn of_path(&self, path: &str) -> &dyn Surface {
        let mut others = self.others.iter().map(AsRef::as_ref);
        let has = |surface: &&dyn Surface| surface.prefixes().iter().any(|prefix| path.starts_with(prefix));
        others.find(has).unwrap_or(self.first.as_ref())
    }

    async fn answer(&self, request: HttpRequest, payload: Payload) -> HttpResponse {
        let began = Instant::now();
        let answering = Connection::begin(&request);
        let mut trace = Trace::default();
        let surface = self.of_path(request.uri().path());
        let outcome = match UnreadHead::of_path(request.uri().path()) {
            Some(unread) => Err(failure_of(unread)),
            None => surface.answer(&request, answering.body(payload), &mut trace).await,
        };
        let (mut response, cause) = match outcome {
            Ok(response) => (response, None),
            Err(mut failure) => {
                let cause = failure.take_cause();
                let (body, content_type) = surface.failure_body(failure.message());
                (failure.into_response(body, content_type, surface.challenge()), cause)
            }
        };
        let id = request_id(&request);
        log(&trace, &response, cause, id.to_str().unwrap_or_default(), began);
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id);
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, NOSNIFF);
        if !trace.is_cacheable {
            headers.insert(header::CACHE_CONTROL, NO_STORE);
        }
        response.map_body(|_, body| answering.until_the_end_of(body))
    }
}

/// The application of a thread, for the listeners. Every request is handled in the same way; each surface finds the
/// route itself, from the raw path.
#[must_use]
pub fn app(
    surfaces: Surfaces,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let handler = |surfaces: Data<Surfaces>, request: HttpRequest, payload: Payload| async move {
        surfaces.answer(request, payload).await
    };
    App::new().app_data(Data::new(surfaces)).default_service(web::to(handler))
}

/// The failure for a request whose head could not be read.
fn failure_of(unread: UnreadHead) -> Failure {
    match unread {
        UnreadHead::Malformed => {
            Failure::new(StatusCode::BAD_REQUEST, "This is not a valid HTTP/1.1 request.")
        }
        UnreadHead::Late => {
            Failure::new(StatusCode::REQUEST_TIMEOUT, "The head of the request was not complete in time.")
        }
        UnreadHead::TooLarge => {
            let message = format!(
                "The head of the request is too large: at most {MAX_HEAD} bytes and {MAX_HEADERS} headers."
            );
            Failure::new(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, &message)
        }
    }
}

/// The request's own identifier if it is a plain one, otherwise a new one.
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
    cause: Option<Box<dyn Error + Send + Sync>>,
    id: &str,
    began: Instant,
) {
    let status = response.status().as_u16();
    let (method, route) = trace.route.clone().unwrap_or((Method::GET, "unknown"));
    let asked_by = trace.asked_by.as_deref();
    let milliseconds = began.elapsed().as_secs_f64() * 1000.0;
    if let Some(cause) = cause {
        let cause = cause.as_ref() as &(dyn Error + 'static);
        tracing::error!(request = id, %method, route, status, milliseconds, asked_by, error = cause, "http.request.failed");
    } else if method == Method::GET {
        tracing::debug!(request = id, %method, route, status, milliseconds, asked_by, "http.request.done");
    } else {
        tracing::info!(request = id, %method, route, status, milliseconds, asked_by, "http.request.done");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{answer::Reply, routes::Routes};
    use actix_web::test::{TestRequest, call_service, init_service, read_body};
    use futures_util::FutureExt;
    use std::borrow::Cow;

    /// An API whose failures are numbers, and which takes the caller from a header.
    struct Numbers;

    impl Surface for Numbers {
        fn prefixes(&self) -> &'static [&'static str] {
            &["/numbers/"]
        }

        fn answer<'a>(
            &'a self,
            request: &'a HttpRequest,
            _: RequestBody,
            trace: &'a mut Trace,
        ) -> LocalBoxFuture<'a, Result<HttpResponse, Failure>> {
            async move {
                let routes = Routes::new([(Method::GET, "/numbers/{number}", "/numbers/{number}")]);
                let segments = request.uri().path().split('/').skip(1).map(Cow::from).collect();
                let found = routes.find(request.method(), segments);
                let (route, names) = found.map_err(|_| Failure::new(StatusCode::NOT_FOUND, "4"))?;
                trace.route = Some((Method::GET, route));
                if !request.headers().contains_key("x-who") {
                    return Err(Failure::new(StatusCode::UNAUTHORIZED, "1"));
                }
                Ok(Reply::written_json(names.get("number")).into_response())
            }
            .boxed_local()
        }

        fn failure_body(&self, message: &Message) -> (Vec<u8>, HeaderValue) {
            let number = message.reasons().next().unwrap_or_default();
            (number.into(), HeaderValue::from_static("text/x-number"))
        }

        fn challenge(&self) -> HeaderValue {
            HeaderValue::from_static("Who")
        }
    }

    /// An API without any endpoint.
    struct Nothing;

    impl Surface for Nothing {
        fn prefixes(&self) -> &'static [&'static str] {
            &["/v0/"]
        }

        fn answer<'a>(
            &'a self,
            _: &'a HttpRequest,
            _: RequestBody,
            _: &'a mut Trace,
        ) -> LocalBoxFuture<'a, Result<HttpResponse, Failure>> {
            async { Err(Failure::new(StatusCode::UNAUTHORIZED, "no")) }.boxed_local()
        }

        fn failure_body(&self, message: &Message) -> (Vec<u8>, HeaderValue) {
            let words: Vec<_> = message.reasons().collect();
            (serde_json::to_vec(&words).unwrap(), HeaderValue::from_static("application/json"))
        }

        fn challenge(&self) -> HeaderValue {
            HeaderValue::from_static("None")
        }
    }

    #[tokio::test]
    async fn each_surface_has_its_paths_its_failures_and_its_way_to_say_who_one_is() {
        let surfaces = || Surfaces::new(Box::new(Nothing)).with(Box::new(Numbers));
        let service = init_service(app(surfaces())).await;
        for (path, who, status, body, content_type, challenge) in [
            ("/v0/x", "", 401, "[\"no\"]", "application/json", "None"),
            ("/nobodys", "", 401, "[\"no\"]", "application/json", "None"),
            ("/numbers/7", "", 401, "1", "text/x-number", "Who"),
            ("/numbers/7/8", "me", 404, "4", "text/x-number", ""),
            ("/numbers/7", "me", 200, "7", "application/json", ""),
        ] {
            let request = TestRequest::with_uri(path);
            let request = if who.is_empty() { request } else { request.insert_header(("x-who", who)) };
            let response = call_service(&service, request.to_request()).await;
            let header = |name| response.headers().get(name).map_or("", |value| value.to_str().unwrap());
            assert_eq!(
                (response.status().as_u16(), header("content-type")),
                (status, content_type),
                "{path}"
            );
            assert_eq!((header("www-authenticate"), header("cache-control")), (challenge, "no-store"));
            assert_eq!((header("x-content-type-options"), header("x-request-id").len()), ("nosniff", 36));
            assert_eq!(read_body(response).await, body, "{path}");
        }
    }
}
