//! The commands and filters that `docs/OPERATIONS.md` gives to other readers of the directory, taken from that page.

use std::path::Path;

/// The LDIF of the command that follows a text in the page.
#[track_caller]
pub fn documented_ldif(words: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/OPERATIONS.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, after) = page.split_once(words).unwrap_or_else(|| panic!("no {words}"));
    let (_, ldif) = after.split_once("<<END\n").expect("a command");
    ldif.split_once("END\n").expect("its end").0.to_owned()
}

/// The first code block after a text in the page.
#[track_caller]
pub fn documented_commands(words: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/OPERATIONS.md");
    let page = std::fs::read_to_string(page).unwrap();
    let (_, after) = page.split_once(words).unwrap_or_else(|| panic!("no {words}"));
    after.split("```").nth(1).expect("a code block").to_owned()
}

/// The base and the filter for a reader, by the beginning of its row, or of its table for Postfix.
#[track_caller]
pub fn documented_filter(reader: &str) -> (String, String) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/OPERATIONS.md");
    let page = std::fs::read_to_string(page).unwrap();
    if reader == "query_filter" {
        let line = page.lines().find_map(|line| line.strip_prefix("query_filter = "));
        return ("ou=Groups,R".to_owned(), line.expect("no query_filter").to_owned());
    }
    let start = format!("| {reader} | `");
    let row = page.lines().find(|line| line.starts_with(&start)).unwrap_or_else(|| panic!("no row {reader}"));
    // A bar within a cell is escaped.
    let row = row.replace("\\|", "\u{1}");
    let code = |cell: &str| cell.split('`').nth(1).unwrap_or_default().replace('\u{1}', "|");
    let cells: Vec<_> = row.split('|').map(code).collect();
    (cells[2].clone(), cells[3].clone())
}
