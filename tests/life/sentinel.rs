//! A Redis that fails over: the sentinels name another master, and no reader notices.

use crate::{
    load::{Reader, under_load},
    site::{BACK, Site, assert_feed_answers, book_of, client_of, put_user},
};
use harness::{Installation, REDIS_PASSWORD, Serve, Setup, World, assert_same, encoded, within};
use sandbox::RedisSentinels;
use std::time::Duration;

harness::trials! { "sentinel":
    a_fail_over_under_load_costs_no_request,
    writes_in_a_fail_over_are_read_at_once_and_followed,
    sentinels_with_tls_name_a_master_that_is_used,
}

const BOUND: Duration = Duration::from_secs(3);
const USERS: usize = 100;

/// An installation whose Redis is watched by sentinels.
fn watched(tls: bool) -> (Site, Serve, RedisSentinels) {
    let installation = Installation::start(Setup { without_redis: true, ..Setup::default() });
    let options =
        RedisSentinels::in_folder(installation.file("sentinels")).password(REDIS_PASSWORD.into()).tls(tls);
    let sentinels = options.start().unwrap_or_else(|error| panic!("the sentinels do not start: {error}"));
    let (addresses, password_file) = (sentinels.sentinel_addresses(), installation.redis_password_file());
    let (addresses, password_file) =
        (format!("{addresses:?}"), format!("{:?}", password_file.display().to_string()));
    let mut changes = vec![("redis.sentinels", addresses.as_str()), ("redis.password_file", &password_file)];
    let ca_file = sentinels.ca_file().map(|file| format!("{:?}", file.display().to_string()));
    if let Some(ca_file) = &ca_file {
        changes.extend([("redis.tls", "true"), ("redis.ca_file", ca_file.as_str())]);
    }
    let (site, serve) = Site::of(installation, &changes);
    (site, serve, sentinels)
}

fn a_fail_over_under_load_costs_no_request(_: &World) {
    let (site, serve, mut sentinels) = watched(false);
    site.fill(&serve, USERS);
    let (client, book) = (client_of(&serve), book_of(&serve));
    assert_feed_answers("before", &book);
    let count = format!("\"count\":{}", USERS + 1);
    let readers = [
        Reader::new(&client, "/v2/addressbook/default?limit=10", |answer| answer.text().contains(&count)),
        Reader::finds(&client, format!("/v2/addressbook/default/suggest?q={}", encoded("ким77x")), "u77@"),
        Reader::finds(&client, "/v2/users/default?search=u77@", "\"count\":1,"),
    ];
    let mut follower = book.follower(20);
    follower.catch_up();
    under_load(&readers, |load| {
        for round in 0..2 {
            load.go_on_for(100);
            sentinels.kill_master().unwrap();
            sentinels.wait_for_master().unwrap();
            site.assert_feed_is_back("the new master", &book);
            let keys = sentinels.command(&["DBSIZE"]).unwrap();
            assert_ne!(keys, "0", "the projection is on the new master");
            site.assert_followed(&format!("round{round}"), &book, Duration::from_secs(1));
            assert_same("a follower", &follower.catch_up().clone(), &site.expected_book());
            load.go_on_for(100);
            sentinels.start_again().unwrap();
        }
        load.assert_whole("two fail-overs", BOUND);
    });
    site.assert_right("at the end", &book);
}

fn writes_in_a_fail_over_are_read_at_once_and_followed(_: &World) {
    let (site, serve, mut sentinels) = watched(false);
    let (client, book) = (client_of(&serve), book_of(&serve));
    assert_feed_answers("before", &book);
    let mut follower = book.follower(5);
    follower.catch_up();
    for number in 0..80 {
        if number == 20 {
            sentinels.kill_master().unwrap();
        }
        let name = format!("w{number}x");
        put_user(&client, &name).expect_success();
        book.assert_suggested(&name, &[&name]);
        if number % 4 == 0 {
            client.delete(format!("/v2/users/default/{name}@example.com")).expect_success();
            assert_eq!(book.suggested(&name), Vec::<String>::new());
        }
    }
    sentinels.wait_for_master().unwrap();
    site.assert_right("after the fail-over", &book);
    site.assert_feed_is_back("after the fail-over", &book);
    let has_all = within(BACK, || {
        follower.step();
        follower.contacts == site.expected_book()
    });
    assert!(has_all, "{:?}", harness::difference(&follower.contacts, &site.expected_book()));
}

fn sentinels_with_tls_name_a_master_that_is_used(_: &World) {
    let (site, serve, mut sentinels) = watched(true);
    site.fill(&serve, 10);
    let book = book_of(&serve);
    site.assert_feed_is_back("with TLS", &book);
    assert_ne!(sentinels.command(&["DBSIZE"]).unwrap(), "0");
    sentinels.kill_master().unwrap();
    site.assert_right("in the fail-over", &book);
    sentinels.wait_for_master().unwrap();
    site.assert_feed_is_back("after the fail-over", &book);
}
