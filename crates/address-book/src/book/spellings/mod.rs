//! How many of 500 names are suggested by each spelling in use: the table of `docs/SUGGESTIONS.md`.

mod schemes;

use super::{
    Book,
    sample::{self, record, render},
};
use crate::words::{self, translit};
use mail_model::contact::Kind;
use schemes::{SCHEMES, Spelling};
use std::fmt::Write;

const DOCUMENT: &str = include_str!("../../../../../docs/SUGGESTIONS.md");
/// Common first and last names, one per line.
const NAMES: &str = include_str!("russian_names.txt");

/// Western names and how people type them.
const ACCENTS: [(&str, &[&str]); 20] = [
    ("José", &["jose"]),
    ("Müller", &["muller", "mueller"]),
    ("Søren", &["soren", "soeren"]),
    ("Łukasz", &["lukasz"]),
    ("Strauß", &["strauss"]),
    ("Peña", &["pena"]),
    ("François", &["francois"]),
    ("Dvořák", &["dvorak"]),
    ("Šimek", &["simek", "shimek"]),
    ("Žižka", &["zizka"]),
    ("Jørgensen", &["jorgensen", "joergensen"]),
    ("Ångström", &["angstrom", "aangstroem"]),
    ("Nguyễn", &["nguyen"]),
    ("Çelik", &["celik"]),
    ("Şahin", &["sahin", "shahin"]),
    ("Işık", &["isik"]),
    ("Gödel", &["godel", "goedel"]),
    ("Sørensen", &["sorensen", "soerensen"]),
    ("Hélène", &["helene"]),
    ("Wałęsa", &["walesa"]),
];

/// English forms of first names in the list.
const ENGLISH: [(&str, &[&str]); 40] = [
    ("Александр", &["alex", "alexander"]),
    ("Алексей", &["alex", "alexey", "alexis"]),
    ("Андрей", &["andrew"]),
    ("Антон", &["anthony", "anton"]),
    ("Виктор", &["victor"]),
    ("Владимир", &["vladimir"]),
    ("Георгий", &["george"]),
    ("Григорий", &["gregory"]),
    ("Даниил", &["daniel"]),
    ("Денис", &["dennis"]),
    ("Дмитрий", &["dmitry", "dimitri"]),
    ("Евгений", &["eugene"]),
    ("Иосиф", &["joseph"]),
    ("Константин", &["constantine"]),
    ("Лев", &["leo"]),
    ("Максим", &["max", "maxim"]),
    ("Марк", &["marc", "mark"]),
    ("Матвей", &["matthew"]),
    ("Михаил", &["michael"]),
    ("Николай", &["nicholas", "nicolas"]),
    ("Павел", &["paul"]),
    ("Пётр", &["peter"]),
    ("Степан", &["stephen"]),
    ("Тимофей", &["timothy"]),
    ("Филипп", &["philip", "phillip"]),
    ("Фёдор", &["theodore"]),
    ("Эдуард", &["edward"]),
    ("Яков", &["jacob"]),
    ("Александра", &["alexandra"]),
    ("Виктория", &["victoria"]),
    ("Екатерина", &["catherine", "katherine"]),
    ("Елена", &["helen", "helena"]),
    ("Елизавета", &["elizabeth"]),
    ("Ирина", &["irene"]),
    ("Ксения", &["xenia"]),
    ("Мария", &["mary", "maria"]),
    ("Наталья", &["natalie", "natalia"]),
    ("Полина", &["pauline"]),
    ("Софья", &["sophia", "sophie"]),
    ("Юлия", &["julia", "julie"]),
];

/// The results for the spellings of a scheme.
#[derive(Default)]
struct Score {
    spellings: usize,
    before: usize,
    found: usize,
    first: usize,
}

impl Score {
    fn count(&mut self, book: &Book, name: &str, typed: &str) {
        let suggested = book.suggest(typed, 10);
        let shown = suggested.iter().map(|rendered| sample::name(rendered).to_owned());
        let place = shown.into_iter().position(|shown| shown == name);
        self.spellings += 1;
        self.before += usize::from(was_found_before(name, typed));
        self.found += usize::from(place.is_some());
        self.first += usize::from(place == Some(0));
    }

    fn row(&self, title: &str, example: &str) -> String {
        let share = |part: usize| {
            format!("{:.1} %", 100.0 * f64::from(short(part)) / f64::from(short(self.spellings)))
        };
        let [before, found, first] = [self.before, self.found, self.first].map(share);
        format!("| {title} | {example} | {} | {before} | {found} | {first} |\n", self.spellings)
    }
}

fn short(count: usize) -> u32 {
    u32::try_from(count).unwrap()
}

/// Whether the name was found when only one spelling was known: the beginning of the name in its own letters, or in
/// those of BGN/PCGN with e for every е.
fn was_found_before(name: &str, typed: &str) -> bool {
    let (name, typed) = (words::fold(name), words::fold(typed));
    let latin = translit::to_latin(&name);
    words::cut(&typed)
        .all(|typed| name.starts_with(typed) || latin.as_ref().is_some_and(|latin| latin.starts_with(typed)))
}

fn book_of<'a>(names: impl Iterator<Item = &'a str>) -> Book {
    Book::of(
        render,
        (1..).zip(names).map(|(number, name)| {
            (record(number, Kind::Contact, &format!("{number}@x.ru"), name), u64::from(number))
        }),
    )
}

fn table() -> String {
    let russian = book_of(NAMES.lines());
    let mut table = String::new();
    for Spelling { title, spelt } in SCHEMES {
        let (mut score, mut example) = (Score::default(), String::new());
        for name in NAMES.lines() {
            let typed = spelt(&name.to_lowercase());
            if ["Сергей", "Хомяков", "Юрьев"].contains(&name) {
                let quote = if typed.contains('`') { "``" } else { "`" };
                write!(example, "{}{quote}{typed}{quote}", if example.is_empty() { "" } else { " " })
                    .unwrap();
            }
            score.count(&russian, name, &typed);
        }
        // Also checks schemes that do not find every name, so that no regression goes unnoticed.
        assert!(score.found >= score.before, "{title}");
        table += &score.row(title, &example);
    }
    let of_pairs = |book: &Book, pairs: &[(&str, &[&str])]| {
        let mut score = Score::default();
        for (name, spellings) in pairs {
            spellings.iter().for_each(|typed| score.count(book, name, typed));
        }
        score
    };
    table += &of_pairs(&russian, &ENGLISH).row("English forms of first names", "`peter` `helen` `julia`");
    let western = book_of(ACCENTS.iter().map(|(name, _)| *name));
    table +=
        &of_pairs(&western, &ACCENTS).row("Western names without their accents", "`jose` `muller` `mueller`");
    table
}

#[test]
fn there_are_500_names_each_once() {
    let folded: std::collections::BTreeSet<_> = NAMES.lines().map(words::fold).collect();
    assert_eq!((folded.len(), NAMES.lines().count()), (500, 500));
    assert!(ENGLISH.iter().all(|(name, _)| NAMES.lines().any(|line| line == *name)));
}

#[test]
fn the_table_of_the_document_is_what_is_found() {
    let table = table();
    assert!(DOCUMENT.contains(&table), "docs/SUGGESTIONS.md has another table than this:\n{table}");
}

#[test]
fn every_beginning_of_a_name_that_was_found_before_is_found() {
    let book = book_of(NAMES.lines());
    for name in NAMES.lines() {
        let latin = translit::to_latin(&words::fold(name)).unwrap();
        for (end, letter) in latin.char_indices() {
            let typed = &latin[..end + letter.len_utf8()];
            let found = book.suggest(typed, 100);
            let is_it = |rendered: &[u8]| sample::name(rendered) == name;
            assert!(found.iter().any(is_it) || found.len() == 100, "{typed} for {name}");
        }
    }
}
