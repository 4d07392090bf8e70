//! `batch`: up to 50 calls in one, each of which can use the results of those before it.

use super::{
    methods::{Listing, Refusal, Seen},
    parameters::{Parameters, text},
};
use serde_json::{Map, Value, json};

/// Most calls of a batch.
const MAX_CALLS: usize = 50;

/// Calls all methods of a batch; `time` makes the times of each.
pub(super) fn call(
    seen: &Seen<'_>,
    parameters: &Parameters,
    time: impl Fn() -> Value,
) -> Result<Listing, Refusal> {
    let calls = calls(parameters);
    if calls.len() > MAX_CALLS {
        return Err(Refusal {
            status: 400,
            code: "ERROR_BATCH_LENGTH_EXCEEDED",
            text: "Max batch length exceeded",
        });
    }
    let halts = matches!(parameters.text("halt").as_deref(), Some("Y" | "1" | "true"));
    let mut answers = Answers::default();
    for (name, call) in calls {
        let is_good = answers.add(&name, one(seen, &call, &answers.results), &time);
        if halts && !is_good {
            break;
        }
    }
    Ok(Listing { result: answers.shown(), total: None, next: None })
}

/// The calls, each with its name.
fn calls(parameters: &Parameters) -> Vec<(String, String)> {
    match parameters.get("cmd") {
        Some(Value::Object(calls)) => calls.iter().map(|(name, call)| (name.clone(), text(call))).collect(),
        Some(Value::Array(calls)) => {
            calls.iter().enumerate().map(|(number, call)| (number.to_string(), text(call))).collect()
        }
        _ => Vec::new(),
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
