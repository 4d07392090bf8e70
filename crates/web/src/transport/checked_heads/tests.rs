//! In each test the time limit under test is short, and all others are so long that only this one can have ended the
//! connection.

use super::*;
use std::{future::poll_fn, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    time::{sleep, timeout},
};

impl Transport for DuplexStream {
    fn forget_unsent(&self) {}
}

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(150);
const MOMENT: Duration = Duration::from_millis(20);
const LONG_ALL: Patience = Patience { head: LONG, idle: LONG, stall: LONG };
const SHORT_HEAD: Patience = Patience { head: SHORT, ..LONG_ALL };
const SHORT_IDLE: Patience = Patience { idle: SHORT, ..LONG_ALL };
const SHORT_STALL: Patience = Patience { stall: SHORT, ..LONG_ALL };
const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
const POST: &str = "POST / HTTP/1.1\r\nHost: a\r\n";
const CHUNKED: &str = "Transfer-Encoding: chunked\r\n\r\n";
const LATE: &str = "GET /.request-head-late HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n\r\n";

fn pair(patience: Patience) -> (DuplexStream, CheckedHeads<DuplexStream>) {
    let (client, server) = tokio::io::duplex(1024);
    (client, CheckedHeads::new(server, patience, None))
}

/// Everything that the library reads up to the end, or up to a head that was late. Requests are answered at once.
async fn read_all(stream: &mut CheckedHeads<DuplexStream>) -> String {
    let (mut all, mut piece) = (Vec::new(), [0; 1024]);
    loop {
        let read = stream.read(&mut piece).await.unwrap();
        all.extend(&piece[..read]);
        if read == 0 || all.ends_with(LATE.as_bytes()) {
            return String::from_utf8(all).unwrap();
        }
        stream.connection.answer(stream.framing.requests());
    }
}

/// What the library reads from a client that sends some bytes, and then one byte at intervals; also checks that this
/// took its time.
async fn read_of(patience: Patience, sent: &str, now_and_then: &[u8]) -> String {
    let (mut client, mut stream) = pair(patience);
    let began = Instant::now();
    let sending = async {
        client.write_all(sent.as_bytes()).await.unwrap();
        loop {
            sleep(MOMENT).await;
            client.write_all(now_and_then).await.unwrap();
        }
    };
    let read = tokio::select! { read = read_all(&mut stream) => read, () = sending => unreachable!() };
    assert!(began.elapsed() >= SHORT);
    read
}

#[tokio::test]
async fn the_first_head_has_its_time() {
    for sent in ["", "\r\n", "\r\n\r\n\r\n"] {
        assert_eq!(read_of(SHORT_HEAD, sent, b"").await, "", "{sent:?}");
    }
    assert_eq!(read_of(SHORT_HEAD, "GET / HTT", b"").await, LATE);
    assert_eq!(read_of(SHORT_HEAD, "GET /", b"a").await, LATE);
}

#[tokio::test]
async fn the_next_request_has_its_time_and_once_begun_that_of_a_head() {
    assert_eq!(read_of(SHORT_IDLE, GET, b"").await, GET);
    assert_eq!(read_of(SHORT_HEAD, &format!("{GET}\r\n"), b"").await, GET);
    assert_eq!(read_of(SHORT_HEAD, &format!("{GET}G"), b"").await, format!("{GET}{LATE}"));
    let chunked = format!("{POST}{CHUNKED}0\r\n\r\n");
    assert_eq!(read_of(SHORT_HEAD, &format!("{chunked}G"), b"").await, format!("{chunked}{LATE}"));
}

#[tokio::test]
async fn a_body_that_comes_in_drops_ends() {
    for framing in
        ["Content-Length: 1000\r\n\r\n", CHUNKED, &format!("{CHUNKED}FFF\r\n"), &format!("{CHUNKED}1;")]
    {
        let sent = format!("{POST}{framing}");
        let now_and_then = if framing == CHUNKED { "" } else { "x" };
        assert!(read_of(SHORT_HEAD, &sent, now_and_then.as_bytes()).await.starts_with(&sent));
    }
}

#[tokio::test]
async fn a_body_that_has_come_fast_may_pause_for_a_while() {
    let patience = Patience { head: MOMENT, stall: SHORT, idle: LONG };
    let sent = format!("{POST}Content-Length: 10000000\r\n\r\n{}", "x".repeat(BODY_RATE as usize));
    assert_eq!(read_of(patience, &sent, b"").await, sent);
}

#[tokio::test]
async fn while_a_request_is_answered_nobody_waits_for_its_client() {
    let (mut client, mut stream) = pair(Patience { head: SHORT, idle: SHORT, stall: SHORT });
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut piece = [0; 1024];
    assert!(stream.read(&mut piece).await.unwrap() > 0);
    assert!(timeout(3 * SHORT, stream.read(&mut piece)).await.is_err(), "it is under way");
    stream.connection.answer(1);
    assert_eq!(stream.read(&mut piece).await.unwrap(), 0);
}

#[tokio::test]
async fn a_body_that_nobody_reads_ends_however_fast_it_comes() {
    let (mut client, mut stream) = pair(SHORT_HEAD);
    let send = async {
        client.write_all(format!("{POST}{CHUNKED}").as_bytes()).await.unwrap();
        loop {
            client.write_all(format!("400\r\n{}\r\n", "x".repeat(1024)).as_bytes()).await.unwrap();
            sleep(MOMENT).await;
        }
    };
    stream.connection.leave_unread(1);
    tokio::select! { _ = read_all(&mut stream) => {}, () = send => unreachable!() }
}

/// Writes until an error occurs, and returns its kind.
async fn write_all(stream: &mut CheckedHeads<DuplexStream>) -> io::ErrorKind {
    loop {
        let written = poll_fn(|cx| Pin::new(&mut *stream).poll_write(cx, &[b'x'; 512])).await;
        if let Err(error) = written {
            return error.kind();
        }
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_cut() {
    let (_client, mut stream) = pair(SHORT_STALL);
    let began = Instant::now();
    assert_eq!(write_all(&mut stream).await, io::ErrorKind::TimedOut);
    assert!(began.elapsed() >= SHORT);
}

#[tokio::test]
async fn an_answer_that_is_read_too_slowly_is_cut() {
    let (mut client, mut stream) = pair(SHORT_STALL);
    let read = async {
        loop {
            sleep(MOMENT).await;
            client.read_u8().await.unwrap();
        }
    };
    let cut = tokio::select! { cut = write_all(&mut stream) => cut, () = read => unreachable!() };
    assert_eq!(cut, io::ErrorKind::TimedOut);
}

#[tokio::test]
async fn an_answer_that_is_read_fast_enough_goes_on() {
    let patience = Patience { stall: 10 * SHORT, ..LONG_ALL };
    let (mut client, mut stream) = pair(patience);
    let read = async {
        let (began, mut piece) = (Instant::now(), [0; 1024]);
        while began.elapsed() < 2 * patience.stall {
            sleep(MOMENT).await;
            client.read_exact(&mut piece).await.unwrap();
        }
    };
    tokio::select! { cut = write_all(&mut stream) => panic!("{cut:?}"), () = read => {} }
}

#[tokio::test]
async fn a_client_that_goes_away_is_told_while_its_request_is_answered() {
    let (mut client, mut stream) = pair(LONG_ALL);
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut piece = [0; 1024];
    assert_eq!(stream.read(&mut piece).await.unwrap(), GET.len());
    let departure = stream.connection.departure();
    {
        let mut reading = std::pin::pin!(stream.read(&mut piece));
        assert!(timeout(MOMENT, &mut reading).await.is_err());
        assert!(timeout(MOMENT, departure.happened()).await.is_err());
        client.shutdown().await.unwrap();
        assert_eq!(reading.await.unwrap(), 0);
    }
    timeout(LONG, departure.happened()).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_is_dropped_has_no_client() {
    let (_client, stream) = pair(LONG_ALL);
    let departure = stream.connection.departure();
    drop(stream);
    timeout(LONG, departure.happened()).await.unwrap();
}

/// How long it takes to close a connection whose client continues to send after a request, and then closes its half or
/// does nothing.
async fn closing_takes(patience: Patience, request: &str, rest: usize, closes: bool) -> Duration {
    let (mut client, mut stream) = pair(patience);
    client.write_all(request.as_bytes()).await.unwrap();
    let mut piece = [0; 1024];
    assert!(stream.read(&mut piece).await.unwrap() > 0);
    stream.connection.answer(1);
    let began = Instant::now();
    let send = async {
        client.write_all(&vec![b'x'; rest]).await.unwrap();
        if closes {
            client.shutdown().await.unwrap();
        }
    };
    let closing = timeout(Duration::from_secs(20), async { tokio::join!(stream.shutdown(), send) });
    closing.await.expect("it is closed").0.unwrap();
    began.elapsed()
}

#[tokio::test]
async fn what_a_client_still_sends_is_read_before_its_connection_is_closed() {
    let length = format!("{POST}Content-Length: 1000000\r\n\r\n");
    let bad = "GET / HTTP/1.1\nHost: a\r\n\r\n".to_owned();
    let close = format!("{POST}Connection: close\r\n\r\nand more");
    // More than fits into the buffer between the two, so the client would wait forever if nobody read it.
    for request in
        [&length, &bad, &close, &format!("{POST}{CHUNKED}FFFFF\r\n"), &format!("{POST}{CHUNKED}x\r\n")]
    {
        closing_takes(LONG_ALL, request, 100_000, true).await;
        let took = closing_takes(SHORT_HEAD, request, 100_000, false).await;
        assert!(took >= SHORT, "{request}: {took:?}");
    }
}

#[tokio::test]
async fn a_client_that_has_sent_everything_is_not_waited_for() {
    closing_takes(LONG_ALL, GET, 0, false).await;
    closing_takes(LONG_ALL, &format!("{POST}Connection: close\r\n\r\n"), 0, false).await;
}
