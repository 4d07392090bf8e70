//! Health: whether the process runs, and whether the directory answers.

use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::Answer,
    endpoint::{Access, Document, Endpoint, Particulars, Verb},
};
use actix_web::http::StatusCode;
use administration::{configuration::ConfigurationProblem, health::Found};
use mail_model::user::role::Role;
use serde::Serialize;
use utoipa::ToSchema;
use web::answer::Reply;

/// The state of the process.
#[derive(Serialize, ToSchema)]
#[schema(as = Health)]
pub(super) struct HealthAnswer {
    /// `live` or `ready`.
    status: &'static str,
    /// `failed` if the latest scheduled backup failed; the log has the reason. The process is ready all the same. Only
    /// super administrators get this field.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    backup: Option<&'static str>,
    /// Problems with the configuration in etcd: `invalid` if its latest values have a mistake, so that the last valid
    /// ones are in force; `unreachable`; `waiting-for-restart`. The log has the details. The process is ready all the
    /// same. Only super administrators get this field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    configuration: Vec<&'static str>,
}

pub(super) const LIVE: Endpoint = Endpoint {
    name: "live",
    method: Verb::Get,
    path: "/health/live",
    access: Access::Open,
    handler: |_| Box::pin(async { live() }),
    particulars: Particulars::NONE,
    document: Document { summary: "The process runs", answer: Answer::of::<HealthAnswer>, ..Document::BASE },
};

fn live() -> Result<Reply, Failure> {
    as_json(&HealthAnswer { status: "live", backup: None, configuration: Vec::new() })
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
        about: "503 while the directory is out of reach, refuses the account of this server, lacks entries because a \
                restore of everything is not finished, or does not run the plug-ins that keep addresses unique.",
        answer: Answer::of::<HealthAnswer>,
        fails_with: &[503],
        ..Document::BASE
    },
};

async fn ready(call: &Call<'_>) -> Result<Reply, Failure> {
    let failure = |message| Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry());
    match call.services.health.look(call.directory).await {
        Found::Answers => {
            let is_told = call.actor.as_ref().is_some_and(|actor| actor.role() == Role::SuperAdministrator);
            let backup = (is_told && call.services.scheduled_backup.has_failed()).then_some("failed");
            let problems = call.services.configuration.problems().filter(|_| is_told);
            as_json(&HealthAnswer {
                status: "ready",
                backup,
                configuration: problems.map(word_for).collect(),
            })
        }
        Found::Hangs => failure("The directory hangs: it has not responded for several seconds."),
        Found::OutOfReach => failure("The directory is out of reach."),
        Found::RefusesUs => failure(
            "The directory does not let this server in. Its log says why, and what to do (directory.account.refused).",
        ),
        Found::Incomplete => failure(
            "The directory lacks entries: a restore of everything is under way or was not finished. The log says what to do \
             (directory.incomplete).",
        ),
        Found::HasIdlePlugins => failure(
            "Plug-ins of the directory that this server needs do not run. Its log says which, and what to do \
             (directory.plugins.idle).",
        ),
    }
}

fn word_for(problem: ConfigurationProblem) -> &'static str {
    match problem {
        ConfigurationProblem::Invalid => "invalid",
        ConfigurationProblem::Unreachable => "unreachable",
        ConfigurationProblem::WaitingForRestart => "waiting-for-restart",
    }
}
