//! Backups over HTTP: the command `pbm backup` for callers with the right.

use crate::{
    answer::Failure,
    call::Call,
    document::{Answer, kinds, optional_tenant},
    endpoint::{Access, Document, Endpoint, Particulars, TenantParameter, Verb},
};
use actix_web::{
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, HeaderValue},
    },
    rt,
    web::Bytes,
};
use administration::backups::{note_conflicts, order};
use administration::{long_work::LongWork, policy::Action};
use directory::{
    Lookup,
    backup::{BackedUp, BackupError},
    error::{DirectoryError, Unreachable},
};
use futures_util::{StreamExt, stream};
use std::rc::Rc;
use tokio::sync::mpsc;
use web::answer::{Cut, Reply};

/// The usual media type of LDIF; none is registered.
pub(super) const LDIF: &str = "text/x-ldif";
/// The most pieces of a backup that wait for the client.
const PIECES: usize = 4;

pub(super) const BACK_UP: Endpoint = Endpoint {
    name: "backUp",
    method: Verb::Get,
    path: "/v2/backup/ldif",
    access: Access::For(Action::BackUp),
    handler: |call| Box::pin(back_up(call)),
    particulars: Particulars { tenant: TenantParameter::Optional, needs_token: true, ..Particulars::NONE },
    document: Document {
        summary: "A tenant, or everything, as LDIF with the hashes of passwords",
        about: "Everything, or one tenant with `tenant-id`, which administrators must name. Contains the hashes of \
                passwords.",
        parameters: || vec![optional_tenant()],
        answer: || Answer::file("The entries, followed by their number and a checksum.", LDIF, kinds::text()),
        ..Document::BASE
    },
};

async fn back_up(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let lookup = backup_lookup(call)?.clone();
    let tenant = call.tenant().ok().cloned();
    let name = tenant.as_ref().map_or_else(|| "everything".to_owned(), ToString::to_string);
    let request = order(call.caller()?, Vec::from_iter(tenant), call.now)?;
    let turn = Rc::new(call.begin(LongWork::Backup)?);
    let (out, mut pieces) = mpsc::channel(PIECES);
    let of_task = turn.clone();
    // A task of its own, so that the backup continues while the client reads. The task ends with the answer, and the
    // connection of a client that does not read is closed.
    let backup = rt::spawn(async move {
        let _turn = of_task;
        Box::pin(lookup.back_up(&request, out, |_| {})).await
    });
    // A failure before the first piece gets an answer of its own.
    let first = pieces.recv().await;
    let Some(first) = first else {
        let failed = backup.await.map_err(|error| Failure::internal(error.into()))?;
        return Err(failed.err().map_or_else(|| Failure::not_found("entry"), failure_of_backup));
    };
    let rest = stream::unfold(pieces, async |mut pieces| Some((pieces.recv().await?, pieces)));
    let parts = stream::once(async { first }).chain(rest).map(|piece| Ok(Bytes::from(piece)));
    let end = stream::once(async move {
        let _turn = turn;
        match backup.await {
            Ok(Ok(BackedUp { entries, set_aside })) => {
                note_conflicts(&set_aside);
                tracing::info!(entries, "backup.sent");
                None
            }
            Ok(Err(error)) => Some(Err(cut(error.into()))),
            Err(error) => Some(Err(cut(error.into()))),
        }
    });
    let name = format!("attachment; filename=\"{name}.ldif\"");
    let name = HeaderValue::try_from(name).map_err(|error| Failure::internal(error.into()))?;
    let parts = parts.chain(end.filter_map(async |end| end));
    Ok(Reply::stream(LDIF, parts).with_header(CONTENT_DISPOSITION, name))
}

fn cut(error: Cut) -> Cut {
    tracing::error!(error = error.as_ref() as &dyn std::error::Error, "backup.cut");
    error
}

fn failure_of_backup(error: BackupError) -> Failure {
    match error {
        BackupError::NoTenant(_) => Failure::not_found("tenant"),
        BackupError::Directory(error @ DirectoryError::Unreadable { .. }) => {
            let message =
                "An entry of the directory can't be written as LDIF. The log of the server names it.";
            Failure::new(StatusCode::INTERNAL_SERVER_ERROR, message).with_cause(error.into())
        }
        BackupError::Directory(error) => error.into(),
        BackupError::Nothing | BackupError::Unwanted | BackupError::Blind => Failure::internal(error.into()),
    }
}

/// The directory as the account for backups reads it.
pub(super) fn backup_lookup<'a>(call: &Call<'a>) -> Result<&'a Lookup, Failure> {
    // A backup or restore that has begun waits for the directory; a new one does not begin.
    if call.directory.hangs() {
        return Err(DirectoryError::from(Unreachable::Hangs).into());
    }
    call.administration.backup_lookup().ok_or_else(not_set_up)
}

pub(super) fn not_set_up() -> Failure {
    let message = "Backups are not set up: this server has no account for them (backup.bind_password_file).";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
}
