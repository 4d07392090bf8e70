//! Password hashes in files: those that servers write are restored, truncated ones are refused. 389-ds compares the
//! stored bytes, so a hash without its digest would match every password.

use crate::fixture::{Fixture, PASSWORD, ROOT, config_folder, super_of};
use harness::{Context, program, run_program};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("hashes_of_every_scheme_are_restored_and_count", whole),
    ("a_hash_that_was_cut_is_refused_on_every_way", cut),
];

/// The hash schemes of 389-ds.
const SCHEMES: [&str; 20] = [
    "CRYPT",
    "CRYPT-MD5",
    "CRYPT-SHA256",
    "CRYPT-SHA512",
    "GOST_YESCRYPT",
    "MD5",
    "PBKDF2",
    "PBKDF2-SHA1",
    "PBKDF2-SHA256",
    "PBKDF2-SHA512",
    "PBKDF2_SHA256",
    "SHA",
    "SHA256",
    "SHA384",
    "SHA512",
    "SMD5",
    "SSHA",
    "SSHA256",
    "SSHA384",
    "SSHA512",
];

/// The password, hashed by a scheme of the installed server.
fn hashed(there: &Fixture, scheme: &str) -> String {
    let folder = config_folder(&there.installation.directory);
    let arguments = ["-D", folder.to_str().unwrap(), "-s", scheme, PASSWORD];
    let done = run_program(&program("pwdhash"), arguments, &[], "").expect_success();
    done.stdout.trim().to_owned()
}

fn name(number: usize) -> String {
    format!("uid=h{number},ou=CAB,{ROOT}")
}

fn account(number: usize, password: &str) -> String {
    let classes = "objectClass: account\nobjectClass: simpleSecurityObject";
    format!(
        "dn: {}\n{classes}\nuid: h{number}\n{}\n",
        name(number),
        harness::ldif_line("userPassword", password)
    )
}

fn whole() {
    let there = Fixture::empty();
    let hashes = SCHEMES.map(|scheme| hashed(&there, scheme));
    let records: Vec<_> = hashes.iter().enumerate().map(|(number, hash)| account(number, hash)).collect();
    let file = there.written("whole.ldif", records.concat());
    let done = there.pbm("restore", &file, &[]).expect_success();
    assert!(done.stderr.contains(&format!(" {} added,", hashes.len())), "{}", done.stderr);
    // Before the first log-in, after which the server hashes again with its preferred scheme.
    let again = there.pbm("restore", &file, &[]).expect_success();
    assert!(again.stderr.contains(&format!(" {} the same,", hashes.len())), "{}", again.stderr);
    let probe = there.installation.probe();
    for (number, hash) in hashes.iter().enumerate() {
        let _case = Context::new(hash.clone());
        assert!(probe.accepts_bind(&name(number), PASSWORD));
        assert!(!probe.accepts_bind(&name(number), "Another-Horse-8"));
    }
}

/// A hash without its digest, with the first characters of the digest, without its last character, and with half its
/// scheme.
fn cuts(hash: &str) -> [String; 4] {
    let digest = hash.rfind(['$', '}']).unwrap() + 1;
    [digest, digest + 4, hash.trim_end_matches('=').len() - 1, hash.find('}').unwrap() - 1]
        .map(|length| hash[..length].to_owned())
}

fn cut() {
    let there = Fixture::empty();
    let cuts: Vec<_> = SCHEMES.into_iter().flat_map(|scheme| cuts(&hashed(&there, scheme))).collect();
    let records: Vec<_> = cuts.iter().enumerate().map(|(number, hash)| account(number, hash)).collect();
    let file = there.written("cut.ldif", records.concat());
    let serve = there.serve();
    let client = super_of(&serve).with_header("Content-Type", "text/x-ldif");
    let before = there.back_up("before.ldif");
    for existing in ["keep", "update"] {
        for more in [&["--dry-run"][..], &[]] {
            let told = there.pbm("restore", &file, &[&["--existing", existing], more].concat());
            assert_eq!(told.code, 1, "{}", told.output());
            for (number, cut) in cuts.iter().enumerate() {
                let line = told.stderr.lines().find(|line| line.contains(&format!(": {}: ", name(number))));
                let words = if cut.contains('}') { "is not a whole hash of {" } else { "no closing brace" };
                assert!(line.is_some_and(|line| line.contains(words)), "{cut}: {line:?}");
            }
        }
        let answer =
            client.post(format!("/v2/restore/ldif?existing={existing}"), &records.concat()).expect(200);
        assert_eq!(answer.text().matches("\"result\":\"refused\"").count(), cuts.len(), "{}", answer.text());
    }
    there.assert_is_as(&before);
    drop(serve);
    // An existing account does not get one either.
    there.pbm("restore", &there.written("good.ldif", account(0, PASSWORD)), &[]).expect_success();
    let file = there.written("worse.ldif", account(0, &cuts[0]));
    assert_eq!(there.pbm("restore", &file, &["--existing", "update"]).code, 1);
    let probe = there.installation.probe();
    assert!(probe.accepts_bind(&name(0), PASSWORD) && !probe.accepts_bind(&name(0), "Another-Horse-8"));
}
