//! The portal: who may call, what happens to a request, and how an answer is written.

use super::{
    batch,
    company::Company,
    fault::{Call, Fault, error},
    limits::{Limits, Meter},
    methods::{Listing, Refusal, Seen},
    parameters::Parameters,
    scopes::Scopes,
};
use crate::{
    clock,
    http::{Request, Response, Server},
    tls,
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How a portal is started.
#[derive(Clone, Debug)]
pub struct PortalOptions {
    /// Where it listens; port 0 for any.
    pub listen: SocketAddr,
    /// Whether it speaks TLS, with a certificate of its own for `localhost` and `127.0.0.1`.
    pub is_encrypted: bool,
    /// The identifier of the user of the webhook.
    pub user: String,
    /// The code of the webhook.
    pub code: String,
    /// The rights of the webhook.
    pub scopes: Vec<String>,
    /// The limits; without any, every request is taken.
    pub limits: Option<Limits>,
}

impl Default for PortalOptions {
    /// Any port of this machine, without TLS and limits, with the rights `user` and `department`.
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            is_encrypted: false,
            user: "1".to_owned(),
            code: "b0d1f2a3c4e5f607".to_owned(),
            scopes: vec!["user".to_owned(), "department".to_owned()],
            limits: None,
        }
    }
}

/// A portal that answers until it is dropped.
pub struct Portal {
    server: Server,
    shared: Arc<Shared>,
    certificate: Option<String>,
}

struct Shared {
    user: String,
    code: String,
    scopes: Scopes,
    state: Mutex<State>,
}

type Hook = Box<dyn FnMut(&Call, &mut Company) -> Option<Fault> + Send>;
type FileHook = Box<dyn FnMut(&str) -> Option<Fault> + Send>;

struct State {
    company: Company,
    meter: Meter,
    hook: Option<Hook>,
    file_hook: Option<FileHook>,
    calls: u64,
}

impl Portal {
    /// Starts a portal.
    ///
    /// # Errors
    /// What binding the port returns.
    pub fn start(options: PortalOptions, company: Company) -> io::Result<Self> {
        let (tls, certificate) = options.is_encrypted.then(tls::server).transpose()?.unzip();
        let meter = Meter::new(options.limits);
        let state = Mutex::new(State { company, meter, hook: None, file_hook: None, calls: 0 });
        let shared = Arc::new(Shared {
            user: options.user,
            code: options.code,
            scopes: Scopes(options.scopes),
            state,
        });
        let answering = Arc::clone(&shared);
        let server = Server::start(options.listen, tls, Arc::new(move |request| answering.answer(&request)))?;
        Ok(Self { server, shared, certificate })
    }

    /// Its URL, such as `https://localhost:40123`.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        format!("{scheme}://localhost:{}", self.server.address.port())
    }

    /// The certificate that clients must trust, in PEM, if it speaks TLS.
    #[must_use]
    pub fn certificate(&self) -> Option<&str> {
        self.certificate.as_deref()
    }

    /// How many requests with the right code have arrived.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.shared.state().calls
    }

    /// Looks at the company, or changes it.
    pub fn company<T>(&self, look: impl FnOnce(&mut Company) -> T) -> T {
        look(&mut self.shared.state().company)
    }

    /// Calls a function at each request, before it is answered: it can change the company, and choose a fault.
    pub fn on_call(&self, hook: impl FnMut(&Call, &mut Company) -> Option<Fault> + Send + 'static) {
        self.shared.state().hook = Some(Box::new(hook));
    }

    /// Calls a function with the path at each request for a file: it can choose a fault.
    pub fn on_file(&self, hook: impl FnMut(&str) -> Option<Fault> + Send + 'static) {
        self.shared.state().file_hook = Some(Box::new(hook));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, request: &Request) -> Option<Response> {
        let Some(rest) = request.path.strip_prefix("/rest/") else {
            return self.file(&request.path);
        };
        let mut parts = rest.trim_end_matches('/').splitn(3, '/');
        let (user, code, method) = (parts.next()?, parts.next(), parts.next());
        if user != self.user || code != Some(&self.code) {
            return Some(error(401, "INVALID_CREDENTIALS", "Invalid request credentials"));
        }
        let method = method.unwrap_or_default().trim_end_matches(".json").to_lowercase();
        let (answer, fault) = self.counted(&method, request);
        match fault {
            Some(fault) => fault.response(answer),
            None => Some(answer),
        }
    }

    fn file(&self, path: &str) -> Option<Response> {
        let mut state = self.state();
        let file = match state.company.files.get(path) {
            Some(file) => Response::new(200, "image/jpeg", file.clone()),
            None => Response::new(404, "text/html", "<html>not found</html>"),
        };
        let fault = state.file_hook.as_mut().and_then(|hook| hook(path));
        drop(state);
        match fault {
            Some(fault) => fault.response(file),
            None => Some(file),
        }
    }

    /// The true answer to a call, and the fault that is to take its place.
    fn counted(&self, method: &str, request: &Request) -> (Response, Option<Fault>) {
        let now = clock::now();
        let mut state = self.state();
        state.calls += 1;
        let call = Call { number: state.calls, method: method.to_owned() };
        let State { company, meter, hook, .. } = &mut *state;
        let fault = hook.as_mut().and_then(|hook| hook(&call, company));
        if let Some(Fault::Blocked(length)) = fault {
            meter.block(method, now, length);
        }
        if !meter.takes() {
            return (error(503, "QUERY_LIMIT_EXCEEDED", "Too many requests"), fault);
        }
        if let Some(until) = meter.blocked_until(method, now) {
            return (blocked(now, until), fault);
        }
        let seen = Seen { company, scopes: &self.scopes, user: &self.user };
        (called(&seen, method, request, now), fault)
    }
}

fn called(seen: &Seen<'_>, method: &str, request: &Request, start: Timestamp) -> Response {
    let mut parameters =
        if request.is_json { Parameters::from_json(&request.body) } else { Parameters::default() };
    parameters.0.extend(Parameters::from_query(&request.query).0);
    let listing = match method {
        "batch" => batch::call(seen, &request.body, || time(start)),
        _ => seen.call(method, &parameters),
    };
    match listing {
        Ok(listing) => answer(listing, start),
        Err(Refusal { status, code, text }) => error(status, code, text),
    }
}

fn answer(listing: Listing, start: Timestamp) -> Response {
    let Listing { result, total, next } = listing;
    let mut answer = json!({"result": result, "time": time(start)});
    if let Value::Object(answer) = &mut answer {
        answer.extend(total.map(|total| ("total".to_owned(), json!(total))));
        answer.extend(next.map(|next| ("next".to_owned(), json!(next))));
    }
    Response::new(200, "application/json; charset=utf-8", answer.to_string())
}

fn blocked(now: Timestamp, until: Timestamp) -> Response {
    let mut time = time(now);
    if let Value::Object(time) = &mut time {
        time.insert("operating_reset_at".to_owned(), json!(until.as_second()));
    }
    let text = "Method is blocked due to operation time limit";
    let body = json!({"error": "OPERATION_TIME_LIMIT", "error_description": text, "time": time});
    Response::new(429, "application/json; charset=utf-8", body.to_string())
}

/// The times of an answer.
fn time(start: Timestamp) -> Value {
    let finish = clock::now();
    let seconds = |time: Timestamp| time.as_duration().as_secs_f64();
    let duration = seconds(finish) - seconds(start);
    json!({
        "start": seconds(start),
        "finish": seconds(finish),
        "duration": duration,
        "processing": duration,
        "date_start": clock::with_offset(start),
        "date_finish": clock::with_offset(finish),
        "operating_reset_at": finish.as_second() + 600,
        "operating": duration,
    })
}
