//! Requests that fail before their meaning is examined: too large, of another encoding or media type, or not HTTP.

use crate::fixture::Fixture;
use harness::{Answer, Client, Context, World, exchange};
use serde_json::json;

harness::trials! { "bad_wire":
    percent_encoding_that_is_not_utf_8_is_refused,
    raw_bytes_in_the_path_are_read_as_utf_8_or_refused,
    a_body_over_a_mebibyte_is_refused,
    a_parameter_of_100_kb_is_refused,
    ten_thousand_parameters_are_refused,
    other_content_types_are_refused,
    what_is_no_http_is_refused,
}

fn percent_encoding_that_is_not_utf_8_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    for body in ["title=%FF", "title=a%C3%28", "title=%ED%A0%80", "title=%C0%AF", "%FF=x"] {
        let _case = Context::new(body);
        for answer in fixture.both(body.as_bytes()) {
            answer.expect(400);
        }
        fixture.admin().patch(format!("{}?{body}", fixture.ivan.as_ref()), "").expect(400);
        fixture.admin().patch(format!("{}&{body}", fixture.ivan.as_ref()), "").expect(400);
    }
    for answer in fixture.both(b"title=\xff") {
        answer.expect_wrong(&["title"]);
    }
    for path in ["%FF", "%C0%AE", "iv%E0%A4n@x.test", "%ED%A0%80@x.test"] {
        let path = format!("{}/{path}", fixture.tenant.users());
        fixture.admin().get(&path).expect(400);
        fixture.admin().put(&path, &fixture.tenant.user("new").form()).expect(400);
    }
    // A lone percent sign is literal, or is refused; it is not a server error.
    for lone in ["title=100%", "title=%zz", "title=%4"] {
        let answer = fixture.admin().patch(fixture.tenant.named("missing"), lone);
        assert!([400, 404].contains(&answer.status), "{answer:?}");
    }
    fixture.assert_unchanged();
}

/// Bytes as a shell or another program may put them into a path.
fn raw_request(client: &Client, method: &str, path: &[u8], body: &str) -> Answer {
    let head = format!(
        " HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        client.token(),
        body.len()
    );
    exchange(client.server(), &[method.as_bytes(), b" ", path, head.as_bytes()].concat()).unwrap()
}

fn raw_bytes_in_the_path_are_read_as_utf_8_or_refused(world: &World) {
    let fixture = Fixture::new(world);
    let path = format!("{}/иван@{}", fixture.tenant.users(), fixture.tenant.domain);
    raw_request(fixture.admin(), "GET", path.as_bytes(), "").expect(404);
    let answer = raw_request(fixture.admin(), "PUT", path.as_bytes(), &fixture.tenant.user("new").form());
    assert!(answer.expect_wrong(&["mail"]).text().contains("non-ASCII"));
    let search = format!("{}?search=иван", fixture.tenant.users());
    assert_eq!(raw_request(fixture.admin(), "GET", search.as_bytes(), "").expect(200).json()["count"], 0);
    let invalid = [fixture.tenant.users().as_bytes(), b"/\xff\xfe@x.test"].concat();
    raw_request(fixture.admin(), "GET", &invalid, "").expect(400);
    let invalid = [fixture.tenant.users().as_bytes(), b"?search=\xff"].concat();
    raw_request(fixture.admin(), "GET", &invalid, "").expect(400);
    fixture.assert_unchanged();
}

const MEBIBYTE: usize = 1024 * 1024;

fn a_body_over_a_mebibyte_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    for length in [MEBIBYTE + 1, 4 * MEBIBYTE] {
        for answer in fixture.both(&vec![b'&'; length]) {
            answer.expect(413);
        }
        let client = fixture.admin().with_header("Content-Type", "application/json");
        client.try_send("PATCH", fixture.ivan.as_ref(), &vec![b' '; length]).unwrap().expect(413);
    }
    // A mebibyte of separators is an empty form.
    fixture.admin().try_send("PATCH", fixture.ivan.as_ref(), &vec![b'&'; MEBIBYTE]).unwrap().expect_success();
    // Without a length the bytes are counted as they arrive.
    let mut request = format!(
        "PATCH {} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n",
        fixture.ivan.as_ref(),
        fixture.admin().token()
    )
    .into_bytes();
    for _ in 0..20 {
        request.extend([b"10000\r\n".as_slice(), &vec![b'&'; 0x10000], b"\r\n"].concat());
    }
    request.extend(b"0\r\n\r\n");
    exchange(fixture.admin().server(), &request).unwrap().expect(413);
    fixture.assert_unchanged();
}

fn a_parameter_of_100_kb_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    let long = "x".repeat(100_000);
    for answer in fixture.both(format!("title={long}").as_bytes()) {
        let answer = answer.expect_wrong(&["title"]);
        assert!(answer.body.len() < 1000);
    }
    fixture.admin().patch(&fixture.ivan, &format!("{long}=x")).expect(400);
    fixture.admin().patch(&fixture.ivan, &format!("unknown={long}")).expect(400);
    world.nobody().behind(&world.fresh_address()).log_in(&long[..15_000], "x").expect(401);
    world.nobody().behind(&world.fresh_address()).log_in(&long, "x").expect(413);
    for path in
        [format!("{}?search={long}", fixture.tenant.users()), format!("{}/{long}", fixture.tenant.users())]
    {
        let answer = fixture.admin().get(&path);
        assert!([400, 404, 414, 431].contains(&answer.status), "{}", answer.status);
        let status = answer.status;
        answer.expect(status);
    }
    let answer = world.nobody().with_header("X-Long", &"x".repeat(200_000)).get("/health/live");
    assert!([400, 431].contains(&answer.status), "{}", answer.status);
    let status = answer.status;
    answer.expect(status);
    fixture.assert_unchanged();
}

fn ten_thousand_parameters_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    let different: Vec<_> = (0..10_000).map(|number| format!("p{number}=1")).collect();
    for body in [different.join("&"), "alias=a@x.test&".repeat(10_000), "x&".repeat(10_000)] {
        for answer in fixture.both(body.as_bytes()) {
            let answer = answer.expect(400);
            assert!(answer.body.len() < 1000);
        }
    }
    let object: serde_json::Map<_, _> = (0..10_000).map(|number| (format!("p{number}"), json!(1))).collect();
    let client = fixture.admin().with_header("Content-Type", "application/json");
    client.patch(&fixture.ivan, &serde_json::Value::from(object).to_string()).expect(400);
    client.patch(&fixture.ivan, &"[".repeat(100_000)).expect(400);
    fixture.assert_unchanged();
}

fn other_content_types_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    for kind in
        ["text/plain", "multipart/form-data; boundary=x", "application/xml", "application/jsonx", "nonsense"]
    {
        let client = fixture.admin().with_header("Content-Type", kind);
        client.patch(&fixture.ivan, "title=x").expect(415);
        client.put(fixture.tenant.named("new"), &fixture.tenant.user("new").form()).expect(415);
        world.nobody().with_header("Content-Type", kind).post("/v2/auth", "login=x&password=y").expect(415);
    }
    for kind in ["APPLICATION/X-WWW-Form-Urlencoded", "application/x-www-form-urlencoded;charset=UTF-8"] {
        fixture.admin().with_header("Content-Type", kind).patch(&fixture.ivan, "title=Boss").expect_success();
    }
    fixture.assert_unchanged();
}

fn what_is_no_http_is_refused(world: &World) {
    let requests: [&[u8]; 8] = [
        b"GARBAGE\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\n: x\r\n\r\n",
        b"GET /health/live HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
        b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n",
    ];
    for request in requests {
        let _case = Context::new(String::from_utf8_lossy(request));
        let answer = exchange(world.serve().address(), request).unwrap();
        assert!([400, 505].contains(&answer.status), "{}", answer.status);
        let status = answer.status;
        answer.expect(status);
    }
    world.nobody().get("/health/live").expect(200);
}
