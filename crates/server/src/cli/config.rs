//! `pbm config`: the settings that are in force, and how to store them in etcd.

use super::{
    ConfigArgs, Outcome,
    print::{say, tell},
};
use crate::config::{
    etcd_keys::{UnusedKey, lines::Lines},
    loading::Loaded,
    source::{Effective, Findings, Mistake, Origin, Setting, Settings},
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
    /// Print every setting with its value and where the value comes from, even if there are mistakes. Secrets are masked.
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
        match &self.command {
            ConfigCommand::Show(args) => args.run()?,
            ConfigCommand::Etcd(args) => {
                let loaded = args.config.load()?;
                tell_if_away(&loaded);
                etcd(&loaded, args.with_secrets);
            }
        }
        Ok(Ok(ExitCode::SUCCESS))
    }
}

impl ShowArgs {
    /// Prints the settings, even if there are mistakes in them.
    fn run(&self) -> Result<(), ExitCode> {
        match self.config.read() {
            Ok(loaded) => {
                tell_if_away(&loaded);
                Shown::of(&loaded).print(self.json);
                Ok(())
            }
            Err(error) => {
                if let Some(findings) = error.findings() {
                    Shown::of_findings(findings).print(self.json);
                }
                Err(self.config.explain(&error))
            }
        }
    }
}

/// What `pbm config show` prints.
struct Shown<'a> {
    settings: &'a Settings,
    unused: &'a [UnusedKey],
    warnings: &'a [Mistake],
    denied: &'a [String],
    mistakes: &'a [Mistake],
}

fn tell_if_away(loaded: &Loaded) {
    if let Some(Err((endpoint, error))) = loaded.etcd.as_ref().map(|etcd| &etcd.snapshot) {
        tell!("pbm: etcd cannot be read at {endpoint}: {}; these are the settings without it.", chain(error));
    }
}

impl<'a> Shown<'a> {
    fn of(loaded: &'a Loaded) -> Self {
        let Loaded { settings, unused, warnings, .. } = loaded;
        let snapshot = loaded.etcd.as_ref().and_then(|etcd| etcd.snapshot.as_ref().ok());
        let denied = snapshot.map_or(&[][..], |snapshot| &snapshot.denied);
        Self { settings, unused, warnings, denied, mistakes: &[] }
    }

    fn of_findings(findings: &'a Findings) -> Self {
        let Findings { settings, unused, warnings, mistakes } = findings;
        Self { settings, unused, warnings, denied: &[], mistakes }
    }

    fn print(&self, as_json: bool) {
        if as_json { say!("{:#}", self.json()) } else { self.print_lines() }
    }

    /// Whether a value may be a password in the wrong place, so that it is not shown.
    fn is_doubtful(&self, key: &str, value: &Effective) -> bool {
        *value != Effective::Unset && self.mistakes.iter().any(|mistake| mistake.place == key)
    }

    fn print_lines(&self) {
        for (key, Setting { value, origin }) in self.settings {
            if self.is_doubtful(key, value) {
                say!("# {key} has a mistake  # {origin}");
            } else {
                say!("{key} = {}  # {origin}", shown(value));
            }
        }
        for UnusedKey { key, reason } in self.unused {
            say!("# etcd {key} is not used: {reason}");
        }
        for warning in self.warnings {
            say!("# Warning: {warning}");
        }
        if !self.denied.is_empty() {
            say!("# etcd: the account may not read {}: they count as empty", self.denied.join(", "));
        }
    }

    fn json(&self) -> Value {
        let settings = self.settings.iter().map(|(key, Setting { value, origin })| {
            let is_doubtful = self.is_doubtful(key, value);
            let value = if is_doubtful { Value::Null } else { shown_json(value) };
            ((*key).to_owned(), json!({ "value": value, "origin": origin_json(origin) }))
        });
        let settings: serde_json::Map<String, Value> = settings.collect();
        let unused: Vec<_> =
            self.unused.iter().map(|unused| json!({ "key": unused.key, "reason": unused.reason })).collect();
        let placed = |mistakes: &[Mistake]| -> Vec<Value> {
            mistakes
                .iter()
                .map(|mistake| json!({ "setting": mistake.place, "reason": mistake.reason }))
                .collect()
        };
        json!({
            "settings": settings,
            "unused": unused,
            "denied": self.denied,
            "warnings": placed(self.warnings),
            "mistakes": placed(self.mistakes),
        })
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
