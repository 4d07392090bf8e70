//! A Redis that other programs write into: invalid values in our keys, missing keys, all data lost. The answers stay
//! right, the feed becomes available again, and foreign keys are not changed.

use crate::{
    load::{Reader, under_load},
    site::{BACK, Site, assert_feed_answers, book_of, client_of, put_user},
};
use harness::{Context, RedisProbe, Serve, World, assert_same, difference, encoded, start_serve, within};
use std::time::Duration;

harness::trials! { "corruption":
    nonsense_under_every_key_leaves_the_answers_right,
    a_missing_key_leaves_the_answers_right,
    a_whole_keyspace_of_nonsense_leaves_the_answers_right,
    a_flush_in_the_middle_of_everything_leaves_the_answers_right,
    keys_of_others_are_left_alone,
}

const BOUND: Duration = Duration::from_secs(3);
const USERS: usize = 30;
/// How long it may take until another process feeds.
const HAND_OVER: Duration = Duration::from_secs(5);

/// Corrupts the value of a key of any type: a name, and a script.
const SPOILS: [(&str, &str); 11] = [
    ("a text", "redis.call('SET', KEYS[1], 'nonsense')"),
    ("bytes that are no text", "redis.call('SET', KEYS[1], '\\255\\254\\0')"),
    ("nothing", "redis.call('SET', KEYS[1], '')"),
    // A counter that starts again repeats its numbers.
    ("the number 0", "redis.call('SET', KEYS[1], '0')"),
    ("the number 1", "redis.call('SET', KEYS[1], '1')"),
    ("the largest number that Redis counts", "redis.call('SET', KEYS[1], '9223372036854775807')"),
    ("a larger number", "redis.call('SET', KEYS[1], '18446744073709551615')"),
    ("a negative number", "redis.call('SET', KEYS[1], '-1')"),
    ("a list", "redis.call('DEL', KEYS[1]) redis.call('RPUSH', KEYS[1], 'nonsense')"),
    ("a hash", "redis.call('DEL', KEYS[1]) redis.call('HSET', KEYS[1], 'nonsense', 'nonsense')"),
    ("nonsense inside", INSIDE),
];

/// Keeps the type and the names of a value, and replaces its contents by invalid ones.
const INSIDE: &str = "
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'hash' then
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do redis.call('HSET', KEYS[1], field, 'nonsense') end
  redis.call('HSET', KEYS[1], 'nonsense', '1')
elseif kind == 'string' then
  local value = redis.call('GET', KEYS[1])
  redis.call('SET', KEYS[1], value:sub(1, math.floor(#value / 2)) .. '~' .. value:reverse())
elseif kind == 'list' then
  for place = 1, redis.call('LLEN', KEYS[1]) do redis.call('LSET', KEYS[1], place - 1, 'nonsense') end
elseif kind == 'set' then
  redis.call('SADD', KEYS[1], 'nonsense')
elseif kind == 'zset' then
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do redis.call('ZADD', KEYS[1], 1, member .. '~') end
elseif kind == 'stream' then
  redis.call('XADD', KEYS[1], '*', 'nonsense', 'nonsense')
end";

fn site() -> (Site, Serve) {
    let (site, serve) = Site::start(&[]);
    site.fill(&serve, USERS);
    assert_feed_answers("before", &book_of(&serve));
    (site, serve)
}

/// All keys of our prefix.
#[track_caller]
fn keys(probe: RedisProbe<'_>) -> Vec<String> {
    let keys = probe.keys("pbm*");
    assert!(!keys.is_empty(), "the projection is not in Redis: {:?}", probe.keys("*"));
    keys
}

/// Requires that the old process and a new one give right answers at once, and that the feed becomes available in both,
/// for existing and new followers.
#[track_caller]
fn assert_recovers(site: &Site, serve: &Serve, follower: &mut harness::Follower) {
    let book = book_of(serve);
    site.assert_right("the one that ran", &book);
    let second = site.serve();
    site.assert_right("the one that starts", &book_of(&second));
    let name = format!("mail=u1@example.com,ou=default,ou=People,{}", site.root());
    let title = format!("t{}", second.pid());
    site.installation.probe().replace(&name, "title", &[&title]);
    for book in [&book, &book_of(&second)] {
        // The process that feeds may just have ended: it may be the second process of an earlier case.
        let is_seen = within(HAND_OVER, || book.contact("u1@example.com")["title"] == title.as_str());
        assert!(is_seen, "a change behind is not seen");
        site.assert_right("after a change", book);
    }
    site.assert_feed_is_back("the one that ran", &book);
    site.assert_feed_is_back("the one that starts", &book_of(&second));
    let has_all = within(BACK, || {
        follower.step();
        follower.contacts == site.expected_book()
    });
    assert!(has_all, "{:?}", difference(&follower.contacts, &site.expected_book()));
}

fn nonsense_under_every_key_leaves_the_answers_right(_: &World) {
    let (site, serve) = site();
    let probe = site.installation.redis_probe();
    let mut follower = book_of(&serve).follower(10);
    for (what, script) in SPOILS {
        for key in keys(probe) {
            let _case = Context::new(format!("{what} under {key}, a {}", probe.kind(&key)));
            follower.catch_up();
            probe.run(&["EVAL", script, "1", &key]);
            assert_recovers(&site, &serve, &mut follower);
        }
    }
}

fn a_missing_key_leaves_the_answers_right(_: &World) {
    let (site, serve) = site();
    let probe = site.installation.redis_probe();
    let mut follower = book_of(&serve).follower(10);
    for key in keys(probe) {
        let _case = Context::new(format!("without {key}"));
        follower.catch_up();
        probe.run(&["DEL", &key]);
        assert_recovers(&site, &serve, &mut follower);
    }
    // Also with part of the contents missing.
    let halve = "
        local kind = redis.call('TYPE', KEYS[1]).ok
        if kind == 'hash' then
          for place, field in ipairs(redis.call('HKEYS', KEYS[1])) do
            if place % 2 == 0 then redis.call('HDEL', KEYS[1], field) end
          end
        elseif kind == 'zset' then
          redis.call('ZPOPMIN', KEYS[1], math.ceil(redis.call('ZCARD', KEYS[1]) / 2))
        elseif kind == 'stream' then
          redis.call('XTRIM', KEYS[1], 'MAXLEN', 1)
        elseif kind == 'list' then
          redis.call('LPOP', KEYS[1])
        end";
    for key in keys(probe) {
        let _case = Context::new(format!("half of {key}, a {}", probe.kind(&key)));
        follower.catch_up();
        probe.run(&["EVAL", halve, "1", &key]);
        assert_recovers(&site, &serve, &mut follower);
    }
}

fn a_whole_keyspace_of_nonsense_leaves_the_answers_right(_: &World) {
    let (site, serve) = site();
    let probe = site.installation.redis_probe();
    let mut follower = book_of(&serve).follower(10);
    follower.catch_up();
    for (what, script) in SPOILS {
        let _case = Context::new(what);
        for key in keys(probe) {
            probe.run(&["EVAL", script, "1", &key]);
        }
        assert_recovers(&site, &serve, &mut follower);
    }
    // A process that finds only invalid values at its start, without another process that could repair them.
    let names = keys(probe);
    drop(serve);
    for key in &names {
        probe.run(&["SET", key, "{\"layout\":0}"]);
    }
    let serve = site.serve();
    follower.at(&client_of(&serve));
    assert_recovers(&site, &serve, &mut follower);
}

fn a_flush_in_the_middle_of_everything_leaves_the_answers_right(_: &World) {
    let (site, serve) = site();
    let second = site.serve();
    let (client, book) = (client_of(&serve), book_of(&serve));
    let count = format!("\"count\":{}", USERS + 1);
    let readers: Vec<_> = [&serve, &second]
        .into_iter()
        .flat_map(|serve| {
            let (client, count) = (client_of(serve), count.clone());
            let suggest = format!("/v2/addressbook/default/suggest?q={}", encoded("ким7x"));
            [
                Reader::finds(&client, suggest, "u7@"),
                Reader::new(
                    &client,
                    "/v2/addressbook/default?kind=user&limit=3&search=example.com",
                    move |answer| {
                        // At least those of `fill`; others may be added in the meantime.
                        answer.json()["count"].as_u64().unwrap() > USERS as u64
                            || answer.text().contains(&count)
                    },
                ),
            ]
        })
        .collect();
    let mut followers = [book.follower(1), book.follower(100), book_of(&second).follower(7)];
    under_load(&readers, |load| {
        for round in 0..8 {
            assert_feed_answers("each time", &book);
            for follower in &mut followers {
                follower.step();
            }
            load.go_on_for(40);
            site.installation.redis_probe().run(&[["FLUSHALL", "FLUSHDB"][round % 2]]);
            for number in 0..5 {
                let name = format!("f{round}n{number}x");
                put_user(&client, &name).expect_success();
                book.assert_suggested(&name, &[&name]);
                assert!(book_of(&second).has(&format!("{name}@example.com")));
            }
            site.assert_right("after a flush", &book);
        }
        load.assert_whole("eight flushes", BOUND);
    });
    for follower in &mut followers {
        let has_all = within(BACK, || {
            follower.step();
            follower.contacts == site.expected_book()
        });
        assert!(has_all, "{:?}", difference(&follower.contacts, &site.expected_book()));
        assert!(follower.restarts > 0, "what was flushed is another feed");
    }
    for serve in [&serve, &second] {
        site.assert_right("at the end", &book_of(serve));
    }
}

fn keys_of_others_are_left_alone(_: &World) {
    let (site, serve) = site();
    let probe = site.installation.redis_probe();
    // Names that look like ours, and those of an installation that looks like ours.
    let neighbour = start_serve(&site.config, &[("PBM_REDIS__PREFIX", "pbm2")]);
    let there = book_of(&neighbour);
    assert_feed_answers("the neighbour", &there);
    let strange = ["pbm-other", "pbmx", "other:pbm:x", "PBM:x", "pbm2x:1"];
    for key in strange {
        probe.run(&["SET", key, "somebody else's"]);
    }
    let theirs = || probe.keys("pbm2:*");
    assert!(!theirs().is_empty(), "{:?}", probe.keys("*"));
    assert!(probe.keys("pbm:*").iter().all(|key| !key.starts_with("pbm2")));
    let mut follower = there.follower(10);
    follower.catch_up();
    // Our projection is rebuilt several times, also by a process that starts.
    for round in 0..3 {
        for key in probe.keys("pbm:*") {
            probe.run(&["SET", &key, "nonsense"]);
        }
        let second = site.serve();
        for serve in [&serve, &second] {
            site.assert_feed_is_back("made anew", &book_of(serve));
        }
        put_user(&client_of(&serve), &format!("round{round}")).expect_success();
        harness::soon("the neighbour sees it", || there.has(&format!("round{round}@example.com")));
        assert_same("the neighbour's follower", &follower.catch_up().clone(), &site.expected_book());
    }
    assert_eq!(follower.restarts, 0, "the neighbour's feed was not touched");
    for key in strange {
        assert_eq!(probe.run(&["GET", key]), "somebody else's", "{key}");
    }
    // Every new key has one of the configured prefixes.
    let unknown: Vec<_> = probe
        .keys("*")
        .into_iter()
        .filter(|key| {
            !strange.contains(&key.as_str()) && !key.starts_with("pbm:") && !key.starts_with("pbm2:")
        })
        .collect();
    assert_eq!(unknown, Vec::<String>::new());
}
