//! Suggestions for a part of a name, typed on either keyboard layout.

use harness::{Context, MEMBERS, Tenant, World, encoded, json_list};

harness::trials! { "suggest":
    every_beginning_of_every_word_of_a_name_finds_it,
    the_parts_of_addresses_and_aliases_are_words_too,
    several_words_match_in_any_order_and_all_of_them_must,
    yo_and_letter_case_count_for_nothing,
    the_wrong_keyboard_layout_is_understood_both_ways,
    another_layout_is_tried_only_where_the_straight_reading_finds_nothing,
    cyrillic_names_are_found_in_latin_letters,
    whole_words_come_before_beginnings,
    people_come_before_lists_and_these_before_rooms,
    an_address_that_is_typed_as_a_whole_comes_first,
    equals_come_by_their_shown_names,
    ten_are_suggested_unless_more_are_asked_for,
    suggestions_are_contacts_as_everywhere,
    a_text_without_a_word_suggests_nothing,
    composed_and_combining_letters_are_the_same,
    texts_that_are_too_much_are_refused_and_odd_ones_are_answered,
}

/// A user with an address, first and last name.
fn person(tenant: &Tenant<'_>, name: &str, first: &str, last: &str) {
    tenant.user(name).with("cn", first).with("sn", last).create();
}

#[track_caller]
fn assert_suggested(tenant: &Tenant<'_>, cases: &[(&str, &[&str])]) {
    for (text, expected) in cases {
        let _case = Context::new(format!("{text:?}"));
        let mut found = tenant.book().suggested(text);
        found.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(found, expected);
    }
}

fn every_beginning_of_every_word_of_a_name_finds_it(world: &World) {
    let tenant = world.tenant();
    let shown = "О'Нил-Санчес, Анна «Босс» (Москва)";
    tenant.user("u1").with("cn", "Мария").with("sn", "Ким").with("displayName", shown).create();
    tenant.user("u2").with("initials", "Аркадьевич").create();
    for word in ["Нил", "Санчес", "Анна", "Босс", "Москва", "Мария", "Ким"] {
        for (end, letter) in word.char_indices() {
            let beginning = &word[..end + letter.len_utf8()];
            let found = tenant.book().suggested(beginning);
            assert!(found.contains(&"u1".to_owned()), "{beginning}: {found:?}");
        }
        let inner: String = word.chars().skip(1).collect();
        assert_eq!(tenant.book().suggested(&inner), Vec::<String>::new(), "{inner}");
    }
    assert_suggested(
        &tenant,
        &[("аркад", &["u2"]), ("санчес-анна", &["u1"]), ("аннао", &[]), ("О'Нил", &["u1"])],
    );
    tenant.group("Rooms").create().resource("r1").with("displayName", "Кабинет 101").create();
    tenant.mail_list("l1").with("displayName", "Все из отдела 7").members(MEMBERS).create();
    assert_suggested(&tenant, &[("101", &["r1"]), ("каб 1", &["r1"]), ("отд", &["l1"]), ("7", &["l1"])]);
}

fn the_parts_of_addresses_and_aliases_are_words_too(world: &World) {
    let tenant = world.tenant();
    tenant.user("ivan.petrov-7").with("alias", &tenant.address("big_boss+x")).create();
    let whole = tenant.address("ivan.petrov-7");
    let half = format!("ivan.petrov-7@{}", &tenant.domain[..2]);
    for text in ["iv", "petr", "7", "ivan.petrov", "ivan.petrov-7@", &half, &whole, "big", "boss"] {
        assert_eq!(tenant.book().suggested(text), ["ivan.petrov-7"], "{text}");
    }
    let with_name = format!("Ivan Petrov <{whole}>");
    assert_eq!(tenant.book().suggested(&with_name), ["ivan.petrov-7"]);
    assert_suggested(&tenant, &[("oss", &[]), ("etrov", &[])]);
}

fn several_words_match_in_any_order_and_all_of_them_must(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Иван", "Петров");
    person(&tenant, "b", "Пётр", "Иванов");
    person(&tenant, "c", "Иван", "Сидоров");
    assert_suggested(
        &tenant,
        &[
            ("иван петров", &["a"]),
            ("петров иван", &["a"]),
            ("пет ив", &["a", "b"]),
            ("  ив,  пет ", &["a", "b"]),
            ("иванов п", &["b"]),
            ("сид ив", &["c"]),
            ("иван", &["a", "b", "c"]),
            ("иван петров сидоров", &[]),
            ("иван никто", &[]),
            ("иван a", &["a"]),
        ],
    );
}

fn yo_and_letter_case_count_for_nothing(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Семён", "Ёлкин");
    person(&tenant, "b", "Семен", "ЕЛКИН");
    for text in ["семен", "СЕМЁН", "семён елк", "ЕЛК", "ёлкин", "Ёлкин Семен"]
    {
        assert_suggested(&tenant, &[(text, &["a", "b"])]);
    }
}

fn the_wrong_keyboard_layout_is_understood_both_ways(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Пётр", "Иванов");
    person(&tenant, "b", "Любовь", "Жукова");
    tenant.user("smith").with("cn", "John").with("sn", "Smith").create();
    assert_suggested(
        &tenant,
        &[
            // The keys of «иванов» on a keyboard that is set to English.
            ("bdfyjd", &["a"]),
            ("Bdfy", &["a"]),
            ("BDFYJD", &["a"]),
            ("bdfyjd gtn", &["a"]),
            // Keys of punctuation have letters as well: «жуков», «любовь».
            (";erjd", &["b"]),
            ("k.,jdm", &["b"]),
            // The other way round.
            ("ыьшер", &["smith"]),
            ("ыьш", &["smith"]),
            ("ОЩРТ ЫЬШ", &["smith"]),
            ("bdfyjd ;erjd", &[]),
        ],
    );
    tenant.user("ivanov").with("cn", "X").with("sn", "Y").create();
    // Both ways at once: «ivanov» is also Иванов in Latin letters.
    assert_suggested(&tenant, &[("шмфтщм", &["a", "ivanov"])]);
}

fn another_layout_is_tried_only_where_the_straight_reading_finds_nothing(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Пётр", "Иванов");
    assert_suggested(&tenant, &[("bdfyjd", &["a"])]);
    tenant.user("bdfyjd").with("cn", "X").with("sn", "Y").create();
    assert_suggested(&tenant, &[("bdfyjd", &["bdfyjd"]), ("иванов", &["a"])]);
    tenant.user("ivan").with("cn", "X").with("sn", "Y").create();
    person(&tenant, "b", "Шмфт", "Х");
    assert_suggested(&tenant, &[("шмфт", &["b"])]);
}

fn cyrillic_names_are_found_in_latin_letters(world: &World) {
    let tenant = world.tenant();
    // BGN/PCGN, without the characters that an address cannot contain.
    let people = [
        ("a", "Иван", "Щукин", "ivan", "shchukin"),
        ("b", "Юлия", "Хомякова", "yuliya", "khomyakova"),
        ("c", "Ольга", "Цой", "olga", "tsoy"),
        ("d", "Семён", "Жуковский", "semen", "zhukovskiy"),
        ("e", "Эдуард", "Чаплыгин", "eduard", "chaplygin"),
    ];
    for (name, first, last, ..) in people {
        person(&tenant, name, first, last);
    }
    for (name, .., first, last) in people {
        let both = format!("{} {first}", last.to_uppercase());
        assert_suggested(
            &tenant,
            &[(first, &[name]), (last, &[name]), (&last[..3], &[name]), (&both, &[name])],
        );
    }
    // Letters of both alphabets match each other, and addresses keep their own.
    tenant.user("ivan").with("cn", "Пётр").with("sn", "Кац").create();
    assert_suggested(&tenant, &[("ivan", &["a", "ivan"]), ("ivan щук", &["a"]), ("ivan петр", &["ivan"])]);
}

fn whole_words_come_before_beginnings(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Алексей", "Романов");
    person(&tenant, "b", "Роман", "Яшин");
    assert_eq!(tenant.book().suggested("роман"), ["b", "a"]);
    assert_eq!(tenant.book().suggested("рома"), ["a", "b"]);
    // A list whose name precedes a person's, and a room.
    tenant.mail_list("l").with("displayName", "Роман с продолжением").members(MEMBERS).create();
    assert_eq!(tenant.book().suggested("роман"), ["b", "l", "a"]);
    tenant.group("Rooms").create().resource("r").with("displayName", "Зал «Роман»").create();
    assert_eq!(tenant.book().suggested("роман"), ["b", "l", "r", "a"]);
    assert_eq!(tenant.book().suggested("roman"), ["b", "l", "r", "a"]);
}

fn people_come_before_lists_and_these_before_rooms(world: &World) {
    let tenant = world.tenant();
    tenant.group("Rooms").create().resource("a").with("displayName", "Альфа 1").create();
    tenant.mail_list("b").with("displayName", "Альфа 2").members(MEMBERS).create();
    tenant.add_outside("Alfa", &format!("c@outside-{}.example", tenant.id), "displayName: Alfa 3\n");
    harness::soon("the outside contact", || tenant.book().suggested("alfa").contains(&"c".to_owned()));
    tenant.user("d").with("displayName", "Альфа 4").create();
    for text in ["alfa", "alf"] {
        let mut found = tenant.book().suggested(text);
        // People of both kinds have the same rank.
        found[..2].sort_unstable();
        assert_eq!(found, ["c", "d", "b", "a"], "{text}");
    }
    assert_eq!(tenant.book().suggested("альфа"), ["d", "b", "a"]);
}

fn an_address_that_is_typed_as_a_whole_comes_first(world: &World) {
    let tenant = world.tenant();
    tenant.user("ivan.a").with("displayName", "А").create();
    tenant.user("ivan").with("displayName", "Я").create();
    tenant.user("b.ivan").with("displayName", "Б").create();
    assert_eq!(tenant.book().suggested(&tenant.address("ivan"))[0], "ivan");
    assert_eq!(tenant.book().suggested(&tenant.address("IVAN").to_uppercase())[0], "ivan");
    assert_eq!(tenant.book().suggested(&tenant.address("b.ivan"))[0], "b.ivan");
}

fn equals_come_by_their_shown_names(world: &World) {
    let tenant = world.tenant();
    for (name, first, last) in
        [("a", "Яна", "Ким"), ("b", "анна", "Ким"), ("c", "Ёлка", "Ким"), ("d", "Жанна", "Ким")]
    {
        person(&tenant, name, first, last);
    }
    assert_eq!(tenant.book().suggested("ким"), ["b", "c", "d", "a"]);
    assert_eq!(tenant.book().suggested("ки"), ["b", "c", "d", "a"]);
}

fn ten_are_suggested_unless_more_are_asked_for(world: &World) {
    let tenant = world.tenant();
    for number in 10..25 {
        person(&tenant, &format!("u{number}"), "Анна", &format!("Ким{number}"));
    }
    let best: Vec<_> = (10..25).map(|number| format!("u{number}")).collect();
    let names = |query: &str| {
        let found = json_list(&tenant.book().ask("анна", query).expect(200).json(), "contacts");
        found.iter().map(|contact| contact["mail"].as_str().unwrap()[..3].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(""), best[..10]);
    assert_eq!(names("limit=1"), best[..1]);
    assert_eq!(names("limit=12"), best[..12]);
    assert_eq!(names("limit=100"), best);
}

fn suggestions_are_contacts_as_everywhere(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").with("title", "Босс").with("alias", &tenant.address("boss")).create();
    let answer = tenant.book().ask("ivan", "").expect(200);
    assert_eq!(answer.json(), serde_json::json!({"contacts": [tenant.book().contact(&ivan.mail)]}));
    let posted = tenant.admin().send("GET", &format!("{}/suggest", tenant.book().path), "q=ivan&limit=5");
    assert_eq!(posted.expect(200).json(), answer.json());
}

fn a_text_without_a_word_suggests_nothing(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Иван", "Жуков");
    let nothing = serde_json::json!({"contacts": []});
    for text in [
        "",
        " ",
        "\t\n",
        ".",
        "!?.,",
        ";",
        "@",
        "—",
        "«»",
        "* ( ) \\ %",
        "\u{301}",
        "\u{308}\u{301}",
        "\u{200b}",
    ] {
        let _case = Context::new(format!("{text:?}"));
        let answer = tenant.book().ask(text, "");
        assert_eq!(answer.expect(200).json(), nothing);
    }
    let path = format!("{}/suggest", tenant.book().path);
    let answer = tenant.admin().get(&path).expect_wrong(&["q"]);
    assert_eq!(answer.message()["q"], "q is a required value");
    tenant.admin().get(format!("{path}?q=a&q=b")).expect_wrong(&["q"]);
}

fn composed_and_combining_letters_are_the_same(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Сергей", "Ёлкин");
    // The decomposed form that a Mac writes.
    tenant.user("b").with("cn", "Андреи\u{306}").with("sn", "Е\u{308}жиков").create();
    assert_suggested(
        &tenant,
        &[
            ("Сергеи\u{306}", &["a"]),
            ("е\u{308}лкин", &["a"]),
            ("Андрей", &["b"]),
            ("ёж", &["b"]),
            ("еж", &["b"]),
            // A stress mark is not a letter.
            ("Серге\u{301}й", &["a"]),
        ],
    );
}

fn texts_that_are_too_much_are_refused_and_odd_ones_are_answered(world: &World) {
    let tenant = world.tenant();
    person(&tenant, "a", "Иван", "Жуков");
    let book = tenant.book();
    book.ask(&"ж".repeat(256), "").expect(200);
    for text in ["ж".repeat(257), "x".repeat(10 * 1024), "a ".repeat(5 * 1024), ".".repeat(10 * 1024)] {
        book.ask(&text, "").expect_wrong(&["q"]);
    }
    let many_words = "и ".repeat(128);
    assert_eq!(book.suggested(&many_words), ["a"]);
    let combined = format!("и{}", "\u{301}".repeat(200));
    for text in
        [combined.as_str(), "\0", "и\0", "\u{202e}иван", "😀", "e\u{301}\u{302}\u{303}", "İ", "ß", "ﬀ"]
    {
        let _case = Context::new(format!("{text:?}"));
        let answer = book.ask(text, "");
        match answer.status {
            200 => drop(json_list(&answer.json(), "contacts")),
            _ => drop(answer.expect_wrong(&["q"])),
        }
    }
    for raw in ["%FF", "%D0", "%", "%zz", "+", "%00"] {
        let answer = tenant.admin().get(format!("{}/suggest?q={raw}", book.path));
        assert!([200, 400].contains(&answer.status), "{raw}: {answer:?}");
    }
    assert_eq!(book.suggested(&encoded("иван")), Vec::<String>::new());
}
