//! Texts of a source as they are shown in reports: short, and on one line.

/// Longest text of a source in a message, in characters.
const MAX_SHOWN: usize = 200;
/// Longest reason in a report, in characters: a sentence of pbm with such a text in it.
const MAX_REASON: usize = 500;

/// The beginning of a text, without control characters.
pub(crate) fn shown(text: &str) -> String {
    cut(text, MAX_SHOWN)
}

/// The beginning of a reason, without control characters.
pub(crate) fn reason(text: &str) -> String {
    cut(text, MAX_REASON)
}

fn cut(text: &str, longest: usize) -> String {
    let visible = |character: char| if character.is_control() { ' ' } else { character };
    // One more than is shown tells whether there is more.
    let text: String = text.trim().chars().take(longest + 1).map(visible).collect();
    let text = text.trim_end();
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_and_stays_on_one_line() {
        assert_eq!(shown(" a\nb\0 "), "a b");
        assert_eq!(shown(&"я".repeat(500)).chars().count(), MAX_SHOWN + 1);
        assert_eq!(reason(&"я".repeat(1_000)).chars().count(), MAX_REASON + 1);
    }
}
