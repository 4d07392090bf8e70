//! What a reply means: an answer, a limit to wait for, a passing fault, or a refusal in words that say what to do.
//!
//! Errors are recognized by their codes, because portals of different versions send them with different status codes:
//! `INVALID_CREDENTIALS`, for example, with 401 or 403.

use super::{
    address::Address,
    answer::{Answer, Time},
    client::{NoReply, Reply},
};
use crate::SourceError;

/// What a reply means.
#[derive(Debug)]
pub(super) enum Verdict {
    /// The result.
    Answer(Answer),
    /// A limit of the portal.
    Limited(Limit),
    /// A fault that may have passed at the next try.
    Passing(SourceError),
    /// The webhook has not the right to call the method.
    Missing(SourceError),
    /// A refusal.
    Lasting(SourceError),
}

/// A limit of the portal.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// Its code.
    pub(super) code: &'static str,
    /// When it is released, in seconds since 1970, by the portal's clock.
    pub(super) reset_at: Option<i64>,
    /// The time at the portal, in seconds since 1970.
    pub(super) now: Option<i64>,
}

/// Judges a reply.
pub(super) fn verdict(reply: Result<Reply, NoReply>, address: &Address) -> Verdict {
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) => return unreachable(error, address),
    };
    match serde_json::from_slice::<Answer>(&reply.body) {
        _ if (300..400).contains(&reply.status) => redirect(&reply, address),
        Ok(answer) if answer.error.text().is_some() => by_code(&answer, &reply, address),
        Ok(answer) if reply.status == 200 && answer.result.is_some() => Verdict::Answer(answer),
        Ok(_) => without_json(&reply, "JSON without a result", address),
        Err(error) => without_json(&reply, kind_of(&reply.body, &error), address),
    }
}

fn unreachable(error: NoReply, address: &Address) -> Verdict {
    let NoReply { reason, is_passing } = error;
    let error = SourceError::Unreachable { address: address.host().to_owned(), reason };
    if is_passing { Verdict::Passing(error) } else { Verdict::Lasting(error) }
}

fn redirect(reply: &Reply, address: &Address) -> Verdict {
    let target =
        reply.other_origin.as_ref().map_or(String::new(), |origin| format!(" to {}", address.quoted(origin)));
    let host = address.host();
    Verdict::Lasting(SourceError::Refused(format!(
        "the portal {host} redirects{target}, which is not followed: set `url` to the address at which the portal answers"
    )))
}

/// What a body is that is not an answer.
fn kind_of(body: &[u8], error: &serde_json::Error) -> &'static str {
    match body.trim_ascii_start().first() {
        None => "nothing",
        Some(b'<') => "a page of HTML",
        Some(_) if error.is_eof() => "JSON that ends too early",
        Some(_) => "something that is not an answer of the REST API",
    }
}

/// An answer without a code of the REST API: of a web server in between, or of another site.
fn without_json(reply: &Reply, kind: &str, address: &Address) -> Verdict {
    let (host, status) = (address.host(), reply.status);
    let told = |advice: &str| {
        SourceError::Refused(format!("the portal {host} answered {status} with {kind}{advice}"))
    };
    match status {
        429 | 503 => Verdict::Limited(Limit { code: "too many requests", reset_at: None, now: reply.now }),
        401 => Verdict::Lasting(SourceError::Login(format!("{host} answered 401 with {kind}"))),
        404 => Verdict::Lasting(told(": no REST API there; check `url`")),
        400..500 => {
            Verdict::Lasting(told(": check `url`, and whether something in between refuses the request"))
        }
        _ => Verdict::Passing(told(": check `url`, and what is between pbm and the portal")),
    }
}

fn by_code(answer: &Answer, reply: &Reply, address: &Address) -> Verdict {
    let code = answer.error.text().unwrap_or_default().to_ascii_uppercase();
    let host = address.host();
    let login = |text: &str| Verdict::Lasting(SourceError::Login(format!("{text} ({host}: {code})")));
    let refused = |text: &str| Verdict::Lasting(SourceError::Refused(format!("{text} ({host}: {code})")));
    match code.as_str() {
        "QUERY_LIMIT_EXCEEDED" => Verdict::Limited(limit("QUERY_LIMIT_EXCEEDED", reply, &Time::default())),
        "OPERATION_TIME_LIMIT" => Verdict::Limited(limit("OPERATION_TIME_LIMIT", reply, &answer.time)),
        "INVALID_CREDENTIALS" | "NO_AUTH_FOUND" | "AUTHORIZATION_ERROR" => login(NO_WEBHOOK),
        "EXPIRED_TOKEN" | "INVALID_TOKEN" => {
            login("the webhook has expired: make a new one, and set `webhook`")
        }
        "USER_ACCESS_ERROR" | "ALLOWED_ONLY_INTRANET_USER" => login("the user of the webhook has no access"),
        "INSUFFICIENT_SCOPE" | "ERROR_METHOD_NOT_FOUND" => Verdict::Missing(SourceError::Refused(format!(
            "the webhook may not call this method: give it the rights `user` and `department` ({host}: {code})"
        ))),
        "OVERLOAD_LIMIT" => {
            refused("the portal has blocked its REST API because of overload: ask its support")
        }
        "ACCESS_DENIED" => refused("the portal's plan does not include the REST API"),
        "PORTAL_DELETED" => refused("the portal is closed"),
        _ => other(answer, reply, address),
    }
}

const NO_WEBHOOK: &str = "the portal knows no such webhook: check `admin_userid` and `webhook`, whose code changes when the webhook is edited";

fn limit(code: &'static str, reply: &Reply, time: &Time) -> Limit {
    Limit { code, reset_at: time.operating_reset_at, now: reply.now.or(time.finish) }
}

/// An error that is not known: passing if it is the server's.
fn other(answer: &Answer, reply: &Reply, address: &Address) -> Verdict {
    let code = address.quoted(answer.error.text().unwrap_or_default());
    let text = address.quoted(answer.error_description.text().unwrap_or_default());
    let (host, status) = (address.host(), reply.status);
    let error = SourceError::Refused(format!("the portal {host} answered {status} {code}: {text}"));
    if status >= 500 { Verdict::Passing(error) } else { Verdict::Lasting(error) }
}

#[cfg(test)]
mod tests {
    use super::{super::address::tests::address, *};

    fn judged(status: u16, body: &str) -> Verdict {
        let body = body.as_bytes().to_vec();
        verdict(Ok(Reply { status, now: Some(100), other_origin: None, body }), &address())
    }

    fn error(code: &str) -> String {
        format!(r#"{{"error":"{code}","error_description":"at /rest/1/s3cretC0de/"}}"#)
    }

    fn words(verdict: Verdict) -> String {
        match verdict {
            Verdict::Passing(error) => format!("passing: {error}"),
            Verdict::Missing(error) => format!("missing: {error}"),
            Verdict::Lasting(error) => format!("lasting: {error}"),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn limits_are_waited_for() {
        let Verdict::Limited(limit) = judged(503, &error("QUERY_LIMIT_EXCEEDED")) else { panic!() };
        assert_eq!(limit, Limit { code: "QUERY_LIMIT_EXCEEDED", reset_at: None, now: Some(100) });
        let body = r#"{"error":"OPERATION_TIME_LIMIT","time":{"operating_reset_at":160,"finish":99}}"#;
        let Verdict::Limited(limit) = judged(429, body) else { panic!() };
        assert_eq!((limit.reset_at, limit.now), (Some(160), Some(100)));
        assert!(matches!(judged(503, "<html>busy</html>"), Verdict::Limited(_)));
        assert!(matches!(judged(429, ""), Verdict::Limited(_)));
    }

    #[test]
    fn what_will_not_pass_is_told_with_advice_and_without_the_secret() {
        for (status, code, told) in [
            (401, "INVALID_CREDENTIALS", "check `admin_userid` and `webhook`"),
            (403, "INVALID_CREDENTIALS", "check `admin_userid` and `webhook`"),
            (401, "NO_AUTH_FOUND", "check `admin_userid` and `webhook`"),
            (401, "expired_token", "make a new one"),
            (503, "OVERLOAD_LIMIT", "ask its support"),
            (401, "OVERLOAD_LIMIT", "ask its support"),
            (403, "ACCESS_DENIED", "plan"),
            (403, "PORTAL_DELETED", "closed"),
            (400, "SOMETHING_NEW", "400 SOMETHING_NEW: at /rest/1/…/"),
        ] {
            let words = words(judged(status, &error(code)));
            assert!(words.starts_with("lasting") && words.contains(told), "{words}");
            assert!(!words.contains("s3cretC0de"), "{words}");
        }
        assert!(words(judged(403, &error("insufficient_scope"))).starts_with("missing"));
    }

    #[test]
    fn what_is_not_an_answer_is_named() {
        for (status, body, told) in [
            (
                200,
                "<!DOCTYPE html>",
                "passing: the portal portal.example:8443 answered 200 with a page of HTML: check `url`",
            ),
            (
                502,
                "<html>",
                "passing: the portal portal.example:8443 answered 502 with a page of HTML: check `url`",
            ),
            (200, r#"{"result":[{"ID":"#, "JSON that ends too early"),
            (200, "", "with nothing"),
            (200, r#"{"time":{}}"#, "JSON without a result"),
            (404, "<html>", "no REST API there; check `url`"),
            (401, "<html>", "lasting: the source refused the login"),
            (500, r#"{"error":"INTERNAL_SERVER_ERROR"}"#, "passing"),
        ] {
            let words = words(judged(status, body));
            assert!(words.contains(told), "{words}");
        }
    }

    #[test]
    fn redirects_name_the_origin_to_set() {
        let other_origin = Some("http://127.0.0.1:8080".into());
        let reply = Reply { status: 302, now: None, other_origin, body: Vec::new() };
        let words = words(verdict(Ok(reply), &address()));
        assert!(words.contains("redirects to http://127.0.0.1:8080, which"), "{words}");
    }
}
