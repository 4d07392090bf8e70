//! Restores over HTTP: the command `pbm restore` for callers with the right.

use super::{
    backup::{LDIF, backup_lookup, not_set_up},
    restore_report::{Line, report},
};
use crate::{
    answer::Failure,
    call::{Call, StreamedBody},
    document::{Answer, Declared, dry_run, kinds, optional_tenant},
    endpoint::{Access, Body, Document, Endpoint, Particulars, TenantParameter, Verb},
    errors::ParameterErrors,
    parameters::{once, switch},
};
use actix_web::{http::StatusCode, rt};
use administration::{policy::Action, restores::Bounds, turns::Turn};
use directory::{
    backup::file::LdifFile,
    restore::{Existing, OtherRoot, RestoreError, RestoreRequest, Summary},
};
use futures_util::{StreamExt, future::OptionFuture};
use mail_model::field::FieldError;
use std::io;
use strum::{EnumString, VariantNames};
use tempfile::NamedTempFile;
use tokio::io::AsyncWriteExt;
use utoipa::openapi::{
    Content, Required,
    request_body::{RequestBody, RequestBodyBuilder},
};
use web::answer::Reply;

/// The largest body of an administrator of a tenant in bytes, compressed or not: a plain backup of 200,000 users.
const MAX_BODY: u64 = 256 << 20;

/// What to do with an existing entry that differs from the file.
#[derive(Clone, Copy, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub(super) enum ExistingWord {
    /// Leave the entry as it is and report it.
    Keep,
    /// Change the entry to the state in the file.
    Update,
}

/// The decoded parameters.
struct RestoreQuery {
    existing: Existing,
    dry_run: bool,
    bounds: Bounds,
}

pub(super) const RESTORE: Endpoint = Endpoint {
    name: "restore",
    method: Verb::Post,
    path: "/v2/restore/ldif",
    access: Access::For(Action::RestoreBackup),
    handler: |call| Box::pin(restore(call)),
    particulars: Particulars {
        body: Body::Stream,
        tenant: TenantParameter::Optional,
        needs_token: true,
        ..Particulars::NONE
    },
    document: Document {
        summary: "Restore from LDIF",
        about: "The body is a backup, or LDIF of another origin; with `tenant-id`, which administrators must name, \
                only this tenant's entries are restored. Missing entries are added. A file that is truncated, altered \
                or unreadable changes nothing; an invalid entry does not stop the others. The request can be repeated \
                safely.",
        parameters,
        body: Some(ldif),
        answer: || {
            Answer::lines_of::<Line>("Lines of JSON: the entries to report, the progress, and a summary.")
        },
        fails_with: &[413, 429, 507],
        ..Document::BASE
    },
};

async fn restore(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let RestoreQuery { existing, dry_run, bounds: Bounds { extent, limited_to } } = asked(call).await?;
    backup_lookup(call)?;
    let restorer = call.administration.restorer().ok_or_else(not_set_up)?;
    let body = call.streamed.take().ok_or_else(|| Failure::internal("a restore without a body".into()))?;
    let turns = &call.services.restores;
    let turn = limited_to.as_ref().map(|tenant| turns.begin(&tenant.id)).transpose()?;
    let departure = body.payload.departure();
    let file = spool(body, limited_to.as_ref().map(|_| MAX_BODY)).await?;
    call.recheck().await?;
    let (force, other_root, now) = (false, OtherRoot::Refused, call.now);
    let request = RestoreRequest { extent, existing, dry_run, force, other_root, limited_to, now };
    let ldif = LdifFile::new(file.path());
    let prepared = async {
        let turn = OptionFuture::from(turn.map(Turn::run)).await.transpose()?;
        let restore = restorer.prepare(ldif, request).await;
        Ok((restore.map_err(failure_of_restore)?, turn))
    };
    let (restore, turn) = tokio::select! {
        prepared = Box::pin(prepared) => prepared,
        () = departure.happened() => {
            let message = "The connection was closed before the file was read. Nothing was restored.";
            Err(Failure::new(StatusCode::BAD_REQUEST, message))
        }
    }?;
    let (mut report, lines) = report(restore.findings().entries, dry_run);
    let administration = call.administration.clone();
    // The restore runs to its end even if the client disconnects, because the state of an unfinished restore would be
    // unknown.
    rt::spawn(async move {
        let outcome = administration.restore(restore, async |event| report.take(&event).await).await;
        let end = match outcome {
            Ok(summary) => {
                let Summary { added, updated, same, different, refused, .. } = summary;
                tracing::info!(added, updated, same, different, refused, dry_run, "restore.done");
                Line::End { summary: summary.into(), dry_run }
            }
            Err(error) => {
                tracing::error!(error = &error as &dyn std::error::Error, "restore.stopped");
                Line::Stop { message: message_of(&error) }
            }
        };
        drop((file, turn));
        report.tell(end).await;
    });
    Ok(Reply::lines(lines))
}

fn parameters() -> Vec<Declared> {
    let existing = "For an existing entry that differs from the file. keep: leave it as it is and report it. update: \
                    change it to the state in the file.";
    let words = ExistingWord::VARIANTS;
    vec![
        optional_tenant(),
        Declared::optional("existing", existing, kinds::choice(words, words.first().copied())),
        dry_run(),
    ]
}

fn ldif() -> RequestBody {
    let example = "dn: mail=ivan@example.com,ou=default,ou=People,dc=example,dc=com\nobjectClass: top\n";
    let shape = kinds::text().description(Some("Entries (RFC 2849), not changes.")).examples([example]);
    RequestBodyBuilder::new()
        .description(Some(
            "LDIF, plain or compressed with gzip or zstd, of any media type; from administrators of a tenant at most \
             256 MiB.",
        ))
        .required(Some(Required::True))
        .content(LDIF, Content::new(Some(shape)))
        .build()
}

async fn asked(call: &mut Call<'_>) -> Result<RestoreQuery, Failure> {
    let mut errors = ParameterErrors::default();
    let existing = once(&mut call.parameters, "existing", &mut errors).filter(|text| !text.is_empty());
    let existing = existing.map_or(Ok(ExistingWord::Keep), |text| text.parse());
    let wrong = |_| FieldError::Choice(ExistingWord::VARIANTS);
    let existing = errors.keep("existing", existing.map_err(wrong));
    let dry_run = switch(&mut call.parameters, "dry-run", &mut errors);
    errors.none()?;
    let existing = match existing {
        Some(ExistingWord::Update) => Existing::Update,
        _ => Existing::Keep,
    };
    let tenants = Vec::from_iter(call.tenant().ok().cloned());
    let bounds = Bounds::of(call.directory, call.caller()?, tenants).await;
    let bounds = bounds.map_err(|error| Failure::of_write("tenant", error, call.live.retention))?;
    Ok(RestoreQuery { existing, dry_run, bounds })
}

/// Stores a body on the disk, because it is read twice. Only this process's user can read the file, which is removed
/// when it is dropped.
async fn spool(body: StreamedBody, most: Option<u64>) -> Result<NamedTempFile, Failure> {
    let most = most.unwrap_or(u64::MAX);
    if body.announced.is_some_and(|length| length > most) {
        return Err(too_large(most));
    }
    let file = NamedTempFile::new().map_err(failure_of_disk)?;
    let mut out = tokio::fs::File::from_std(file.reopen().map_err(failure_of_disk)?);
    let (mut payload, mut length) = (body.payload, 0_u64);
    while let Some(piece) = payload.next().await {
        let unreadable = "The body could not be read to its end.";
        let piece = piece.map_err(|_| Failure::new(StatusCode::BAD_REQUEST, unreadable))?;
        length = length.saturating_add(piece.len() as u64);
        if length > most {
            return Err(too_large(most));
        }
        out.write_all(&piece).await.map_err(failure_of_disk)?;
    }
    out.flush().await.map_err(failure_of_disk)?;
    Ok(file)
}

fn too_large(most: u64) -> Failure {
    let message =
        format!("The body is too large: at most {most} bytes. Compress it, or ask a super administrator.");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, &message)
}

fn failure_of_disk(error: io::Error) -> Failure {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    if !matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge) {
        return Failure::internal(error.into());
    }
    let message = "The server has no room for the body on its disk (TMPDIR). Nothing was restored.";
    Failure::new(StatusCode::INSUFFICIENT_STORAGE, message).with_cause(error.into())
}

/// The answer about a file that was refused before anything was written.
fn failure_of_restore(error: RestoreError) -> Failure {
    match error {
        RestoreError::Directory(error) => error.into(),
        RestoreError::Io(_) | RestoreError::Stopped => Failure::internal(error.into()),
        RestoreError::TooLarge(_) => Failure::new(StatusCode::PAYLOAD_TOO_LARGE, &message_of(&error)),
        error => Failure::new(StatusCode::BAD_REQUEST, &message_of(&error)),
    }
}

fn message_of(error: &RestoreError) -> String {
    match error {
        // The error in the file, and its position.
        RestoreError::Ldif(error) => visible_text::chain(error),
        RestoreError::Damaged(_) => visible_text::chain(error),
        RestoreError::OtherRoot { .. } => {
            "the file is of another directory: nothing in it belongs here".to_owned()
        }
        error => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_room_is_told_from_one_that_fails() {
        // ENOSPC, EFBIG and EDQUOT, and EIO.
        let status = |code| failure_of_disk(io::Error::from_raw_os_error(code)).status();
        assert_eq!([28, 27, 122].map(status), [StatusCode::INSUFFICIENT_STORAGE; 3]);
        assert_eq!(status(5), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
