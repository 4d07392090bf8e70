//! `batch`: up to 50 calls in one, each of which can use the results of those before it.

use super::{
    methods::{Listing, Refusal, Seen},
    parameters::{Parameters, text},
};
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value, json};
use std::fmt;

/// Most calls of a batch.
const MAX_CALLS: usize = 50;

/// Calls all methods of a batch, in their order in the body; `time` makes the times of each.
pub(super) fn call(seen: &Seen<'_>, body: &[u8], time: impl Fn() -> Value) -> Result<Listing, Refusal> {
    let Batch { cmd: Calls(calls), halt } = serde_json::from_slice(body).unwrap_or_default();
    if calls.len() > MAX_CALLS {
        return Err(Refusal {
            status: 400,
            code: "ERROR_BATCH_LENGTH_EXCEEDED",
            text: "Max batch length exceeded",
        });
    }
    let halts = matches!(text(&halt).as_str(), "Y" | "1" | "true");
    let mut answers = Answers::default();
    for (name, call) in calls {
        let is_good = answers.add(&name, one(seen, &call, &answers.results), &time);
        if halts && !is_good {
            break;
        }
    }
    Ok(Listing { result: answers.shown(), total: None, next: None })
}

/// The body of a batch.
#[derive(Default, serde::Deserialize)]
struct Batch {
    #[serde(default)]
    cmd: Calls,
    #[serde(default)]
    halt: Value,
}

/// The calls, each with its name, in the order of the body: a map that sorts would break their references.
#[derive(Default)]
struct Calls(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Calls {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(InOrder)
    }
}

struct InOrder;

impl<'de> Visitor<'de> for InOrder {
    type Value = Calls;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("calls in an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut calls: A) -> Result<Calls, A::Error> {
        let mut all = Vec::new();
        while let Some(call) = calls.next_entry()? {
            all.push(call);
        }
        Ok(Calls(all))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut calls: A) -> Result<Calls, A::Error> {
        let mut all = Vec::new();
        while let Some(call) = calls.next_element()? {
            all.push((all.len().to_string(), call));
        }
        Ok(Calls(all))
    }
}

fn one(seen: &Seen<'_>, call: &str, results: &Map<String, Value>) -> Result<Listing, Refusal> {
    let (method, query) = call.split_once('?').unwrap_or((call, ""));
    let mut parameters = Parameters::from_query(query);
    parameters.0.values_mut().for_each(|value| replace(value, results));
    match method.to_lowercase().as_str() {
        "batch" => Err(Refusal { status: 400, code: "ERROR_BATCH_METHOD_NOT_ALLOWED", text: "No nesting" }),
        method => seen.call(method, &parameters),
    }
}

/// Replaces `$result[name][0][ID]` by what a call before has answered, or by nothing.
fn replace(value: &mut Value, results: &Map<String, Value>) {
    match value {
        Value::Object(inner) => inner.values_mut().for_each(|value| replace(value, results)),
        Value::String(text) => {
            if let Some(path) = text.strip_prefix("$result[").and_then(|rest| rest.strip_suffix(']')) {
                *value = json!(found(path, results));
            }
        }
        _ => {}
    }
}

fn found(path: &str, results: &Map<String, Value>) -> String {
    let mut parts = path.split("][");
    let first = parts.next().and_then(|name| results.get(name));
    let step = |value: &Value, part: &str| match value {
        Value::Array(list) => part.parse::<usize>().ok().and_then(|index| list.get(index).cloned()),
        other => other.get(part).cloned(),
    };
    let value = parts.try_fold(first.cloned(), |value, part| Some(step(&value?, part)));
    value.flatten().as_ref().map(text).unwrap_or_default()
}

/// What the calls of a batch have answered.
#[derive(Default)]
struct Answers {
    results: Map<String, Value>,
    errors: Map<String, Value>,
    totals: Map<String, Value>,
    nexts: Map<String, Value>,
    times: Map<String, Value>,
}

impl Answers {
    /// Adds an answer, and returns whether it is one and not an error.
    fn add(&mut self, name: &str, answer: Result<Listing, Refusal>, time: impl Fn() -> Value) -> bool {
        match answer {
            Ok(Listing { result, total, next }) => {
                self.results.insert(name.to_owned(), result);
                self.times.insert(name.to_owned(), time());
                self.totals.extend(total.map(|total| (name.to_owned(), json!(total))));
                self.nexts.extend(next.map(|next| (name.to_owned(), json!(next))));
                true
            }
            Err(Refusal { code, text, .. }) => {
                self.errors.insert(name.to_owned(), json!({"error": code, "error_description": text}));
                false
            }
        }
    }

    fn shown(self) -> Value {
        json!({
            "result": as_php(self.results),
            "result_error": as_php(self.errors),
            "result_total": as_php(self.totals),
            "result_next": as_php(self.nexts),
            "result_time": as_php(self.times),
        })
    }
}

/// As PHP writes an array: a list if the keys are 0, 1, 2, …, and so an empty one too.
fn as_php(map: Map<String, Value>) -> Value {
    let is_list = (0..map.len()).all(|index| map.contains_key(&index.to_string()));
    if !is_list {
        return Value::Object(map);
    }
    let mut map = map;
    (0..map.len()).filter_map(|index| map.remove(&index.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::scopes::Scopes, *};
    use crate::bitrix24::Company;

    fn batch(body: &str) -> Value {
        let (company, scopes) = (Company::of(1_000), Scopes(vec!["user".to_owned()]));
        let seen = Seen { company: &company, scopes: &scopes, user: "1" };
        let answer = call(&seen, body.as_bytes(), || json!({}));
        answer.map_or_else(|error| json!(error.code), |listing| listing.result)
    }

    #[test]
    fn a_call_uses_the_results_of_those_before_it() {
        let page = |above: &str| format!("user.get?FILTER[%3EID]={above}&start=-1");
        let body = r#"{"cmd":{"9":"PAGE9","10":"PAGE10","x":"department.get"}}"#
            .replace("PAGE9", &page("0"))
            .replace("PAGE10", &page("%24result%5B9%5D%5B49%5D%5BID%5D"));
        let answer = batch(&body);
        assert_eq!(answer["result"]["9"][49]["ID"], "74");
        assert_eq!(answer["result"]["10"][0]["ID"], "76");
        assert_eq!(answer["result_error"]["x"]["error"], "insufficient_scope");
    }

    #[test]
    fn lists_are_answered_with_lists() {
        let answer = batch(r#"{"cmd":["profile","scope"],"halt":0}"#);
        assert_eq!(answer["result"][1], json!(["user"]));
        assert_eq!(answer["result_error"], json!([]));
        let many = json!({"cmd": vec!["profile"; 51]});
        assert_eq!(batch(&many.to_string()), "ERROR_BATCH_LENGTH_EXCEEDED");
        let stopped = batch(r#"{"cmd":["batch","profile"],"halt":true}"#);
        assert_eq!(stopped["result"], json!([]));
    }
}
