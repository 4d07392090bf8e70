//! Health: whether the process runs, and whether the directory answers.

use super::{
    document::Answer,
    endpoint::{Access, Document, Endpoint, Particulars, Verb},
};
use crate::http::{
    answer::{Failure, as_json},
    call::Call,
};
use actix_web::http::StatusCode;
use directory::{Directory, error::DirectoryError};
use mail_model::user::role::Role;
use serde::Serialize;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use utoipa::ToSchema;
use web::answer::Reply;

/// How long an answer about the directory is believed, so that probes cost it nothing.
const FRESH: Duration = Duration::from_secs(1);

/// How it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct Status {
    /// `live` or `ready`.
    status: &'static str,
    /// `failed` where the latest backup on schedule came to nothing; the log has the reason. Answers are given all the same.
    /// Told to super administrators alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    backup: Option<&'static str>,
}

/// How the latest backup on schedule went.
#[derive(Default)]
pub struct ScheduledBackup(AtomicBool);

impl ScheduledBackup {
    /// Notes how one went.
    pub fn note(&self, is_made: bool) {
        self.0.store(!is_made, Ordering::Relaxed);
    }

    fn word(&self) -> Option<&'static str> {
        self.0.load(Ordering::Relaxed).then_some("failed")
    }
}

/// What there is to say about the directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Answers,
    OutOfReach,
    /// It does not let the account of this server in. What account, and why, is for the log.
    RefusesUs,
    /// Plug-ins do not run, so that nothing would keep addresses from being given twice. Which ones is for the log.
    HasIdlePlugins,
}

impl Found {
    async fn look(directory: &Directory) -> Self {
        if let Err(error) = directory.ping().await {
            return Self::of(&error);
        }
        match directory.idle_plugins().await {
            Ok(Some(idle)) if !idle.is_empty() => Self::HasIdlePlugins,
            Ok(_) => Self::Answers,
            Err(error) => Self::of(&error),
        }
    }

    fn of(error: &DirectoryError) -> Self {
        match error {
            DirectoryError::Unreachable(error) if error.is_of_account() => Self::RefusesUs,
            _ => Self::OutOfReach,
        }
    }
}

/// The last answer about the directory.
#[derive(Default)]
pub struct Health(Mutex<Option<(Instant, Found)>>);

impl Health {
    fn known(&self) -> Option<Found> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| at.elapsed() < FRESH).map(|(_, found)| found)
    }

    fn remember(&self, found: Found) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), found));
    }
}

pub(super) const LIVE: Endpoint = Endpoint {
    name: "live",
    method: Verb::Get,
    path: "/health/live",
    access: Access::Open,
    handler: |_| Box::pin(async { live() }),
    particulars: Particulars::NONE,
    document: Document { summary: "The process runs", answer: Answer::of::<Status>, ..Document::BASE },
};

fn live() -> Result<Reply, Failure> {
    as_json(&Status { status: "live", backup: None })
}

pub(super) const READY: Endpoint = Endpoint {
    name: "ready",
    method: Verb::Get,
    path: "/health/ready",
    access: Access::Open,
    handler: |call| Box::pin(ready(call)),
    particulars: Particulars { tells_administrators_more: true, ..Particulars::NONE },
    document: Document {
        summary: "The directory answers",
        about: "503 while the directory is out of reach, does not let this server in, or does not run the plug-ins that keep \
                addresses unique.",
        answer: Answer::of::<Status>,
        fails_with: &[503],
        ..Document::BASE
    },
};

async fn ready(call: &Call<'_>) -> Result<Reply, Failure> {
    if call.directory.hangs() {
        let message = "The directory hangs: it has answered nothing for seconds.";
        return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry());
    }
    let health = &call.services.health;
    let found = if let Some(found) = health.known() {
        found
    } else {
        let found = Found::look(call.directory).await;
        health.remember(found);
        found
    };
    let failure = |message| Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry());
    match found {
        Found::Answers => {
            let is_told = call.actor.as_ref().is_some_and(|actor| actor.role() == Role::SuperAdministrator);
            let backup = call.services.scheduled_backup.word().filter(|_| is_told);
            as_json(&Status { status: "ready", backup })
        }
        Found::OutOfReach => failure("The directory is out of reach."),
        Found::RefusesUs => failure(
            "The directory does not let this server in. Its log says why, and what to do (directory.account.refused).",
        ),
        Found::HasIdlePlugins => failure(
            "Plug-ins of the directory do not run that this server relies on. Its log says which, and what to do \
             (directory.plugins.idle).",
        ),
    }
}
