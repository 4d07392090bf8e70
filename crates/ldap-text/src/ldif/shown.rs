//! What of a text may be shown to people: in comments of what is written, and in errors of what is read.

/// Characters of a line that an error shows.
const EXCERPT_LENGTH: usize = 40;

/// Parts of the names of attributes whose values are never shown, in lower case. Wider than what 389
/// Directory Server has: files come from other servers, too.
const SECRET: [&str; 4] = ["password", "pwd", "rootpw", "secret"];

/// Whether the name is one of an attribute that holds passwords or the like.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET.iter().any(|part| name.contains(part))
}

/// Whether a character shows as something else than itself: control characters, line ends of Unicode, and
/// what turns the direction of writing.
pub(super) fn is_misleading(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The start of a text, for an error: what doesn't show as it is stands as an escape.
pub(super) fn excerpt(text: &[u8]) -> String {
    let mut shown = String::new();
    let mut left = EXCERPT_LENGTH;
    for chunk in text.utf8_chunks() {
        let characters = chunk.valid().chars().map(|character| {
            if is_misleading(character) { character.escape_default().to_string() } else { character.into() }
        });
        let bytes = chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}"));
        for part in characters.chain(bytes) {
            if left == 0 {
                shown.push('…');
                return shown;
            }
            left -= 1;
            shown.push_str(&part);
        }
    }
    shown
}
