use super::*;
use crate::transport::request_head::MAX_HEADERS;
use actix_http::{
    ServiceConfig,
    h1::{Codec, Message},
};
use proptest::prelude::*;
use tokio::{
    runtime::{Builder, Runtime},
    task::LocalSet,
};
use tokio_util::codec::Decoder;

/// Sends bytes in pieces of a given size, and answers each request at once.
fn through(bytes: &[u8], piece: usize) -> Vec<u8> {
    let (mut framing, mut out) = (Framing::default(), Vec::new());
    for part in bytes.chunks(piece) {
        framing.raw().extend_from_slice(part);
        loop {
            framing.advance(true, false);
            if framing.ready().is_empty() {
                break;
            }
            out.extend(framing.ready().split());
        }
    }
    out
}

fn text_through(text: &str, piece: usize) -> String {
    String::from_utf8(through(text.as_bytes(), piece)).unwrap()
}

fn refusal(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n")
}

#[test]
fn a_request_line_is_encoded_and_its_headers_and_body_are_not() {
    let sent = "PUT /v2/ж?cn=Я&a=[\"b\"] HTTP/1.1\r\nHost: a\r\nX: ж\r\nContent-Length: 2\r\n\r\nжGET /я HTTP/1.1\r\nHost: a\r\n\r\n";
    let expected = "PUT /v2/%D0%B6?cn=%D0%AF&a=[%22b%22] HTTP/1.1\r\nHost: a\r\nX: ж\r\nContent-Length: 2\r\n\r\nжGET /%D1%8F HTTP/1.1\r\nHost: a\r\n\r\n";
    for piece in [1, 7, 4096] {
        assert_eq!(text_through(sent, piece), expected, "in pieces of {piece}");
    }
}

#[test]
fn after_a_chunked_body_heads_are_looked_at_as_before() {
    let body = "Transfer-Encoding: chunked\r\n\r\n2\r\nж\r\n0\r\nX: ж\r\n\r\n";
    let sent =
        format!("POST /ж HTTP/1.1\r\nHost: a\r\n{body}GET /я HTTP/1.1\r\nHost: a\r\n\r\nGARBAGE\r\n\r\n");
    let expected =
        format!("POST /%D0%B6 HTTP/1.1\r\nHost: a\r\n{body}GET /%D1%8F HTTP/1.1\r\nHost: a\r\n\r\n");
    for piece in [1, 7, 4096] {
        assert_eq!(text_through(&sent, piece), expected.clone() + &refusal(MALFORMED));
    }
}

#[test]
fn a_chunked_body_that_is_framed_wrongly_has_no_end() {
    let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    for wrong in ["2\nab\n0\n\n", "x", "2\r\nabc\r\n", "0\r\n\n", "Connection: close\r\n"] {
        let sent = format!("{head}{wrong}GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        let passed = text_through(&sent, 1);
        assert!(passed.starts_with(head) && !passed.contains("GET"), "{passed}");
        assert_eq!(passed, text_through(&sent, usize::MAX), "however it comes");
    }
}

#[test]
fn what_is_no_request_is_replaced_by_one_for_its_reason() {
    for malformed in [
        "GARBAGE\r\n\r\n",
        "жHEAD / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\na",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\nGET /next HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\nContent-Length: 1\r\n\r\na",
        "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ] {
        for piece in [1, 64] {
            assert_eq!(text_through(malformed, piece), refusal(MALFORMED), "{malformed}");
        }
    }
}

#[test]
fn a_head_that_is_too_large_is_replaced_by_a_request_that_says_so() {
    let endless = vec![b'a'; MAX_HEAD + MAX_OVERLONG + 20_000];
    let ended = [&endless[..MAX_HEAD + 100], b"\r\n\r\n"].concat();
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(MAX_HEAD));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(MAX_HEADERS + 1));
    for too_large in [&endless, &ended, long.as_bytes(), many.as_bytes()] {
        for piece in [1, 4096] {
            assert_eq!(through(too_large, piece), refusal(TOO_LARGE).as_bytes());
        }
    }
}

#[test]
fn after_the_last_request_nothing_is_passed_on() {
    for last in [
        "GET /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "PUT /a HTTP/1.0\r\nContent-Length: 2\r\n\r\nab",
    ] {
        for more in ["GET /b HTTP/1.1\r\nHost: a\r\n\r\n", "\r\n", "x"] {
            assert_eq!(text_through(&format!("{last}{more}"), 3), last);
        }
    }
    // Bytes after CONNECT are not HTTP.
    let connect = "CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(text_through(&format!("{connect}\x16\x03\x01"), 5), connect);
}

#[test]
fn a_connection_that_is_old_ends_with_its_request() {
    let mut framing = Framing::default();
    let headers = "X: y\r\n".repeat(MAX_HEADERS - 1);
    framing.raw().extend_from_slice(format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\nGET /b").as_bytes());
    framing.advance(true, true);
    let expected = format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}connection: close\r\n\r\n");
    assert_eq!(framing.ready(), expected.as_bytes());
    assert_eq!(framing.phase(), Phase::Closing);
    // The library accepts one header more than a client may send.
    assert_eq!(read_by_library(expected.as_bytes()), Ok(vec![0]));
}

#[test]
fn a_request_waits_until_the_one_before_it_was_answered() {
    let mut framing = Framing::default();
    let [first, second] = ["GET /a", "HEAD /b"].map(|line| format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n"));
    framing.raw().extend_from_slice(format!("{first}{second}").as_bytes());
    framing.advance(true, false);
    assert_eq!(framing.ready().split(), first.as_bytes());
    framing.advance(false, false);
    assert!(framing.ready().is_empty() && framing.phase() == Phase::Idle);
    framing.advance(true, false);
    assert_eq!(framing.ready().split(), second.as_bytes());
}

#[test]
fn empty_lines_before_a_request_are_passed_over_however_they_come() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    for piece in [1, 2, 3, 100] {
        assert_eq!(text_through("\r\n\r\n\r\n", piece), "", "in pieces of {piece}");
        assert_eq!(text_through(&format!("\r\n\r\n{request}\r\n{request}"), piece), request.repeat(2));
    }
}

#[test]
fn half_a_head_is_no_request() {
    assert_eq!(through(b"GET / HT", 3), b"");
    for (sent, expected) in [("", ""), ("\r\n", ""), ("GET / HT", &refusal(LATE))] {
        let mut framing = Framing::default();
        framing.raw().extend_from_slice(sent.as_bytes());
        framing.advance(true, false);
        framing.give_up();
        assert_eq!(framing.ready(), expected.as_bytes());
    }
}

/// The library's decoder of requests; its clock is a task of the thread.
fn library() -> Codec {
    thread_local! {
        static THREAD: (Runtime, LocalSet) = (Builder::new_current_thread().build().unwrap(), LocalSet::new());
    }
    THREAD.with(|(runtime, tasks)| tasks.block_on(runtime, async { Codec::new(ServiceConfig::default()) }))
}

/// How the library reads bytes: the requests and the lengths of their bodies.
fn read_by_library(bytes: &[u8]) -> Result<Vec<usize>, String> {
    let (mut codec, mut bytes) = (library(), BytesMut::from(bytes));
    let mut lengths = Vec::new();
    while let Some(message) = codec.decode(&mut bytes).map_err(|error| error.to_string())? {
        match message {
            Message::Item(_) => lengths.push(0),
            Message::Chunk(chunk) => *lengths.last_mut().unwrap() += chunk.map_or(0, |chunk| chunk.len()),
        }
    }
    Ok(lengths)
}

/// Bytes that resemble HTTP: parts of it in any order.
fn nearly_http() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just(b"GET / HTTP/1.1\r\n".to_vec()),
        Just(b"POST /a HTTP/1.1\r\n".to_vec()),
        Just(b"HEAD * HTTP/1.0\r\n".to_vec()),
        Just("PUT /ж HTTP/1.1\r\n".into()),
        Just(b"Host: a\r\n".to_vec()),
        Just(b"Content-Length: 3\r\n".to_vec()),
        Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
        Just(b"Upgrade: websocket\r\n".to_vec()),
        Just(b"Connection: keep-alive, upgrade\r\n".to_vec()),
        Just(b"Connection: close\r\n".to_vec()),
        Just(b"Expect: 100-continue\r\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"3\r\nabc\r\n".to_vec()),
        Just(b"3;x\r\n".to_vec()),
        Just(b"0\r\n\r\n".to_vec()),
        Just(b"abc".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..4),
    ];
    proptest::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

/// A request, and the length of its body.
fn request() -> impl Strategy<Value = (Vec<u8>, usize)> {
    ("[a-z0-9/]{0,20}", proptest::collection::vec(any::<u8>(), 0..50), any::<bool>()).prop_map(
        |(path, body, is_chunked)| {
            let mut bytes = format!("POST /{path} HTTP/1.1\r\nHost: a\r\n").into_bytes();
            if is_chunked {
                bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n");
                for chunk in body.chunks(7) {
                    bytes.extend(format!("{:x}\r\n", chunk.len()).as_bytes());
                    bytes.extend(chunk);
                    bytes.extend(b"\r\n");
                }
                bytes.extend(b"0\r\n\r\n");
            } else {
                bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).as_bytes());
                bytes.extend(&body);
            }
            (bytes, body.len())
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn whatever_comes_the_library_can_read_what_it_gets(bytes in nearly_http(), piece in 1_usize..60) {
        let passed = through(&bytes, piece);
        prop_assert_eq!(read_by_library(&passed).err(), None, "{:?}", String::from_utf8_lossy(&passed));
        // In one piece, too.
        prop_assert_eq!(passed, through(&bytes, usize::MAX));
    }

    #[test]
    fn requests_pass_one_after_the_other_as_they_are(
        requests in proptest::collection::vec(request(), 0..8),
        piece in 1_usize..200,
    ) {
        let (parts, lengths): (Vec<_>, Vec<_>) = requests.into_iter().unzip();
        let bytes = parts.concat();
        let passed = through(&bytes, piece);
        prop_assert_eq!(&passed, &bytes);
        prop_assert_eq!(read_by_library(&passed), Ok(lengths));
    }
}
