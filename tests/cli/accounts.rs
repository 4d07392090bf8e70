//! The accounts with which pbm binds, under password policies of the server, and the messages for operators and other
//! clients when one is refused.

use harness::{Installation, Serve, Setup, World, assert_error, start_serve, within};
use std::{path::Path, thread, time::Duration};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("the_accounts_live_under_any_policy_of_the_server", any_policy),
    ("a_refused_account_is_told_to_operators_with_the_cause", refused),
    ("init_mends_accounts_that_a_policy_keeps_out", mended),
];

const AGE: Duration = Duration::from_secs(2);
const WAIT: Duration = Duration::from_secs(10);

/// A policy of the server that applies to every account without one of its own.
fn set_policy(installation: &Installation) {
    let age = AGE.as_secs().to_string();
    for (attribute, value) in [
        ("passwordMustChange", "on"),
        ("passwordExp", "on"),
        ("passwordMaxAge", &*age),
        ("passwordLockout", "on"),
        ("passwordMaxFailure", "1"),
        ("passwordMinLength", "20"),
        ("passwordCheckSyntax", "on"),
    ] {
        installation.probe().replace("cn=config", attribute, &[value]);
    }
}

fn account(name: &str) -> String {
    format!("uid={name},ou=System,dc=example,dc=com")
}

/// Removes the policy of an account, as on an installation of an earlier version.
fn without_policy(installation: &Installation, name: &str) {
    installation.probe().replace(&account(name), "pwdpolicysubentry", &[]);
}

fn set_password(installation: &Installation, name: &str) {
    let password = if name == "pbm" { "service-password" } else { "backup-password" };
    installation.probe().replace(&account(name), "userPassword", &[password]);
}

fn is_ready(serve: &Serve) -> bool {
    serve.client().get("/health/ready").status == 200
}

fn backup(installation: &Installation, config: &Path) -> harness::Finished {
    let file = installation.file("all.ldif");
    installation.pbm(config, &["backup", "--output", file.to_str().unwrap()])
}

fn any_policy() {
    let installation = Installation::start(Setup { unprepared: true, ..Setup::default() });
    set_policy(&installation);
    installation.init(&[]).expect_success();
    let again = installation.init(&[]).expect_success();
    assert!(again.stderr.contains("nothing to change"), "{}", again.stderr);
    thread::sleep(AGE + Duration::from_secs(1));
    let probe = installation.probe();
    for _ in 0..3 {
        assert!(
            !probe.accepts_bind(&account("pbm"), "a guess")
                && !probe.accepts_bind(&account("decoy"), "a guess")
        );
    }
    installation.pbm(&installation.usual_config(), &["check"]).expect_success();
    backup(&installation, &installation.usual_config()).expect_success();
    let serve = start_serve(&installation.usual_config(), &[]);
    assert!(is_ready(&serve));
    assert!(!serve.log().contains("directory.account.refused"), "{}", serve.log());
    // The policy of the server still applies to others; the accounts' own policies are restored.
    serve.client().log_in(&World::root_login(), "wrong").expect(401);
    assert_eq!(probe.entry(&account("decoy")).unwrap().all("passwordRetryCount"), [""; 0]);
}

/// The messages of `serve`, `/health/ready` and `pbm check`.
fn assert_told(installation: &Installation, config: &Path, name: &str, words: &[&str]) {
    let serve = start_serve(config, &[]);
    let client = serve.client();
    if name == "pbm" {
        let answer = client.get("/health/ready");
        assert_error(&answer, 503);
        assert!(answer.text().contains("does not let this server in"), "{}", answer.text());
        for secret in ["uid=", "password", "dc=", "invalidCredentials", "389", "ldap"] {
            assert!(!answer.text().contains(secret), "{secret}: {}", answer.text());
        }
        let log_in = client.log_in(&World::root_login(), World::root_password()).expect(503);
        assert!(log_in.text().contains("does not let this server in"), "{}", log_in.text());
        assert!(
            !log_in.text().contains("out of reach") && !log_in.text().contains("ry again"),
            "{}",
            log_in.text()
        );
        assert!(within(WAIT, || serve.log().contains("directory.account.refused")), "{}", serve.log());
        for words in words.iter().chain(&["pbm init", account(name).as_str(), "\"server\""]) {
            assert!(serve.log().contains(words), "{words}: {}", serve.log());
        }
        // The log has the cause for each failed request and job.
        for event in ["http.request.failed", "purge.failed"] {
            let log = serve.log();
            let line = log.lines().find(|line| line.contains(event)).unwrap_or_default();
            assert!(line.contains(words[0]), "{event}: {log}");
        }
        let refusals = serve.log().matches("directory.account.refused").count();
        assert_eq!(refusals, 1, "{}", serve.log());
    }
    let checked = installation.pbm(config, &["check"]).expect_failure();
    for words in words.iter().chain(&["pbm init", "bind_password", "does not let this server in"]) {
        assert!(checked.stdout.contains(words), "{words}: {}", checked.stdout);
    }
    assert!(!checked.stdout.contains("out of reach"), "{}", checked.stdout);
    assert_commands_tell(installation, config, name, words);
    if name == "pbm-backup" {
        let saved = backup(installation, config).expect_failure();
        for words in words.iter().chain(&["pbm init"]) {
            assert!(saved.stderr.contains(words), "{words}: {}", saved.stderr);
        }
    }
    for output in [serve.log(), checked.output()] {
        assert!(!output.contains("service-password") && !output.contains("result 53"), "{output}");
    }
}

/// Commands end with one line that has the cause and advice.
fn assert_commands_tell(installation: &Installation, config: &Path, name: &str, words: &[&str]) {
    let [people, saved] = ["people.csv", "some.ldif"].map(|name| installation.file(name));
    std::fs::write(&people, "mail\n").unwrap();
    std::fs::write(&saved, "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n").unwrap();
    let (people, saved) = (people.to_str().unwrap(), saved.to_str().unwrap());
    let commands: &[&[&str]] = if name == "pbm" {
        &[
            &["tenant", "create", "acme", "--domain", "acme.test"],
            &["purge"],
            &["purge", "--dry-run"],
            &["import-users", people, "--tenant", "default"],
        ]
    } else {
        &[&["backup"], &["restore", saved], &["diff", saved]]
    };
    for command in commands {
        let told = installation.pbm(config, command).expect_failure().stderr;
        assert_eq!(told.lines().count(), 1, "{command:?}: {told}");
        for words in words.iter().chain(&["pbm: ", "pbm init", "does not let this server in"]) {
            assert!(told.contains(words), "{words}: {told}");
        }
    }
}

fn refused() {
    let installation = Installation::start(Setup::default());
    for (name, key) in [("pbm", "ldap.bind_password"), ("pbm-backup", "backup.bind_password")] {
        let wrong = installation.config("wrong.toml", &[(key, "\"wrong\"")]);
        assert_told(&installation, &wrong, name, &["invalidCredentials (49)"]);
    }
    for name in ["pbm", "pbm-backup"] {
        without_policy(&installation, name);
        let usual = installation.usual_config();
        installation.probe().replace("cn=config", "passwordMustChange", &["on"]);
        set_password(&installation, name);
        assert_told(&installation, &usual, name, &["password is changed", "passwordMustChange"]);
        installation.probe().replace("cn=config", "passwordMustChange", &["off"]);
        installation.probe().replace(&account(name), "nsAccountLock", &["true"]);
        set_password(&installation, name);
        assert_told(&installation, &usual, name, &["(53)", "nsAccountLock"]);
        installation.probe().replace(&account(name), "nsAccountLock", &[]);
        installation.init(&[]).expect_success();
    }
}

fn mended() {
    let installation = Installation::start(Setup::default());
    for name in ["pbm", "pbm-backup"] {
        without_policy(&installation, name);
    }
    set_policy(&installation);
    for name in ["pbm", "pbm-backup"] {
        set_password(&installation, name);
    }
    let serve = start_serve(&installation.usual_config(), &[]);
    assert_error(&serve.client().get("/health/ready"), 503);
    thread::sleep(AGE + Duration::from_secs(1));
    installation.init(&[]).expect_success();
    // Without a restart.
    assert!(within(WAIT, || is_ready(&serve)), "{}", serve.log());
    assert!(within(WAIT, || serve.log().contains("directory.account.accepted")), "{}", serve.log());
    installation.pbm(&installation.usual_config(), &["check"]).expect_success();
    backup(&installation, &installation.usual_config()).expect_success();
}
