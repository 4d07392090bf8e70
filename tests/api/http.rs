//! HTTP itself: paths, methods, identifiers, health, and the end of a process.

use harness::{BUSY, Client, Signal, World, exchange, start_serve};
use serde_json::json;
use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

harness::trials! { "http":
    an_unknown_path_is_a_404_in_json,
    a_method_that_a_path_does_not_take_is_a_405_that_names_those_it_does,
    head_answers_as_get_without_a_body,
    a_request_keeps_its_identifier_or_gets_one,
    health_is_told_without_a_token,
    a_connection_serves_one_request_after_the_other,
    requests_in_flight_finish_when_the_process_is_stopped,
    the_server_says_no_more_about_itself_than_it_must,
}

fn an_unknown_path_is_a_404_in_json(world: &World) {
    for path in
        ["/", "/v2", "/v2/", "/v1/users/default", "/v2/users", "/v2/users/", "/health", "/favicon.ico"]
    {
        for client in [world.nobody(), world.root().clone()] {
            client.get(path).expect(404);
            client.post(path, "x=1").expect(404);
        }
    }
    for path in
        ["/v2/users/default/a@example.com/nothing", "/v2/users/default/../../auth", "//v2/auth", "/%2e%2e/x"]
    {
        world.root().get(path).expect(404);
    }
}

fn a_method_that_a_path_does_not_take_is_a_405_that_names_those_it_does(world: &World) {
    let cases = [
        ("/v2/auth", vec!["POST"]),
        ("/health/live", vec!["GET", "HEAD"]),
        ("/v2/users/default", vec!["GET", "HEAD"]),
        ("/v2/users/default/x@example.com", vec!["DELETE", "GET", "HEAD", "PATCH", "PUT"]),
        ("/v2/users/default/x@example.com/restore", vec!["POST"]),
    ];
    for (path, methods) in cases {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "FROBNICATE"]
        {
            if methods.contains(&method) {
                continue;
            }
            let answer = world.nobody().send(method, path, "").expect(405);
            let mut allow: Vec<_> = answer.header("allow").unwrap().split(", ").collect();
            allow.sort_unstable();
            assert_eq!(allow, methods, "{method} {path}");
        }
    }
}

fn head_answers_as_get_without_a_body(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    for path in [ivan.as_ref(), &tenant.users(), "/health/ready", tenant.named("missing").as_ref()] {
        let (get, head) = (tenant.admin().get(path), tenant.admin().send("HEAD", path, ""));
        assert_eq!((head.status, head.body.len()), (get.status, 0));
        assert_eq!(head.header("content-type"), get.header("content-type"));
        assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()), "{path}");
    }
}

fn a_request_keeps_its_identifier_or_gets_one(world: &World) {
    let id = |client: &Client| client.get("/health/live").header("x-request-id").unwrap().to_owned();
    assert_eq!(id(&world.nobody().with_header("X-Request-Id", "abc-123_x.Y")), "abc-123_x.Y");
    let (one, two) = (id(&world.nobody()), id(&world.nobody()));
    assert!(one != two && one.len() >= 16, "{one} {two}");
    for odd in ["a b", "x\"y", "é", &"x".repeat(65), ""] {
        let given = id(&world.nobody().with_header("X-Request-Id", odd));
        assert!(given != odd && given.len() >= 16, "{odd} {given}");
    }
    // Errors have one too, whichever layer reports them.
    let client = world.nobody().with_header("X-Request-Id", "mine");
    for (method, path) in [("GET", "/nothing"), ("DELETE", "/v2/auth"), ("GET", "/v2/users/default")] {
        assert_eq!(client.send(method, path, "").header("x-request-id"), Some("mine"), "{method} {path}");
    }
    // The log has it too, without a person's name.
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    tenant.admin().with_header("X-Request-Id", "findable-7").patch(&ivan, "title=x").expect_success();
    let log = world.serve().log();
    let line = log.lines().find(|line| line.contains("findable-7")).unwrap();
    assert!(!line.contains(&ivan.mail) && !line.contains("ivan"), "{line}");
}

fn health_is_told_without_a_token(world: &World) {
    for (path, status) in [("/health/live", "live"), ("/health/ready", "ready")] {
        assert_eq!(world.nobody().get(path).expect(200).json(), json!({"status": status}));
        world.nobody().with_token("nonsense").get(path).expect(200);
    }
}

fn a_connection_serves_one_request_after_the_other(world: &World) {
    let mut stream = TcpStream::connect(world.serve().address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let one = "GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n";
    let bad = "POST /v2/auth HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n&";
    let last = "GET /health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all([one, bad, one, bad, last].concat().as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 3, "{text}");
    assert_eq!(text.matches("HTTP/1.1 400 Bad Request").count(), 2, "{text}");
}

fn requests_in_flight_finish_when_the_process_is_stopped(world: &World) {
    let tenant = world.tenant();
    let mut serve = start_serve(&world.installation().usual_config(), &[]);
    let body = tenant.user("ivan").form();
    let (path, token, length) =
        (tenant.named("ivan").as_ref().to_owned(), tenant.admin().token(), body.len());
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(serve.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let (first, second) = body.split_at(length / 2);
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    serve.signal(Signal::TERM);
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!(serve.wait(Duration::ZERO), None, "it ended with a request in flight");
    assert!(serve.client().try_send("GET", "/health/live", b"").is_err(), "it takes new requests");
    stream.write_all(second.as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    assert!(text.starts_with("HTTP/1.1 200 OK") && text.contains("success"), "{text}");
    let since = Instant::now();
    assert_eq!(serve.wait(BUSY), Some(0), "it goes on after {:?}", since.elapsed());
    tenant.admin().get(tenant.named("ivan")).expect(200);
}

fn the_server_says_no_more_about_itself_than_it_must(world: &World) {
    let answer = exchange(world.serve().address(), b"GET / HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(answer.status, 404);
    assert_eq!(answer.header("server"), None);
    assert_eq!(answer.header("x-powered-by"), None);
}
