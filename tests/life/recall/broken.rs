//! A mail server that fails: told for each box, and never as a success.

use super::{
    Post, config,
    fake::{Deed, Fake},
    recall, results,
};
use harness::{Client, Serve, Tenant, World, start_serve, within};
use serde_json::Value;
use std::{
    io::Write,
    net::TcpStream,
    time::{Duration, Instant},
};

harness::trials! { "recall_broken":
    each_failure_is_told_for_its_box,
    a_removal_without_an_answer_is_not_claimed,
    large_answers_are_refused_in_little_memory,
    a_dovecot_that_is_away_fails_at_once_and_works_again,
    a_server_that_hangs_is_not_asked_for_every_box,
    a_client_that_goes_stops_what_has_not_begun,
}

const FOUND: &str =
    r#"{"hdr.message-id":"<1@x>","uid":"1","mailbox-guid":"4b33de2e92970d6b5f4f000083ecc375","flags":""}"#;

/// A `pbm serve` that recalls from a fake server, and the tenant's administrator there.
fn with_fake(world: &World, tenant: &Tenant<'_>, fake: &Fake, more: &[(&str, &str)]) -> (Serve, Client) {
    let password_file = world.installation().file("fake-password");
    std::fs::write(&password_file, "secret").unwrap();
    let serve = start_serve(&config(world, &fake.url, &password_file, more), &[]);
    let client = tenant.admin().at(&serve.client());
    (serve, client)
}

fn reason(row: &Value) -> &str {
    row["reason"].as_str().unwrap_or_default()
}

fn each_failure_is_told_for_its_box(world: &World) {
    let tenant = world.tenant();
    let cases = [
        ("works", "recalled", ""),
        ("unauthorized", "failed", "refuses pbm's login"),
        ("html", "failed", "something else than an answer of doveadm"),
        ("error", "failed", "HTTP status 500"),
        ("moved", "failed", "HTTP status 302"),
        ("cut", "failed", "before its answer was complete"),
        ("nothing", "failed", "before its answer was complete"),
        ("slow", "failed", "did not answer within 1 s"),
        ("half", "failed", "something else"),
        ("temporary", "failed", "a temporary failure"),
        ("unknown", "no-user", "does not know this user"),
        ("odd", "failed", "something else"),
    ];
    let gone = std::sync::atomic::AtomicBool::new(false);
    let fake = Fake::start(move |command, user| match user.split('@').next().unwrap() {
        "works" if command == "expunge" => {
            gone.store(true, std::sync::atomic::Ordering::SeqCst);
            Deed::Rows("")
        }
        "works" if gone.load(std::sync::atomic::Ordering::SeqCst) => Deed::Rows(""),
        "works" => Deed::Rows(FOUND),
        "unauthorized" => Deed::Sends("HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n"),
        "html" => {
            Deed::Sends("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>")
        }
        "error" => Deed::Sends("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"),
        "moved" => Deed::Sends("HTTP/1.1 302 No\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n"),
        "cut" => Deed::Sends("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[[\"doveadmResponse\",["),
        "nothing" => Deed::Sends(""),
        "slow" => Deed::Sleeps(Duration::from_secs(3)),
        "half" => Deed::Sends("HTTP/1.1 200 OK\r\nContent-Length: 21\r\n\r\n[[\"doveadmResponse\",["),
        "temporary" => Deed::Sends(
            "HTTP/1.1 200 OK\r\nContent-Length: 52\r\n\r\n[[\"error\",{\"type\":\"exitCode\", \"exitCode\":75},\"pbm\"]]",
        ),
        "unknown" => Deed::Sends(
            "HTTP/1.1 200 OK\r\nContent-Length: 52\r\n\r\n[[\"error\",{\"type\":\"exitCode\", \"exitCode\":67},\"pbm\"]]",
        ),
        _ => Deed::Rows(r#"{"hdr.message-id":"<1@x>","uid":"one","mailbox-guid":"../x","flags":""}"#),
    });
    let (_serve, admin) = with_fake(world, &tenant, &fake, &[("doveadm.timeout", "\"1s\"")]);
    let mails = cases.map(|(name, ..)| tenant.user(name).create().mail);
    let answer = recall(&admin, "<1@x>", &mails.join(","), &[("notify", "0")]).expect(200).json();
    assert_eq!(answer["success"], false);
    for ((name, result, words), row) in cases.iter().zip(answer["results"].as_array().unwrap()) {
        assert_eq!(row["result"], *result, "{name}: {row}");
        assert!(reason(row).contains(words), "{name}: {row}");
        assert!(!reason(row).contains("127.0.0.1"), "{row}");
    }
}

fn a_removal_without_an_answer_is_not_claimed(world: &World) {
    let tenant = world.tenant();
    let fake = Fake::start(|command, user| match (command, user.split('@').next().unwrap()) {
        ("expunge", "cut") => Deed::Sends("HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n[[\"dov"),
        ("expunge", "slow") => Deed::Sleeps(Duration::from_secs(3)),
        ("expunge", "lies") => Deed::Rows(""),
        _ => Deed::Rows(FOUND),
    });
    let (serve, admin) = with_fake(world, &tenant, &fake, &[("doveadm.timeout", "\"1s\"")]);
    let mails = ["cut", "slow", "lies"].map(|name| tenant.user(name).create().mail);
    let answer = recall(&admin, "<1@x>", &mails.join(","), &[("notify", "0")]).expect(200).json();
    assert_eq!(answer["counts"]["failed"], 3, "{answer}");
    let rows = answer["results"].as_array().unwrap();
    for (row, words) in rows.iter().zip(["before its answer was complete", "within 1 s", "still there"]) {
        assert!(reason(row).contains(words), "{row}");
    }
    assert!(serve.log().contains("recall.failed"));
}

/// The most memory that a process has had, in bytes.
fn peak_memory(serve: &Serve) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", serve.pid())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
    peak.unwrap().trim().parse::<usize>().unwrap() << 10
}

fn large_answers_are_refused_in_little_memory(world: &World) {
    let tenant = world.tenant();
    let rows = |row: &str, bytes: usize| &*vec![row; bytes / (row.len() + 1)].join(",").leak();
    let (empty, many, large) = (rows("{}", 8 << 20), rows("{}", 2_000_000), rows(FOUND, 8 << 20));
    let wide = rows(r#"{"uid":"","flags":"","a":{"b":[[],[],[]]}}"#, 2_000_000);
    let fake = Fake::start(move |_, user| match user.split('@').next().unwrap() {
        name if name.starts_with("empty") => Deed::Rows(empty),
        name if name.starts_with("many") => Deed::Rows(many),
        name if name.starts_with("large") => Deed::Rows(large),
        _ => Deed::Rows(wide),
    });
    let (serve, admin) = with_fake(world, &tenant, &fake, &[]);
    let mails: Vec<_> = ["empty", "many", "large", "wide"]
        .iter()
        .flat_map(|name| (0..4).map(move |number| format!("{name}{number}")))
        .map(|name| tenant.user(&name).create().mail)
        .collect();
    let before = peak_memory(&serve);
    let answer = recall(&admin, "<1@x>", &mails.join(","), &[("notify", "0")]).expect(200).json();
    assert_eq!(answer["counts"]["failed"], mails.len(), "{answer}");
    assert!(answer["results"].as_array().unwrap().iter().all(|row| reason(row).contains("too large")));
    let grown = peak_memory(&serve) - before;
    assert!(grown < 50 << 20, "{} MiB", grown >> 20);
}

fn a_dovecot_that_is_away_fails_at_once_and_works_again(world: &World) {
    let mut post = Post::start(world, &["ivan"]);
    post.deliver("ivan", "<1@x>");
    post.dovecot.kill();
    let began = Instant::now();
    let answer = post.recall("<1@x>", &post.tenant.address("ivan"), &[]);
    assert_eq!(answer["results"][0]["result"], "failed");
    assert!(reason(&answer["results"][0]).contains("cannot be reached"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(10));
    assert!(within(Duration::from_secs(10), || post.dovecot.start_again().is_ok()));
    assert_eq!(post.recall_one("<1@x>", "ivan", false), "recalled");
}

fn a_server_that_hangs_is_not_asked_for_every_box(world: &World) {
    let tenant = world.tenant();
    let fake = Fake::start(|_, _| Deed::Sleeps(Duration::from_secs(3)));
    let more = [("doveadm.timeout", "\"1s\""), ("doveadm.concurrency", "4")];
    let (_serve, admin) = with_fake(world, &tenant, &fake, &more);
    let mails: Vec<_> = (0..30).map(|number| tenant.user(&format!("u{number}")).create().mail).collect();
    let began = Instant::now();
    let answer = recall(&admin, "<1@x>", &mails.join(","), &[("notify", "0")]).expect(200).json();
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert_eq!(answer["counts"]["failed"], 30);
    let rows = answer["results"].as_array().unwrap();
    assert!(rows.iter().filter(|row| reason(row).starts_with("Not tried")).count() >= 15, "{answer}");
    assert!(fake.commands().len() <= 15);
    assert_eq!(results(&answer).len(), 30);
}

fn a_client_that_goes_stops_what_has_not_begun(world: &World) {
    let tenant = world.tenant();
    let fake = Fake::start(|command, _| match command {
        "fetch" => {
            std::thread::sleep(Duration::from_millis(700));
            Deed::Rows(FOUND)
        }
        _ => Deed::Rows(""),
    });
    let (serve, admin) = with_fake(world, &tenant, &fake, &[("doveadm.concurrency", "2")]);
    let mails: Vec<_> = (0..20).map(|number| tenant.user(&format!("u{number}")).create().mail).collect();
    let body = harness::form(&[("messageid", "<1@x>"), ("emails", &mails.join(","))]);
    let request = format!(
        "POST /v2/actions HTTP/1.1\r\nHost: x\r\nAuthorization: {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        admin.header("Authorization"),
        body.len()
    );
    let mut stream = TcpStream::connect(serve.address()).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    assert!(within(Duration::from_secs(10), || !fake.commands().is_empty()));
    drop(stream);
    // What has begun is finished and logged.
    assert!(
        within(Duration::from_secs(20), || serve.log().matches("recall.box").count() >= 2),
        "{}",
        serve.log()
    );
    std::thread::sleep(Duration::from_secs(2));
    let mut users: Vec<_> = fake.commands().into_iter().map(|(_, user)| user).collect();
    users.sort_unstable();
    users.dedup();
    assert!(users.len() <= 4, "{users:?}");
}
