use super::*;
use ldap3::LdapError;
use std::future::{pending, ready};

fn server() -> Server {
    Server::new(&LdapUrl::parse("ldap://127.0.0.1:389").unwrap())
}

/// A probe that is answered `steps` steps after it was sent.
async fn answer_after(steps: u32) -> Result<u8, Unreachable> {
    time::sleep(STEP * steps + STEP / 2).await;
    Ok(7)
}

async fn failure_after(steps: u32) -> Result<u8, Unreachable> {
    time::sleep(STEP * steps + STEP / 2).await;
    Err(Unreachable::Connection(LdapError::EndOfStream))
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_others_is_busy_and_does_not_hang() {
    let server = server();
    let others = async {
        for _ in 0..4 {
            time::sleep(STEP * (SILENT - 5)).await;
            server.note_answer();
        }
        pending::<()>().await;
    };
    tokio::select! {
        answered = server.judge(Box::pin(answer_after(GIVEN_UP - 2))) => assert_eq!(answered, Some(7)),
        () = others => unreachable!(),
    }
    assert!(!server.hangs());
    // The other operations were answered too long ago.
    server.judge(Box::pin(answer_after(SILENT + 1))).await;
    assert!(server.hanging_since.subscribe().borrow().is_none(), "the server has answered since");
    assert_eq!(server.judge(Box::pin(pending::<Result<u8, Unreachable>>())).await, None);
    assert!(server.hangs(), "no operation was answered");
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_a_second_is_no_hang() {
    let server = server();
    assert_eq!(server.judge(Box::pin(answer_after(10))).await, Some(7));
    assert_eq!(server.judge(Box::pin(answer_after(SILENT - 1))).await, Some(7));
    assert!(!server.hangs());
}

#[tokio::test(start_paused = true)]
async fn two_seconds_of_silence_are_a_hang_until_the_next_answer() {
    let server = server();
    let silence = || Box::pin(pending::<Result<u8, Unreachable>>());
    assert!(time::timeout(STEP * SILENT + STEP / 2, server.judge(silence())).await.is_err());
    assert!(server.hangs());
    assert_eq!(server.judge(silence()).await, None, "given up for a new connection");
    assert!(server.hangs());
    assert_eq!(server.judge(Box::pin(answer_after(0))).await, Some(7));
    assert!(!server.hangs());
}

#[tokio::test(start_paused = true)]
async fn a_failure_ends_a_hang_only_where_it_comes_at_once() {
    let server = server();
    assert_eq!(server.judge(Box::pin(failure_after(30))).await, None);
    assert!(server.hangs(), "a network that reports an unreachable host after three seconds");
    assert_eq!(server.judge(Box::pin(failure_after(0))).await, None);
    assert!(!server.hangs(), "a connection that is refused");
}

#[tokio::test(start_paused = true)]
async fn connections_are_closed_when_the_server_hangs_and_while_it_does() {
    let server = server();
    let before = tokio::spawn(pending::<()>());
    let ended = tokio::spawn(ready(()));
    server.close_when_useless(ended.abort_handle());
    ended.await.unwrap();
    server.close_when_useless(before.abort_handle());
    assert_eq!(server.drivers().len(), 1, "connections that were closed are forgotten");
    assert_eq!(server.judge(Box::pin(failure_after(SILENT + 1))).await, None);
    assert!(before.await.unwrap_err().is_cancelled());
    let meanwhile = tokio::spawn(pending::<()>());
    server.close_when_useless(meanwhile.abort_handle());
    assert!(meanwhile.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn connections_are_closed_while_a_restore_is_unfinished() {
    let server = server();
    server.note_completeness(Completeness::Empty);
    assert!(!server.is_incomplete(), "a new server");
    let [before, meanwhile, after] = [(); 3].map(|()| tokio::spawn(pending::<()>()));
    server.note_completeness(Completeness::Complete);
    server.close_when_useless(before.abort_handle());
    server.note_completeness(Completeness::Empty);
    assert!(server.is_incomplete() && !server.hangs());
    assert!(before.await.unwrap_err().is_cancelled());
    server.note_completeness(Completeness::Unfinished);
    server.close_when_useless(meanwhile.abort_handle());
    assert!(meanwhile.await.unwrap_err().is_cancelled());
    server.note_completeness(Completeness::Complete);
    server.close_when_useless(after.abort_handle());
    assert!(!server.is_incomplete() && server.drivers().len() == 1);
    after.abort();
}

#[test]
fn all_hang_only_when_each_does() {
    let urls = ["ldap://a", "ldap://b"].map(|url| LdapUrl::parse(url).unwrap());
    let liveness = Liveness::new(&urls, &Dn::empty());
    assert!(!liveness.all_hang(&urls) && !liveness.all_hang(&[]));
    liveness.server(&urls[0]).begin_hang(Instant::now());
    assert!(!liveness.all_hang(&urls) && liveness.all_hang(&urls[..1]));
    assert!(!liveness.all_hang(&urls[1..]), "the first one alone hangs");
    liveness.server(&urls[1]).begin_hang(Instant::now());
    assert!(liveness.all_hang(&urls));
    liveness.server(&urls[0]).end_hang(true);
    assert!(!liveness.all_hang(&urls));
}
