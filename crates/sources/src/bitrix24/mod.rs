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

use crate::{Read, SourceError, read::Ending};
pub use settings::{Bitrix24Settings, Patience};
use tokio::sync::mpsc;

/// Makes one call with the webhook, in a thread for blocking work.
pub(crate) async fn probe(settings: &Bitrix24Settings) -> Result<(), SourceError> {
    let settings = settings.clone();
    let probe = move || {
        let (out, _nobody) = mpsc::channel(1);
        let itself = serde_json::json!({"FILTER": {"ID": settings.admin_userid}, "start": -1});
        portal::Portal::new(&settings, &out)?.call("user.get", &itself).map(drop)
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
