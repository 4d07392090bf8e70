//! Reading rows: the result for each format, and the position of each error.

use super::{Charset, Format, MAX_RECORD, Mode, Row, Rows, chunk::Chunks};
use encoding_rs::{IBM866, KOI8_R, WINDOWS_1251};
use futures_util::FutureExt;
use proptest::prelude::*;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};
use web::answer::Message;

const CSV: Format = Format::Csv { charset: None };

/// A table in a declared encoding.
fn csv_in(label: &str) -> Format {
    Format::Csv { charset: Some(Charset::of_label(label).unwrap()) }
}

/// Bytes that arrive in pieces of a fixed size.
struct Pieces<'a>(&'a [u8], usize);

impl AsyncRead for Pieces<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (piece, rest) = self.0.split_at(self.0.len().min(self.1).min(buffer.remaining()));
        buffer.put_slice(piece);
        self.0 = rest;
        Poll::Ready(Ok(()))
    }
}

/// All rows, and the errors at the end.
type Read = (Vec<Row>, Vec<String>);

fn read_with(bytes: &[u8], step: usize, format: Format, mode: Mode) -> Read {
    let mut rows = Rows::new(Pieces(bytes, step), format, mode);
    let mut found = Vec::new();
    loop {
        match rows.next().now_or_never().unwrap() {
            Ok(Some(row)) => found.push(row),
            Ok(None) => return (found, Vec::new()),
            Err(stops) => {
                assert_eq!(rows.next().now_or_never().unwrap(), Ok(None));
                let said = stops.iter().map(|s| format!("{}:{:?} {}", s.line, s.column, s.message));
                return (found, said.collect());
            }
        }
    }
}

fn read(bytes: impl AsRef<[u8]>, format: Format) -> Read {
    read_with(bytes.as_ref(), 7, format, Mode::Upsert)
}

/// A row in short: line, address, and the values of some fields or the errors.
fn short(row: &Row) -> String {
    let told = match &row.content {
        Ok(parameters) => {
            let mut parameters = parameters.clone();
            let mut take = |name| parameters.take(name).unwrap().map(|value| format!(" {name}={value}"));
            ["cn", "sn", "title"].iter().filter_map(|name| take(name)).collect()
        }
        Err(message) => format!(" ! {}", message.reasons().collect::<Vec<_>>().join(" | ")),
    };
    format!("{} {}{told}", row.line, row.mail.as_deref().unwrap_or("-"))
}

fn shorts(read: &Read) -> Vec<String> {
    read.0.iter().map(short).collect()
}

#[test]
fn a_table_has_rows_with_either_separator_and_line_break() {
    for text in [
        "mail;cn;title\na@b.c;Иван;\"Head; of \"\"it\"\"\"\n\nc@b.c;;\n",
        "\r\n\"mail\",\"cn\",title\r\na@b.c,Иван,\"Head; of \"\"it\"\"\"\r\n\r\nc@b.c,,",
        "\u{FEFF}mail,cn,title\na@b.c,Иван,\"Head; of \"\"it\"\"\"\n , ,\nc@b.c,,\r",
    ] {
        let read = read(text, CSV);
        assert_eq!(read.1, [""; 0]);
        let told = shorts(&read);
        assert!(told[0].ends_with(" a@b.c cn=Иван title=Head; of \"it\""), "{told:?}");
        assert!(told[1].ends_with(" c@b.c"), "{told:?}");
        assert_eq!((read.0[0].number, read.0[1].number, read.0.len()), (1, 2, 2));
    }
}

#[test]
fn a_table_may_have_one_column_or_no_rows() {
    assert_eq!(shorts(&read("mail\na@b.c\n\nd@b.c", CSV)), ["2 a@b.c", "4 d@b.c"]);
    assert_eq!(read("mail", CSV), (vec![], vec![]));
    for empty in ["", "\n\n", "\u{FEFF}", "  "] {
        let (_, said) = read(empty, CSV);
        assert!(said[0].starts_with("1:None the file is empty"), "{said:?}");
    }
}

#[test]
fn cells_may_be_missing_or_too_many_where_they_are_empty() {
    let read = read("mail;cn;title;;\na@b.c\nb@b.c;B;;; ;\u{a0}\nc@b.c;C;T;;x\n;;;;;;;\nd@b.c;;T", CSV);
    let expected = [
        "2 a@b.c",
        "3 b@b.c cn=B",
        "4 - ! cell 5 has a value, x, but the header names 3 column(s)",
        "6 d@b.c title=T",
    ];
    assert_eq!(shorts(&read), expected);
}

#[test]
fn the_header_tells_what_separates_cells() {
    for separator in [";", ",", "\t", "|", ":", " "] {
        for end in ["\n", "\r\n", "\r"] {
            let text = format!(
                "mail{separator}\"cn\"{separator}title{end}a@b.c{separator}\"{separator};,\"{separator}T{end}"
            );
            let told = shorts(&read(&text, CSV));
            assert_eq!(told, [format!("2 a@b.c cn={separator};, title=T")], "{text:?}");
            if separator != " " {
                for line in [
                    format!("sep={separator}"),
                    format!("\"Sep={separator}\""),
                    format!("sep={separator}{separator}{separator}"),
                ] {
                    let told = shorts(&read(format!("{line}{end}{text}"), CSV));
                    assert_eq!(told, [format!("3 a@b.c cn={separator};, title=T")], "{line:?}");
                }
            }
        }
    }
    for text in ["sep=\n", "sep=#\nmail", "sep=;,\nmail", "sep=a", "sep= \nmail"] {
        let (_, said) = read(text, CSV);
        assert_eq!(said, ["1:None the first line names a separator other than ; , | : and tab"], "{text:?}");
    }
    assert_eq!(
        read("sep", CSV).1,
        ["1:None column 1 of the table: sep is not a field", "1:None the column mail is missing"]
    );
}

#[test]
fn a_line_ends_at_cr_and_lf_and_both() {
    let read = read("mail;title\ra@b.c;\"x\ry\"\r\rb@b.c;\"z\r\n1\" 2\r\nc@b.c;C\n\rd@b.c;D", CSV);
    let told = shorts(&read);
    assert_eq!(told[0], "2 a@b.c title=x\ry");
    assert!(told[1].starts_with("5 - ! line 6, column 3: text stands after"), "{told:?}");
    assert_eq!(told[2..], ["7 c@b.c title=C", "9 d@b.c title=D"]);
}

#[test]
fn what_only_exports_have_is_passed_over() {
    let text = "id;mail;kind;group;cn;title\n1;a@b.c;user;;'=A;'+7, '=x\n2;l@b.c;list;;L;\n3;r@b.c;resource;Rooms;;\n";
    let table = read(text, CSV);
    assert_eq!(shorts(&table), ["2 a@b.c cn==A title=+7, =x", "3 l@b.c cn=L", "4 r@b.c"]);
    let lines = r#"{"mail":"a@b.c","kind":"user","cn":"'=A","id":"1"}
{"mail":"l@b.c","kind":"list","group":1}
{"mail":"u@b.c","cn":"U"}"#;
    let lines = read(lines, Format::Ndjson);
    assert_eq!(shorts(&lines), ["1 a@b.c cn='=A", "2 l@b.c", "3 u@b.c cn=U"]);
    let flags = |read: &Read| read.0.iter().map(|row| (row.is_exported, row.is_user)).collect::<Vec<_>>();
    assert_eq!(flags(&table), [(true, true), (true, false), (true, false)]);
    assert_eq!(flags(&lines), [(true, true), (true, false), (false, true)]);
    // An export contains no passwords.
    let mut row = read("mail;userPassword\na@b.c;'=x\n", CSV).0.remove(0);
    assert_eq!(row.content.as_mut().unwrap().take("userPassword"), Ok(Some("'=x".into())));
    assert!(!row.is_exported);
}

#[test]
fn a_file_in_any_encoding_may_be_packed() {
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;
    let text = "mail;cn\r\na@b.c;Пётр\r\n";
    for encoding in [WINDOWS_1251, IBM866, KOI8_R, encoding_rs::UTF_8] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(&encoding.encode(text).0).unwrap();
        let packed = encoder.finish().unwrap();
        assert_eq!(shorts(&read(&packed, CSV)), ["2 a@b.c cn=Пётр"]);
        let (_, said) = read(&packed[..packed.len() - 8], CSV);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("damaged or truncated"), "{said:?}");
    }
}

#[test]
fn lines_are_counted_through_line_breaks_in_cells() {
    let read = read("mail;title\r\na@b.c;\"one\r\ntwo\"\r\nb@b.c;\"x\ny\" z\n\"c@b.c\";C", CSV);
    let expected = [
        "2 a@b.c title=one\r\ntwo",
        "4 - ! line 5, column 3: text stands after a closing quotation mark; a mark within a cell is written twice",
        "6 c@b.c",
    ];
    assert_eq!(shorts(&read)[..2], expected[..2]);
    assert!(shorts(&read)[2].starts_with(expected[2]));
}

#[test]
fn a_quotation_mark_that_is_not_closed_is_found_where_it_opens() {
    let (rows, said) = read("mail;cn\na@b.c;A\nb@b.c;\"Б\nc@b.c;C\n", CSV);
    assert_eq!(rows.len(), 1);
    assert_eq!(said, ["3:Some(7) the quotation mark that opens here is not closed"]);
}

#[test]
fn a_row_that_is_too_long_names_its_beginning() {
    let cell = |size: usize| "x".repeat(size);
    let fits = format!("mail;cn\na;{}\nb;\n", cell(MAX_RECORD - 2));
    let read_it = |text: &str, step| read_with(text.as_bytes(), step, CSV, Mode::Upsert);
    assert_eq!(read_it(&fits, 100_000).0.len(), 2);
    let long = format!("mail;cn\na;\nb;{}\n", cell(MAX_RECORD - 1));
    let open = format!("mail;cn\na;\nb;\"{}\n", "x\n".repeat(MAX_RECORD));
    for step in [1000, 1_000_000] {
        for text in [&long, &open] {
            let (rows, said) = read_it(text, step);
            assert_eq!(rows.len(), 1);
            assert!(said[0].starts_with("3:Some(1) the row that begins here is too long"), "{said:?}");
            assert!(said[0].contains("not closed?"), "{said:?}");
        }
    }
}

#[test]
fn bytes_that_do_not_fit_the_encoding_are_named_by_line_and_column() {
    let mut bytes = "mail;cn\na@b.c;Иван\nb@b.c;Ж".as_bytes().to_vec();
    bytes.extend(b"\xC8\xE2;\nc@b.c;C\n");
    let (rows, said) = read(&bytes, CSV);
    assert_eq!(rows.len(), 1);
    assert!(said[0].starts_with("3:Some(8) the bytes from here on are not UTF-8"), "{said:?}");
    let (_, said) = read(b"mail;cn\na@b.c;\xC8\xE2\x98", csv_in("windows-1251"));
    assert!(said[0].starts_with("2:Some(9) the byte 0x98"), "{said:?}");
    let (_, said) = read(b"mail;cn\na@b.c;Jos\x82", CSV);
    assert!(said[0].starts_with("2:Some(10) the letters from here on are in an encoding"), "{said:?}");
    let (_, said) = read(b"\xFF\xFE\0\0m\0\0\0", CSV);
    assert_eq!(said, ["1:Some(1) the file is UTF-32: save it as UTF-8"]);
    let (rows, said) = read(b"{\"mail\":\"a@b.c\"}\n{\"cn\":\"\xC8\xE2\"}\n", Format::Ndjson);
    assert_eq!(rows.len(), 1);
    assert!(said[0].starts_with("2:Some(8) the bytes from here on are not UTF-8"), "{said:?}");
}

#[test]
fn an_object_a_line_is_a_row_and_everything_else_an_error_of_that_row() {
    let text = "\u{FEFF}{\"mail\":\"a@b.c\",\"cn\":\"Иван\",\"title\":null,\"alias\":[\"x@b.c\",\"y@b.c\"]}\r\n\n\
                {\"cn\":\"Ж\" 1}\n[1]\n{\"mail\":\"b@b.c\",\"tilte\":1,\"quux\":2}\n{\"cn\":{}}\n\
                {\"mail\":[\"a\",\"b\"]}\n{\"sn\":true}";
    let read = read(text, Format::Ndjson);
    let expected = [
        "1 a@b.c cn=Иван title=",
        "3 - ! column 11: this is not a JSON object: expected `,` or `}`",
        "4 - ! column 1: this is not a JSON object: invalid type: sequence, expected a map",
        "5 - ! quux is not a field | tilte is not a field; did you mean title?",
        "6 - ! the line must be a flat JSON object: texts, numbers, true, false, null, or lists of texts",
        "7 - ! mail is given more than once",
        "8 - sn=1",
    ];
    assert_eq!((shorts(&read), read.1), (expected.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn a_line_that_is_too_long_is_passed_over() {
    let text = format!("{{\"cn\":\"{}\"}}\n{{\"cn\":\"A\"}}", "x".repeat(MAX_RECORD));
    let told = shorts(&read_with(text.as_bytes(), 1000, Format::Ndjson, Mode::Upsert));
    assert!(told[0].starts_with("1 - ! the line is too long"), "{told:?}");
    assert_eq!(told[1..], ["2 - cn=A"]);
}

#[test]
fn a_reader_that_breaks_ends_the_file_after_the_rows_before() {
    let broken = tokio_util::io::StreamReader::new(futures_util::stream::iter([
        Ok(&b"mail\na@b.c\nb@"[..]),
        Err(io::Error::other("cut off")),
    ]));
    let mut rows = Rows::new(broken, CSV, Mode::Upsert);
    assert_eq!(short(&rows.next().now_or_never().unwrap().unwrap().unwrap()), "2 a@b.c");
    let stops = rows.next().now_or_never().unwrap().unwrap_err();
    assert_eq!((stops[0].line, stops[0].column), (3, Some(3)));
    assert_eq!(stops[0].message, "the file cannot be read to its end: cut off");
}

#[test]
fn a_chunk_ends_before_a_row_that_names_an_address_again() {
    let text = "mail;alias\na@b.c;\nb@b.c;x@b.c\nA@B.C;\nX@b.c;\nc@b.c;\n";
    let mut chunks = Chunks::new(Rows::new(text.as_bytes(), CSV, Mode::Upsert));
    let mut sizes = Vec::new();
    while let Some(chunk) = chunks.next().now_or_never().unwrap() {
        sizes.push(chunk.rows.len());
    }
    assert_eq!(sizes, [2, 3]);
    let many: String =
        std::iter::once("mail\n".to_owned()).chain((0..600).map(|n| format!("u{n}@b.c\n"))).collect();
    let mut chunks = Chunks::new(Rows::new(many.as_bytes(), CSV, Mode::Upsert));
    assert_eq!(chunks.next().now_or_never().unwrap().unwrap().rows.len(), 256);
}

/// A cell as a table may have it.
fn quoted(cell: &str) -> String {
    format!("\"{}\"", cell.replace('"', "\"\""))
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_pieces_do_not_matter(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        step in 1..40_usize,
    ) {
        let table = [b"mail;cn\n", &bytes[..]].concat();
        for format in [CSV, csv_in("windows-1251"), csv_in("utf-16"), Format::Ndjson] {
            for bytes in [&bytes, &table] {
                let whole = read_with(bytes, 10_000, format, Mode::Upsert);
                prop_assert_eq!(read_with(bytes, step, format, Mode::Upsert), whole);
            }
        }
    }

    #[test]
    fn no_syntax_makes_it_panic_and_pieces_do_not_matter(
        text in "(sep=)?[a@;,\"\r\n\t|= {}:1\\\\ж]{0,200}",
        step in 1..40_usize,
    ) {
        let table = format!("mail,cn\n{text}");
        for (text, format) in [(&text, CSV), (&table, CSV), (&text, Format::Ndjson)] {
            let whole = read_with(text.as_bytes(), 10_000, format, Mode::Upsert);
            prop_assert_eq!(read_with(text.as_bytes(), step, format, Mode::Upsert), whole);
        }
    }

    #[test]
    fn cells_are_read_as_they_were_written_in_either_encoding(
        cells in proptest::collection::vec("[a-zа-яёЁ№«»;,\"\r\n ]{0,20}[a-zа-я]", 1..20),
        step in 1..40_usize,
    ) {
        let rows: Vec<_> = cells.iter().map(|cell| format!("u@b.c,{}\r\n", quoted(cell))).collect();
        let text = format!("mail,cn\r\n{}", rows.concat());
        let (bytes, _, lossy) = WINDOWS_1251.encode(&text);
        prop_assert!(!lossy);
        let utf_8 = read_with(text.as_bytes(), step, CSV, Mode::Upsert);
        let windows = read_with(&bytes, step, csv_in("windows-1251"), Mode::Upsert);
        prop_assert_eq!(&windows.0.iter().map(short).collect::<Vec<_>>(), &shorts(&utf_8));
        let read: Vec<_> = utf_8.0.iter().map(|row| row.content.clone().unwrap().take("cn")).collect();
        let written: Vec<_> = cells.iter().map(|cell| Ok(Some(cell.clone()))).collect();
        prop_assert_eq!(read, written);
    }
}

#[test]
fn reports_are_lines_of_json() {
    use super::{Outcome, Report, RowReport, Summary, place::Stop};
    let row = RowReport {
        row: 2,
        line: 3,
        mail: Some("x".into()),
        outcome: Outcome::Error,
        message: Some(Message::of_parameter("cn", "cn is a required value")),
        name: Some("N".into()),
        changed: Some("id".into()),
    };
    let summary = Summary { rows: 2, created: 1, errors: 1, ..Summary::default() };
    let reports = [
        Report::Row(row),
        Report::Stop(Stop::new(7, Some(12), "wrong")),
        Report::End { summary, dry_run: false, encoding: "cp866".into(), encoding_guessed: true },
    ];
    let lines: Vec<_> = {
        use futures_util::StreamExt;
        super::lines(futures_util::stream::iter(reports)).collect::<Vec<_>>().now_or_never().unwrap()
    };
    let expected = r#"{"row":2,"line":3,"mail":"x","result":"error","message":{"cn":"cn is a required value"}}
{"result":"error","line":7,"column":12,"message":"wrong"}
{"summary":{"rows":2,"created":1,"updated":0,"unchanged":0,"skipped":0,"errors":1},"dry-run":false,"encoding":"cp866","encoding-guessed":true}
"#;
    assert_eq!(String::from_utf8(lines.concat()).unwrap(), expected);
}
