//! Suggests the known name for a misspelt one.

/// From this similarity on (Jaro-Winkler, 0 to 1) an unknown name counts as a misspelt one.
const LIKE_ENOUGH: f64 = 0.85;
/// The longest name that is compared, in bytes: the work grows with the product of the lengths, and no known name is
/// longer.
const MAX_COMPARED: usize = 64;

/// The known name that is most similar to an unknown one, ignoring case; `None` if none is similar enough.
#[must_use]
pub fn nearest<'a>(known: impl IntoIterator<Item = &'a str>, unknown: &str) -> Option<&'a str> {
    if unknown.len() > MAX_COMPARED {
        return None;
    }
    let unknown = unknown.to_lowercase();
    let rated = known.into_iter().map(|name| (name, strsim::jaro_winkler(&name.to_lowercase(), &unknown)));
    let (name, likeness) = rated.max_by(|(_, a), (_, b)| a.total_cmp(b))?;
    (likeness >= LIKE_ENOUGH).then_some(name)
}

/// The question to append to a message about an unknown name; empty if no known name is similar.
#[must_use]
pub fn did_you_mean<'a>(known: impl IntoIterator<Item = &'a str>, unknown: &str) -> String {
    nearest(known, unknown).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
