//! What an answer holds: rows of fields, read tolerantly, because the portal is written in a language where an empty
//! value is `""`, `null`, `false` or missing, a number is a text, and a list with a gap is an object.

use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::{collections::BTreeMap, fmt};

/// Most rows that are accepted in an answer; a page has 50.
const MAX_ROWS: usize = 500;
/// Most fields of a row; a person has about 80, and those that the portal's administrators add.
const MAX_FIELDS: usize = 1_000;
/// Most values of a field, such as the departments of a person. Further ones are left out.
const MAX_VALUES: usize = 64;

/// The parts of an answer that are used, of a result as of an error.
#[derive(Debug, Default, serde::Deserialize)]
pub(super) struct Answer {
    /// The result of a method that answers a list.
    #[serde(default)]
    pub(super) result: Option<Rows>,
    /// Where the next page starts.
    #[serde(default)]
    pub(super) next: Value,
    /// The code of an error.
    #[serde(default)]
    pub(super) error: Value,
    /// The text of an error.
    #[serde(default)]
    pub(super) error_description: Value,
    /// What the call has cost.
    #[serde(default)]
    pub(super) time: Time,
}

/// The times of an answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Time {
    /// When the portal has finished, in seconds since 1970.
    pub(super) finish: Option<i64>,
    /// When a part of the limit on processing time is released, in seconds since 1970.
    pub(super) operating_reset_at: Option<i64>,
}

/// The rows of a list.
#[derive(Debug, Default)]
pub(super) struct Rows(pub(super) Vec<Row>);

/// A person or a department: fields with their values.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(transparent)]
pub(super) struct Row(#[serde(deserialize_with = "fields")] BTreeMap<String, Value>);

/// The value of a field.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Value {
    is_false: bool,
    texts: Vec<String>,
}

impl Row {
    /// Whether the field is there, empty or not.
    pub(super) fn has(&self, field: &str) -> bool {
        self.0.contains_key(field)
    }

    /// The value of a field, unless it is empty.
    pub(super) fn text(&self, field: &str) -> Option<&str> {
        self.0.get(field).and_then(Value::text)
    }

    /// The values of a field, without empty ones.
    pub(super) fn texts(&self, field: &str) -> impl Iterator<Item = &str> {
        self.0.get(field).into_iter().flat_map(Value::texts)
    }

    /// Whether a field says no.
    pub(super) fn denies(&self, field: &str) -> bool {
        self.0
            .get(field)
            .is_some_and(|value| value.is_false || matches!(value.text(), Some("N" | "0" | "false")))
    }

    /// The identifier.
    pub(super) fn id(&self) -> Option<u64> {
        self.text("ID")?.parse().ok().filter(|id| *id > 0)
    }
}

impl Value {
    /// The first text that is not empty.
    pub(super) fn text(&self) -> Option<&str> {
        self.texts().next()
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    fn of(text: impl Into<String>) -> Self {
        Self { is_false: false, texts: vec![text.into()] }
    }

    /// A whole number; the portal writes some as `1721913235.4`.
    fn whole(&self) -> Option<i64> {
        self.text()?.split('.').next()?.parse().ok()
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue)
    }
}

/// Takes a value of any type.
struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value { is_false: !value, texts: Vec::new() })
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::of(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::of(value.to_string()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Value::of(value.to_string()))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::of(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::of(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        let mut all = Value::default();
        while let Some(value) = values.next_element::<Value>()? {
            let space = MAX_VALUES.saturating_sub(all.texts.len());
            all.texts.extend(value.texts.into_iter().take(space));
        }
        Ok(all)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Value, A::Error> {
        while values.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::default())
    }
}

/// Reads the fields of a row, or of `time`.
fn fields<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, Value>, D::Error> {
    deserializer.deserialize_any(Fields)
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = BTreeMap<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object of at most {MAX_FIELDS} fields")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut all = BTreeMap::new();
        while let Some((name, value)) = fields.next_entry()? {
            all.insert(name, value);
            if all.len() > MAX_FIELDS {
                return Err(A::Error::invalid_length(all.len(), &self));
            }
        }
        Ok(all)
    }

    /// An object without fields is written as an empty list.
    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Self::Value, A::Error> {
        match values.next_element::<IgnoredAny>()? {
            Some(_) => Err(A::Error::invalid_type(serde::de::Unexpected::Seq, &self)),
            None => Ok(BTreeMap::new()),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(BTreeMap::new())
    }
}

impl<'de> Deserialize<'de> for Rows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(List)
    }
}

struct List;

impl List {
    fn push<E: Error>(self, rows: &mut Vec<Row>, row: Row) -> Result<(), E> {
        rows.push(row);
        if rows.len() > MAX_ROWS { Err(E::invalid_length(rows.len(), &self)) } else { Ok(()) }
    }
}

impl<'de> Visitor<'de> for List {
    type Value = Rows;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of at most {MAX_ROWS} rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut values: A) -> Result<Rows, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = values.next_element()? {
            List.push(&mut rows, row)?;
        }
        Ok(Rows(rows))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut values: A) -> Result<Rows, A::Error> {
        let mut rows = Vec::new();
        while let Some((_, row)) = values.next_entry::<IgnoredAny, _>()? {
            List.push(&mut rows, row)?;
        }
        Ok(Rows(rows))
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let times = Row(fields(deserializer)?);
        let time = |name| times.0.get(name).and_then(Value::whole);
        Ok(Self { finish: time("finish"), operating_reset_at: time("operating_reset_at") })
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(crate) fn row(json: &serde_json::Value) -> Row {
        serde_json::from_value(json.clone()).unwrap()
    }

    fn answer(json: &str) -> Result<Answer, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn an_empty_value_has_many_forms() {
        let row = row(&serde_json::json!({
            "A": "", "B": null, "C": false, "D": [], "E": {}, "F": " ", "G": [null, "", false], "TIMESTAMP_X": {"a": [1]},
        }));
        for field in ["A", "B", "C", "D", "E", "F", "G", "TIMESTAMP_X"] {
            assert_eq!((row.has(field), row.text(field)), (true, None), "{field}");
        }
        assert!(!row.has("H"));
    }

    #[test]
    fn numbers_are_texts_and_lists_have_many_forms() {
        let row =
            row(&serde_json::json!({"ID": "17", "N": 17, "UF_DEPARTMENT": [1, "5"], "ONE": 3, "TRUE": true}));
        assert_eq!((row.id(), row.text("N"), row.text("TRUE")), (Some(17), Some("17"), None));
        assert_eq!(row.texts("UF_DEPARTMENT").collect::<Vec<_>>(), ["1", "5"]);
        assert_eq!(row.texts("ONE").collect::<Vec<_>>(), ["3"]);
    }

    #[test]
    fn active_has_many_forms() {
        let row = row(&serde_json::json!({"A": false, "B": "N", "C": true, "D": "Y", "E": null, "F": "0"}));
        let denied: Vec<_> =
            ["A", "B", "C", "D", "E", "F", "G"].into_iter().filter(|f| row.denies(f)).collect();
        assert_eq!(denied, ["A", "B", "F"]);
    }

    #[test]
    fn only_positive_numbers_are_identifiers() {
        for id in ["0", "-1", "a", "1.5", "99999999999999999999"] {
            assert_eq!(row(&serde_json::json!({ "ID": id })).id(), None, "{id}");
        }
    }

    #[test]
    fn a_list_with_a_gap_is_an_object() {
        let answer = answer(r#"{"result":{"0":{"ID":"1"},"2":{"ID":"3"}},"next":50,"total":"2"}"#).unwrap();
        let ids: Vec<_> = answer.result.unwrap().0.iter().map(Row::id).collect();
        assert_eq!((ids, answer.next.text()), (vec![Some(1), Some(3)], Some("50")));
    }

    #[test]
    fn times_are_numbers_or_texts() {
        let time = answer(r#"{"result":[],"time":{"finish":17.9,"operating_reset_at":"20"}}"#).unwrap().time;
        assert_eq!((time.finish, time.operating_reset_at), (Some(17), Some(20)));
    }

    #[test]
    fn an_error_has_no_result() {
        let answer =
            answer(r#"{"error":"QUERY_LIMIT_EXCEEDED","error_description":"Too many requests"}"#).unwrap();
        assert!(answer.result.is_none());
        assert_eq!(answer.error.text(), Some("QUERY_LIMIT_EXCEEDED"));
    }

    #[test]
    fn hostile_answers_are_refused() {
        let deep = format!(r#"{{"result":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        let long = format!(r#"{{"result":[{}{{}}]}}"#, "{},".repeat(MAX_ROWS));
        let fields: Vec<_> = (0..=MAX_FIELDS).map(|n| format!(r#""{n}":1"#)).collect();
        let wide = format!(r#"{{"result":[{{{}}}]}}"#, fields.join(","));
        for json in [&deep, &long, &wide, "", r#"{"result":[1]}"#, r#"{"result":"x"}"#] {
            assert!(answer(json).is_err(), "{json:.40}");
        }
    }
}
