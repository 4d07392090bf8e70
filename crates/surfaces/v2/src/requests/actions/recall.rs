//! The recall of a message (guide, 3.17.4.1), and, beyond the guide, from everyone whom a mailing list reaches.

use crate::{
    answer::{Failure, as_json},
    call::Call,
    document::{Answer, Declared, kinds},
    endpoint::{Access, Document, Endpoint, Particulars, TenantParameter, Verb},
    errors::ParameterErrors,
    parameters::{number, once, switch},
};
use actix_web::http::StatusCode;
use administration::{
    long_work::LongWork,
    policy::Action,
    recall::{
        Addressed, BoxReport, MAX_BOXES, MAX_MESSAGE_ID, MessageId, Recall, RecallError, RecallResult,
        count_of,
    },
};
use mail_model::field::FieldError;
use serde::Serialize;
use serde_json::json;
use std::collections::BTreeMap;
use utoipa::ToSchema;
use web::answer::Reply;
use web::form::Parameters;

/// The only command of the guide.
const EXPUNGE: &str = "expunge";
const CMD: &str = "cmd";
const MESSAGE_ID: &str = "messageid";
const EMAILS: &str = "emails";
const FORCE: &str = "force";
const NOTIFY: &str = "notify";
const EXPAND: &str = "expand";

pub(in crate::requests) const RECALL: Endpoint = Endpoint {
    name: "recallMessage",
    method: Verb::Post,
    path: "/v2/actions",
    access: Access::For(Action::RecallMessages),
    handler: |call| Box::pin(recall(call)),
    particulars: Particulars { tenant: TenantParameter::Callers, ..Particulars::NONE },
    document: Document {
        summary: "Recall a message",
        about: "Removes a message from mailboxes, and reports about each. The address of a user whom the caller may \
                not reach is reported like one that does not exist. `success` is false if a box failed.",
        parameters: declared,
        example: Some(|| {
            json!({
                "cmd": EXPUNGE, "messageid": "<1@example.com>", "emails": ["ivan@example.com", "anna@example.com"],
                "force": 0, "notify": 1,
            })
        }),
        answer: || Answer::of::<Recalled>(),
        fails_with: &[429, 503],
        ..Document::BASE
    },
};

/// The report about a recall.
#[derive(Serialize, ToSchema)]
#[schema(as = Recall)]
struct Recalled {
    /// Whether no box failed.
    success: bool,
    /// Whether a report is in the caller's box.
    notified: bool,
    /// The number of boxes, and of addresses without a box, with each result. A box with several addresses counts once.
    counts: BTreeMap<&'static str, usize>,
    /// The addresses, in the order of the request.
    results: Vec<ShownBox>,
}

/// What became of the message in one box.
#[derive(Serialize, ToSchema)]
#[schema(as = RecallFromBox)]
struct ShownBox {
    /// The address, as it was sent, or as the mailing list has it.
    mail: String,
    /// The address that names the box, if `mail` is an alias.
    #[serde(rename = "box", skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    of: Option<String>,
    /// `recalled`, `read` (it was read and stays), `not-found` (not in the box), `no-user`, or `failed` (not known to
    /// be removed).
    result: &'static str,
    /// The number of removed copies, if there are any: a box may have the message in several mailboxes.
    #[serde(skip_serializing_if = "is_zero")]
    removed: usize,
    /// Why, if the result does not say everything.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl From<BoxReport> for ShownBox {
    fn from(report: BoxReport) -> Self {
        let BoxReport { mail, of, result, removed, reason, is_repeat: _ } = report;
        Self { mail, of: of.map(|mail| mail.to_string()), result: result.name(), removed, reason }
    }
}

fn declared() -> Vec<Declared> {
    let id = format!(
        "The message's header `Message-ID`, with or without angle brackets, at most {MAX_MESSAGE_ID} bytes. It must be \
         equal in every character."
    );
    let emails = format!(
        "The boxes, by address or alias, at most {MAX_BOXES}. Also accepted as `a,b`, `a;b`, `a b`, `[a,b]` or \
         `[\"a\",\"b\"]` in one value."
    );
    let expand =
        format!("1: a mailing list among `emails` stands for everyone whom it reaches, at most {MAX_BOXES}.");
    let notify = kinds::number(0, 1, 1);
    vec![
        Declared::optional(CMD, "The command.", kinds::choice(&[EXPUNGE], Some(EXPUNGE))),
        Declared::required(MESSAGE_ID, id, kinds::text().min_length(Some(1))),
        // A mailing list counts as its members, so the schema has no limit of its own.
        Declared::required(EMAILS, emails, kinds::list(kinds::address_of_request(), Some(MAX_BOXES))),
        Declared::optional(FORCE, "1: the message is removed even if it was read.", kinds::switch()),
        Declared::optional(NOTIFY, "1: a report is put into the caller's box.", notify),
        Declared::optional(EXPAND, expand, kinds::switch()),
    ]
}

async fn recall(call: &mut Call<'_>) -> Result<Reply, Failure> {
    let (recall, notify) = read_form(&mut call.parameters)?;
    let caller = call.caller()?;
    let _turn = call.begin(LongWork::Recall)?;
    let reports = call.administration.recall(caller, &recall).await.map_err(failure_of_recall)?;
    let notified = notify && call.administration.report_recall(caller, &recall, &reports, call.now).await;
    let counts: BTreeMap<_, _> =
        RecallResult::ALL.into_iter().map(|result| (result.name(), count_of(&reports, result))).collect();
    let success = count_of(&reports, RecallResult::Failed) == 0;
    as_json(&Recalled {
        success,
        notified,
        counts,
        results: reports.into_iter().map(ShownBox::from).collect(),
    })
}

/// The recall, and whether the caller gets a report.
fn read_form(parameters: &mut Parameters) -> Result<(Recall, bool), Failure> {
    let mut errors = ParameterErrors::default();
    let command = once(parameters, CMD, &mut errors).filter(|text| !text.is_empty());
    if command.is_some_and(|command| command != EXPUNGE) {
        errors.add(CMD, &format!("must be {EXPUNGE}"));
    }
    let id = once(parameters, MESSAGE_ID, &mut errors).filter(|text| !text.trim().is_empty());
    if id.is_none() {
        errors.add(MESSAGE_ID, &FieldError::Required);
    }
    let id = id.and_then(|text| errors.keep(MESSAGE_ID, MessageId::parse(&text)));
    let addressed = addressed(&parameters.take_list(EMAILS).unwrap_or_default());
    if addressed.is_empty() {
        errors.add(EMAILS, &FieldError::Required);
    }
    let force = switch(parameters, FORCE, &mut errors);
    let notify = number(parameters, NOTIFY, 0, 1, 1, &mut errors) == 1;
    let expand = switch(parameters, EXPAND, &mut errors);
    errors.none()?;
    let id = id.ok_or_else(|| Failure::missing(MESSAGE_ID))?;
    Ok((Recall { id, addressed, force, expand }, notify))
}

/// The guide does not say what separates addresses. No address contains a blank or a semicolon.
fn addressed(values: &[String]) -> Vec<Addressed> {
    let parts = values.iter().flat_map(|value| value.split(|c: char| c == ';' || c.is_whitespace()));
    parts.filter(|part| !part.is_empty()).map(Addressed::parse).collect()
}

fn failure_of_recall(error: RecallError) -> Failure {
    match error {
        RecallError::Forbidden(error) => error.into(),
        RecallError::Directory(error) => error.into(),
        RecallError::TooMany => Failure::parameter(EMAILS, &format!("{EMAILS} {error}")),
        RecallError::NotSetUp => {
            let message =
                "The recall of messages is not set up: this server has no mail server (doveadm.url).";
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, message).with_retry()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::form::Body;

    fn read(query: &str) -> Result<(Recall, bool), Failure> {
        read_form(&mut Parameters::decode("", query, Body::Form(b"")).unwrap())
    }

    #[test]
    fn addresses_come_in_every_form() {
        let expected = [Addressed::parse("a@x"), Addressed::parse("b@x")];
        for emails in [
            "emails=a@x,b@x",
            "emails=a@x;b@x",
            "emails=a@x%20b@x",
            "emails=a@x%0A%20;,b@x,",
            "emails=[a@x,b@x]",
            "emails=[%22a@x%22,%22b@x%22]",
            "emails=a@x&emails=b@x",
        ] {
            let (recall, notify) = read(&format!("messageid=1@x&{emails}")).unwrap();
            assert_eq!(recall.addressed, expected, "{emails}");
            assert!(notify && !recall.force && !recall.expand);
        }
    }

    #[test]
    fn mistakes_are_told_together() {
        let message = |query| format!("{:?}", read(query).unwrap_err().into_message());
        let all = message("cmd=search&force=2&notify=x");
        for name in [
            "cmd must be expunge",
            "messageid is a required value",
            "emails is a required value",
            "force",
            "notify",
        ] {
            assert!(all.contains(name), "{name}: {all}");
        }
        assert!(message("emails=a@x&messageid=1%0D%0A@x").contains("control character"));
        assert!(message("emails=;,%20&messageid=1").contains("emails is a required value"));
    }
}
