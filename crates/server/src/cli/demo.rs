//! Demo users: the same ones on every run, with Russian and Latin names.

use super::print::{tell, to_stderr};
use anyhow::Context;
use directory::{Directory, changing::WriteError, tenants::TenantAtHand};
use futures_util::{StreamExt, stream};
use mail_model::{
    address::{Domain, MailAddress},
    field::FieldErrors,
    tenant::{Tenant, TenantId},
    user::{
        command::{NewUser, Password, parse_fields},
        field::UserField,
    },
};
use std::io::IsTerminal;

/// First names: in Russian, and as written in addresses.
const FIRST: &[(&str, &str)] = &[
    ("Анна", "anna"),
    ("Иван", "ivan"),
    ("Мария", "maria"),
    ("Пётр", "petr"),
    ("Ольга", "olga"),
    ("Алексей", "alexey"),
    ("John", "john"),
    ("Елена", "elena"),
    ("Сергей", "sergey"),
    ("Emma", "emma"),
    ("Фёдор", "fedor"),
    ("Наталья", "natalia"),
    ("Дмитрий", "dmitry"),
];
/// Last names that suit both sexes.
const LAST: &[(&str, &str)] = &[
    ("Шевченко", "shevchenko"),
    ("Smith", "smith"),
    ("Черных", "chernykh"),
    ("Коваленко", "kovalenko"),
    ("Долгих", "dolgikh"),
    ("O'Neil", "oneil"),
    ("Ткаченко", "tkachenko"),
    ("Седых", "sedykh"),
    ("Weber", "weber"),
    ("Бойко", "boyko"),
    ("Белых", "belykh"),
];
const DEPARTMENTS: &[&str] = &["Продажи", "Разработка", "Бухгалтерия", "Sales", "Поддержка"];
const TITLES: &[&str] = &["Инженер", "Менеджер", "Бухгалтер", "Engineer", "Руководитель отдела"];
const CITIES: &[&str] = &["Москва", "Казань", "Санкт-Петербург", "Berlin", "Уфа"];

/// How many users are created concurrently: each costs the server a password hash.
const AT_ONCE: usize = 8;
/// From this number on, progress is shown.
const PROGRESS_FROM: usize = 200;

/// Creates the missing demo users.
pub(super) async fn fill(
    directory: &Directory,
    domain: &Domain,
    number: usize,
    password: &Password,
) -> anyhow::Result<()> {
    let tenant = TenantId::default_tenant();
    if directory.tenant_counts(&tenant).await?.users > number {
        return Ok(());
    }
    let tenant = directory.tenant(&tenant).await?.context("the tenant default is not there")?;
    let show = number >= PROGRESS_FROM && std::io::stderr().is_terminal();
    let mut made = stream::iter(0..number)
        .map(|index| make(directory, &tenant, domain, index, password))
        .buffer_unordered(AT_ONCE)
        .enumerate();
    while let Some((done, outcome)) = made.next().await {
        outcome?;
        if show && done % 50 == 0 {
            to_stderr(format_args!("\rdemo people: {done} of {number}"));
        }
    }
    if show {
        tell!("\rdemo people: {number} of {number}");
    }
    Ok(())
}

async fn make(
    directory: &Directory,
    tenant: &TenantAtHand,
    domain: &Domain,
    index: usize,
    password: &Password,
) -> anyhow::Result<()> {
    let new = person(index, domain, password, tenant)?;
    match directory.create_user(tenant, &new).await {
        Ok(()) | Err(WriteError::Taken(_)) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The demo user with a number.
fn person(index: usize, domain: &Domain, password: &Password, tenant: &Tenant) -> anyhow::Result<NewUser> {
    let pick = |list: &'static [&'static str], step: usize| {
        list.get((index / step) % list.len()).copied().unwrap_or("")
    };
    let of = |list: &'static [(&'static str, &'static str)]| {
        list.get(index % list.len()).copied().unwrap_or(("", ""))
    };
    // 13 first and 11 last names have no common factor: 143 pairs before the first repetition.
    let ((first, first_latin), (last, last_latin)) = (of(FIRST), of(LAST));
    let round = index / (FIRST.len() * LAST.len());
    let number = if round == 0 { String::new() } else { (round + 1).to_string() };
    let mail = MailAddress::parse(&format!("{first_latin}.{last_latin}{number}@{domain}"))?;
    let phone = format!("+7 495 {:03}-{:02}-{:02}", 100 + index % 900, index % 100, (index * 7) % 100);
    let texts = [
        (UserField::FirstName, first),
        (UserField::LastName, last),
        (UserField::Role, "2"),
        (UserField::Department, pick(DEPARTMENTS, 1)),
        (UserField::Title, pick(TITLES, 3)),
        (UserField::City, pick(CITIES, 2)),
        (UserField::WorkPhone, &phone),
    ];
    let mut errors = FieldErrors::default();
    let fields = parse_fields(texts, &mut errors);
    NewUser::new(Some(mail), Some(password.clone()), fields, tenant, errors)
        .with_context(|| format!("demo person {index}"))
}
