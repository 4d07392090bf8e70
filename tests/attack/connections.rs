//! Connections that never end, and bytes that are almost HTTP.

mod stuck;

use harness::{Serve, World, exchange, start_serve};
use std::{
    io::{Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::{Duration, Instant},
};
use stuck::{FULL, connect, held};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("stuck_connections_end_and_others_are_served", stuck::stuck_connections_end_and_others_are_served),
    ("an_address_has_its_share_of_the_connections", an_address_has_its_share_of_the_connections),
    ("bytes_that_are_not_quite_http_are_refused_or_read_rightly", bytes_that_are_not_quite_http),
];

const SECOND: Duration = Duration::from_secs(1);
/// The address of the attacker, and that of another client.
const ATTACKER: Ipv4Addr = Ipv4Addr::LOCALHOST;
const OTHER: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// A server without a proxy in front.
fn serve(world: &World, changes: &[(&str, &str)]) -> Serve {
    let direct = [("http.trusted_proxies", "[]")];
    let changes: Vec<_> = direct.iter().chain(changes).copied().collect();
    start_serve(&world.installation().config("direct.toml", &changes), &[])
}

/// The status of an answer to a request from an address, and how long it took.
fn ask(server: SocketAddr, from: Ipv4Addr) -> (String, Duration) {
    let began = Instant::now();
    let mut stream = connect(server, from);
    stream.write_all(b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    (read_text(&mut stream).chars().take(12).collect(), began.elapsed())
}

/// All bytes up to the end of a connection, however it ends.
fn read_text(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(30 * SECOND)).unwrap();
    let mut bytes = Vec::new();
    let _ended = stream.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn an_address_has_its_share_of_the_connections() {
    let world = World::start();
    let (share, tried) = if *FULL { ("256", 2000) } else { ("16", 60) };
    let server = serve(&world, &[("http.connections_per_address", share)]);
    let (address, share) = (server.address(), share.parse::<usize>().unwrap());
    let mut connections: Vec<_> = (0..tried).map(|_| connect(address, ATTACKER)).collect();
    assert!(harness::within(5 * SECOND, || held(address) == share), "{} are open", held(address));
    let answer = read_text(connections.last_mut().unwrap());
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains(&format!("content-length: {}", body.len())));
    assert!(serde_json::from_str::<serde_json::Value>(body).unwrap()["message"].is_string());
    // Other clients are served, and so is the address itself after it has closed one connection.
    assert_eq!(ask(address, OTHER).0, "HTTP/1.1 200");
    drop(connections);
    harness::soon("they are closed", || held(address) == 0);
    assert_eq!(ask(address, ATTACKER).0, "HTTP/1.1 200");
    let told = server.log().lines().filter(|line| line.contains("http.connections.refused")).count();
    assert!((1..10).contains(&told), "told {told} times");
    drop(server);
    assert_eq!(world.stop(), Vec::<String>::new());
}

fn bytes_that_are_not_quite_http() {
    let world = World::start();
    let address = world.serve().address();
    let get = "GET /health/live HTTP/1.1\r\nHost: a\r\n";
    let search = "GET /v2/users/default?search=я HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    let (ok, bad, nobody, large) = ("200 ", "400 ", "401 ", "431 ");
    let long = format!("GET /{} HTTP/1.1\r\nHost: a\r\n\r\n", "a".repeat(70 << 10));
    let statuses = |request: &str| -> Vec<String> {
        let mut stream = connect(address, ATTACKER);
        stream.write_all(request.as_bytes()).unwrap();
        let text = read_text(&mut stream);
        assert!(!text.contains("content-length: 0"), "an answer is empty: {text}");
        let starts = text.match_indices("HTTP/1.").map(|(at, _)| text[at + 9..].chars().take(4).collect());
        let statuses: Vec<String> = starts.filter(|start: &String| start.ends_with(' ')).collect();
        // Each answer has an identifier, that to an unreadable head included.
        assert_eq!(text.matches("x-request-id: ").count(), statuses.len(), "{text}");
        statuses
    };
    for (request, expected) in [
        // A head after a chunked body is parsed like any other.
        (format!("{get}{chunked}0\r\n\r\n{search}"), vec![ok, nobody]),
        (format!("{get}{chunked}2\r\nab\r\n0\r\nX: y\r\n\r\nGARBAGE\r\n\r\n"), vec![ok, bad]),
        (format!("{get}{chunked}0\r\n\r\n{long}"), vec![ok, large]),
        (long.clone(), vec![large]),
        (format!("POST /v2/auth HTTP/1.1\r\nHost: a\r\n{chunked}2\nab\n0\n\n{search}"), vec![bad]),
        // A line must not end in LF alone.
        ("GET /health/live HTTP/1.1\nHost: a\n\n".to_owned(), vec![bad]),
        (format!("{get}X: y\nConnection: close\r\n\r\n"), vec![bad]),
        // Lengths on which servers disagree.
        (format!("{get}Content-Length: 4\r\n{chunked}0\r\n\r\n"), vec![bad]),
        (format!("{get}Content-Length: 1, 1\r\n\r\na"), vec![bad]),
        (format!("{get}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), vec![bad]),
        ("POST /v2/auth HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".to_owned(), vec![bad]),
        ("POST /v2/auth HTTP/1.0\r\n\r\n".to_owned(), vec![bad]),
        // After the last request nothing is answered, and the protocol is not switched.
        (format!("{get}Connection: close\r\n\r\n{search}"), vec![ok]),
        (format!("GET /health/live HTTP/1.0\r\n\r\n{search}"), vec![ok]),
        (format!("{get}Upgrade: websocket\r\nConnection: Upgrade\r\n\r\n{search}"), vec![ok, nobody]),
        (
            format!("{get}Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\n\r\n{search}"),
            vec![ok, nobody],
        ),
    ] {
        let _case = harness::Context::new(&request);
        assert_eq!(statuses(&request), expected);
    }
    let connect = statuses(&format!("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n{search}"));
    assert!(connect.len() == 1 && connect[0].starts_with('4'), "{connect:?}");
    // The response to GET has its body, although HEAD was sent after it.
    let both = format!("{get}\r\nHEAD /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    let answers = exchange(address, both.as_bytes()).unwrap().expect(200).text();
    let body = answers.split("HTTP/1.1 ").next().unwrap();
    assert!(serde_json::from_str::<serde_json::Value>(body).is_ok(), "{answers}");
    assert_eq!(world.stop(), Vec::<String>::new());
}
