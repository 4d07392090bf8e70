//! Reading rows: what each format gives, and where each mistake is.

use super::{Charset, Format, MAX_RECORD, Mode, Row, Rows, chunk::Chunks};
use crate::http::message::Message;
use encoding_rs::WINDOWS_1251;
use futures_util::FutureExt;
use proptest::prelude::*;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};

const CSV: Format = Format::Csv { charset: None };

/// Bytes that come in pieces of a size.
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

/// All rows, and what is said of the end.
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

/// A row in short: line, address, and the values of some fields or the reasons against it.
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
fn a_row_of_another_width_is_an_error_of_that_row_alone() {
    let read = read("mail;cn\na@b.c\nb@b.c;B;x\nc@b.c;C\n", CSV);
    let expected = [
        "2 - ! the row has 1 cell(s), and the header names 2 column(s)",
        "3 - ! the row has 3 cell(s), and the header names 2 column(s)",
        "4 c@b.c cn=C",
    ];
    assert_eq!(shorts(&read), expected);
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
    let (_, said) = read(b"mail;cn\na@b.c;\xC8\xE2\x98", CSV);
    assert!(said[0].starts_with("2:Some(9) the byte 0x98"), "{said:?}");
    let (_, said) = read(b"\xFF\xFEm\0a\0", CSV);
    assert_eq!(said, ["1:Some(1) the file is UTF-16: save it as UTF-8"]);
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
        "3 - ! column 11: this is no JSON object: expected `,` or `}`",
        "4 - ! column 1: this is no JSON object: invalid type: sequence, expected a map",
        "5 - ! quux is no field | tilte is no field; did you mean title?",
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

/// A cell as it may stand in a table.
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
        for format in [CSV, Format::Csv { charset: Some(Charset::Windows1251) }, Format::Ndjson] {
            for bytes in [&bytes, &table] {
                let whole = read_with(bytes, 10_000, format, Mode::Upsert);
                prop_assert_eq!(read_with(bytes, step, format, Mode::Upsert), whole);
            }
        }
    }

    #[test]
    fn no_syntax_makes_it_panic_and_pieces_do_not_matter(
        text in "[a@;,\"\r\n {}:1\\\\ж]{0,200}",
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
        let windows = read_with(&bytes, step, Format::Csv { charset: Some(Charset::Windows1251) }, Mode::Upsert);
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
        changed: Some("id".into()),
    };
    let summary = Summary { rows: 2, created: 1, errors: 1, ..Summary::default() };
    let reports = [
        Report::Row(row),
        Report::Stop(Stop::new(7, Some(12), "wrong")),
        Report::End { summary, dry_run: false },
    ];
    let lines: Vec<_> = {
        use futures_util::StreamExt;
        super::lines(futures_util::stream::iter(reports)).collect::<Vec<_>>().now_or_never().unwrap()
    };
    let expected = r#"{"row":2,"line":3,"mail":"x","result":"error","message":{"cn":"cn is a required value"}}
{"result":"error","line":7,"column":12,"message":"wrong"}
{"summary":{"rows":2,"created":1,"updated":0,"unchanged":0,"errors":1},"dry-run":false}
"#;
    assert_eq!(String::from_utf8(lines.concat()).unwrap(), expected);
}
