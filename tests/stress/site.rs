//! The servers of a stress run, and their initial contents.

use crate::{kinds::Kind, watch::Watch};
use harness::{
    Answer, Client, DOMAIN, Finished, Installation, Probe, Serve, Setup, Signal, World, encoded, signal,
    start_serve,
};
use std::{fmt::Write as _, path::PathBuf, process::Command};

/// The tenants: the first has most of the users.
pub(crate) const TENANTS: [(&str, &str); 3] =
    [("default", DOMAIN), ("second", "second.test"), ("third", "third.test")];
/// The department whose users are the members of a dynamic list.
const DEPARTMENT: &str = "Sales";
/// Lists that exist throughout the run.
pub(crate) const LISTS: usize = 5;
/// The number of log lines shown.
const SHOWN: usize = 10;
/// Hashing passwords is most of the cost of a new user, and is not under test.
const CHEAP_HASHES: &str =
    "dn: cn=config\nchangetype: modify\nreplace: passwordStorageScheme\npasswordStorageScheme: SSHA512\n";

/// A 389-ds and a Redis, and two pbm in front of them: one with Redis, one without.
pub(crate) struct Site {
    // Dropped in this order.
    with_redis: Serve,
    without_redis: Serve,
    installation: Installation,
    pub(crate) config: PathBuf,
    /// A super administrator at each of the two.
    pub(crate) client: Client,
    pub(crate) client_without_redis: Client,
    /// Users that exist throughout the run, in each tenant.
    pub(crate) users: usize,
}

impl Site {
    /// Starts the servers.
    pub(crate) fn start(users: usize) -> Self {
        let installation = Installation::start(Setup::default());
        installation.probe().modify(CHEAP_HASHES);
        for (id, domain) in &TENANTS[1..] {
            installation.create_tenant(id, domain);
        }
        // Longer than the limits of operations, so that those detect a hang.
        let settings = [
            ("ldap.operation_timeout", "\"10m\""),
            ("ldap.checkout_timeout", "\"2m\""),
            ("ldap.connect_timeout", "\"20s\""),
            ("redis.timeout", "\"20s\""),
            ("auth.access_token_seconds", "86400"),
            ("deletion.retention", "\"2s\""),
        ];
        let config = installation.config("stress.toml", &settings);
        let off = [settings.as_slice(), &[("address_book.cache.enabled", "false")]].concat();
        let off = installation.config("stress-without-redis.toml", &off);
        let (with_redis, without_redis) = (start_serve(&config, &[]), start_serve(&off, &[]));
        let log_in = |serve: &Serve| {
            let answer = serve.client().log_in(&World::root_login(), World::root_password()).expect(200);
            let token = answer.json()["access_token"].as_str().unwrap().to_owned();
            serve.client().with_token(&token).with_patience(Kind::BulkImport.limit())
        };
        let (client, client_without_redis) = (log_in(&with_redis), log_in(&without_redis));
        Self { with_redis, without_redis, installation, config, client, client_without_redis, users }
    }

    /// Creates the users and lists that exist throughout the run.
    pub(crate) fn fill(&self, watch: &Watch) -> Option<()> {
        for (tenant, (id, _)) in TENANTS.iter().enumerate() {
            let rows: String =
                (0..self.users_of(tenant)).map(|user| row(&standing_user(tenant, user))).collect();
            watch.time(0, Kind::BulkImport, id, || self.bulk(id, &rows, ""))?;
            for list in 0..LISTS {
                let mail = standing_list(tenant, list);
                let member =
                    if list == 0 { standing_user(tenant, 0) } else { standing_list(tenant, list - 1) };
                let content = if list + 1 == LISTS {
                    ("filter", format!("ou={DEPARTMENT}"))
                } else {
                    ("alias", member)
                };
                let pairs = [("tenant-id", *id), ("mail", &mail), ("displayName", "Standing")];
                let form = harness::form(&pairs) + "&" + &harness::form(&[content]);
                let make = || expect(self.client.try_send("POST", "/v2/maillists", form.as_bytes()), &[200]);
                watch.time(0, Kind::CreateList, &mail, make)?;
            }
        }
        Some(())
    }

    /// The number of a tenant's users that exist throughout the run.
    pub(crate) fn users_of(&self, tenant: usize) -> usize {
        if tenant == 0 { self.users } else { self.users / 10 }
    }

    /// Imports rows of users; each must succeed.
    pub(crate) fn bulk(&self, tenant: &str, rows: &str, query: &str) -> Result<(), String> {
        let client = self.client.with_header("Content-Type", "text/csv");
        let body = format!("mail,userPassword,employeeNumber,cn,sn,ou\n{rows}");
        let path = format!("/v2/users/{tenant}/bulk?{query}");
        let answer = expect(client.try_send("POST", &path, body.as_bytes()), &[200])?;
        let summary = answer.text().lines().last().unwrap_or_default().to_owned();
        if summary.contains("\"errors\":0}") {
            Ok(())
        } else {
            Err(answer.text().chars().take(2000).collect())
        }
    }

    /// Direct access to the directory, without pbm.
    pub(crate) fn probe(&self) -> Probe {
        self.installation.probe()
    }

    /// A file of this run.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.installation.file(name)
    }

    /// Runs a command of pbm.
    pub(crate) fn pbm(&self, arguments: &[&str]) -> Finished {
        self.installation.pbm(&self.config, arguments)
    }

    /// Information about a failed run: the stacks of 389-ds, in a file that is kept, and the ends of the logs.
    pub(crate) fn post_mortem(&self) -> String {
        let mut told = String::new();
        if let Some(stacks) = self.stacks() {
            // Writing to a String does not fail.
            let _ = writeln!(told, "the stacks of ns-slapd: {}", stacks.display());
        }
        let errors = self.installation.directory.folder().join("log/errors");
        let errors = std::fs::read_to_string(errors).unwrap_or_default();
        let lines: Vec<_> = errors.lines().collect();
        let _ = writeln!(told, "the end of the error log of 389-ds:");
        for line in &lines[lines.len().saturating_sub(SHOWN)..] {
            let _ = writeln!(told, "  {line}");
        }
        for (name, serve) in [("pbm", &self.with_redis), ("pbm without Redis", &self.without_redis)] {
            let log = serve.log();
            let lines: Vec<_> = log.lines().collect();
            let (troubles, others): (Vec<&str>, Vec<&str>) = lines
                .iter()
                .copied()
                .partition(|line: &&str| ["WARN", "ERROR"].iter().any(|level| line.contains(level)));
            let _ = writeln!(told, "the end of the log of {name}, warnings first:");
            for lines in [troubles, others] {
                for line in &lines[lines.len().saturating_sub(SHOWN)..] {
                    let _ = writeln!(told, "  {line}");
                }
            }
        }
        told
    }

    fn stacks(&self) -> Option<PathBuf> {
        let pid = self.installation.directory.pid()?.to_string();
        let all = ["-p", &pid, "-batch", "-ex", "set pagination off", "-ex", "thread apply all backtrace"];
        let output = Command::new("gdb").args(all).output().ok()?;
        let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("stress-ns-slapd-{pid}.txt"));
        std::fs::write(&file, output.stdout).ok()?;
        Some(file)
    }

    /// Kills everything, so that no caller waits for a response any longer.
    pub(crate) fn kill(&self) {
        for serve in [&self.with_redis, &self.without_redis] {
            signal(serve.pid(), Signal::KILL);
        }
        if let Some(pid) = self.installation.directory.pid() {
            signal(pid, Signal::KILL);
        }
    }

    /// Stops everything and returns the leftovers.
    pub(crate) fn stop(self) -> Vec<String> {
        let Self { with_redis, without_redis, installation, .. } = self;
        drop((with_redis, without_redis));
        installation.stop()
    }
}

/// A row of an import.
pub(crate) fn row(mail: &str) -> String {
    let number = mail.bytes().map(u32::from).sum::<u32>();
    let department = if number.is_multiple_of(7) { DEPARTMENT } else { "Support" };
    format!("{mail},{},2,Имя,Фамилия{number},{department}\n", harness::PASSWORD)
}

/// The address of a user that exists throughout the run.
pub(crate) fn standing_user(tenant: usize, user: usize) -> String {
    format!("standing{user}@{}", TENANTS[tenant].1)
}

/// The address of a list that exists throughout the run. Each contains the previous one, and the last is dynamic.
pub(crate) fn standing_list(tenant: usize, list: usize) -> String {
    format!("list{list}@{}", TENANTS[tenant].1)
}

/// The path of a user.
pub(crate) fn user_path(tenant: usize, mail: &str) -> String {
    format!("/v2/users/{}/{}", TENANTS[tenant].0, encoded(mail))
}

/// A response with one of some statuses.
pub(crate) fn expect(answer: std::io::Result<Answer>, statuses: &[u16]) -> Result<Answer, String> {
    let answer = answer.map_err(|error| format!("no answer: {error}"))?;
    if statuses.contains(&answer.status) {
        return Ok(answer);
    }
    Err(format!("{} instead of {statuses:?}: {:.1000}", answer.status, answer.text()))
}
