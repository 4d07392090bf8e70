//! Reading the configuration at the start of a process: etcd may be slow, or away.

use super::{
    Config,
    etcd_keys::{PREFIXES, UnusedKey},
    source::{Findings, Inputs, Mistake, Settings, Source},
};
use crate::{
    backoff::Backoff,
    etcd::{
        client::Client,
        error::EtcdError,
        settings::{CertificateError, EtcdSettings},
        snapshot::Snapshot,
    },
};
use std::{
    thread::sleep,
    time::{Duration, Instant},
};

impl Config {
    /// Reads a configuration from a file, the environment and etcd. The findings have no mistakes.
    ///
    /// # Errors
    /// Findings with all mistakes in it.
    pub fn of(inputs: &Inputs, etcd: Option<&Snapshot>) -> Result<(Self, Findings), Findings> {
        let mut source = Source::of(inputs, etcd);
        let config = Self::from_source(&mut source);
        let findings = source.finish();
        match config {
            Some(config) if findings.mistakes.is_empty() => Ok((config, findings)),
            _ => Err(findings),
        }
    }

    /// Where etcd is. All other settings, and mistakes in them, are left aside.
    ///
    /// # Errors
    /// The mistakes in the section `etcd`, and a file that cannot be read.
    pub fn etcd_of(inputs: &Inputs) -> Result<Option<EtcdSettings>, Vec<Mistake>> {
        let mut source = Source::of(inputs, None);
        let settings = super::etcd::etcd(&mut source);
        let mistakes = source.mistakes_so_far();
        if mistakes.is_empty() { Ok(settings) } else { Err(mistakes) }
    }
}

/// A configuration, and what it was read from.
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// Its settings, with their origins.
    pub settings: Settings,
    /// The keys of etcd without effect.
    pub unused: Vec<UnusedKey>,
    /// What keeps an optional feature off that etcd configures in part.
    pub warnings: Vec<Mistake>,
    /// The file and the environment.
    pub inputs: Inputs,
    /// The state of etcd, if it is used.
    pub etcd: Option<EtcdAtStart>,
}

/// The state of etcd when the configuration was read.
pub struct EtcdAtStart {
    /// The client.
    pub client: Client,
    /// What etcd held, or why it could not be read. In that case the file and the environment are sufficient.
    pub snapshot: Result<Snapshot, (String, EtcdError)>,
}

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// It has mistakes.
    #[error("the configuration has {} mistake(s)", .findings.mistakes.len())]
    Mistakes {
        /// The settings, and the mistakes in them.
        findings: Box<Findings>,
        /// What etcd held, in words, if it was read.
        etcd: Option<String>,
    },
    /// Etcd cannot be read, and the file and the environment do not suffice.
    #[error(
        "etcd cannot be read at {endpoint}, and without it the configuration is not complete (missing: {})",
        missing(&.findings.mistakes)
    )]
    Etcd {
        /// The endpoint that was tried last.
        endpoint: String,
        /// The settings without etcd, and what is wrong with them.
        findings: Box<Findings>,
        /// Why etcd cannot be read.
        #[source]
        source: EtcdError,
    },
    /// A certificate for etcd cannot be read.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
}

fn missing(mistakes: &[Mistake]) -> String {
    mistakes.iter().map(|mistake| mistake.place.as_str()).collect::<Vec<_>>().join(", ")
}

impl LoadError {
    /// The settings as far as they are known.
    #[must_use]
    pub fn findings(&self) -> Option<&Findings> {
        match self {
            Self::Mistakes { findings, .. } | Self::Etcd { findings, .. } => Some(findings),
            Self::Certificate(_) => None,
        }
    }

    /// The mistakes of the section `etcd`. Whether others are mistakes, only etcd could tell.
    fn of_etcd(inputs: &Inputs, mistakes: Vec<Mistake>) -> Self {
        let findings = match Config::of(inputs, None) {
            Ok((_, findings)) | Err(findings) => Findings { mistakes, ..findings },
        };
        Self::Mistakes { findings: Box::new(findings), etcd: None }
    }
}

impl EtcdAtStart {
    /// What etcd held, in words; `None` if it could not be read.
    #[must_use]
    pub fn in_words(&self) -> Option<String> {
        let Snapshot { revision, values, denied } = self.snapshot.as_ref().ok()?;
        let keys = match values.len() {
            0 => "none of the keys that pbm reads".to_owned(),
            number => format!("{number} keys that pbm reads"),
        };
        let denied = if denied.is_empty() {
            String::new()
        } else {
            format!("; the account may not read {}", denied.join(", "))
        };
        Some(format!("etcd at {} holds {keys}, at revision {revision}{denied}", self.client.endpoint()))
    }
}

impl Loaded {
    /// Reads a configuration. If etcd is away and the configuration is not complete without it, tries again until
    /// `etcd.start_timeout` has passed; `waits` is called once before that.
    ///
    /// # Errors
    /// [`LoadError`]
    pub fn read(inputs: Inputs, waits: impl FnOnce(&str, &EtcdError)) -> Result<Self, LoadError> {
        match Config::etcd_of(&inputs).map_err(|mistakes| LoadError::of_etcd(&inputs, mistakes))? {
            None => Self::of(inputs, None),
            Some(settings) => {
                let (client, snapshot) = read_etcd(&settings, &inputs, waits)?;
                Self::of(inputs, Some(EtcdAtStart { client, snapshot }))
            }
        }
    }

    fn of(inputs: Inputs, etcd: Option<EtcdAtStart>) -> Result<Self, LoadError> {
        let snapshot = etcd.as_ref().and_then(|etcd| etcd.snapshot.as_ref().ok());
        let (config, findings) = Config::of(&inputs, snapshot).map_err(|findings| LoadError::Mistakes {
            findings: Box::new(findings),
            etcd: etcd.as_ref().and_then(EtcdAtStart::in_words),
        })?;
        let Findings { settings, unused, warnings, .. } = findings;
        Ok(Self { config, settings, unused, warnings, inputs, etcd })
    }
}

type Read = (Client, Result<Snapshot, (String, EtcdError)>);

fn read_etcd(
    settings: &EtcdSettings,
    inputs: &Inputs,
    waits: impl FnOnce(&str, &EtcdError),
) -> Result<Read, LoadError> {
    let began = Instant::now();
    let (mut client, mut backoff) = (Client::new(settings, &PREFIXES)?, Backoff::default());
    let mut waits = Some(waits);
    loop {
        let (endpoint, error) = match client.read_from_any() {
            Ok(snapshot) => return Ok((client, Ok(snapshot))),
            Err(failed) => failed,
        };
        let Err(findings) = Config::of(inputs, None) else { return Ok((client, Err((endpoint, error)))) };
        if error.is_lasting() || began.elapsed() >= settings.start_timeout {
            return Err(LoadError::Etcd { endpoint, findings: Box::new(findings), source: error });
        }
        if let Some(waits) = waits.take() {
            waits(&endpoint, &error);
        }
        sleep(backoff.wait(None, rand::random()).max(Duration::from_millis(100)));
    }
}
