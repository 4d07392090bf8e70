//! A configuration in etcd: what it gives, and how changes come into force.

use crate::{
    etcd_site::{
        EtcdSite, IN_FORCE, OWN, REFRESH, SUBNETS, admin, assert_in_force, is_allowed, lifetimes, problems,
    },
    site::{assert_feed_answers, put_user},
};
use harness::{Book, Setup, Signal, World, assert_same, run_program, signal, within};
use std::time::{Duration, Instant};

harness::trials! { "etcd":
    the_keys_of_the_guide_suffice,
    changes_are_in_force_in_every_replica_without_a_restart,
    every_range_is_watched_every_time,
    what_is_incomplete_or_missing_is_named,
    a_mistake_changes_nothing_and_is_reported,
    what_needs_a_restart_waits_for_it,
    the_address_book_does_without_redis_and_uses_it_again,
    the_printed_commands_store_the_same_settings,
}

fn without_redis() -> Setup {
    Setup { without_redis: true, ..Setup::default() }
}

fn the_keys_of_the_guide_suffice(_: &World) {
    let site = EtcdSite::start(Setup::default());
    let serve = site.serve();
    assert!(is_allowed(&serve));
    assert_eq!(lifetimes(&serve), (3600, 360_000));
    let client = admin(&serve);
    assert_eq!(problems(&client), Vec::<String>::new());
    // The address book is in the Redis that etcd names.
    assert_feed_answers("the feed", &Book::new(&client, "default"));
    let shown = site.pbm(&["config", "show"]).expect_success().stdout;
    for line in [
        "address_book.cache.lifetime = \"15 minutes\"  # etcd psn/ldap/web_cache/time",
        "auth.access_token_seconds = \"3600\"  # default",
        "auth.allowed_subnets = [\"127.0.0.1\", \"10.160.115.127/32\"]  # etcd pbm/auth/allowed_subnets",
        "ldap.bind_password = ********  # etcd psn/ldap/password",
        "tree.people = \"People\"  # etcd psn/ldap/people_ou",
        "# etcd pbm/firebase/android_bundle is not used: pbm sends no notifications to phones",
    ] {
        assert!(shown.lines().any(|shown| shown == line), "{line} is not in\n{shown}");
    }
    assert!(shown.contains("# etcd /psn/ldap/host /psn/ldap/port\n"), "{shown}");
    let json = site.pbm(&["config", "show", "--json"]).expect_success().stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["settings"]["auth.token_key"]["value"], "********");
    assert_eq!(json["settings"]["tree.root"]["origin"]["keys"][0], "psn/cab/root_dn");
    let checked = site.pbm(&["check"]).expect_success().stdout;
    assert!(
        checked.contains("keys at revision") && checked.contains("android_bundle is not used"),
        "{checked}"
    );
}

fn changes_are_in_force_in_every_replica_without_a_restart(_: &World) {
    let site = EtcdSite::start(without_redis());
    let replicas = [site.serve(), site.serve()];
    site.put(SUBNETS, "[\"192.0.2.0/24\"]");
    for serve in &replicas {
        assert_in_force("the subnets", || !is_allowed(serve));
    }
    // Several keys in one transaction.
    let access = "pbm/settings/auth/access_token_seconds";
    site.put_all(&[
        (SUBNETS, OWN),
        (REFRESH, "2 hours"),
        (access, "60"),
        ("pbm/settings/log/level", "debug"),
    ]);
    for serve in &replicas {
        assert_in_force("the subnets again", || is_allowed(serve));
        assert_eq!(lifetimes(serve), (60, 7200), "all keys at once");
        let log = serve.log();
        assert!(
            log.contains("config.changed") && log.contains("auth.refresh_token_seconds: 360000 -> 7200"),
            "{log}"
        );
    }
    // A key that is gone leaves the default.
    site.command(&["del", access]);
    site.put("pbm/settings/deletion/retention", "1h");
    for serve in &replicas {
        assert_in_force("the default", || lifetimes(serve).0 == 3600);
    }
    let client = admin(&replicas[0]);
    let user = "/v2/users/default/gone@example.com";
    let fields = [("userPassword", harness::PASSWORD), ("employeeNumber", "2"), ("cn", "G"), ("sn", "One")];
    client.put(user, &harness::form(&fields)).expect_success();
    client.delete(user).expect_success();
    let kept = |serve| {
        let page = admin(serve).get("/v2/users/default?deleted=1").expect(200).json();
        let [since, until] = ["deleted", "kept-until"].map(|name| page["users"][0][name].to_string());
        assert_ne!(since, until);
        (since, until)
    };
    assert_eq!(kept(&replicas[0]), kept(&replicas[1]));
    assert!(replicas.iter().all(|serve| problems(&admin(serve)).is_empty()));
}

/// The last range counts: one that is not watched is only noticed when the watch ends, after fifteen seconds.
fn every_range_is_watched_every_time(_: &World) {
    let site = EtcdSite::start(without_redis());
    let serve = site.serve();
    let client = admin(&serve);
    let slowest = (0..40).map(|round| {
        let (waits, began) = (round % 2 == 0, Instant::now());
        if waits {
            site.put("services/redis/host", "redis.example.com");
        } else {
            site.command(&["del", "services/redis/host"]);
        }
        assert_in_force("the change", || problems(&client).is_empty() != waits);
        began.elapsed()
    });
    let slowest = slowest.max().unwrap();
    assert!(slowest < Duration::from_secs(8), "{slowest:?}");
    let log = serve.log();
    assert!(log.contains("config.waiting_for_restart") && log.contains("config.restart_not_needed"), "{log}");
}

fn what_is_incomplete_or_missing_is_named(_: &World) {
    let site = EtcdSite::start(without_redis());
    // The guide has no key for the password.
    site.put("services/doveadm/url", "http://127.0.0.1:9");
    let serve = site.serve();
    assert!(is_allowed(&serve) && serve.log().contains("config.incomplete"));
    let warning = "doveadm.password: is missing (etcd services/doveadm/password); doveadm stays off";
    for command in [&["check"][..], &["config", "show"]] {
        let stdout = site.pbm(command).expect_success().stdout;
        assert!(stdout.contains(&format!("Warning: {warning}")), "{stdout}");
    }
    site.put("services/doveadm/password", "mail-secret");
    assert_in_force("the mail server", || serve.log().contains("doveadm.password: ********"));
    // The rest of the settings is shown.
    site.command(&["del", "psn/cab/root_dn"]);
    site.command(&["del", "--prefix", "psn/ldap/"]);
    site.put("pbm/settings/http/listen", "nowhere");
    for json in [&[][..], &["--json"]] {
        let shown = site.pbm(&[&["config", "show"], json].concat()).expect_failure();
        assert_eq!(shown.code, 2, "{shown:?}");
        assert!(shown.stdout.contains("auth.refresh_token_seconds"), "{shown:?}");
        for part in ["tree.root: is missing (etcd psn/cab/root_dn)", "keys that pbm reads, at revision"] {
            assert!(shown.stderr.contains(part), "{part}: {shown:?}");
        }
    }
    let shown = site.pbm(&["config", "show"]).stdout;
    assert!(shown.contains("# http.listen has a mistake  # etcd pbm/settings/http/listen\n"), "{shown}");
    assert!(!shown.contains("mail-secret"));
    // Nothing is there.
    site.command(&["del", "--prefix", ""]);
    let checked = site.pbm(&["check"]).expect_failure();
    assert!(checked.stderr.contains("holds none of the keys that pbm reads, at revision"), "{checked:?}");
}

fn a_mistake_changes_nothing_and_is_reported(_: &World) {
    let site = EtcdSite::start(without_redis());
    site.write_config(&[("http.trusted_proxies", "[\"198.51.100.1\"]")]);
    let serve = site.serve();
    let client = admin(&serve);
    for wrong in ["[\"all\"]", "[\"192.0.2.1\"", "[\"198.51.100.0/24\"]"] {
        site.put_all(&[(SUBNETS, wrong), (REFRESH, "60")]);
        assert_in_force("the report", || problems(&client) == ["invalid"]);
        assert!(is_allowed(&serve), "{wrong}: the last valid subnets stay in force");
        assert_eq!(lifetimes(&serve).1, 360_000, "{wrong}: and everything else that changed with them");
        // Only an administrator is told.
        site.put_all(&[(SUBNETS, OWN), (REFRESH, "360000")]);
        assert_in_force("the end of the report", || problems(&client).is_empty());
    }
    let log = serve.log();
    for part in [
        "config.invalid",
        "config.valid",
        "must be an address or subnet",
        "overlaps 198.51.100.1/32",
        SUBNETS,
    ] {
        assert!(log.contains(part), "{part} is not in\n{log}");
    }
    // The same mistake keeps a process from starting.
    site.put(SUBNETS, "[\"all\"]");
    let checked = site.pbm(&["check"]).expect_failure();
    assert_eq!(checked.code, 2, "{checked:?}");
    assert!(checked.stderr.contains("(etcd pbm/auth/allowed_subnets)"), "{checked:?}");
    // The loss of all keys is a mistake, not a change to the defaults.
    site.put(SUBNETS, OWN);
    assert_in_force("the last valid keys", || problems(&client).is_empty());
    site.command(&["del", "--prefix", ""]);
    assert_in_force("the loss", || problems(&client) == ["invalid"]);
    assert!(is_allowed(&serve));
}

fn what_needs_a_restart_waits_for_it(_: &World) {
    let site = EtcdSite::start(without_redis());
    let serve = site.serve();
    let client = admin(&serve);
    let port = site.command(&["get", "--print-value-only", "/psn/ldap/port"]);
    site.put_all(&[("/psn/ldap/port", "9"), ("psn/ldap/password", "another-secret"), (REFRESH, "60")]);
    assert_in_force("the report", || problems(&client) == ["waiting-for-restart"]);
    assert_eq!(lifetimes(&serve).1, 60, "what can change does");
    let log = serve.log();
    assert!(
        log.contains("config.waiting_for_restart") && log.contains("ldap.bind_password ldap.urls"),
        "{log}"
    );
    assert!(!log.contains("another-secret") && !log.contains("service-password"), "{log}");
    site.put_all(&[("/psn/ldap/port", &port), ("psn/ldap/password", "service-password")]);
    assert_in_force("the end of the report", || problems(&client).is_empty());
}

fn the_address_book_does_without_redis_and_uses_it_again(_: &World) {
    let site = EtcdSite::start(Setup::default());
    let (serve, other) = (site.serve(), site.serve());
    let redis = site.installation.redis().pid().unwrap();
    let (client, cache) = (admin(&serve), "psn/cab/web_cache/enabled");
    let books = [&serve, &other].map(|serve| Book::new(&admin(serve), "default"));
    let assert_shown = |name: &str| {
        put_user(&client, name).expect_success();
        let query = format!("search={name}&view=all");
        assert_eq!(books[0].page(&query)["count"], 1, "{name}: a write is seen at once");
        assert!(within(IN_FORCE, || books[1].page(&query)["count"] == 1), "{name}: by the other replica");
    };
    for round in 0..3 {
        for book in &books {
            assert_feed_answers("with Redis", book);
        }
        assert_shown(&format!("with{round}"));
        site.put(cache, "false");
        for book in &books {
            assert_in_force("the end of the feed", || book.changes("", 1).status == 503);
        }
        assert_shown(&format!("without{round}"));
        // Redis is not asked: whatever it does, nothing waits for it.
        signal(redis, Signal::STOP);
        let began = Instant::now();
        assert_shown(&format!("paused{round}"));
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
        signal(redis, Signal::CONT);
        site.put(cache, "true");
    }
    assert_feed_answers("with Redis again", &books[1]);
    assert_same(
        "the feed",
        books[1].follower(100).catch_up(),
        &site.installation.probe().expected_book("default").all(),
    );
    assert!(problems(&client).is_empty());
}

fn the_printed_commands_store_the_same_settings(_: &World) {
    let site = EtcdSite::start(without_redis());
    // A usual configuration in a file, to be moved into etcd.
    let file = site.installation.config("file.toml", &[("deletion.retention", "\"14d\"")]);
    let print =
        |more: &[&str]| site.installation.pbm(&file, &[&["config", "etcd"], more].concat()).expect_success();
    let masked = print(&[]);
    assert!(masked.stdout.contains("# etcdctl put psn/ldap/password ********\n"), "{masked:?}");
    assert!(!masked.stdout.contains("service-password") && masked.stderr.contains("--with-secrets"));
    site.command(&["del", "--prefix", ""]);
    let lines = print(&["--with-secrets"]).stdout;
    let endpoint = site.etcd.url();
    let environment = [("ETCDCTL_API", "3"), ("ETCDCTL_ENDPOINTS", endpoint.as_str())];
    run_program(&harness::program("bash"), ["-e"], &environment, &lines).expect_success();
    let settings = |output: String| {
        let json: serde_json::Value = serde_json::from_str(&output).unwrap();
        let settings = json["settings"].as_object().unwrap().clone();
        let settings = settings.into_iter().filter(|(key, _)| !key.starts_with("etcd."));
        settings.map(|(key, setting)| (key, setting["value"].clone())).collect::<Vec<_>>()
    };
    let in_file = site.installation.pbm(&file, &["config", "show", "--json"]).expect_success();
    let in_etcd = site.pbm(&["config", "show", "--json"]).expect_success();
    assert_eq!(settings(in_etcd.stdout), settings(in_file.stdout));
    assert!(lines.contains("etcdctl put pbm/settings/deletion/retention 14d\n"), "{lines}");
    site.pbm(&["check"]).expect_success();
}
