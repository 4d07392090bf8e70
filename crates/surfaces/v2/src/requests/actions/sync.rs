//! Synchronization with Active Directory and Bitrix24 (guide, section 3.16).

use super::runs::{Counts, is_done};
use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::{And, Answer, Declared, dry_run, in_path, kinds, tenant_parameter},
    endpoint::{Access, Document, Endpoint, Particulars, TenantParameter, Verb},
    errors::ParameterErrors,
    parameters::{ignore_tenant, number, switch},
};
use actix_web::{http::StatusCode, web::Bytes};
use administration::{
    long_work::LongWork,
    policy::Action,
    sync::{PlanLine, Planned, PlannedOp, SyncError, SyncRequest, Syncs},
};
use futures_util::{StreamExt, stream};
use mail_model::run::{Report, Source, Subject};
use serde::Serialize;
use serde_json::json;
use std::time::Duration;
use tokio::{sync::mpsc::Receiver, time::timeout};
use utoipa::ToSchema;
use web::answer::Reply;

/// How long the answer of a dry run waits for its first line.
const PATIENCE: Duration = Duration::from_secs(5);

pub(in super::super) const PEOPLE_OF_DIRECTORY: Endpoint = Endpoint {
    name: "syncPeopleOfDirectory",
    method: Verb::Post,
    path: "/v2/actions/cabsync/{tenant}/ad",
    access: Access::For(Action::Synchronize),
    handler: |call| Box::pin(of_path(call, Subject::People)),
    particulars: Particulars::NONE,
    document: Document {
        summary: "Synchronize the address book with Active Directory or another directory",
        parameters: || parameters().and([in_path()]),
        ..DOCUMENT
    },
};

pub(in super::super) const GROUPS_OF_DIRECTORY: Endpoint = Endpoint {
    name: "syncGroupsOfDirectory",
    path: "/v2/actions/groupsync/{tenant}/ad",
    handler: |call| Box::pin(of_path(call, Subject::Groups)),
    document: Document {
        summary: "Synchronize mailing lists with the groups of Active Directory or another directory",
        parameters: || parameters().and([in_path()]),
        ..DOCUMENT
    },
    ..PEOPLE_OF_DIRECTORY
};

pub(in super::super) const PEOPLE_OF_BITRIX24: Endpoint = Endpoint {
    name: "syncPeopleOfBitrix24",
    path: "/v2/actions/cabsync",
    handler: |call| Box::pin(synchronize(call, Source::Bitrix24, Subject::People)),
    particulars: Particulars { tenant: TenantParameter::Required, ..Particulars::NONE },
    document: Document {
        summary: "Synchronize the address book with Bitrix24",
        parameters: || parameters().and([tenant_parameter()]),
        ..DOCUMENT
    },
    ..PEOPLE_OF_DIRECTORY
};

const DOCUMENT: Document = Document {
    about: "Begins a run, or joins the one of the tenant that is under way, and answers when it has ended. All of the \
            source is read before anything is written; if it cannot be read to its end, nothing is changed.",
    answer: || {
        Answer::of::<Outcome>()
            .with_lines_of::<Line>("With `dry-run=1`: what would be done, a line for each entry.")
    },
    example: Some(|| json!({"dry-run": 1})),
    fails_with: &[404, 429, 502],
    ..Document::BASE
};

fn parameters() -> Vec<Declared> {
    let wait = "0: answer at once with the identifier of the run.";
    let force = "1: remove even more entries than `sync.removal_limit` allows.";
    let quick = "1: read only what has changed, if the source can tell and a whole run was not long ago.";
    vec![
        Declared::optional("wait", wait, kinds::number(0, 1, 1)),
        Declared::optional("force", force, kinds::switch()),
        Declared::optional("quick", quick, kinds::switch()),
        dry_run(),
    ]
}

/// The outcome of a run, or the run that was begun.
#[derive(Serialize, ToSchema)]
#[schema(as = SyncOutcome)]
struct Outcome {
    /// Always true.
    success: bool,
    /// The identifier of the run.
    id: String,
    /// What became of the entries, unless `wait=0`.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    counts: Option<Counts>,
    /// What else should be known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    message: Option<String>,
}

/// A line of a dry run.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[schema(as = SyncPlan)]
enum Line {
    /// What would become of an entry.
    Entry {
        /// `add`, `update`, `remove` or `refuse`.
        op: &'static str,
        /// The address, or what else names the entry.
        mail: String,
        /// The identifier in the source.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        source: Option<String>,
        /// The attributes that would change.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        changes: Vec<String>,
        /// Why it would be left out.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        why: Option<String>,
    },
    /// The end.
    End {
        /// What would become of the entries.
        summary: Counts,
        /// Always true.
        #[serde(rename = "dry-run")]
        dry_run: bool,
        /// What else should be known.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        message: Option<String>,
    },
    /// Why the dry run ended early.
    Stop {
        /// The reason.
        message: String,
    },
}

async fn of_path(call: &mut Call<'_>, subject: Subject) -> Result<Reply, Failure> {
    ignore_tenant(&mut call.parameters);
    synchronize(call, Source::Directory, subject).await
}

async fn synchronize(call: &mut Call<'_>, source: Source, subject: Subject) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let waits = number(&mut call.parameters, "wait", 0, 1, 1, &mut errors) == 1;
    let force = switch(&mut call.parameters, "force", &mut errors);
    let may_be_quick = switch(&mut call.parameters, "quick", &mut errors);
    let is_dry = switch(&mut call.parameters, "dry-run", &mut errors);
    errors.none()?;
    let request = SyncRequest { tenant: call.tenant()?.clone(), source, subject, force, may_be_quick };
    let turn = call.begin(LongWork::Sync)?;
    if is_dry {
        let reach = Syncs::reach(call.caller()?, &request.tenant)?;
        let mut items = call.services.syncs.plan(request, reach, turn).map_err(|e| failure(e.into()))?;
        let first = first_item(&mut items).await?;
        let rest = stream::unfold(items, async |mut items| {
            let item = items.recv().await?;
            Some((line(item), items))
        });
        return Ok(Reply::lines(stream::iter(first.map(line)).chain(rest)));
    }
    let caller = call.caller()?.clone();
    let begun =
        call.administration.begin_sync(&caller, &call.services.syncs, request).await.map_err(failure)?;
    if !waits {
        return as_json(&Outcome { success: true, id: begun.id, counts: None, message: None });
    }
    let report = call.administration.end_of_sync(&begun.id).await?;
    outcome(&report.ok_or_else(|| Failure::not_found("run"))?)
}

/// The first item of a plan, unless it takes long. A source that cannot be read at all is an error, not a line.
async fn first_item(items: &mut Receiver<Planned>) -> Result<Option<Planned>, Failure> {
    match timeout(PATIENCE, items.recv()).await {
        Ok(Some(Planned::End(Err(error)))) => Err(failure(error)),
        Ok(Some(Planned::End(Ok(report)))) if !is_done(&report) => Err(failed(&report)),
        Ok(item) => Ok(item),
        Err(_) => Ok(None),
    }
}

fn failed(report: &Report) -> Failure {
    let why = report.message.as_deref().unwrap_or("The run has failed; the log has the reason.");
    Failure::new(StatusCode::BAD_GATEWAY, why)
}

fn outcome(report: &Report) -> Result<Reply, Failure> {
    if !is_done(report) {
        return Err(failed(report));
    }
    as_json(&Outcome {
        success: true,
        id: report.id.clone(),
        counts: Some(Counts::from(report)),
        message: report.message.clone(),
    })
}

fn line(item: Planned) -> Bytes {
    let line = match item {
        Planned::Line(PlanLine { op, mail, source, about }) => {
            let is_refused = op == PlannedOp::Refuse;
            let why = is_refused.then(|| about.join("; "));
            let changes = if is_refused { Vec::new() } else { about };
            Line::Entry { op: name(op), mail, source, changes, why }
        }
        Planned::End(Ok(report)) if is_done(&report) => {
            Line::End { summary: Counts::from(&report), dry_run: true, message: report.message }
        }
        Planned::End(Ok(report)) => Line::Stop { message: report.message.unwrap_or_default() },
        Planned::End(Err(error)) => Line::Stop { message: error.to_string() },
    };
    // Serializing a line cannot fail.
    let mut bytes = serde_json::to_vec(&line).unwrap_or_default();
    bytes.push(b'\n');
    bytes.into()
}

const fn name(op: PlannedOp) -> &'static str {
    match op {
        PlannedOp::Add => "add",
        PlannedOp::Update => "update",
        PlannedOp::Remove => "remove",
        PlannedOp::Refuse => "refuse",
    }
}

fn failure(error: SyncError) -> Failure {
    match error {
        SyncError::NotSetUp => {
            let message = "This source is not set up for the tenant (sync.ad, sync.bitrix24, sync.tenants).";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
        }
        SyncError::NoTenant => Failure::not_found("tenant"),
        SyncError::Source(error) => Failure::new(StatusCode::BAD_GATEWAY, &error.to_string()),
        SyncError::Directory(error) => error.into(),
        SyncError::File(_) | SyncError::Fault | SyncError::LockLost => Failure::internal(error.into()),
    }
}
