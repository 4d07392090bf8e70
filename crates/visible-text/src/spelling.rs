//! Guesses what a misspelt name was meant to be.

/// From this likeness on (Jaro-Winkler, 0 to 1) an unknown name is taken for a misspelt one.
const LIKE_ENOUGH: f64 = 0.85;
/// Longest name in bytes that is compared: the work grows with the product of the lengths, and no known name is longer.
const MAX_COMPARED: usize = 64;

/// The known name that is most like an unknown one, in any letter case, where one is like enough.
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

/// The question after an unknown name; empty where no known one is like it.
#[must_use]
pub fn did_you_mean<'a>(known: impl IntoIterator<Item = &'a str>, unknown: &str) -> String {
    nearest(known, unknown).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}
