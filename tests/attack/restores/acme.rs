//! An installation with one tenant whose administrator attacks, and another tenant as the victim.

use harness::{
    Answer, Client, Entry, Installation, PASSWORD, Serve, Setup, World, encoded, form, start_serve,
};
use serde_json::Value;
use std::time::Duration;

/// The root DN.
pub(super) const ROOT: &str = "dc=example,dc=com";

/// The longest silence of a restore, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The tenants `acme` and `victim`, and the clients.
pub(super) struct Acme {
    pub(super) serve: Serve,
    pub(super) installation: Installation,
    /// The first super administrator.
    pub(super) root: Client,
    /// The administrator of `acme`.
    pub(super) admin: Client,
}

impl Acme {
    pub(super) fn start() -> Self {
        let installation = Installation::start(Setup { without_redis: true, ..Setup::default() });
        Self::served(installation, |config| start_serve(config, &[]))
    }

    pub(super) fn served(installation: Installation, serve: impl FnOnce(&std::path::Path) -> Serve) -> Self {
        installation.create_tenant("acme", "acme.test");
        installation.create_tenant("victim", "victim.test");
        let serve = serve(&installation.usual_config());
        let token = token_of(&serve.client(), &World::root_login(), World::root_password());
        let root = serve.client().with_token(&token);
        create_user(&root, "acme", "boss@acme.test", &[("employeeNumber", "1")]);
        create_user(&root, "acme", "ivan@acme.test", &[]);
        create_user(&root, "victim", "ceo@victim.test", &[]);
        let token = token_of(&serve.client(), "boss@acme.test", PASSWORD);
        let admin = serve.client().with_token(&token);
        Self { serve, installation, root, admin }
    }

    /// An administrator of another tenant.
    pub(super) fn administrator_of(&self, tenant: &str, mail: &str) -> Client {
        create_user(&self.root, tenant, mail, &[("employeeNumber", "1")]);
        self.serve.client().with_token(&token_of(&self.serve.client(), mail, PASSWORD))
    }

    /// Restores a file into `acme` with `existing=update`, as its administrator.
    #[track_caller]
    pub(super) fn update(&self, file: &str) -> Answer {
        restore(&self.admin, "tenant-id=acme&existing=update", file.as_bytes())
    }

    /// A backup of `acme` by its administrator.
    #[track_caller]
    pub(super) fn back_up(&self) -> String {
        self.admin.get("/v2/backup/ldif?tenant-id=acme").expect(200).text()
    }

    /// All entries of the directory, without the attributes that a log-in writes.
    pub(super) fn entries(&self) -> Vec<Entry> {
        let found = self.installation.probe().search_with(&["aci"], ROOT, "sub", "(objectClass=*)");
        let mut found: Vec<_> = found.into_iter().map(|entry| entry.without(&["modifyTimestamp"])).collect();
        found.sort_unstable_by_key(|entry| entry.dn.to_lowercase());
        found
    }

    /// Requires that a comparison finds no difference between a backup of `acme` and the directory.
    #[track_caller]
    pub(super) fn assert_is_as(&self, backup: &str) {
        let file = self.installation.file("compared.ldif");
        std::fs::write(&file, backup).unwrap();
        let config = self.installation.usual_config();
        let diff = self.installation.pbm(&config, &["diff", file.to_str().unwrap(), "--tenant", "acme"]);
        assert_eq!((diff.code, diff.stdout.as_str()), (0, ""), "{}", diff.stderr);
    }
}

/// Creates a user.
#[track_caller]
pub(super) fn create_user(client: &Client, tenant: &str, mail: &str, more: &[(&str, &str)]) {
    let mut fields =
        vec![("userPassword", PASSWORD), ("employeeNumber", "2"), ("cn", "Ivan"), ("sn", "Tester")];
    fields.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    fields.extend(more);
    client.put(format!("/v2/users/{tenant}/{}", encoded(mail)), &form(&fields)).expect_success();
}

#[track_caller]
fn token_of(client: &Client, login: &str, password: &str) -> String {
    let answer = client.log_in(login, password).expect(200);
    answer.json()["access_token"].as_str().unwrap().to_owned()
}

/// Restores a file.
#[track_caller]
pub(super) fn restore(client: &Client, query: &str, file: &[u8]) -> Answer {
    let client = client.with_header("Content-Type", "text/x-ldif");
    let path = format!("/v2/restore/ldif?{query}");
    client.with_patience(PATIENCE).try_send("POST", &path, file).unwrap()
}

/// The lines of a report.
#[track_caller]
pub(super) fn lines(answer: &Answer) -> Vec<Value> {
    answer.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The numbers at the end of a report.
#[track_caller]
pub(super) fn summary(answer: &Answer) -> Value {
    let last = lines(&answer.clone().expect(200)).pop().unwrap();
    assert!(last["summary"].is_object(), "{}", answer.text());
    last["summary"].clone()
}

/// Requires that a file was refused as a whole or record by record, with one refusal for each of some texts, and that
/// nothing else was done.
#[track_caller]
pub(super) fn assert_refused(answer: &Answer, words: &[&str]) {
    let counts = summary(answer);
    let done = ["added", "updated"].map(|name| counts[name].as_u64().unwrap());
    assert_eq!(done, [0, 0], "{}", answer.text());
    let told: Vec<_> = lines(answer).into_iter().filter(|line| line["result"] == "refused").collect();
    assert_eq!(told.len(), words.len(), "{}", answer.text());
    for (line, words) in told.iter().zip(words) {
        let message = line["message"].as_str().unwrap();
        assert!(message.contains(words), "{words}: {message}");
    }
}

/// The entry of a user in LDIF.
pub(super) fn user(rdn: &str, mail: &str) -> String {
    format!(
        "dn: {rdn},ou=acme,ou=People,{ROOT}\nobjectClass: inetOrgPerson\nobjectClass: inetUser\n\
         objectClass: mailRecipient\nobjectClass: pbmUser\nmail: {mail}\ncn: Ivan\nsn: Tester\nemployeeNumber: 2\n"
    )
}
