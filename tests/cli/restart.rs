//! Plug-ins of 389-ds that are configured but do not run: every client that could continue without them is warned.

use harness::{Installation, Serve, Setup, assert_error, start_serve, within};
use std::time::Duration;

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("nothing_is_well_until_389_ds_has_been_restarted", until_restarted),
    ("a_plug_in_that_is_off_is_told", turned_off),
    ("plug_ins_that_the_account_may_not_see_are_told_as_unknown", unseen),
];

const BARE: Setup =
    Setup { bare: true, tls: false, unprepared: true, durable: false, without_redis: true, backend: None };
const ALL: [&str; 4] =
    ["pbm address uniqueness", "pbm domain uniqueness", "referential integrity postoperation", "USN"];
/// The log is written, and connections to a restarted server are made again, within this time.
const WAIT: Duration = Duration::from_secs(20);

fn check(installation: &Installation) -> harness::Finished {
    installation.pbm(&installation.usual_config(), &["check"])
}

fn is_ready(serve: &Serve) -> bool {
    serve.client().get("/health/ready").status == 200
}

/// The message about plug-ins that wait for a restart, and only about them.
fn assert_awaited(text: &str, words: &str, waiting: &[&str]) {
    let line = text.lines().find(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {text}"));
    for name in ALL {
        assert_eq!(line.contains(name), waiting.contains(&name), "{name}: {line}");
    }
}

fn until_restarted() {
    for (dynamic, waiting) in [("off", &ALL[..]), ("on", &["USN"])] {
        let mut installation = Installation::start(BARE);
        installation.probe().replace("cn=config", "nsslapd-dynamic-plugins", &[dynamic]);
        let dry = installation.init(&["--dry-run"]).expect_success();
        assert_awaited(&dry.stderr, "would have to be restarted", waiting);
        assert!(!dry.output().contains("Restart 389-ds now"), "{dry:?}");
        for _ in 0..2 {
            let init = installation.init(&[]).expect_success();
            assert_awaited(&init.stderr, "Restart 389-ds now", waiting);
        }
        let dry = installation.init(&["--dry-run"]).expect_success();
        assert_awaited(&dry.stderr, "Restart 389-ds now", waiting);
        assert_awaited(&check(&installation).expect_failure().stdout, "restart 389-ds", waiting);
        let serve = start_serve(&installation.usual_config(), &[]);
        let answer = serve.client().get("/health/ready");
        assert_error(&answer, 503);
        assert!(!answer.text().contains("389") && !answer.text().contains("USN"), "{}", answer.text());
        assert!(within(WAIT, || serve.log().contains("directory.plugins.idle")), "{}", serve.log());
        assert_awaited(&serve.log(), "directory.plugins.idle", waiting);

        installation.directory.stop();
        installation.directory.start_again().unwrap();
        assert!(within(WAIT, || is_ready(&serve)), "{}", serve.log());
        assert!(within(WAIT, || serve.log().contains("directory.plugins.run")), "{}", serve.log());
        check(&installation).expect_success();
        let init = installation.init(&[]).expect_success();
        assert!(init.stderr.contains("nothing to change") && !init.output().contains("estart"), "{init:?}");
    }
}

fn turned_off() {
    let installation = Installation::start(Setup::default());
    check(&installation).expect_success();
    let plugin = "cn=pbm address uniqueness,cn=plugins,cn=config";
    installation.probe().replace(plugin, "description", &["ours"]);
    installation.probe().replace(plugin, "nsslapd-pluginEnabled", &["off"]);
    let checked = check(&installation).expect_failure();
    assert!(checked.stdout.contains("are off: pbm address uniqueness"), "{checked:?}");
    let serve = start_serve(&installation.usual_config(), &[]);
    assert_error(&serve.client().get("/health/ready"), 503);
    // If 389-ds can start plug-ins while it runs, enabling it is enough.
    installation.init(&[]).expect_success();
    check(&installation).expect_success();
    assert!(within(WAIT, || is_ready(&serve)), "{}", serve.log());
    // If it cannot, a marker is added to the values that other programs have written there.
    installation.probe().replace("cn=config", "nsslapd-dynamic-plugins", &["off"]);
    installation.probe().replace(plugin, "nsslapd-pluginEnabled", &["off"]);
    installation.init(&[]).expect_success();
    assert_awaited(&check(&installation).expect_failure().stdout, "restart 389-ds", &ALL[..1]);
    let described = installation.probe().entry(plugin).unwrap();
    assert!(described.all("description").len() == 2 && described.all("description").contains(&"ours"));
}

fn unseen() {
    let installation = Installation::start(Setup::default());
    installation.probe().replace("cn=plugins,cn=config", "aci", &[]);
    let checked = check(&installation).expect_success();
    assert!(checked.stdout.contains("plug-ins unknown: run pbm init"), "{checked:?}");
    let serve = start_serve(&installation.usual_config(), &[]);
    assert!(is_ready(&serve), "{}", serve.log());
}
