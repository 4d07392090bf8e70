//! Makes people with Russian names, always the same.

use super::company::{Company, Person};
use serde_json::{Value, json};

const SURNAMES: [(&str, &str); 16] = [
    ("Иванов", "ivanov"),
    ("Смирнов", "smirnov"),
    ("Кузнецов", "kuznetsov"),
    ("Попов", "popov"),
    ("Васильев", "vasilev"),
    ("Петров", "petrov"),
    ("Соколов", "sokolov"),
    ("Михайлов", "mikhailov"),
    ("Новиков", "novikov"),
    ("Фёдоров", "fedorov"),
    ("Морозов", "morozov"),
    ("Волков", "volkov"),
    ("Алексеев", "alekseev"),
    ("Лебедев", "lebedev"),
    ("Семёнов", "semenov"),
    ("Егоров", "egorov"),
];
const MEN: [(&str, &str); 8] = [
    ("Александр", "a"),
    ("Дмитрий", "d"),
    ("Максим", "m"),
    ("Сергей", "s"),
    ("Андрей", "an"),
    ("Алексей", "al"),
    ("Артём", "ar"),
    ("Илья", "i"),
];
const WOMEN: [(&str, &str); 8] = [
    ("Анна", "a"),
    ("Мария", "m"),
    ("Елена", "e"),
    ("Ольга", "o"),
    ("Наталья", "n"),
    ("Екатерина", "ek"),
    ("Татьяна", "t"),
    ("Ирина", "i"),
];
const FATHERS: [&str; 6] = ["Александров", "Дмитриев", "Сергеев", "Андреев", "Петров", "Иванов"];
const POSITIONS: [&str; 8] = [
    "инженер",
    "бухгалтер",
    "менеджер по продажам",
    "юрист",
    "аналитик",
    "водитель",
    "руководитель отдела",
    "технолог",
];
const CITIES: [&str; 6] = ["Москва", "Тверь", "Нижний Новгород", "Казань", "Омск", "Ростов-на-Дону"];
const DEPARTMENTS: [&str; 8] = [
    "Бухгалтерия",
    "Отдел кадров",
    "Отдел продаж",
    "Служба безопасности",
    "Производство",
    "Склад",
    "Юридический отдел",
    "Служба «Качество», лаборатория",
];
/// How many departments there are: more than a page.
const DEPARTMENT_COUNT: u64 = 120;

/// The company.
pub(super) fn company(people: u64) -> Company {
    let names = (1..=DEPARTMENT_COUNT).map(|id| (id, department(id)));
    Company {
        people: (0..people).map(|number| (id(number), person(number))).collect(),
        departments: names.collect(),
        ..Company::default()
    }
}

/// The identifier of the person with a number; every third one is missing, as after deletions.
fn id(number: u64) -> u64 {
    number / 2 * 3 + number % 2 + 1
}

fn pick<T: Copy>(list: &[T], number: u64) -> Option<T> {
    let length = u64::try_from(list.len()).ok()?;
    list.get(usize::try_from(number.checked_rem(length)?).ok()?).copied()
}

fn department(id: u64) -> String {
    let name = pick(&DEPARTMENTS, id).unwrap_or_default();
    if id == 1 { "Завод".to_owned() } else { format!("{name} {}", id / 8 + 1) }
}

/// Mixes a number, so that fields do not repeat together.
fn mixed(number: u64, salt: u64) -> u64 {
    let mixed = (number ^ (salt << 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}

fn person(number: u64) -> Person {
    let id = id(number);
    let mut person = names(number);
    let fields = [
        ("ID", json!(id.to_string())),
        ("XML_ID", json!("")),
        ("ACTIVE", json!(number == 0 || number % 20 != 7)),
        ("USER_TYPE", json!(if number % 50 == 33 { "extranet" } else { "employee" })),
        ("WORK_POSITION", json!(pick(&POSITIONS, mixed(number, 1)))),
        (
            "PERSONAL_MOBILE",
            json!(format!(
                "+7 9{:02} {:03}-{:02}-{:02}",
                id % 90 + 10,
                id / 10_000,
                id / 100 % 100,
                id % 100
            )),
        ),
        ("WORK_CITY", json!(pick(&CITIES, mixed(number, 2)))),
        ("UF_DEPARTMENT", departments(number)),
        ("TIMESTAMP_X", json!({})),
        ("LAST_LOGIN", json!("2026-11-20T09:00:00+00:00")),
        ("IS_ONLINE", json!("N")),
        ("PERSONAL_GENDER", json!("")),
        ("PERSONAL_PHOTO", Value::Null),
    ];
    person.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    sometimes_empty(&mut person, number);
    person
}

fn names(number: u64) -> Person {
    let is_woman = number % 2 == 1;
    let (surname, latin) = pick(&SURNAMES, mixed(number, 3)).unwrap_or_default();
    let (name, initial) = pick(if is_woman { &WOMEN } else { &MEN }, mixed(number, 4)).unwrap_or_default();
    let father = pick(&FATHERS, mixed(number, 5)).unwrap_or_default();
    let (ending, latin_ending, patronymic) = if is_woman { ("а", "a", "на") } else { ("", "", "ич") };
    let fields = [
        ("NAME", name.to_owned()),
        ("LAST_NAME", format!("{surname}{ending}")),
        ("SECOND_NAME", format!("{father}{patronymic}")),
        ("EMAIL", format!("{initial}.{latin}{latin_ending}{}@portal.example", id(number))),
    ];
    fields.map(|(name, value)| (name.to_owned(), json!(value))).into_iter().collect()
}

fn departments(number: u64) -> Value {
    let own = mixed(number, 6) % DEPARTMENT_COUNT + 1;
    match number % 10 {
        3 => json!([own, 1]),
        4 => json!([own.to_string()]),
        5 => json!(false),
        _ => json!([own]),
    }
}

/// Fields that not everybody has, empty in each form.
fn sometimes_empty(person: &mut Person, number: u64) {
    let mut set = |field: &str, value| drop(person.insert(field.to_owned(), value));
    match number % 5 {
        0 => set("WORK_PHONE", json!("")),
        1 => set("WORK_PHONE", Value::Null),
        2 => set("WORK_PHONE", json!(false)),
        3 => {}
        _ => set("WORK_PHONE", json!(format!("+7 (495) 123-45-67 доб. {}", number % 10_000))),
    }
    if number.is_multiple_of(3) {
        set("PERSONAL_ICQ", json!(format!("{}", 100_000 + number)));
    }
    if number % 400 == 321 {
        set("EMAIL", json!(""));
    }
    if number % 1_000 == 654 {
        set("EMAIL", json!("никита@завод"));
    }
}
