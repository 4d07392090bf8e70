//! Bitrix24 as a source, by its REST API and an incoming webhook.

use crate::{Read, SourceError, mapping::Mapping, read::Ending};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};
use tokio::sync::mpsc;

/// How to reach and read a portal.
#[derive(Clone, Debug)]
pub struct Bitrix24Settings {
    /// The URL of the portal, such as `https://example.bitrix24.ru`.
    pub url: url::Url,
    /// The identifier of the user who made the webhook.
    pub admin_userid: String,
    /// The code of the webhook.
    pub webhook: SecretString,
    /// Certificates of the authorities that are trusted besides the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Which fields of the portal become which fields of a card.
    pub mapping: Mapping,
    /// The field whose value is added to the last name, to tell namesakes apart.
    pub surname_field: Option<String>,
    /// How long an answer may take.
    pub timeout: Duration,
}

pub(crate) async fn people(
    _settings: &Bitrix24Settings,
    _out: mpsc::Sender<Read>,
) -> Result<Ending, SourceError> {
    Err(SourceError::Ended)
}
