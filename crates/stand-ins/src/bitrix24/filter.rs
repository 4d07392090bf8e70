//! Which rows a filter lets through: the field names have a prefix that says how values are compared.

use super::parameters::text;
use serde_json::{Map, Value};
use std::cmp::Ordering;

/// The prefixes, longer ones first.
const PREFIXES: [&str; 15] =
    ["!=%", "!%=", ">=", "<=", "!@", "!%", "!=", "=%", "%=", ">", "<", "@", "%", "!", "="];

/// Whether a row passes every condition.
pub(super) fn passes(row: &Map<String, Value>, filter: &Map<String, Value>) -> bool {
    filter.iter().all(|(key, wanted)| {
        let prefix = PREFIXES.into_iter().find(|prefix| key.starts_with(prefix)).unwrap_or_default();
        let field = key.get(prefix.len()..).unwrap_or_default();
        condition(row, field, prefix, wanted)
    })
}

fn condition(row: &Map<String, Value>, field: &str, prefix: &str, wanted: &Value) -> bool {
    if matches!(field, "FIND" | "NAME_SEARCH") {
        return ["NAME", "LAST_NAME", "SECOND_NAME", "EMAIL"]
            .iter()
            .any(|name| values(row.get(*name)).iter().any(|value| contains(value, &text(wanted))));
    }
    let (values, wanted) = (values(row.get(field)), values(Some(wanted)));
    let any = |test: &dyn Fn(&str, &str) -> bool| {
        values.iter().any(|value| wanted.iter().any(|wanted| test(value, wanted)))
    };
    match prefix {
        ">" => any(&|value, wanted| order(value, wanted) == Ordering::Greater),
        "<" => any(&|value, wanted| order(value, wanted) == Ordering::Less),
        ">=" => any(&|value, wanted| order(value, wanted) != Ordering::Less),
        "<=" => any(&|value, wanted| order(value, wanted) != Ordering::Greater),
        "%" => any(&contains),
        "!%" => !any(&contains),
        "=%" | "%=" => any(&is_like),
        "!=%" | "!%=" => !any(&is_like),
        "!" | "!=" | "!@" => !any(&is_same),
        _ => any(&is_same),
    }
}

/// The texts of a value; a list has several, an empty value has an empty one.
fn values(value: Option<&Value>) -> Vec<String> {
    match value {
        None => vec![String::new()],
        Some(Value::Array(list)) => list.iter().map(text).collect(),
        Some(Value::Object(list)) => list.values().map(text).collect(),
        Some(value) => vec![text(value)],
    }
}

/// Compares numbers as numbers; an empty text is zero, as in PHP.
pub(super) fn order(left: &str, right: &str) -> Ordering {
    let number = |text: &str| if text.is_empty() { Some(0) } else { text.parse::<i64>().ok() };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left.cmp(&right),
        _ => left.to_lowercase().cmp(&right.to_lowercase()),
    }
}

fn is_same(value: &str, wanted: &str) -> bool {
    let yes = |text: &str| matches!(text.to_lowercase().as_str(), "true" | "y" | "1");
    let is_flag = matches!(value, "Y" | "N");
    if is_flag { yes(value) == yes(wanted) } else { value.to_lowercase() == wanted.to_lowercase() }
}

fn contains(value: &str, wanted: &str) -> bool {
    value.to_lowercase().contains(&wanted.to_lowercase())
}

/// Whether a value is like a pattern with `%` at its ends.
fn is_like(value: &str, pattern: &str) -> bool {
    let (value, pattern) = (value.to_lowercase(), pattern.to_lowercase());
    let bare = pattern.trim_matches('%');
    match (pattern.starts_with('%'), pattern.ends_with('%')) {
        (true, true) => value.contains(bare),
        (true, false) => value.ends_with(bare),
        (false, true) => value.starts_with(bare),
        (false, false) => value == bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn is_found(filter: &Value) -> bool {
        let row =
            json!({"ID": "9", "ACTIVE": true, "NAME": "Мария", "UF_DEPARTMENT": [1, 5], "EMAIL": "m@x"});
        passes(row.as_object().unwrap(), filter.as_object().unwrap())
    }

    #[test]
    fn conditions_are_read_from_prefixes() {
        for filter in [
            json!({">ID": 8, "<ID": "10"}),
            json!({">=ID": "9", "<=ID": 9}),
            json!({"ACTIVE": true}),
            json!({"ACTIVE": "Y"}),
            json!({"@ID": [8, 9]}),
            json!({"ID": ["9"]}),
            json!({"UF_DEPARTMENT": 5}),
            json!({"%NAME": "АРИ"}),
            json!({"=%NAME": "мар%"}),
            json!({"!NAME": "Анна"}),
            json!({"FIND": "мари"}),
            json!({}),
        ] {
            assert!(is_found(&filter), "{filter}");
        }
        for filter in
            [json!({">ID": 9}), json!({"ACTIVE": false}), json!({"!@ID": [9]}), json!({"!%NAME": "ари"})]
        {
            assert!(!is_found(&filter), "{filter}");
        }
    }
}
