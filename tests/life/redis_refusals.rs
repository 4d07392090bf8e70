//! Two processes on a Redis that takes no writes, or loses them, but still answers reads: neither shows a state older
//! than a write that the other has acknowledged.

use crate::site::{BACK, Site, assert_feed_answers, book_of, client_of, put_user};
use harness::{BUSY, RedisProbe, Serve, World, within};
use std::time::{Duration, Instant};

harness::trials! { "redis_refusals":
    a_redis_that_is_full,
    a_redis_that_lacks_replicas,
    a_redis_whose_writes_are_paused,
    a_redis_that_has_become_a_replica,
    a_redis_that_lets_us_only_read,
    a_redis_that_loses_everything,
    a_redis_that_loses_a_key,
    a_change_that_redis_has_lost_does_not_come_back_as_it_was,
}

/// Longer than any write may take: the time after which no process uses a projection whose Redis takes no writes, and
/// three time limits of Redis.
const BOUND: Duration = Duration::from_secs(5);

fn a_redis_that_is_full(_: &World) {
    while_it_refuses(&[&["CONFIG", "SET", "maxmemory", "1"]], &[&["CONFIG", "SET", "maxmemory", "0"]]);
}

fn a_redis_that_lacks_replicas(_: &World) {
    let name = "min-replicas-to-write";
    while_it_refuses(&[&["CONFIG", "SET", name, "1"]], &[&["CONFIG", "SET", name, "0"]]);
}

fn a_redis_whose_writes_are_paused(_: &World) {
    while_it_refuses(&[&["CLIENT", "PAUSE", "600000", "WRITE"]], &[&["CLIENT", "UNPAUSE"]]);
}

fn a_redis_that_has_become_a_replica(_: &World) {
    // A replica without a master: its data does not change.
    while_it_refuses(&[&["REPLICAOF", "127.0.0.1", "1"]], &[&["REPLICAOF", "NO", "ONE"]]);
}

fn a_redis_that_lets_us_only_read(_: &World) {
    while_it_refuses(
        &[&["ACL", "SETUSER", "default", "-@write"]],
        &[&["ACL", "SETUSER", "default", "+@all"]],
    );
}

fn a_redis_that_loses_everything(_: &World) {
    while_it_refuses(&[&["FLUSHALL"]], &[&["FLUSHALL"]]);
}

fn a_redis_that_loses_a_key(_: &World) {
    for name in ["records", "log", "origin", "seq", "alive", "open", "epoch", "lease"] {
        let key = format!("pbm:{{dc=example,dc=com}}:{name}");
        while_it_refuses(&[&["DEL", &key]], &[&["DEL", &key]]);
    }
}

/// One process has seen a user; the other one deletes the user, and Redis loses the deletion before the first process
/// has seen it. Later records must not hide the loss.
fn a_change_that_redis_has_lost_does_not_come_back_as_it_was(_: &World) {
    let (site, reader) = Site::start(&[]);
    let writer = site.serve();
    let (client, book) = (client_of(&writer), book_of(&reader));
    let probe = site.installation.redis_probe();
    for key in ["log", "records", "seq", "origin"] {
        // The reader also checks periodically: it may be earlier than the loss.
        for round in 0..3 {
            let name = format!("{key}{round}x");
            put_user(&client, &name).expect_success();
            assert!(book.has(&format!("{name}@example.com")), "{name} was made");
            client.delete(format!("/v2/users/default/{name}@example.com")).expect_success();
            probe.run(&["DEL", &format!("pbm:{{dc=example,dc=com}}:{key}")]);
            put_user(&client, &format!("after{name}")).expect_success();
            site.assert_right(&name, &book);
            assert_feed_answers(&name, &book);
        }
    }
}

/// Writes through one process and reads through the other, while Redis refuses writes, and when it takes them again.
fn while_it_refuses(begin: &[&[&str]], end: &[&[&str]]) {
    let (site, first) = Site::start(&[]);
    site.fill(&first, 30);
    let processes = [first, site.serve()];
    for serve in &processes {
        assert_feed_answers("before", &book_of(serve));
    }
    let probe = site.installation.redis_probe();
    let run = |commands: &[&[&str]]| commands.iter().for_each(|command| drop(probe.run(command)));
    let [one, other] = &processes;
    run(begin);
    for (round, [writer, reader]) in [[one, other], [other, one], [one, other]].into_iter().enumerate() {
        assert_seen(&format!("while{round}x"), writer, reader);
    }
    run(end);
    for (round, [writer, reader]) in [[one, other], [other, one]].into_iter().enumerate() {
        assert_seen(&format!("after{round}x"), writer, reader);
    }
    for serve in &processes {
        site.assert_right("afterwards", &book_of(serve));
        site.assert_feed_is_back("afterwards", &book_of(serve));
    }
    assert_is_used(probe, &processes);
}

/// Creates, changes and deletes a user through one process, and requires that the other one shows each change at once.
#[track_caller]
fn assert_seen(name: &str, writer: &Serve, reader: &Serve) {
    let (client, book) = (client_of(writer), book_of(reader));
    let (mail, path) = (format!("{name}@example.com"), format!("/v2/users/default/{name}@example.com"));
    let timely = |write: &dyn Fn()| {
        let began = Instant::now();
        write();
        assert!(began.elapsed() < BOUND + BUSY, "{name} took {:?}", began.elapsed());
    };
    timely(&|| drop(put_user(&client, name).expect_success()));
    assert!(book.has(&mail), "{name} was made");
    assert_eq!(book.suggested(name), [name]);
    timely(&|| drop(client.patch(&path, "title=Changed").expect_success()));
    assert_eq!(book.contact(&mail)["title"], "Changed");
    timely(&|| drop(client.delete(&path).expect_success()));
    assert!(!book.has(&mail), "{name} was deleted");
    assert_eq!(book.suggested(name), Vec::<String>::new());
}

/// Requires that writes are recorded again without a delay.
#[track_caller]
fn assert_is_used(probe: RedisProbe<'_>, processes: &[Serve; 2]) {
    let newest = || probe.run(&["GET", "pbm:{dc=example,dc=com}:seq"]).trim().parse::<u64>().unwrap();
    for (number, serve) in processes.iter().enumerate() {
        let (mut count, before) = (0, newest());
        let is_fast = || {
            let began = Instant::now();
            put_user(&client_of(serve), &format!("last{number}n{count}")).expect_success();
            count += 1;
            began.elapsed() < Duration::from_secs(1)
        };
        assert!(within(BACK, is_fast), "writes wait");
        assert!(newest() > before, "nothing was recorded");
    }
}
