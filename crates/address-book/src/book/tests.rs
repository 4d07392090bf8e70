//! Compares a book with lists that are sorted and searched linearly.

use super::{
    sample::{contact_bytes, id, name, record, render, user, user_bytes, with_row},
    *,
};
use crate::words::layout;
use mail_model::{
    address::{MailAddress, in_own_letters},
    contact::{Contact, view::Visibility},
    list::{OrderBy, PageRequest, SearchWords, SortKey},
    user::{LISTING, LiveUser, field::UserField},
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

fn names(found: &Items) -> Vec<String> {
    found.iter().map(|rendered| name(rendered).to_owned()).collect()
}

fn people(people: &[(&str, &str, &str)]) -> Book {
    let records = (1..).zip(people).map(|(n, (mail, cn, sn))| (user(n, mail, cn, sn), u64::from(n)));
    Book::of(render, records)
}

fn staff() -> Book {
    people(&[
        ("ivanov@example.ru", "Иван", "Иванов"),
        ("petr@example.ru", "Пётр", "Шевченко"),
        ("s.semina@example.ru", "Светлана", "Се\u{308}мина"),
        ("serg@example.ru", "Сергеи\u{306}", "Жуков"),
        ("john.smith@corp.example.com", "John", "O'Neil-Smith"),
    ])
}

fn suggested(book: &Book, text: &str) -> Vec<String> {
    names(&book.suggest(text, 10))
}

#[test]
fn a_text_finds_names_and_addresses_by_the_beginnings_of_their_words() {
    let book = staff();
    for text in ["ИВ", "иванов иван", "ivanov@example.ru", "иван, example"] {
        assert_eq!(suggested(&book, text)[0], "Иван Иванов", "{text}");
    }
    for text in ["семин", "СЁМИНА", "s.sem", "Све\u{301}тлана", "се\u{308}м"] {
        assert_eq!(suggested(&book, text), ["Светлана Се\u{308}мина"], "{text}");
    }
    for text in ["сергей", "Сергеи\u{306} жук"] {
        assert_eq!(suggested(&book, text), ["Сергеи\u{306} Жуков"], "{text}");
    }
    for text in ["o'neil", "corp", "smi oneil", "Smith John"] {
        let expected: &[&str] = if text == "smi oneil" { &[] } else { &["John O'Neil-Smith"] };
        assert_eq!(suggested(&book, text), expected, "{text}");
    }
}

#[test]
fn cyrillic_names_are_found_in_latin_letters() {
    let book = staff();
    assert_eq!(suggested(&book, "shevchenko"), ["Пётр Шевченко"]);
    assert_eq!(suggested(&book, "Ivan"), ["Иван Иванов"]);
    assert_eq!(suggested(&book, "sergey zh"), ["Сергеи\u{306} Жуков"]);
}

#[test]
fn the_spellings_that_people_use_find_a_name() {
    let book = people(&[
        ("a1@x.ru", "Александр", "Хомяков"),
        ("a2@x.ru", "Алексей", "Щукин"),
        ("a3@x.ru", "Дмитрий", "Цой"),
        ("a4@x.ru", "Сергей", "Юрьев"),
        ("a5@x.ru", "Юлия", "Жукова"),
        ("a6@x.ru", "José", "Müller"),
        ("a7@x.ru", "Михаил", "Чайковский"),
        ("a8@x.ru", "Ольга", "Соловьёва"),
        ("a9@x.ru", "Aleksei", "Šimek"),
    ]);
    for (texts, expected) in [
        (
            &["alexander", "aleksandr", "alexandr", "homyakov", "khomiakov", "xomyakov", "Homiakov"][..],
            "Александр Хомяков",
        ),
        (&["schukin", "shchukin", "shukin", "shhukin", "chtchoukine", "shc", "sch"], "Алексей Щукин"),
        (
            &[
                "dmitry",
                "dmitriy",
                "dmitrii",
                "dmitri",
                "dimitri",
                "tsoi",
                "tsoy",
                "tcoi",
                "coj",
                "dmitrij coj",
            ],
            "Дмитрий Цой",
        ),
        (&["sergei", "sergej", "sergey", "serguei", "yuryev", "iurev", "jurjev", "yurye"], "Сергей Юрьев"),
        (&["julia", "yuliia", "iuliia", "yulia", "julie", "ulia", "zhukova", "jukova"], "Юлия Жукова"),
        (&["jose", "josé", "jose\u{301}", "muller", "mueller", "müller jose"], "José Müller"),
        (
            &["michael", "mikhail", "mihail", "mik", "tchaikovsky", "chaykovskiy", "czajkowski"],
            "Михаил Чайковский",
        ),
        (&["olga", "ol'ga", "Ol’ga", "solovyova", "solovyeva", "solov'eva", "solovjova"], "Ольга Соловьёва"),
        (&["simek", "shimek", "šimek"], "Aleksei Šimek"),
    ] {
        for text in texts {
            assert!(
                suggested(&book, text).contains(&expected.to_owned()),
                "{text}: {:?}",
                suggested(&book, text)
            );
        }
    }
    // Contacts that match as written come first.
    for (text, expected) in [
        ("alex", &["Aleksei Šimek", "Александр Хомяков", "Алексей Щукин"][..]),
        ("alexey", &["Aleksei Šimek", "Алексей Щукин"]),
        ("aleksei", &["Aleksei Šimek", "Алексей Щукин"]),
        ("alexan", &["Александр Хомяков"]),
    ] {
        assert_eq!(suggested(&book, text), expected, "{text}");
    }
}

#[test]
fn what_is_written_as_it_is_typed_comes_before_other_spellings() {
    let book = people(&[
        ("a@x.ru", "Мария", "Абрамова"),
        ("b@x.ru", "Marie", "Zola"),
        ("c@x.ru", "Хан", "Максим"),
        ("max@x.ru", "Яна", "Ким"),
        ("e@x.ru", "Махмуд", "Али"),
        ("hans@x.ru", "Эрик", "Ли"),
        ("g@x.ru", "Галина", "Галкина"),
    ]);
    assert_eq!(suggested(&book, "marie"), ["Marie Zola", "Мария Абрамова"]);
    assert_eq!(suggested(&book, "max"), ["Яна Ким", "Хан Максим", "Махмуд Али"]);
    assert_eq!(suggested(&book, "ha"), ["Хан Максим", "Эрик Ли", "Галина Галкина"]);
}

#[test]
fn a_domain_is_found_by_its_own_letters_and_by_its_a_labels() {
    let mut book = people(&[
        ("ivan@xn--e1afmkfd.xn--p1ai", "Anna", "One"),
        ("ivan@xn--e1afmkfd.example", "Berta", "Two"),
        ("ivan@example.ru", "Clara", "Three"),
    ]);
    let mut record = record(9, Kind::Contact, "x@y.ru", "Dora Four");
    record.contact.alias = vec!["old@xn--e1afmkfd.xn--p1ai".into()];
    book.put(&record, 9);
    let all = ["Anna One", "Berta Two", "Dora Four"];
    for (text, expected) in [
        ("пример", &all[..]),
        ("xn--e1afmkfd", &all),
        ("ivan@пример.рф", &["Anna One"]),
        ("IVAN@Пример.РФ", &["Anna One"]),
        ("ivan@пример.р", &["Anna One"]),
        ("ivan@xn--e1afmkfd.xn--p1ai", &["Anna One"]),
        ("old@пример.рф", &["Dora Four"]),
    ] {
        assert_eq!(suggested(&book, text), expected, "{text}");
        if text.contains('@') {
            let request = |search: &str| ContactsRequest {
                view: View::All,
                kinds: Vec::new(),
                search: search.into(),
                order: ContactOrder::DisplayName,
                descending: false,
                offset: 0,
                limit: 10,
            };
            assert_eq!(names(&book.contacts(&request(text)).items), expected, "{text}");
        }
    }
    let request = PageRequest { search: SearchWords::parse("приме"), ..PageRequest::default() };
    assert_eq!(book.users(&request).count, 2);
}

#[test]
fn a_text_of_the_other_keyboard_layout_is_understood_where_nothing_else_is_found() {
    let book = staff();
    assert_eq!(suggested(&book, "bdfyjd"), ["Иван Иванов"]);
    assert_eq!(suggested(&book, "шмфтщм"), ["Иван Иванов"]);
    assert_eq!(suggested(&book, ";erjd"), ["Сергеи\u{306} Жуков"]);
    assert_eq!(suggested(&book, "ырумсру"), ["Пётр Шевченко"]);
    let book = people(&[("a@x.ru", "Bdfyjd", "One"), ("b@x.ru", "Иванов", "Two")]);
    assert_eq!(suggested(&book, "bdfyjd"), ["Bdfyjd One"]);
}

#[test]
fn the_best_come_first() {
    let mut book = people(&[
        ("b@x.ru", "Анна", "Иванова"),
        ("c@x.ru", "Иван", "Яров"),
        ("d@x.ru", "Иван", "Абрамов"),
        ("иван@x.ru".replace("иван", "ivan").as_str(), "Яна", "Белых"),
    ]);
    book.put(&record(10, Kind::List, "all@x.ru", "Иван"), 10);
    book.put(&record(11, Kind::Resource, "room@x.ru", "Аквариум Иванов"), 11);
    book.put(&record(12, Kind::List, "i@x.ru", "Иванова и Ко"), 12);
    book.put(&record(13, Kind::Contact, "p@y.ru", "Борис Иван"), 13);
    assert_eq!(
        suggested(&book, "иван"),
        [
            "Иван",
            "Борис Иван",
            "Иван Абрамов",
            "Иван Яров",
            "Анна Иванова",
            "Иванова и Ко",
            "Аквариум Иванов"
        ]
    );
    assert_eq!(suggested(&book, "IVAN@x.ru")[0], "Яна Белых");
    assert_eq!(names(&book.suggest("иван", 3)), ["Иван", "Борис Иван", "Иван Абрамов"]);
    assert!(book.suggest("иван", 0).is_empty());
}

#[test]
fn texts_of_punctuation_or_of_great_length_are_answered() {
    let book = staff();
    for text in ["", " ", ".,;@", "—№ «»", "'", "\u{306}"] {
        assert!(book.suggest(text, 10).is_empty(), "{text}");
    }
    assert!(book.suggest(&"я".repeat(10_000), 10).is_empty());
    assert_eq!(suggested(&book, &"иван ".repeat(5000)), ["Иван Иванов"]);
    let mut book = people(&[("a@x.ru", &"щ".repeat(10_000), &"слово ".repeat(2000))]);
    assert_eq!(book.suggest(&"щ".repeat(200), 10).len(), 1);
    assert_eq!(book.suggest("shchshch slovo", 10).len(), 1);
    book.remove(id(1), 2);
    assert!(book.suggest("с", 10).is_empty());
}

#[test]
fn only_those_who_may_be_suggested_are() {
    let mut book = staff();
    let mut ivan = user(1, "ivanov@example.ru", "Иван", "Иванов");
    ivan.visibility = Visibility { colleagues: true, suggestions: false };
    book.put(&ivan, 9);
    assert!(book.suggest("иванов", 10).is_empty());
    assert!(book.contact(id(1)).is_some());
    ivan.visibility = Visibility::NONE;
    book.put(&ivan, 10);
    assert!(book.contact(id(1)).is_none());
    assert!(!book.has_contact("ivanov@example.ru", View::All));
    assert_eq!(book.users(&PageRequest::default()).count, 5);
}

#[test]
fn a_contact_is_found_by_its_address() {
    let mut book = staff();
    book.put(&record(7, Kind::Contact, "ёж@x.ru", "Ёж"), 7);
    let has = |mail: &str| book.has_contact(mail, View::All);
    assert!(has("PETR@example.ru") && has("ёж@x.ru"));
    assert!(!has("еж@x.ru") && !has("petr@example.r"));
}

#[test]
fn what_is_older_changes_nothing_but_is_seen() {
    let mut book = Book::new(render);
    book.put(&user(1, "a@x.ru", "Новая", "А"), 5);
    book.put(&user(1, "a@x.ru", "Старая", "А"), 4);
    book.remove(id(1), 4);
    assert_eq!(name(&book.contact(id(1)).unwrap()), "Новая А");
    book.remove(id(1), 9);
    book.put(&user(1, "a@x.ru", "Старая", "А"), 8);
    assert!(book.contact(id(1)).is_none());
    book.remove(id(2), 12);
    assert_eq!(book.version(), 12);
    book.put(&user(1, "a@x.ru", "Снова", "А"), 9);
    assert!(book.contact(id(1)).is_some());
    let steps = book.changes(0, 0, 10);
    assert!(!steps.more);
    assert_eq!(steps.steps.iter().map(|step| step.at).collect::<Vec<_>>(), [9, 12]);
}

#[test]
fn changes_of_one_sequence_number_come_together() {
    let mut book = Book::new(render);
    for (number, at) in [(1, 1), (2, 2), (3, 2), (4, 2), (5, 3)] {
        book.put(&user(number, &format!("u{number}@x.ru"), "А", "Б"), at);
    }
    let steps = book.changes(0, 0, 2);
    assert_eq!((steps.steps.len(), steps.more), (4, true));
    assert_eq!(book.changes(2, 2, 2).steps.len(), 1);
}

#[test]
fn an_export_goes_on_after_an_address_and_keeps_the_same_ones_together() {
    let mut book = people(&[("a@x.ru", "А", "А"), ("c@x.ru", "В", "В")]);
    book.put(&record(7, Kind::Contact, "b@x.ru", "Б1"), 7);
    book.put(&record(8, Kind::Contact, "b@x.ru", "Б2"), 8);
    assert_eq!(names(&book.after("", View::All, &[], 2)), ["А А", "Б1", "Б2"]);
    assert_eq!(names(&book.after("B@x.ru", View::All, &[], 2)), ["В В"]);
    assert_eq!(names(&book.after("", View::All, &[Kind::Contact], 1)), ["Б1", "Б2"]);
    assert!(book.after("c@x.ru", View::All, &[], 2).is_empty());
}

#[test]
fn texts_of_entries_that_change_often_are_not_kept() {
    let mut book = staff();
    for at in 10..20_000 {
        book.put(&user(1, "ivanov@example.ru", &format!("Иван{at}"), "Иванов"), at);
    }
    assert_eq!(suggested(&book, "иван19999"), ["Иван19999 Иванов"]);
    assert_eq!(suggested(&book, "сем"), ["Светлана Се\u{308}мина"]);
    assert!(book.entries.text_size() < 1 << 18, "{}", book.entries.text_size());
}

const NAMES: [&str; 16] = [
    "Иван",
    "иванов",
    "Семён",
    "Сергеи\u{306}",
    "Семен",
    "ivan",
    " Пётр 2",
    "О'Нил",
    "ﬁsh",
    "  ",
    "Ива",
    "Ivanov Иван",
    "Алексей Хомяков",
    "Müller",
    "Aleksei Xhou",
    "Михаил",
];
const PARTS: [&str; 4] = ["ivan", "ivanov.petr", "u2", "семен"];
const TEXTS: [&str; 25] = [
    "",
    "и",
    "иван",
    "ИВАНОВ",
    "ivan",
    "e",
    "bdfy",
    "шмфт",
    "сергей",
    "сёмен",
    "семен иван",
    "x",
    "2 пётр",
    "и i ru",
    "Иван иванов",
    "fi нил",
    "приме",
    "ivan@пример.р",
    "alex",
    "mik",
    "homy i",
    "xo",
    "mueller",
    "michael",
    "h'om'",
];

fn a_name() -> impl Strategy<Value = Option<String>> {
    let name = prop_oneof![
        8 => prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        1 => "\\PC{1,8}",
        1 => "[аеёиийИЁ\u{301}\u{306}\u{308} ,ſİΣς]{1,8}",
    ];
    prop::option::weighted(0.7, name)
}

fn a_text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => prop::sample::select(&TEXTS[..]).prop_map(str::to_owned),
        1 => ".{0,10}",
        1 => "[аеёиийИЁ\u{301}\u{306}\u{308} ,ſİΣς]{1,3}",
    ]
}

fn a_record() -> impl Strategy<Value = Record> {
    let names = (a_name(), a_name(), a_name(), a_name(), a_name(), a_name());
    let place = (0_u32..25, prop::sample::select(&Kind::ALL[..]), prop::sample::select(&PARTS[..]));
    (place, names, any::<(bool, bool, bool)>()).prop_map(|((number, kind, part), names, flags)| {
        // Users have ASCII addresses of their own.
        let mail = if kind == Kind::User {
            format!("{}{number}@x.ru", if part.is_ascii() { part } else { "u" })
        } else {
            format!("{part}@{}", if flags.0 { "y.ru" } else { "xn--e1afmkfd.xn--p1ai" })
        };
        let (shown, cn, sn, initials, ou, more) = names;
        let mut record = record(number, kind, &mail, &shown.unwrap_or_else(|| mail.clone()));
        let text = |name: &Option<String>| name.clone().filter(|name| !name.trim().is_empty());
        (record.contact.cn, record.contact.sn) = (text(&cn), text(&sn));
        (record.contact.initials, record.contact.ou) = (text(&initials), text(&ou));
        record.contact.title = text(&more).map(|title| format!("{title} title"));
        record.contact.alias = more.iter().map(|alias| format!("{alias}@z.ru")).collect();
        if kind == Kind::User {
            let values = |first: &Option<String>, second: Option<&String>| -> Vec<String> {
                first.iter().chain(second.filter(|_| flags.2)).cloned().collect()
            };
            let (cn, sn) = (values(&cn, more.as_ref()), values(&sn, ou.as_ref()));
            with_row(&mut record, &cn, &sn);
        }
        record.visibility = Visibility { colleagues: flags.0, suggestions: flags.1 };
        record
    })
}

/// The expected contents of a book.
type Naive = BTreeMap<ContactId, Record>;

fn texts(contact: &Contact, with_duties: bool) -> Vec<String> {
    let mut texts = vec![contact.mail.clone(), contact.display_name.clone()];
    texts.extend(contact.alias.iter().cloned());
    texts
        .extend(std::iter::once(&contact.mail).chain(&contact.alias).filter_map(|mail| in_own_letters(mail)));
    texts.extend([&contact.cn, &contact.sn, &contact.initials].into_iter().flatten().cloned());
    if with_duties {
        texts.extend([&contact.ou, &contact.title].into_iter().flatten().cloned());
    }
    texts.iter().map(|text| words::fold(text)).collect()
}

fn contacts<'a>(naive: &'a Naive, request: &ContactsRequest) -> (Vec<&'a Contact>, usize) {
    let search = words::fold(&request.search);
    let is_wanted = |record: &&Record| {
        let texts = texts(&record.contact, true);
        record.visibility.is_in(request.view)
            && (request.kinds.is_empty() || request.kinds.contains(&record.contact.kind))
            && search.split_whitespace().all(|word| texts.iter().any(|text| text.contains(word)))
    };
    let mut found: Vec<_> = naive.values().filter(is_wanted).map(|record| &record.contact).collect();
    found.sort_by_key(|contact| {
        let value = match request.order {
            ContactOrder::DisplayName => contact.display_name.as_str(),
            ContactOrder::Mail => &contact.mail,
            ContactOrder::LastName => contact.sn.as_deref().unwrap_or_default(),
        };
        (words::fold(value), contact.mail.clone(), contact.id)
    });
    if request.descending {
        found.reverse();
    }
    let count = found.len();
    (found.into_iter().skip(request.offset).take(request.limit).collect(), count)
}

fn check_contacts(book: &Book, naive: &Naive, request: &ContactsRequest) {
    let (expected, count) = contacts(naive, request);
    let found = book.contacts(request);
    assert_eq!(found.count, count, "{request:?}");
    assert_eq!(found.items, expected.into_iter().map(contact_bytes).collect::<Items>(), "{request:?}");
}

fn check_users(book: &Book, naive: &Naive, request: &PageRequest) {
    let is_found = |record: &&Record| {
        record.user.as_ref().is_some_and(|live| {
            let values = [UserField::FirstName, UserField::LastName].map(|field| live.user.values(field));
            let texts = values.into_iter().flatten().chain([&record.contact.mail]);
            request.search.are_found_in(&texts.map(String::as_str).collect::<Vec<_>>())
        })
    };
    let rows: Vec<_> = naive.values().filter(is_found).collect();
    let key = |record: &&Record| {
        let field = match request.order_by.attribute() {
            None => None,
            Some(attribute) if *attribute == UserField::FirstName.attribute() => Some(UserField::FirstName),
            Some(_) => Some(UserField::LastName),
        };
        let user = &record.user.as_ref().unwrap().user;
        let value = field.map(|field| user.values(field).first().cloned().unwrap_or_default());
        SortKey::new(record.contact.mail.clone(), value.as_deref())
    };
    let found = book.users(request);
    assert_eq!(found.count, rows.len(), "{request:?}");
    let expected: Items = request
        .cut(rows, key)
        .into_iter()
        .filter_map(|record| record.user.as_ref().map(user_bytes))
        .collect();
    assert_eq!(found.items, expected, "{request:?}");
}

fn check_user(book: &Book, naive: &Naive, mail: &str) {
    // No user has an address that is none.
    let Ok(mail) = MailAddress::parse(mail) else { return };
    let has_address = |live: &&LiveUser| *live.user.mail() == mail;
    let users = naive.values().filter_map(|record| record.user.as_ref()).filter(has_address);
    let expected: Vec<_> =
        users.map(|live| (live.id.clone(), user_bytes(live), live.version.tag())).collect();
    match book.user(&mail) {
        None => assert_eq!(expected, [], "{mail}"),
        Some(UserFound { id, json, tag }) => {
            assert!(expected.contains(&(id.unique_id(), json, tag)), "{mail}");
        }
    }
}

fn suggested_words(contact: &Contact) -> BTreeSet<String> {
    let texts = texts(contact, false);
    texts.iter().flat_map(|text| words::found_by(text)).map(Into::into).collect()
}

fn naive_suggestions<'a>(naive: &'a Naive, text: &str, with_possible: bool) -> Vec<&'a Contact> {
    let text = words::fold(text);
    let typed: Vec<_> = words::cut(&text).take(8).map(|word| (word, words::readings(word))).collect();
    let address = MailAddress::parse(text.trim()).map_or(text.trim().to_owned(), |mail| mail.to_string());
    let rank = |contact: &Contact| {
        let words = suggested_words(contact);
        let has = |part: &str| words.iter().any(|word| word.starts_with(part));
        let is_it =
            words::fold(&contact.display_name) == text.trim() || words::fold(&contact.mail) == address;
        let is_whole = typed.iter().all(|(word, readings)| {
            words.contains(*word) || readings.likely.first().is_some_and(|reading| words.contains(reading))
        });
        let is_likely = |(word, readings): &(&str, words::Readings)| {
            has(word) || readings.likely.iter().any(|reading| has(reading))
        };
        let is_possible = |typed: &(&str, words::Readings)| {
            is_likely(typed) || typed.1.possible.iter().any(|reading| has(reading))
        };
        match () {
            () if typed.is_empty() => None,
            () if is_it => Some(0),
            () if is_whole => Some(1),
            () if typed.iter().all(|(word, _)| has(word)) => Some(2),
            () if typed.iter().all(is_likely) => Some(3),
            () if with_possible && typed.iter().all(is_possible) => Some(4),
            () => None,
        }
    };
    let kind = |contact: &Contact| match contact.kind {
        Kind::User | Kind::Contact => 0,
        Kind::List => 1,
        Kind::Resource => 2,
    };
    let mut found: Vec<_> = naive
        .values()
        .filter(|record| record.visibility.suggestions)
        .map(|record| &record.contact)
        .filter_map(|contact| {
            let name = words::fold(&contact.display_name);
            Some(((rank(contact)?, kind(contact), name, contact.mail.clone(), contact.id), contact))
        })
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    found.into_iter().map(|(_, contact)| contact).collect()
}

fn check_suggestions(book: &Book, naive: &Naive, text: &str) {
    let has_words = words::cut(&words::fold(text)).next().is_some();
    let others = layout::other_readings(text).chain(words::without_apostrophes(text));
    let others: Vec<_> = if has_words { others.collect() } else { Vec::new() };
    let other =
        || others.iter().map(|text| naive_suggestions(naive, text, false)).find(|found| !found.is_empty());
    let is_certain = !naive_suggestions(naive, text, false).is_empty();
    let other = if is_certain { None } else { other() };
    let expected = other.unwrap_or_else(|| naive_suggestions(naive, text, true));
    let expected: Vec<_> = expected.into_iter().take(100).map(contact_bytes).collect();
    assert_eq!(book.suggest(text, 100), expected.iter().collect(), "{text}");
    let first: Items = expected.into_iter().take(3).collect();
    assert_eq!(book.suggest(text, 3), first, "{text}, three");
}

fn check(book: &Book, naive: &Naive, search: &str, kinds: &[Kind], descending: bool, offset: usize) {
    for view in View::NAMES.iter().filter_map(|view| View::parse(view)) {
        for order in [ContactOrder::DisplayName, ContactOrder::Mail, ContactOrder::LastName] {
            let (kinds, search) = (kinds.to_vec(), search.to_owned());
            check_contacts(
                book,
                naive,
                &ContactsRequest { view, kinds, search, order, descending, offset, limit: 5 },
            );
        }
    }
    for order_by in
        LISTING.orders.iter().chain([&LISTING.naming]).filter_map(|attribute| LISTING.order_by(attribute))
    {
        let (search, page) = (SearchWords::parse(search), offset + 1);
        check_users(book, naive, &PageRequest { search, order_by, descending, page, limit: 5 });
    }
    check_suggestions(book, naive, search);
    let all = naive.values().filter(|record| record.is_contact()).count();
    assert_eq!(book.after("", View::All, &[], 10_000).len(), all);
    for (id, record) in naive {
        check_user(book, naive, &record.contact.mail);
        assert_eq!(book.contact(*id), record.is_contact().then(|| contact_bytes(&record.contact)));
    }
}

proptest! {
    #[test]
    fn a_book_answers_like_lists_that_are_sorted_and_searched(
        changes in prop::collection::vec((a_record(), prop::bool::weighted(0.2)), 0..60),
        search in a_text(),
        kinds in prop::sample::subsequence(Kind::ALL.to_vec(), 0..3),
        descending: bool,
        offset in 0_usize..4,
    ) {
        let (mut naive, mut book) = (Naive::new(), Book::new(render));
        for ((record, is_removed), at) in changes.into_iter().zip(1..) {
            if is_removed {
                naive.remove(&record.contact.id);
                book.remove(record.contact.id, at);
            } else {
                naive.insert(record.contact.id, record.clone());
                book.put(&record, at);
            }
        }
        check(&book, &naive, &search, &kinds, descending, offset);
        let bulk = Book::of(render, naive.values().cloned().map(|record| (record, 1)));
        check(&bulk, &naive, &search, &kinds, descending, offset);
    }
}

#[test]
fn a_large_book_answers_like_that_too() {
    let (mut naive, mut book) = (Naive::new(), Book::new(render));
    let name = |number: u32, of: u32| format!("{}{}", NAMES[(number % 7) as usize].trim(), number % of);
    for (number, at) in (0..3000).map(|n| n * 7 % 3000).zip(1..) {
        let record =
            user(number, &format!("user{number:04}@x.ru"), &name(number, 400), &name(number + 1, 20));
        naive.insert(record.contact.id, record.clone());
        book.put(&record, at);
    }
    for (number, at) in (0..3000).step_by(3).zip(4000..) {
        naive.remove(&id(number));
        book.remove(id(number), at);
    }
    let bulk = Book::of(render, naive.values().cloned().map(|record| (record, 1)));
    for search in ["иван", "иван7", "u", "user", "user01", "user0100", "семен17 ivan", "ivan399 bdfy", "gtnh"]
    {
        check(&book, &naive, search, &[], false, 0);
        check(&bulk, &naive, search, &[Kind::User], true, 100);
    }
}

#[test]
fn a_row_of_the_list_of_users_is_the_whole_user() {
    let book = staff();
    let found = book.users(&PageRequest { order_by: OrderBy::default(), limit: 1, ..PageRequest::default() });
    assert_eq!((found.count, names(&found.items)), (5, vec!["ivanov@example.ru".to_owned()]));
}
