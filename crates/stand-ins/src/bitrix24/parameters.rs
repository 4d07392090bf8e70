//! The parameters of a call: JSON, or a query with nested keys as PHP reads it (`FILTER[>ID]=5`).

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

/// The deepest nesting of keys.
const MAX_DEPTH: usize = 8;

/// The parameters of a call.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(pub(super) Map<String, Value>);

impl Parameters {
    /// Reads a body of JSON. What is no object is as good as nothing.
    pub(super) fn from_json(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) => Self(map),
            _ => Self::default(),
        }
    }

    /// Reads a query.
    pub(super) fn from_query(query: &str) -> Self {
        let mut all = Map::new();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let name = decoded(name);
            let (first, rest) = name.split_once('[').unwrap_or((&name, ""));
            let path: Vec<_> = rest.split('[').map(|part| part.trim_end_matches(']')).collect();
            let path = if rest.is_empty() { &[] } else { path.as_slice() };
            if path.len() <= MAX_DEPTH {
                insert(&mut all, first, path, Value::String(decoded(value)));
            }
        }
        Self(all)
    }

    /// A parameter, whose name may be in capitals or not.
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// A parameter as a text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.get(name).map(text)
    }
}

/// A value as a text.
pub(super) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(true) => "Y".to_owned(),
        Value::Bool(false) => "N".to_owned(),
        other => other.to_string(),
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

fn insert(map: &mut Map<String, Value>, name: &str, path: &[&str], value: Value) {
    let name = if name.is_empty() { map.len().to_string() } else { name.to_owned() };
    match path.split_first() {
        None => drop(map.insert(name, value)),
        Some((next, rest)) => {
            let inner = map.entry(name).or_insert_with(|| json!({}));
            if let Value::Object(inner) = inner {
                insert(inner, next, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_read_as_php_does() {
        let query = "sort=ID&FILTER[%3EID]=5&filter%5B%40ID%5D%5B0%5D=1&select[]=ID&select[]=NAME&x=%D0%AF+1";
        assert_eq!(
            Value::Object(Parameters::from_query(query).0),
            json!({"sort": "ID", "FILTER": {">ID": "5"}, "filter": {"@ID": {"0": "1"}}, "select": {"0": "ID", "1": "NAME"}, "x": "Я 1"})
        );
    }
}
