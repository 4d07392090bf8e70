//! Bitrix24 as a source, by its REST API and an incoming webhook.
//!
//! - [`address`]: the URL of the portal, and the secret in it;
//! - [`client`]: one request and its reply, bounded;
//! - [`answer`], [`refusal`]: what a reply says;
//! - [`patience`], [`portal`]: a call, repeated as long as the portal asks for it;
//! - [`departments`], [`people`], [`card`], [`photo`]: what is read.
//!
//! The facts about the portal are from its documentation (<https://apidocs.bitrix24.com>, repository
//! `bitrix24/b24restdocs`). Not covered: OAuth applications, `batch`, and the API's version 3.

mod address;
mod answer;
mod card;
mod client;
mod departments;
mod patience;
mod people;
mod photo;
mod portal;
mod refusal;

pub use patience::Patience;

use crate::{Read, SourceError, mapping::Mapping, read::Ending};
use secrecy::SecretString;
use std::{path::PathBuf, time::Duration};
use tokio::sync::mpsc;

/// How to reach and read a portal.
#[derive(Clone, Debug)]
pub struct Bitrix24Settings {
    /// The URL of the portal, such as `https://example.bitrix24.ru`. Without encryption only on this machine.
    pub url: url::Url,
    /// The identifier of the user who made the webhook: a number.
    pub admin_userid: String,
    /// The code of the webhook: letters and digits.
    pub webhook: SecretString,
    /// Certificates of the authorities that are trusted instead of the system's, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Which fields of the portal become which fields of a card.
    pub mapping: Mapping,
    /// The field whose value is added to the last name, to tell namesakes apart.
    pub surname_field: Option<String>,
    /// Whether photos are read, with a request each. Only photos that the portal's own host serves are.
    pub photos: bool,
    /// How long an answer may take. The portal allows itself 60 seconds.
    pub timeout: Duration,
    /// How long the limits of the portal are waited for.
    pub patience: Patience,
}

/// Reads all people in a thread for blocking work, which ends soon after the receiver is dropped.
pub(crate) async fn people(
    settings: &Bitrix24Settings,
    out: mpsc::Sender<Read>,
) -> Result<Ending, SourceError> {
    let settings = settings.clone();
    tokio::task::spawn_blocking(move || people::read(&settings, &out))
        .await
        .map_err(|_| SourceError::Refused("the reader of Bitrix24 has failed".to_owned()))?
}
