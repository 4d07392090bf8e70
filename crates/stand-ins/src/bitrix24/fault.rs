//! How a portal misbehaves on demand.

use crate::http::Response;
use serde_json::json;
use std::time::Duration;

/// A request that has arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its number, from 1.
    pub number: u64,
    /// The method, such as `user.get`.
    pub method: String,
}

/// What happens instead of an answer.
#[derive(Clone, Debug)]
pub enum Fault {
    /// An error of the REST API.
    Error {
        /// The status code.
        status: u16,
        /// The code, such as `expired_token`.
        code: &'static str,
    },
    /// A page of HTML, with a status code.
    Html(u16),
    /// A redirect to a URL.
    Redirect(String),
    /// The connection ends after half of the answer.
    Truncated,
    /// The connection ends without an answer.
    Nothing,
    /// An answer of so many bytes that is no JSON.
    Large(usize),
    /// The method is blocked for a time, because it took too much processing time (429 `OPERATION_TIME_LIMIT`).
    Blocked(Duration),
    /// The answer comes late.
    Slow(Duration),
    /// An answer of this JSON.
    Json(String),
}

const HTML: &str =
    "<!DOCTYPE html><html><head><title>Bitrix24</title></head><body>Service unavailable</body></html>";

/// An error of the REST API.
pub(super) fn error(status: u16, code: &str, text: &str) -> Response {
    let body = json!({"error": code, "error_description": text});
    Response::new(status, "application/json; charset=utf-8", body.to_string())
}

impl Fault {
    /// The response in place of the true one.
    pub(super) fn response(self, mut answer: Response) -> Option<Response> {
        Some(match self {
            Self::Error { status, code } => error(status, code, "an error on demand"),
            Self::Html(status) => Response::new(status, "text/html; charset=utf-8", HTML),
            Self::Redirect(url) => Response { location: Some(url), ..Response::new(302, "text/html", "") },
            Self::Large(length) => Response::new(200, "application/json", vec![b' '; length]),
            Self::Json(body) => Response::new(200, "application/json; charset=utf-8", body),
            Self::Nothing => return None,
            Self::Truncated => {
                answer.ends_after = Some(answer.body.len() / 2);
                answer
            }
            Self::Blocked(_) => answer,
            Self::Slow(delay) => {
                std::thread::sleep(delay);
                answer
            }
        })
    }
}
