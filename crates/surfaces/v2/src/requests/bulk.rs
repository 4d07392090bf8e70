//! Import of many users (beyond the guide): rows are read as they arrive, and reported as they are applied.

use super::{find_tenant, users::new_user_parameters};
use crate::{
    answer::Failure,
    call::Call,
    document::{Answer, Declared, dry_run, kinds},
    endpoint::{Access, Body, Document, Endpoint, Particulars, TENANT_PARAMETER, Verb},
    errors::ParameterErrors,
    imports::{self, Charset, Comparisons, Format, Import, Mode, Report, Rows},
    parameters::{once, switch},
};
use actix_web::http::StatusCode;
use administration::{clock, long_work::LongWork, policy::Action};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use mail_model::field::FieldError;
use std::io;
use strum::VariantNames;
use tokio_util::io::StreamReader;
use utoipa::openapi::{
    Content, Ref, Required,
    request_body::{RequestBody, RequestBodyBuilder},
    schema::ObjectBuilder,
};
use web::answer::{NDJSON, Reply};

/// The media types of tables: that of CSV (RFC 7111), and others that clients send.
const TABLES: [&str; 6] = [
    "text/csv",
    "application/csv",
    "text/tab-separated-values",
    "text/plain",
    // Sent for CSV by browsers on Windows with Excel.
    "application/vnd.ms-excel",
    "text/comma-separated-values",
];
/// The media types of lines of JSON; none is registered.
const LINES: [&str; 4] = [NDJSON, "application/ndjson", "application/jsonl", "application/x-jsonlines"];

pub(super) const IMPORT: Endpoint = Endpoint {
    name: "importUsers",
    method: Verb::Post,
    path: "/v2/users/{tenant}/bulk",
    access: Access::For(Action::ImportUsers),
    handler: |call| Box::pin(import(call)),
    particulars: Particulars { body: Body::Stream, ..Particulars::NONE },
    document: Document {
        summary: "Create and change many users",
        about: "Rows are applied as they arrive, and reported in their order; an invalid row does not stop the \
                others. Applied rows stay applied; repeat the import to complete an interrupted one.",
        parameters,
        body: Some(rows),
        answer: || {
            let words = "A line of JSON for each row, in order, and a summary.";
            Answer::lines_of::<Report>(words).of_any_form().with_schema("ImportRow", row())
        },
        ..Document::BASE
    },
};

async fn import(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let mut errors = ParameterErrors::default();
    let mode = once(&mut call.parameters, "mode", &mut errors).filter(|text| !text.is_empty());
    let mode = mode.map_or(Ok(Mode::Create), |text| text.parse());
    let mode = errors.keep("mode", mode.map_err(|_| FieldError::Choice(Mode::VARIANTS)));
    let dry_run = switch(&mut call.parameters, "dry-run", &mut errors);
    errors.none()?;
    let (Some(mode), Some(body)) = (mode, call.streamed.take()) else { return Err(Failure::missing("mode")) };
    let format = format(&body.media_type, body.charset.as_deref())?;
    check_packing(body.content_encoding.as_deref())?;
    let turn = call.begin(LongWork::Import)?;
    let tenant = find_tenant(call).await?.id.clone();
    let (importer, under_way) =
        call.administration.begin_import(call.caller()?, &call.services.log_ins.accounts, &tenant)?;
    let import = Import {
        importer,
        tenant,
        mode,
        dry_run,
        comparisons: Some(Comparisons {
            attempts: call.services.log_ins.attempts.clone(),
            address: call.client.address(),
        }),
        retention: call.live.retention,
        default_language: call.live.default_language,
        now: clock::now,
    };
    let reader = StreamReader::new(body.payload.map_err(io::Error::other));
    let reports = Box::pin(imports::run(import, Rows::new(reader, format, mode)));
    let reports = stream::unfold((reports, under_way), async |(mut reports, mut under_way)| {
        let report = reports.next().await?;
        match &report {
            Report::Row(row) => row.changed.iter().for_each(|id| under_way.note(id)),
            // A client that reads the address book after the summary finds the imported users.
            Report::End { .. } => under_way.end().await,
            Report::Stop(_) => {}
        }
        Some((report, (reports, under_way)))
    });
    // The work ends with the last report, or when the client is gone.
    let reports = reports.chain(stream::once(async move { drop(turn) }).filter_map(async |()| None));
    let mut reports = Box::pin(reports.peekable());
    if let Some(Report::Stop(_)) = reports.as_mut().peek().await {
        return Err(unreadable(reports).await);
    }
    Ok(Reply::lines(imports::lines(reports)))
}

fn parameters() -> Vec<Declared> {
    let mode = "create: each row creates a user. upsert: each row creates a user, or changes the one with its address.";
    vec![
        Declared::optional("mode", mode, kinds::choice(Mode::VARIANTS, Mode::VARIANTS.first().copied())),
        dry_run(),
    ]
}

fn rows() -> RequestBody {
    let csv = "A header row with the names of fields, then a row for each user; `;` `,` tab `|` `:` or blanks between \
               fields, as in the header or by a first line `sep=;`. The encoding is detected, and reported in the \
               summary; the parameter `charset` of the media type declares it, by a name of the Encoding Standard. \
               The CSV export of an address book is accepted.";
    let example = "mail;userPassword;employeeNumber;cn;sn\nivan@example.com;Correct-Horse-7;2;Ivan;Petrov\n";
    let about = format!(
        "A row for each user, of at most {} bytes; any number of rows. Plain, or compressed with gzip.",
        imports::MAX_RECORD
    );
    let lines = kinds::text()
        .description(Some("A JSON object a line."))
        .content_media_type("application/json")
        .content_schema(Some(Ref::from_schema_name("ImportRow")));
    RequestBodyBuilder::new()
        .description(Some(about))
        .required(Some(Required::True))
        .content("text/csv", Content::new(Some(kinds::text().description(Some(csv)).examples([example]))))
        .content(NDJSON, Content::new(Some(lines)))
        .build()
}

/// A row of an import.
fn row() -> ObjectBuilder {
    let mail = kinds::described(kinds::address_of_request(), "The address of the user.");
    let object = ObjectBuilder::new()
        .description(Some("A row of an import: the parameters of a new user, and its address."))
        .property("mail", mail)
        .required("mail");
    let fields = new_user_parameters().into_iter().filter(|parameter| parameter.name != TENANT_PARAMETER);
    fields.fold(object, |object, field| {
        let (name, shape, about) = field.into_property();
        object.property(name, kinds::described(shape, &about))
    })
}

/// The answer to a body without a single readable row, such as one with unknown columns.
async fn unreadable(reports: impl Stream<Item = Report>) -> Failure {
    let stops = reports.filter_map(async |report| match report {
        Report::Stop(stop) => Some(stop.to_string()),
        Report::Row(_) | Report::End { .. } => None,
    });
    Failure::new(StatusCode::BAD_REQUEST, &stops.collect::<Vec<_>>().await.join("; "))
}

fn format(media_type: &str, charset: Option<&str>) -> Result<Format, Failure> {
    let charset = charset.map(|label| {
        let unknown = || unsupported(&format!("The charset must be {}.", Charset::EXPECTED));
        Charset::of_label(label).ok_or_else(unknown)
    });
    let charset = charset.transpose()?;
    match charset {
        _ if TABLES.contains(&media_type) => Ok(Format::Csv { charset }),
        Some(charset) if LINES.contains(&media_type) && !charset.is_unicode() => {
            Err(unsupported("The charset of NDJSON must be utf-8."))
        }
        _ if LINES.contains(&media_type) => Ok(Format::Ndjson),
        _ => Err(unsupported("The body must be text/csv or application/x-ndjson.")),
    }
}

/// Gzip is detected in the body.
fn check_packing(content_encoding: Option<&str>) -> Result<(), Failure> {
    match content_encoding.map(|text| text.trim().to_ascii_lowercase()).as_deref() {
        None | Some("" | "identity" | "gzip" | "x-gzip") => Ok(()),
        Some(_) => Err(unsupported("The Content-Encoding must be gzip.")),
    }
}

fn unsupported(message: &str) -> Failure {
    Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message)
}
