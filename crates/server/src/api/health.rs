//! Health: whether the process runs, and whether the directory answers.

use crate::http::{
    answer::{Failure, Reply},
    call::Call,
};
use actix_web::http::StatusCode;
use serde::Serialize;
use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};
use utoipa::ToSchema;

/// How long an answer about the directory is believed, so that probes cost it nothing.
const FRESH: Duration = Duration::from_secs(1);

/// How it is.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct Status {
    /// `live` or `ready`.
    status: &'static str,
    /// `failed` where the latest backup on schedule came to nothing; the log has the reason. Answers are given all the same.
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

/// The last answer about the directory.
#[derive(Default)]
pub struct Health(Mutex<Option<(Instant, bool)>>);

impl Health {
    fn known(&self) -> Option<bool> {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.filter(|(at, _)| at.elapsed() < FRESH).map(|(_, answers)| answers)
    }

    fn remember(&self, answers: bool) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), answers));
    }
}

pub(super) fn live() -> Result<Reply, Failure> {
    Reply::json(&Status { status: "live", backup: None })
}

pub(super) async fn ready(call: &Call<'_>) -> Result<Reply, Failure> {
    let health = &call.services.health;
    let answers = if let Some(answers) = health.known() {
        answers
    } else {
        let answers = call.directory.ping().await.is_ok();
        health.remember(answers);
        answers
    };
    if answers {
        Reply::json(&Status { status: "ready", backup: call.services.scheduled_backup.word() })
    } else {
        Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "The directory is out of reach.").with_retry())
    }
}
