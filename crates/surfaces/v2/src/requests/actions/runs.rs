//! The runs of synchronizations: their progress and their outcome.

use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::{Answer, Declared, PathName, kinds},
    endpoint::{Access, Document, Endpoint, Particulars, TenantParameter, Verb},
};
use administration::{policy::Action, sync};
use mail_model::run::{Report, State};
use serde::Serialize;
use utoipa::ToSchema;
use web::answer::Reply;

/// The most runs of a list.
const MOST: usize = 100;

pub(in super::super) const LIST: Endpoint = Endpoint {
    name: "listRuns",
    method: Verb::Get,
    path: "/v2/actions/runs",
    access: Access::For(Action::Synchronize),
    handler: |call| Box::pin(list(call)),
    particulars: Particulars { tenant: TenantParameter::CallersOwn, ..Particulars::NONE },
    document: Document {
        summary: "The latest synchronizations",
        about: "The latest first, at most 100. Of each tenant, source and subject the last 20 are kept.",
        parameters,
        answer: Answer::of::<Runs>,
        fails_with: &[404],
        ..Document::BASE
    },
};

pub(in super::super) const READ: Endpoint = Endpoint {
    name: "readRun",
    method: Verb::Get,
    path: "/v2/actions/runs/{id}",
    access: Access::For(Action::Synchronize),
    handler: |call| Box::pin(read(call)),
    particulars: Particulars { tenant: TenantParameter::CallersOwn, ..Particulars::NONE },
    document: Document {
        summary: "A synchronization: its progress, or its outcome",
        about: "The counts grow while `state` is `running`.",
        parameters,
        path_names: &[PathName {
            name: "id",
            about: "The identifier of the run.",
            shape: || kinds::text().into(),
        }],
        answer: Answer::of::<Run>,
        fails_with: &[404],
        ..Document::BASE
    },
};

fn parameters() -> Vec<Declared> {
    let about = "The tenant; without it the caller's own, and for super administrators every tenant.";
    vec![Declared::optional("tenant-id", about, kinds::tenant_id())]
}

/// The latest synchronizations.
#[derive(Serialize, ToSchema)]
struct Runs {
    /// The latest first.
    runs: Vec<Run>,
    /// The number of all that are kept.
    count: usize,
}

/// A synchronization.
#[derive(Serialize, ToSchema)]
pub(super) struct Run {
    /// The identifier.
    id: String,
    /// The tenant.
    #[serde(rename = "tenant-id")]
    tenant: String,
    /// `ad` or `bitrix24`.
    source: &'static str,
    /// `people` or `groups`.
    subject: &'static str,
    /// `running`, `done` or `failed`.
    state: &'static str,
    /// When it began.
    began: String,
    /// When it ended, or last said that it runs.
    seen: String,
    /// Whether all of the source was read, and not only what has changed.
    whole: bool,
    /// What became of the entries.
    #[serde(flatten)]
    pub(super) counts: Counts,
    /// Why it failed, or what else should be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
}

/// What became of the entries of a source.
#[derive(Serialize, ToSchema)]
pub(super) struct Counts {
    /// Entries of the source.
    read: u64,
    /// Contacts or lists that were added.
    added: u64,
    /// Contacts, lists or cards of users that were changed.
    updated: u64,
    /// Entries that were as they should be.
    unchanged: u64,
    /// Contacts or lists that were removed.
    removed: u64,
    /// What was left out, and why; the first hundred.
    refused: Vec<Refused>,
    /// How many were left out.
    #[serde(rename = "refused-count")]
    refused_count: u64,
}

/// Something that was left out.
#[derive(Serialize, ToSchema)]
struct Refused {
    /// Its address, or its name in the source.
    what: String,
    /// Why.
    why: String,
}

impl From<&Report> for Counts {
    fn from(report: &Report) -> Self {
        let counts = report.counts;
        let refused = report.refused.iter().map(|r| Refused { what: r.what.clone(), why: r.why.clone() });
        Self {
            read: counts.read,
            added: counts.added,
            updated: counts.updated,
            unchanged: counts.unchanged,
            removed: counts.removed,
            refused: refused.collect(),
            refused_count: counts.refused,
        }
    }
}

impl From<&Report> for Run {
    fn from(report: &Report) -> Self {
        Self {
            id: report.id.clone(),
            tenant: report.tenant.to_string(),
            source: report.source.name(),
            subject: report.subject.name(),
            state: report.state.name(),
            began: report.began.to_string(),
            seen: report.seen.to_string(),
            whole: report.is_whole,
            counts: Counts::from(report),
            message: report.message.clone(),
        }
    }
}

async fn list(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let reports = sync::latest(call.directory, call.tenant().ok()).await?;
    let runs = reports.iter().take(MOST).map(Run::from).collect();
    as_json(&Runs { runs, count: reports.len() })
}

async fn read(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let report = sync::present(call.directory, call.text("id")).await?;
    let tenant = call.tenant().ok();
    let report = report.filter(|report| tenant.is_none_or(|tenant| report.tenant == *tenant));
    as_json(&Run::from(&report.ok_or_else(|| Failure::not_found("run"))?))
}

/// Whether a run has done what it should.
pub(super) fn is_done(report: &Report) -> bool {
    report.state == State::Done
}
