//! Requests that are refused before their body has arrived, through proxies that keep sending it: the client receives
//! the response of pbm. `make proxy-check` sends a thousand of each; `make test` sends fewer.

mod proxy;

use harness::{Client, World};
use proxy::{haproxy, nginx};
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    process::ExitCode,
    sync::{
        LazyLock, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

const TRIALS: &[harness::Alone] = &[
    ("without_a_proxy", without_a_proxy),
    ("nginx_passes_refusals_on", nginx_passes_refusals_on),
    ("a_tag_that_nginx_made_weak_is_explained", a_tag_that_nginx_made_weak_is_explained),
    ("haproxy_passes_refusals_on", haproxy_passes_refusals_on),
];

/// Requests of each kind.
static REQUESTS: LazyLock<usize> =
    LazyLock::new(|| if std::env::var("PBM_PROXIES").is_ok_and(|size| size == "full") { 1000 } else { 20 });
/// The number of concurrent clients.
const CLIENTS: usize = 4;

/// Lengths of bodies, in bytes: a form of several reads; just below the default limit of nginx; more than pbm accepts.
const SIZES: [usize; 3] = [24_000, 1_000_000, 5_000_000];
/// The default limit of nginx, in bytes.
const NGINX_LIMIT: usize = 1024 * 1024;

/// A request that is refused whatever its body.
struct Refused {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    with_token: bool,
    /// The status by the length of the body.
    status: fn(usize) -> u16,
}

const TOO_LARGE: usize = 1024 * 1024;
const USER: &str = "/v2/users/default/nobody%40example.com";

const REFUSED: &[Refused] = &[
    Refused { name: "no token", method: "PUT", path: USER, headers: &[], with_token: false, status: |_| 401 },
    Refused {
        name: "an unknown path",
        method: "POST",
        path: "/v2/nothing",
        headers: &[],
        with_token: true,
        status: |_| 404,
    },
    Refused {
        name: "another method",
        method: "POST",
        path: USER,
        headers: &[],
        with_token: true,
        status: |_| 405,
    },
    Refused {
        name: "a condition that is none",
        method: "PATCH",
        path: USER,
        headers: &[("If-Match", "")],
        with_token: true,
        status: |_| 400,
    },
    Refused {
        name: "another kind of body",
        method: "PUT",
        path: USER,
        headers: &[("Content-Type", "text/plain")],
        with_token: true,
        status: |length| if length > TOO_LARGE { 413 } else { 415 },
    },
    Refused {
        name: "a table that is none",
        method: "POST",
        path: "/v2/users/default/bulk",
        headers: &[("Content-Type", "application/pdf")],
        with_token: true,
        status: |_| 415,
    },
    Refused {
        name: "a table without a token",
        method: "POST",
        path: "/v2/users/default/bulk",
        headers: &[("Content-Type", "text/csv")],
        with_token: false,
        status: |_| 401,
    },
    Refused {
        name: "a restore without a token",
        method: "POST",
        path: "/v2/restore/ldif",
        headers: &[("Content-Type", "text/x-ldif")],
        with_token: false,
        status: |_| 401,
    },
    Refused {
        name: "a photo without a token",
        method: "PUT",
        path: "/v2/users/default/admin@example.com/photo",
        headers: &[("Content-Type", "image/jpeg")],
        with_token: false,
        status: |_| 401,
    },
];

fn main() -> ExitCode {
    harness::run_without_world(&[("proxies", TRIALS)])
}

fn without_a_proxy() {
    let world = World::start();
    refusals_arrive(&world, world.serve().address(), usize::MAX);
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn nginx_passes_refusals_on() {
    let world = World::start();
    let proxy = nginx(&world);
    refusals_arrive(&world, proxy.addresses[0], NGINX_LIMIT);
    refusals_arrive(&world, proxy.addresses[1], usize::MAX);
    drop(proxy);
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn haproxy_passes_refusals_on() {
    let world = World::start();
    let proxy = haproxy(&world);
    refusals_arrive(&world, proxy.addresses[0], usize::MAX);
    drop(proxy);
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn a_tag_that_nginx_made_weak_is_explained() {
    let world = World::start();
    let proxy = nginx(&world);
    let tenant = world.tenant();
    let user = tenant.user("ivan").create();
    let root = Client::new(proxy.addresses[1]).with_token(world.root().token());
    let weak = root.with_header("Accept-Encoding", "gzip").get(&user).expect(200);
    let weak = weak.header("etag").unwrap().to_owned();
    let strong = weak.strip_prefix("W/").expect("nginx makes it weak");
    let refused = root.if_match(&weak).patch(&user, "l=Omsk").expect(412);
    assert!(refused.message().as_str().unwrap().contains("weak"), "{refused:?}");
    root.if_match(strong).patch(&user, "l=Omsk").expect_success();
    drop(proxy);
    assert_eq!(world.stop(), Vec::<String>::new());
}

/// Sends every refused request with bodies of each length up to the longest, and requires the response of pbm.
fn refusals_arrive(world: &World, address: SocketAddr, longest: usize) {
    let nobody = Client::new(address);
    let root = nobody.with_token(world.root().token());
    let mut wrong = BTreeMap::new();
    for refused in REFUSED {
        let client = if refused.with_token { &root } else { &nobody };
        let client = refused
            .headers
            .iter()
            .fold(client.clone(), |client, (name, value)| client.with_header(name, value));
        for size in SIZES.into_iter().filter(|size| *size <= longest) {
            for (answer, times) in answers(&client, refused, size) {
                if answer != (refused.status)(size).to_string() {
                    wrong.insert(format!("{}, {size} bytes: {answer}", refused.name), times);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "of {} requests each: {wrong:#?}", *REQUESTS);
}

/// The responses to requests of one kind, and how often each was received.
fn answers(client: &Client, refused: &Refused, size: usize) -> BTreeMap<String, usize> {
    let (body, sent, answers) = (vec![b'a'; size], AtomicUsize::new(0), Mutex::new(BTreeMap::new()));
    std::thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                while sent.fetch_add(1, Ordering::Relaxed) < *REQUESTS {
                    let answer = answer(client, refused, &body);
                    *answers.lock().unwrap().entry(answer).or_default() += 1;
                }
            });
        }
    });
    answers.into_inner().unwrap()
}

/// The status, if pbm sent the response.
fn answer(client: &Client, Refused { method, path, .. }: &Refused, body: &[u8]) -> String {
    match client.try_send(method, path, body) {
        Ok(answer) if answer.header("x-request-id").is_some() && answer.text().contains("\"message\"") => {
            answer.status.to_string()
        }
        Ok(answer) => format!("{} that is not of pbm", answer.status),
        Err(error) => format!("no answer: {error}"),
    }
}
