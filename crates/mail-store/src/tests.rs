//! A server that answers what it is told to, for what no Dovecot does on demand.

use crate::{
    Doveadm,
    error::DoveadmError,
    mail_user::MailUser,
    message_id::MessageId,
    recall::Verdict,
    settings::{DoveadmSettings, LOGIN, MailboxPattern},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    thread::{JoinHandle, spawn},
    time::Duration,
};

/// Answers connections one after the other, and returns the bodies of the requests.
fn serve(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/doveadm/v1", listener.local_addr().unwrap());
    let server = spawn(move || {
        let answer = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut length = 0;
            loop {
                let mut line = String::new();
                reader.read_line(&mut line).unwrap();
                if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
                if line == "\r\n" {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            // The client does not read on if an answer is too large.
            let _ = stream.write_all(answer.as_bytes());
            String::from_utf8(body).unwrap()
        };
        answers.into_iter().map(answer).collect()
    });
    (url, server)
}

fn doveadm(url: &str) -> Doveadm {
    Doveadm::new(&DoveadmSettings {
        url: url.parse().unwrap(),
        login: LOGIN.into(),
        password: "secret".into(),
        trusted: None,
        timeout: Duration::from_millis(300),
        concurrency: 1,
        mailboxes: vec!["*".parse::<MailboxPattern>().unwrap()],
    })
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn rows(rows: &str) -> String {
    ok(&format!("[[\"doveadmResponse\",[{rows}],\"pbm\"]]"))
}

fn row(id: &str, uid: u32, flags: &str) -> String {
    let guid = "4b33de2e92970d6b5f4f000083ecc375";
    format!(r#"{{"hdr.message-id":"{id}","uid":"{uid}","mailbox-guid":"{guid}","flags":"{flags}"}}"#)
}

fn recall(answers: Vec<String>, force: bool) -> (Result<Verdict, DoveadmError>, Vec<String>) {
    let (url, server) = serve(answers);
    let user = MailUser::parse("ivan@a.test").unwrap();
    let outcome = doveadm(&url).recall(&user, &MessageId::parse("<1@x>").unwrap(), force);
    (outcome, server.join().unwrap())
}

#[test]
fn only_the_equal_message_is_removed_and_only_if_unread() {
    let found = rows(&[row("<11@x>", 1, ""), row("<1@x>", 2, r"\\Recent")].join(","));
    let others = rows(&row("<11@x>", 1, ""));
    let (outcome, sent) = recall(vec![found.clone(), found, rows(""), others], false);
    assert_eq!(outcome.unwrap(), Verdict::Recalled { removed: 1 });
    let expunge = r#"[["expunge",{"query":["mailbox-guid","4b33de2e92970d6b5f4f000083ecc375","uid","2","unseen"],"user":"ivan@a.test"},"pbm"]]"#;
    assert_eq!(sent[2], expunge);
}

#[test]
fn a_message_that_is_read_before_the_removal_stays() {
    let (unread, read) = (rows(&row("<1@x>", 2, "")), rows(&row("<1@x>", 2, r"\\Answered \\Seen")));
    let answers = vec![unread.clone(), unread, rows(""), read.clone(), read];
    assert_eq!(recall(answers, false).0.unwrap(), Verdict::Read { removed: 0 });
}

#[test]
fn a_message_that_is_only_in_a_mailbox_of_others_is_left_alone() {
    let (outcome, sent) = recall(vec![rows(&row("<1@x>", 2, "")), rows("")], true);
    assert_eq!(outcome.unwrap(), Verdict::NotFound { is_elsewhere: true });
    assert!(sent[1].contains(r#""mailbox","*""#));
}

#[test]
fn a_message_that_does_not_go_is_no_recalled_one() {
    let there = rows(&row("<1@x>", 2, ""));
    let round = [there.clone(), there.clone(), rows("")];
    let mut answers: Vec<_> = (0..3).flat_map(|_| round.clone()).collect();
    answers.extend([there.clone(), there]);
    assert!(matches!(recall(answers, true).0, Err(DoveadmError::StillThere)));
}

#[test]
fn a_removal_without_an_answer_is_looked_at() {
    let there = rows(&row("<1@x>", 2, ""));
    let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[[".to_owned();
    for broken in [String::new(), cut] {
        let still = vec![there.clone(), there.clone(), broken.clone(), there.clone(), there.clone()];
        assert!(matches!(recall(still, true).0, Err(DoveadmError::Cut(_))));
        let gone = vec![there.clone(), there.clone(), broken, rows("")];
        assert_eq!(recall(gone, true).0.unwrap(), Verdict::Recalled { removed: 1 });
    }
}

#[test]
fn what_is_no_answer_is_an_error() {
    type Check = fn(&DoveadmError) -> bool;
    let cases: [(String, Check); 8] = [
        (ok(&" ".repeat(8 << 20)), |error| matches!(error, DoveadmError::TooLarge)),
        (rows(&format!("{}{{}}", "{},".repeat(500_000))), |error| matches!(error, DoveadmError::TooLarge)),
        (ok("<html>"), |error| matches!(error, DoveadmError::Foreign)),
        ("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n".into(), |error| matches!(error, DoveadmError::LogIn)),
        (
            "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n".into(),
            |error| matches!(error, DoveadmError::Status(302)),
        ),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n".into(), |e| matches!(e, DoveadmError::Status(500))),
        ("nonsense".into(), |error| matches!(error, DoveadmError::Cut(_))),
        (ok(r#"[["error",{"type":"exitCode","exitCode":67},"pbm"]]"#), |error| {
            matches!(error, DoveadmError::NoUser)
        }),
    ];
    for (answer, is_expected) in cases {
        let error = recall(vec![answer.clone()], false).0.unwrap_err();
        assert!(is_expected(&error), "{:?}: {error:?}", answer.get(..100));
    }
}

#[test]
fn silence_and_a_closed_port_are_told_apart() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (user, id) = (MailUser::parse("a@b.c").unwrap(), MessageId::parse("1@x").unwrap());
    let error = doveadm(&url).recall(&user, &id, false).unwrap_err();
    assert!(matches!(error, DoveadmError::Slow(_)), "{error:?}");
    drop(listener);
    let error = doveadm(&url).recall(&user, &id, false).unwrap_err();
    assert!(matches!(error, DoveadmError::Unreachable(_)), "{error:?}");
}
