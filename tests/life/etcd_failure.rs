//! An etcd that fails, forgets, refuses, or is not there.

use crate::{
    etcd_site::{
        EtcdSite, IN_FORCE, OWN, REFRESH, SUBNETS, admin, assert_in_force, is_allowed, lifetimes, problems,
    },
    load::{Reader, under_load},
};
use harness::{Setup, Signal, World, run_program, start_serve, within};
use std::time::{Duration, Instant};

harness::trials! { "etcd_failure":
    a_compaction_loses_no_change,
    a_killed_etcd_costs_no_request,
    a_cluster_may_lose_its_leader,
    tokens_are_renewed_and_wrong_passwords_told,
    etcd_may_be_away_at_the_start_if_it_is_not_needed,
    tls_and_a_certificate_of_the_client_are_used,
}

const NONE: &str = "[\"192.0.2.0/24\"]";

fn without_redis() -> Setup {
    Setup { without_redis: true, ..Setup::default() }
}

fn a_compaction_loses_no_change(_: &World) {
    let site = EtcdSite::start(without_redis());
    let serve = site.serve();
    // While the process sleeps, its revision is compacted.
    for (subnets, allowed) in [(NONE, false), (OWN, true)] {
        serve.signal(Signal::STOP);
        site.put(SUBNETS, subnets);
        site.put("psn/common/other", "x");
        let revision = site.revision();
        site.command(&["compact", &revision]);
        serve.signal(Signal::CONT);
        assert_in_force("what changed before the compaction", || is_allowed(&serve) == allowed);
    }
    // While it watches.
    for seconds in [100, 200, 300] {
        site.put("psn/common/other", &seconds.to_string());
        let revision = site.revision();
        site.command(&["compact", &revision]);
        site.put(REFRESH, &seconds.to_string());
        assert_in_force("what changed after the compaction", || lifetimes(&serve).1 == seconds);
    }
    site.command(&["defrag"]);
    site.put(REFRESH, "400");
    assert_in_force("what changed after the defragmentation", || lifetimes(&serve).1 == 400);
}

fn a_killed_etcd_costs_no_request(_: &World) {
    let mut site = EtcdSite::start(without_redis());
    let replicas = [site.serve(), site.serve()];
    let readers = replicas
        .iter()
        .map(|serve| Reader::finds(&serve.client(), "/v2/users/default?limit=10", "\"count\":1,"));
    let readers: Vec<_> = readers.collect();
    let clients = replicas.each_ref().map(admin);
    under_load(&readers, |load| {
        for round in 1..=3 {
            load.go_on_for(100);
            site.etcd.kill();
            for client in &clients {
                let told = within(IN_FORCE, || problems(client) == ["unreachable"]);
                assert!(told, "health tells that etcd is away");
            }
            load.go_on_for(100);
            site.etcd.start_again().unwrap();
            site.put(REFRESH, &(1000 * round).to_string());
            for (serve, client) in replicas.iter().zip(&clients) {
                assert_in_force("the change", || lifetimes(serve).1 == 1000 * round);
                assert_eq!(problems(client), Vec::<String>::new());
            }
        }
        load.assert_whole("three deaths", Duration::from_secs(2));
    });
}

/// The place of the leader among the members that run.
fn leader(site: &EtcdSite) -> Option<usize> {
    site.members().position(|member| {
        let Ok(status) = member.command(&["endpoint", "status", "--write-out=json"]) else { return false };
        let status: serde_json::Value = serde_json::from_str(&status).unwrap();
        let status = &status[0]["Status"];
        status["leader"] == status["header"]["member_id"]
    })
}

fn a_cluster_may_lose_its_leader(_: &World) {
    let mut site = EtcdSite::with_cluster(without_redis());
    let serve = site.serve();
    let (client, reader) =
        (admin(&serve), Reader::finds(&serve.client(), "/v2/users/default?limit=10", "\"count\":1,"));
    under_load(&[reader], |load| {
        for seconds in [1000, 2000] {
            let mut found = None;
            assert!(within(IN_FORCE, || {
                found = leader(&site);
                found.is_some()
            }));
            let place = found.unwrap();
            site.member_mut(place).kill();
            // The other two elect one of them.
            let other = site.members().nth((place + 1) % 3).unwrap();
            assert!(within(IN_FORCE, || other.command(&["put", REFRESH, &seconds.to_string()]).is_ok()));
            assert_in_force("the change", || lifetimes(&serve).1 == seconds);
            assert!(within(IN_FORCE, || problems(&client).is_empty()), "another member is asked");
            site.member_mut(place).start_again().unwrap();
        }
        // Without most of its members a cluster has no leader, and the last settings stay.
        for member in &mut site.others {
            member.kill();
        }
        assert!(within(Duration::from_secs(30), || problems(&client) == ["unreachable"]));
        assert_eq!(lifetimes(&serve).1, 2000);
        site.others[0].start_again().unwrap();
        assert!(within(IN_FORCE, || site.etcd.command(&["put", REFRESH, "3000"]).is_ok()));
        assert_in_force("the change", || lifetimes(&serve).1 == 3000);
        load.go_on_for(100);
        load.assert_whole("lost leaders", Duration::from_secs(2));
    });
}

fn tokens_are_renewed_and_wrong_passwords_told(_: &World) {
    let mut site = EtcdSite::with(without_redis(), |options| options.token_seconds(1));
    for words in [
        &["user", "add", "root:root-password"][..],
        &["user", "grant-role", "root", "root"],
        &["user", "add", "pbm:right-password"],
        &["role", "add", "pbm"],
        // No right to keys with a leading slash, nor to psn/common/.
        &["role", "grant-permission", "pbm", "--prefix=true", "read", "pbm/"],
        &["role", "grant-permission", "pbm", "--prefix=true", "read", "psn/ldap/"],
        &["role", "grant-permission", "pbm", "--prefix=true", "read", "psn/cab/"],
        &["user", "grant-role", "pbm", "pbm"],
        &["auth", "enable"],
    ] {
        site.command(words);
    }
    site.etcd.log_in("root:root-password".into());
    let port = site.command(&["get", "--print-value-only", "/psn/ldap/port"]);
    site.put_all(&[("psn/ldap/host", "127.0.0.1"), ("psn/ldap/port", &port)]);
    let without = site.pbm(&["check"]).expect_failure();
    assert!(without.stderr.contains("it wants a login: set etcd.username"), "{without:?}");
    let with = |password: &str| {
        let password = format!("{password:?}");
        site.write_config(&[("etcd.username", "\"pbm\""), ("etcd.password", &password)]);
    };
    with("wrong-password");
    let refused = site.pbm(&["check"]).expect_failure();
    assert!(refused.stderr.contains("it refuses the name or the password"), "{refused:?}");
    assert!(!refused.output().contains("wrong-password"));
    with("right-password");
    for command in [&["check"][..], &["config", "show"]] {
        let stdout = site.pbm(command).expect_success().stdout;
        assert!(stdout.contains("may not read psn/common/, psn/web/defaults/, services/ad/"), "{stdout}");
        assert!(stdout.contains("keys with a leading slash: they count as empty"), "{stdout}");
    }
    let serve = site.serve();
    assert!(is_allowed(&serve));
    site.put(REFRESH, "100");
    assert_in_force("with a token", || lifetimes(&serve).1 == 100);
    // The token expires; a restart forgets it, too.
    std::thread::sleep(Duration::from_secs(3));
    site.put(REFRESH, "200");
    assert_in_force("with an expired token", || lifetimes(&serve).1 == 200);
    site.etcd.kill();
    site.etcd.start_again().unwrap();
    site.put(REFRESH, "300");
    assert_in_force("with a forgotten token", || lifetimes(&serve).1 == 300);
    // A right is lost: the keys behind it have not gone.
    let client = admin(&serve);
    site.command(&["role", "revoke-permission", "pbm", "--prefix=true", "pbm/"]);
    site.put("psn/cab/enabled", "true");
    assert!(within(Duration::from_secs(20), || problems(&client) == ["unreachable"]));
    assert!(is_allowed(&serve) && lifetimes(&serve).1 == 300);
    assert!(serve.log().contains("the account may not read pbm/: grant it a role that may"));
    site.command(&["role", "grant-permission", "pbm", "--prefix=true", "read", "pbm/"]);
    assert!(within(IN_FORCE, || problems(&client).is_empty()));
    // Another password: the last settings stay.
    let answer =
        site.etcd.command_with_input(&["user", "passwd", "pbm", "--interactive=false"], "new-password\n");
    answer.unwrap();
    site.etcd.kill();
    site.etcd.start_again().unwrap();
    assert!(within(IN_FORCE, || problems(&client) == ["unreachable"]));
    assert!(is_allowed(&serve) && lifetimes(&serve).1 == 300);
    assert!(serve.log().contains("it refuses the name or the password"));
    assert!(!serve.log().contains("right-password"));
}

fn etcd_may_be_away_at_the_start_if_it_is_not_needed(_: &World) {
    let mut site = EtcdSite::start(without_redis());
    site.put_all(&[(SUBNETS, OWN), (REFRESH, "100"), ("pbm/settings/http/idle_timeout", "30s")]);
    site.etcd.kill();
    // Needed: the process waits, and then says what is missing.
    site.write_config(&[("etcd.start_timeout", "\"1s\"")]);
    let began = Instant::now();
    let ended = site.pbm(&["serve"]).expect_failure();
    assert_eq!(ended.code, 1, "{ended:?}");
    assert!(began.elapsed() >= Duration::from_secs(1));
    for part in
        ["waiting for etcd at http", "etcd cannot be read at http", "missing: ", "ldap.urls", "tree.root"]
    {
        assert!(ended.stderr.contains(part), "{part}: {ended:?}");
    }
    // Not needed: it starts at once, and follows later. The first endpoint never answers.
    let endpoints = format!("[\"http://127.0.0.1:9\", \"{}\"]", site.etcd.url());
    let changes = [("etcd.endpoints", endpoints.as_str()), ("auth.allowed_subnets", "[]")];
    let file = site.installation.config("sufficient.toml", &changes);
    let text = std::fs::read_to_string(&file).unwrap().replace("auth.allowed_subnets = []\n", "");
    std::fs::write(&file, text.replace("auth.allowed_subnets = []", "")).unwrap();
    let serve = start_serve(&file, &[("PBM_HTTP__TRUSTED_PROXIES", "")]);
    assert!(!is_allowed(&serve));
    let client = admin(&serve);
    assert_eq!(problems(&client), ["unreachable"]);
    assert!(serve.log().contains("started with the file and the environment alone"));
    site.etcd.start_again().unwrap();
    assert!(within(Duration::from_secs(5), || is_allowed(&serve)));
    assert_in_force("the lifetime", || lifetimes(&serve).1 == 100);
    // What etcd has and the file lacks waits for a restart.
    assert_eq!(problems(&client), ["waiting-for-restart"]);
    let log = serve.log();
    assert!(log.contains("config.etcd.reachable") && log.contains("http.idle_timeout"), "{log}");
}

fn tls_and_a_certificate_of_the_client_are_used(_: &World) {
    let site = EtcdSite::with(without_redis(), |options| options.tls(true).client_certificates(true));
    let without = site.pbm(&["config", "show"]).expect_failure();
    for part in ["etcd cannot be read at https", "set etcd.client_certificate and etcd.client_key"] {
        assert!(without.stderr.contains(part), "{without:?}");
    }
    let (certificate, key) = site.etcd.client_files().unwrap();
    let [authority, certificate, key] =
        [site.etcd.ca_file().unwrap(), certificate, key].map(|file| format!("\"{}\"", file.display()));
    site.write_config(&[("etcd.client_certificate", authority.as_str()), ("etcd.client_key", &key)]);
    let mismatch = site.pbm(&["config", "show"]).expect_failure();
    assert_eq!(mismatch.code, 2, "{mismatch:?}");
    let reason = "etcd.client_key: does not belong to etcd.client_certificate";
    assert!(mismatch.stderr.contains(reason) && !mismatch.stderr.contains("panic"), "{mismatch:?}");
    let client = [("etcd.client_certificate", certificate.as_str()), ("etcd.client_key", &key)];
    site.write_config(&client);
    let serve = site.serve();
    assert!(is_allowed(&serve));
    site.put(SUBNETS, NONE);
    assert_in_force("by TLS", || !is_allowed(&serve));
    // Another CA is not trusted.
    let system = site.pbm(&["config", "show"]).expect_success();
    assert!(!system.stdout.contains("PRIVATE KEY"));
    let text = std::fs::read_to_string(&site.config).unwrap();
    let without_ca: Vec<_> = text.lines().filter(|line| !line.starts_with("etcd.ca_file")).collect();
    let file = site.installation.file("other-ca.toml");
    std::fs::write(&file, without_ca.join("\n") + "\netcd.start_timeout = \"1s\"\n").unwrap();
    let arguments = ["config", "show", "--config", file.to_str().unwrap()];
    let refused = run_program(harness::pbm(), arguments, &[], "").expect_failure();
    assert!(refused.stderr.contains("etcd cannot be read at https"), "{refused:?}");
    // With authentication, the gateway takes no certificate with a CN, which that of the sandbox has.
    for words in
        [&["user", "add", "root:pw"][..], &["user", "grant-role", "root", "root"], &["auth", "enable"]]
    {
        site.command(words);
    }
    site.write_config(&[client[0], client[1], ("etcd.username", "\"root\""), ("etcd.password", "\"pw\"")]);
    let refused = site.pbm(&["check"]).expect_failure();
    assert!(refused.stderr.contains("refuses a client certificate that has a CN"), "{refused:?}");
}
