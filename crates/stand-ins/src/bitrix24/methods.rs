//! The methods of the REST API.

use super::{
    company::{Company, Person},
    filter,
    parameters::{Parameters, text},
    scopes::Scopes,
};
use serde_json::{Map, Value, json};

/// The rows of a page.
const PAGE: usize = 50;
/// Parameters that are no conditions.
const NO_CONDITIONS: [&str; 8] =
    ["SORT", "ORDER", "START", "SELECT", "FILTER", "ADMIN_MODE", "IMAGE_RESIZE", "AUTH"];

/// What a method answers.
pub(super) struct Listing {
    pub(super) result: Value,
    pub(super) total: Option<usize>,
    pub(super) next: Option<usize>,
}

/// An error of a method.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: &'static str,
    pub(super) text: &'static str,
}

const METHODS: [&str; 10] = [
    "batch",
    "department.fields",
    "department.get",
    "methods",
    "profile",
    "scope",
    "user.current",
    "user.fields",
    "user.get",
    "user.search",
];

/// A portal as one webhook sees it.
pub(super) struct Seen<'a> {
    pub(super) company: &'a Company,
    pub(super) scopes: &'a Scopes,
    /// The user of the webhook.
    pub(super) user: &'a str,
}

impl Seen<'_> {
    /// Calls a method.
    pub(super) fn call(&self, method: &str, parameters: &Parameters) -> Result<Listing, Refusal> {
        let (group, _) = method.split_once('.').unwrap_or((method, ""));
        let is_granted = match group {
            "user" => self.scopes.has_people(),
            "department" => self.scopes.has("department"),
            _ => true,
        };
        if !is_granted {
            let text = "The request requires higher privileges than provided by the webhook token";
            return Err(Refusal { status: 401, code: "insufficient_scope", text });
        }
        match method {
            "user.get" | "user.search" => Ok(self.people(parameters)),
            "user.current" | "profile" => Ok(single(self.own())),
            "user.fields" => Ok(single(self.fields())),
            "department.get" => Ok(self.departments(parameters)),
            "department.fields" => Ok(single(json!({"ID": "ID", "NAME": "Название", "SORT": "Сортировка"}))),
            "scope" => Ok(single(json!(self.scopes.0))),
            "methods" => Ok(single(json!(METHODS))),
            _ => Err(Refusal { status: 404, code: "ERROR_METHOD_NOT_FOUND", text: "Method not found!" }),
        }
    }

    fn own(&self) -> Value {
        let own = self.user.parse().ok().and_then(|id: u64| self.company.people.get(&id));
        own.map_or_else(|| json!({"ID": self.user}), |person| self.scopes.seen(person))
    }

    fn fields(&self) -> Value {
        let person = self.company.people.values().next();
        person
            .into_iter()
            .flat_map(Person::keys)
            .map(|name| (name.clone(), json!(name)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn people(&self, parameters: &Parameters) -> Listing {
        let conditions = conditions(parameters);
        let above = conditions.get(">ID").map(text).and_then(|id| id.parse().ok()).unwrap_or(0);
        let people = self.company.people.range(above..).map(|(_, person)| person);
        let found = people.filter(|person| filter::passes(person, &conditions));
        page(found, parameters, |person| self.scopes.seen(person))
    }

    fn departments(&self, parameters: &Parameters) -> Listing {
        let conditions = conditions(parameters);
        let rows: Vec<Person> =
            self.company.departments.iter().map(|(id, name)| department(*id, name)).collect();
        let found = rows.iter().filter(|row| filter::passes(row, &conditions));
        page(found, parameters, |row| Value::Object(row.clone()))
    }
}

fn department(id: u64, name: &str) -> Person {
    let mut row = Person::new();
    row.insert("ID".to_owned(), json!(id.to_string()));
    row.insert("NAME".to_owned(), json!(name));
    row.insert("SORT".to_owned(), json!(500));
    if id != 1 {
        row.insert("PARENT".to_owned(), json!("1"));
    }
    row
}

fn single(result: Value) -> Listing {
    Listing { result, total: None, next: None }
}

/// The filter; old methods take the conditions beside the other parameters.
fn conditions(parameters: &Parameters) -> Map<String, Value> {
    if let Some(Value::Object(filter)) = parameters.get("FILTER") {
        return filter.clone();
    }
    let is_condition = |name: &str| !NO_CONDITIONS.contains(&name.to_uppercase().as_str());
    let all = parameters.0.iter().filter(|(name, _)| is_condition(name));
    all.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// A page of the rows: `start=-1` means the first one, without counting.
fn page<'a>(
    rows: impl Iterator<Item = &'a Person>,
    parameters: &Parameters,
    seen: impl Fn(&Person) -> Value,
) -> Listing {
    let start = parameters.text("start").and_then(|start| start.parse::<i64>().ok()).unwrap_or(0);
    let (field, is_descending) = sorting(parameters);
    let is_sorted = field == "ID" && !is_descending;
    let Ok(start) = usize::try_from(start) else {
        let first =
            if is_sorted { rows.take(PAGE).collect() } else { sorted(rows.collect(), &field, is_descending) };
        let result = first.into_iter().take(PAGE).map(seen).collect();
        return Listing { result, total: Some(0), next: None };
    };
    let all = sorted(rows.collect(), &field, is_descending);
    let result = all.iter().skip(start).take(PAGE).map(|row| seen(row)).collect();
    let next = start.saturating_add(PAGE);
    Listing { result, total: Some(all.len()), next: Some(next).filter(|next| *next < all.len()) }
}

/// By which field, and whether backwards: `sort` and `order`, or `order` as an object.
fn sorting(parameters: &Parameters) -> (String, bool) {
    let by = match parameters.get("order") {
        Some(Value::Object(order)) => order.iter().next().map(|(field, order)| (field.clone(), text(order))),
        _ => None,
    };
    let (field, order) = by.unwrap_or_else(|| {
        let parameter = |name, usual: &str| parameters.text(name).unwrap_or_else(|| usual.to_owned());
        (parameter("sort", "ID"), parameter("order", "ASC"))
    });
    (field.to_uppercase(), order.eq_ignore_ascii_case("DESC"))
}

fn sorted<'a>(mut rows: Vec<&'a Person>, field: &str, is_descending: bool) -> Vec<&'a Person> {
    let value = |row: &Person| row.get(field).map(text).unwrap_or_default();
    if field != "ID" || is_descending {
        rows.sort_by(|left, right| filter::order(&value(left), &value(right)));
    }
    if is_descending {
        rows.reverse();
    }
    rows
}
