//! The recall of messages, with a real Dovecot and with one that fails.

pub(crate) mod addresses;
pub(crate) mod broken;
mod fake;
pub(crate) mod messages;

use harness::{Answer, Client, PASSWORD, Serve, Tenant, World, form, start_serve, within};
use sandbox::{DovecotServer, DovecotServerOptions};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    time::Duration,
};

/// A tenant with mailboxes: a Dovecot, and a `pbm serve` that recalls from it.
pub(crate) struct Post<'w> {
    pub(crate) tenant: Tenant<'w>,
    pub(crate) dovecot: DovecotServer,
    pub(crate) serve: Serve,
    pub(crate) config: PathBuf,
}

impl<'w> Post<'w> {
    /// Starts everything, with some users in the tenant, each with a box.
    pub(crate) fn start(world: &'w World, users: &[&str]) -> Self {
        Self::with(world, users, |options| options)
    }

    /// Starts everything, with options of Dovecot.
    pub(crate) fn with(
        world: &'w World,
        users: &[&str],
        options: impl FnOnce(DovecotServerOptions) -> DovecotServerOptions,
    ) -> Self {
        let (tenant, name) = (world.tenant(), world.fresh_name());
        let folder = world.installation().file(&format!("dovecot-{name}"));
        let dovecot = options(DovecotServer::in_folder(folder)).start();
        let dovecot = dovecot.unwrap_or_else(|error| panic!("Dovecot does not start: {error}"));
        for user in users {
            tenant.user(user).create();
        }
        let config = config(world, &dovecot.doveadm_url(), &dovecot.doveadm_password_file(), &[]);
        let post = Self { tenant, dovecot, serve: start_serve(&config, &[]), config };
        let names = users.iter().chain(&["administrator"]);
        let boxes: Vec<_> = names.map(|name| post.tenant.address(name)).collect();
        post.have_boxes(&boxes);
        post
    }

    /// Gives boxes to addresses, and to no others.
    pub(crate) fn have_boxes(&self, addresses: &[String]) {
        let users: Vec<_> = addresses.iter().map(|address| (address.as_str(), PASSWORD)).collect();
        self.dovecot.set_users(&users).unwrap();
    }

    /// A client at the `pbm serve` that recalls.
    pub(crate) fn at(&self, client: &Client) -> Client {
        client.at(&self.serve.client())
    }

    /// A recall by the tenant's administrator, without a report.
    #[track_caller]
    pub(crate) fn recall(&self, id: &str, emails: &str, more: &[(&str, &str)]) -> Value {
        let answer = recall(&self.at(self.tenant.admin()), id, emails, &[&[("notify", "0")], more].concat());
        answer.expect(200).json()
    }

    /// The result of a recall from one box.
    #[track_caller]
    pub(crate) fn recall_one(&self, id: &str, name: &str, force: bool) -> String {
        let force = if force { "1" } else { "0" };
        let answer = self.recall(id, &self.tenant.address(name), &[("force", force)]);
        let [row] = answer["results"].as_array().unwrap().as_slice() else { panic!("{answer}") };
        assert_eq!(answer["success"], row["result"] != "failed");
        assert_eq!(answer["counts"][row["result"].as_str().unwrap()], 1, "{answer}");
        row["result"].as_str().unwrap().to_owned()
    }

    /// Runs a command of doveadm for a user, and returns its rows.
    #[track_caller]
    pub(crate) fn doveadm(&self, command: &str, name: &str, parameters: Value) -> Vec<Value> {
        self.doveadm_of(command, &self.tenant.address(name), parameters)
    }

    /// Runs a command of doveadm for the user with an address.
    #[track_caller]
    pub(crate) fn doveadm_of(&self, command: &str, address: &str, mut parameters: Value) -> Vec<Value> {
        parameters["user"] = address.into();
        let answer = self.dovecot.doveadm(&json!([[command, parameters, "test"]]).to_string()).unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        assert_eq!(answer[0][0], "doveadmResponse", "{command}: {answer}");
        answer[0][1].as_array().unwrap().clone()
    }

    /// Delivers a message into the INBOX of a user.
    #[track_caller]
    pub(crate) fn deliver(&self, name: &str, id: &str) {
        self.deliver_to(name, "INBOX", id);
    }

    /// Delivers a message into a mailbox, which is created.
    #[track_caller]
    pub(crate) fn deliver_to(&self, name: &str, mailbox: &str, id: &str) {
        if mailbox != "INBOX" {
            self.doveadm("mailboxCreate", name, json!({"mailbox": [mailbox]}));
        }
        let message = format!("Message-ID: {id}\r\nSubject: test\r\n\r\nThe text.\r\n");
        self.doveadm("save", name, json!({"mailbox": mailbox, "file": message}));
    }

    /// The identifiers of all messages that a user sees, sorted.
    #[track_caller]
    pub(crate) fn ids(&self, name: &str) -> Vec<String> {
        let fields = json!({"field": ["hdr.message-id"], "query": ["all"]});
        let rows = self.doveadm("fetch", name, fields);
        let mut ids: Vec<_> =
            rows.iter().map(|row| row["hdr.message-id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        ids
    }

    /// Sends commands of IMAP as a user, and returns the answers.
    #[track_caller]
    pub(crate) fn imap(&self, name: &str, commands: &[&str]) -> String {
        let stream = TcpStream::connect(("127.0.0.1", self.dovecot.imap_port())).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let (mut reader, mut writer) = (BufReader::new(stream.try_clone().unwrap()), stream);
        let log_in = format!("LOGIN {} {PASSWORD}", self.tenant.address(name));
        let mut all = String::new();
        for (number, command) in [log_in.as_str()].iter().chain(commands).enumerate() {
            write!(writer, "t{number} {command}\r\n").unwrap();
            let end = format!("t{number} ");
            loop {
                let mut line = String::new();
                assert_ne!(reader.read_line(&mut line).unwrap(), 0, "{all}");
                all.push_str(&line);
                if line.starts_with(&end) {
                    assert!(line.starts_with(&format!("{end}OK")), "{command}: {all}");
                    break;
                }
            }
        }
        all
    }

    /// Reads every message in the INBOX of a user, as a mail program does.
    #[track_caller]
    pub(crate) fn read_all(&self, name: &str) {
        self.imap(name, &["SELECT INBOX", "FETCH 1:* BODY[TEXT]"]);
    }
}

impl Drop for Post<'_> {
    fn drop(&mut self) {
        // Its data is not needed any more.
        self.dovecot.kill();
        let folder = self.dovecot.folder().to_path_buf();
        within(Duration::from_secs(5), || harness::alive(&folder).is_empty());
    }
}

/// A recall as a client sends it.
pub(crate) fn recall(client: &Client, id: &str, emails: &str, more: &[(&str, &str)]) -> Answer {
    let query = [&[("cmd", "expunge"), ("messageid", id), ("emails", emails)], more].concat();
    client.post(format!("/v2/actions?{}", form(&query)), "")
}

/// A configuration with a mail server at a URL, and the password in a file.
pub(crate) fn config(world: &World, url: &str, password_file: &Path, more: &[(&str, &str)]) -> PathBuf {
    let (url, file) = (format!("{url:?}"), format!("{:?}", password_file.display().to_string()));
    let changes = [&[("doveadm.url", url.as_str()), ("doveadm.password_file", file.as_str())], more].concat();
    world.installation().config(&format!("{}.toml", world.fresh_name()), &changes)
}

/// The results of an answer, in order.
#[track_caller]
pub(crate) fn results(answer: &Value) -> Vec<(String, String)> {
    let rows = answer["results"].as_array().unwrap_or_else(|| panic!("{answer}")).iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rows.map(|row| (text(&row["mail"]), text(&row["result"]))).collect()
}
