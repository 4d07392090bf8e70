//! `pbm config`: the settings that are in force, and how to store them in etcd.

use super::{
    ConfigArgs, Outcome,
    print::{say, tell},
};
use crate::config::{
    etcd_keys::{UnusedKey, lines::Lines},
    loading::Loaded,
    source::{Effective, Origin, Setting},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::process::ExitCode;
use visible_text::chain;

const EXIT_CODES: &str = "Exit code: 0 on success, 1 when etcd is needed and cannot be read, 2 when the command line or \
    the configuration is wrong.";
/// What is shown in place of a secret.
const MASK: &str = "********";

#[derive(Args)]
pub(super) struct ConfigCommandArgs {
    #[command(subcommand)]
    command: ConfigCommand,
}

#[derive(Subcommand)]
enum ConfigCommand {
    /// Print every setting with its value and where the value comes from. Secrets are masked.
    #[command(after_help = EXIT_CODES)]
    Show(ShowArgs),
    /// Print the commands (etcdctl put …) that store the settings in etcd, except those that are defaults.
    #[command(after_help = EXIT_CODES)]
    Etcd(EtcdArgs),
}

#[derive(Args)]
struct ShowArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct EtcdArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Print passwords and keys, too. Without this option their lines are comments.
    #[arg(long)]
    with_secrets: bool,
}

impl ConfigCommandArgs {
    pub(super) fn run(&self) -> Result<Outcome, ExitCode> {
        let loaded = match &self.command {
            ConfigCommand::Show(args) => args.config.load()?,
            ConfigCommand::Etcd(args) => args.config.load()?,
        };
        tell_if_away(&loaded);
        match &self.command {
            ConfigCommand::Show(args) => show(&loaded, args.json),
            ConfigCommand::Etcd(args) => etcd(&loaded, args.with_secrets),
        }
        Ok(Ok(ExitCode::SUCCESS))
    }
}

fn tell_if_away(loaded: &Loaded) {
    if let Some(Err((endpoint, error))) = loaded.etcd.as_ref().map(|etcd| &etcd.snapshot) {
        tell!("pbm: etcd cannot be read at {endpoint}: {}; these are the settings without it.", chain(error));
    }
}

fn show(loaded: &Loaded, as_json: bool) {
    if as_json {
        let settings = loaded.settings.iter().map(|(key, setting)| {
            let origin = origin_json(&setting.origin);
            (*key, json!({ "value": shown_json(&setting.value), "origin": origin }))
        });
        let settings: serde_json::Map<String, Value> =
            settings.map(|(key, value)| (key.to_owned(), value)).collect();
        let unused =
            loaded.unused.iter().map(|UnusedKey { key, reason }| json!({ "key": key, "reason": reason }));
        let unused: Vec<_> = unused.collect();
        say!("{:#}", json!({ "settings": settings, "unused": unused }));
        return;
    }
    for (key, Setting { value, origin }) in &loaded.settings {
        say!("{key} = {}  # {origin}", shown(value));
    }
    for UnusedKey { key, reason } in &loaded.unused {
        say!("# etcd {key} is not used: {reason}");
    }
}

/// A value as TOML; a setting without a value has none.
fn shown(value: &Effective) -> String {
    match value {
        Effective::Unset => String::new(),
        Effective::Text(text) => toml::Value::from(text.as_str()).to_string(),
        Effective::List(texts) => toml::Value::from(texts.clone()).to_string(),
        Effective::Secret(_) => MASK.to_owned(),
    }
}

fn shown_json(value: &Effective) -> Value {
    match value {
        Effective::Unset => Value::Null,
        Effective::Text(text) => text.as_str().into(),
        Effective::List(texts) => texts.clone().into(),
        Effective::Secret(_) => MASK.into(),
    }
}

fn origin_json(origin: &Origin) -> Value {
    match origin {
        Origin::Default => json!({ "kind": "default" }),
        Origin::Etcd(keys) => json!({ "kind": "etcd", "keys": keys }),
        Origin::File(path) => json!({ "kind": "file", "path": path.display().to_string() }),
        Origin::Environment(name) => json!({ "kind": "environment", "name": name }),
    }
}

fn etcd(loaded: &Loaded, with_secrets: bool) {
    let Lines { put, of_machine } = Lines::of(&loaded.settings);
    let hides = |line: &&crate::config::etcd_keys::lines::Line| line.is_secret && !with_secrets;
    let hidden = put.iter().filter(hides).count();
    for line in &put {
        say!("{}", if hides(&line) { line.masked() } else { line.command() });
    }
    for setting in of_machine {
        say!("# {setting} concerns one machine: it stays in the file or the environment");
    }
    if hidden > 0 {
        tell!("pbm: {hidden} secret(s) are left out: --with-secrets prints them.");
    } else if with_secrets && put.iter().any(|line| line.is_secret) {
        tell!("pbm: these lines contain secrets.");
    }
}
