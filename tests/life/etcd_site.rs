//! An installation whose configuration is in etcd: the keys of the guide, and a file that only says where etcd is.

use harness::{
    Answer, Client, Finished, Installation, Serve, Setup, World, run_program, start_serve, within,
};
use sandbox::{EtcdServer, EtcdServerOptions};
use std::{path::PathBuf, time::Duration};

/// How soon a change in etcd is in force, on a busy machine; a quiet one takes half a second.
pub(crate) const IN_FORCE: Duration = Duration::from_secs(10);
/// The subnets that the tests begin with: their own address.
pub(crate) const OWN: &str = "[\"127.0.0.1\", \"10.160.115.127/32\"]";
pub(crate) const SUBNETS: &str = "pbm/auth/allowed_subnets";
pub(crate) const REFRESH: &str = "pbm/auth/refresh_token_exp_time";

pub(crate) struct EtcdSite {
    // Dropped before the folder that it is in.
    pub(crate) etcd: EtcdServer,
    /// The other members of its cluster.
    pub(crate) others: Vec<EtcdServer>,
    pub(crate) installation: Installation,
    pub(crate) config: PathBuf,
}

impl EtcdSite {
    pub(crate) fn start(setup: Setup) -> Self {
        Self::with(setup, |options| options)
    }

    /// Starts a directory and an etcd, and stores the keys of the guide.
    pub(crate) fn with(setup: Setup, options: impl FnOnce(EtcdServerOptions) -> EtcdServerOptions) -> Self {
        let installation = Installation::start(setup);
        let options = options(EtcdServer::in_folder(installation.file("etcd")));
        let etcd = options.start().unwrap_or_else(|error| panic!("etcd does not start: {error}"));
        Self::of(installation, etcd, Vec::new())
    }

    /// Starts a directory and a cluster of three, and stores the keys of the guide.
    pub(crate) fn with_cluster(setup: Setup) -> Self {
        let installation = Installation::start(setup);
        let members = EtcdServer::in_folder(installation.file("etcd")).start_cluster(3);
        let mut members = members.unwrap_or_else(|error| panic!("etcd does not start: {error}"));
        let etcd = members.remove(0);
        Self::of(installation, etcd, members)
    }

    fn of(installation: Installation, etcd: EtcdServer, others: Vec<EtcdServer>) -> Self {
        let config = installation.file("etcd.toml");
        let site = Self { etcd, others, installation, config };
        site.write_config(&[]);
        for (key, value) in site.keys() {
            site.put(&key, &value);
        }
        site
    }

    /// Writes a file that says where etcd is, and more in TOML.
    pub(crate) fn write_config(&self, more: &[(&str, &str)]) {
        let endpoints: Vec<_> = self.members().map(EtcdServer::url).collect();
        let mut lines = vec![format!("etcd.endpoints = {endpoints:?}")];
        if let Some(ca) = self.etcd.ca_file() {
            lines.push(format!("etcd.ca_file = \"{}\"", ca.display()));
        }
        lines.extend(more.iter().map(|(key, value)| format!("{key} = {value}")));
        std::fs::write(&self.config, lines.join("\n")).unwrap();
    }

    /// The members of the cluster.
    pub(crate) fn members(&self) -> impl Iterator<Item = &EtcdServer> {
        [&self.etcd].into_iter().chain(&self.others)
    }

    #[track_caller]
    pub(crate) fn member_mut(&mut self, place: usize) -> &mut EtcdServer {
        [&mut self.etcd].into_iter().chain(&mut self.others).nth(place).unwrap()
    }

    /// The keys of the guide for this installation.
    fn keys(&self) -> Vec<(String, String)> {
        let root = self.installation.probe().root;
        let ldap = self.installation.directory.url();
        let ldap_port = ldap.rsplit(':').next().unwrap().to_owned();
        let folder = |name: &str| format!("ou={name},{root}");
        let mut keys = vec![
            (SUBNETS, OWN.to_owned()),
            (REFRESH, "360000".to_owned()),
            ("pbm/auth/enc_salt", "0123456789abcdef0123456789abcdef".to_owned()),
            ("pbm/firebase/android_bundle", "amail".to_owned()),
            ("psn/cab/root_dn", root.clone()),
            ("psn/cab/cab_ou", "ou=CAB".to_owned()),
            ("psn/cab/web_cache/enabled", "true".to_owned()),
            ("psn/ldap/web_cache/time", "15 minutes".to_owned()),
            ("psn/ldap/people_ou", folder("People")),
            ("psn/ldap/groups_ou", folder("Groups")),
            ("psn/ldap/domains_ou", folder("Domains")),
            // A leading slash changes nothing.
            ("/psn/ldap/host", "127.0.0.1".to_owned()),
            ("/psn/ldap/port", ldap_port),
            ("psn/ldap/bind_dn", format!("uid=pbm,ou=System,{root}")),
            ("psn/ldap/password", "service-password".to_owned()),
        ];
        if self.installation.has_redis() {
            let port = self.installation.redis().port().to_string();
            keys.push(("services/redis/host", "127.0.0.1".to_owned()));
            keys.push(("services/redis/port", port));
            keys.push(("services/redis/password", harness::REDIS_PASSWORD.to_owned()));
            keys.push(("services/redis/sentinel_enabled", "false".to_owned()));
        }
        keys.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    #[track_caller]
    pub(crate) fn command(&self, words: &[&str]) -> String {
        self.etcd.command(words).unwrap_or_else(|error| panic!("{error}"))
    }

    #[track_caller]
    pub(crate) fn put(&self, key: &str, value: &str) {
        self.command(&["put", "--", key, value]);
    }

    /// Stores several keys in one transaction.
    #[track_caller]
    pub(crate) fn put_all(&self, pairs: &[(&str, &str)]) {
        let puts: Vec<_> = pairs.iter().map(|(key, value)| format!("put {key} {value:?}")).collect();
        let answer = self.etcd.command_with_input(&["txn"], &format!("\n{}\n\n\n", puts.join("\n")));
        let answer = answer.unwrap_or_else(|error| panic!("{error}"));
        assert!(answer.contains("SUCCESS"), "{answer}");
    }

    /// The present revision.
    #[track_caller]
    pub(crate) fn revision(&self) -> String {
        let json = self.command(&["get", "any", "--write-out=json"]);
        let json: serde_json::Value = serde_json::from_str(&json).unwrap();
        json["header"]["revision"].to_string()
    }

    pub(crate) fn serve(&self) -> Serve {
        start_serve(&self.config, &[("PBM_HTTP__LISTEN", "127.0.0.1:0")])
    }

    /// Runs a command of `pbm` with the same configuration.
    pub(crate) fn pbm(&self, arguments: &[&str]) -> Finished {
        let config = ["--config", self.config.to_str().unwrap()];
        run_program(harness::pbm(), arguments.iter().chain(&config), &[], "")
    }
}

/// Whether a client at this machine's address needs no token.
pub(crate) fn is_allowed(serve: &Serve) -> bool {
    match serve.client().get("/v2/tenants") {
        Answer { status: 200, .. } => true,
        Answer { status: 401, .. } => false,
        answer => panic!("{answer:?}"),
    }
}

pub(crate) fn admin(serve: &Serve) -> Client {
    let answer = log_in(serve);
    serve.client().with_token(answer["access_token"].as_str().unwrap())
}

fn log_in(serve: &Serve) -> serde_json::Value {
    serve.client().log_in(&World::root_login(), World::root_password()).expect(200).json()
}

/// The lifetimes of new tokens in seconds: access and refresh.
pub(crate) fn lifetimes(serve: &Serve) -> (i64, i64) {
    let answer = log_in(serve);
    let [access, refresh] = ["access_token", "refresh_token"].map(|name| {
        use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
        let body = answer[name].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims: serde_json::Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(body).unwrap()).unwrap();
        claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap()
    });
    assert_eq!(answer["expire"], access);
    (access, refresh)
}

/// The problems with the configuration that an administrator is told.
pub(crate) fn problems(client: &Client) -> Vec<String> {
    let answer = client.get("/health/ready").expect(200).json();
    let problems = answer["configuration"].as_array().cloned().unwrap_or_default();
    problems.iter().map(|problem| problem.as_str().unwrap().to_owned()).collect()
}

#[track_caller]
pub(crate) fn assert_in_force(what: &str, holds: impl FnMut() -> bool) {
    assert!(within(IN_FORCE, holds), "not in force within {IN_FORCE:?}: {what}");
}
