//! Bitrix24 as a source, by its REST API and an incoming webhook.
//!
//! - `address`: the URL of the portal, and the secret in it;
//! - `client`: one request and its reply, bounded;
//! - `answer`, `refusal`: what a reply says;
//! - `patience`, `portal`: a call, repeated as long as the portal asks for it;
//! - `departments`, `people`, `card`, `photo`: what is read.
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
mod settings;

use crate::{Passed, Read, SourceError, read::Ending};
pub use settings::{Bitrix24Settings, Patience};
use tokio::sync::mpsc;

/// Reads one page of people and of departments in a thread for blocking work, and returns what is missing without which
/// a run works all the same.
///
/// # Errors
/// [`SourceError`], also if a run would find nobody, or no addresses.
pub(crate) async fn probe(settings: &Bitrix24Settings) -> Result<Vec<Passed>, SourceError> {
    let settings = settings.clone();
    let probe = move || {
        // The other end lives as long as the probe: a portal without a run ends at once.
        let (out, _nobody) = mpsc::channel(1);
        people::probe(&settings, &out)
    };
    tokio::task::spawn_blocking(probe)
        .await
        .map_err(|_| SourceError::Refused("the reader of Bitrix24 has failed".to_owned()))?
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
