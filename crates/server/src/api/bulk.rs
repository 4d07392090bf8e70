//! Many users at once (beyond the guide): rows are read while they come, and answered while they are done.

use super::{
    find_tenant,
    parameters::{once, switch},
};
use crate::{
    bulk::{self, Charset, Format, Import, Mode, Report, Rows},
    clock,
    http::{
        answer::{Failure, NDJSON, Reply},
        call::Call,
        endpoint::Right,
        settling::Settling,
    },
};
use actix_web::http::StatusCode;
use futures_util::{Stream, StreamExt, TryStreamExt};
use mail_model::field::{FieldError, FieldErrors};
use std::io;
use strum::VariantNames;
use tokio_util::io::StreamReader;

/// The media type of CSV (RFC 7111).
const CSV: &str = "text/csv";

pub(super) async fn import(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = FieldErrors::default();
    let mode = once(&mut call.parameters, "mode", &mut errors).filter(|text| !text.is_empty());
    let mode = mode.map_or(Ok(Mode::Create), |text| text.parse());
    let mode = errors.keep("mode", mode.map_err(|_| FieldError::Choice(Mode::VARIANTS)));
    let dry_run = switch(&mut call.parameters, "dry-run", &mut errors);
    errors.none()?;
    let (Some(mode), Some(rows)) = (mode, call.rows.take()) else { return Err(Failure::missing("mode")) };
    let format = format(&rows.media_type, rows.charset.as_deref())?;
    let import = Import {
        directory: call.directory.clone(),
        tenant: find_tenant(call).await?.id.clone(),
        mode,
        dry_run,
        may_make_super: call.right == Right::All,
        retention: call.services.retention,
        now: clock::now,
    };
    let reader = StreamReader::new(rows.payload.map_err(io::Error::other));
    let accounts = call.services.accounts.clone();
    let mut settling = Some(Settling::begin(call.desk));
    let reports = bulk::run(import, Rows::new(reader, format, mode)).inspect(move |report| {
        if let Report::Row(row) = report
            && let Some(id) = &row.changed
        {
            accounts.forget(id);
        }
    });
    // Whoever has read the summary, and reads the address book, finds what was imported.
    let reports = reports.then(move |report| {
        let settling = settling.take_if(|_| matches!(report, Report::End { .. }));
        async move {
            if let Some(settling) = settling {
                settling.end().await;
            }
            report
        }
    });
    let mut reports = Box::pin(reports.peekable());
    if let Some(Report::Stop(_)) = reports.as_mut().peek().await {
        return Err(unreadable(reports).await);
    }
    Ok(Reply::lines(bulk::lines(reports)))
}

/// The answer to a body of which not one row can be read, such as one with unknown columns.
async fn unreadable(reports: impl Stream<Item = Report>) -> Failure {
    let stops = reports.filter_map(async |report| match report {
        Report::Stop(stop) => Some(stop.to_string()),
        Report::Row(_) | Report::End { .. } => None,
    });
    Failure::new(StatusCode::BAD_REQUEST, &stops.collect::<Vec<_>>().await.join("; "))
}

fn format(media_type: &str, charset: Option<&str>) -> Result<Format, Failure> {
    let charset = charset.map(|label| {
        let unknown = || unsupported("The charset must be utf-8 or windows-1251.");
        Charset::of_label(label).ok_or_else(unknown)
    });
    let charset = charset.transpose()?;
    match media_type {
        CSV => Ok(Format::Csv { charset }),
        NDJSON => Ok(Format::Ndjson),
        _ => Err(unsupported("The body must be text/csv or application/x-ndjson.")),
    }
}

fn unsupported(message: &str) -> Failure {
    Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}
