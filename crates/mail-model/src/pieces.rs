//! Changes with many values, divided into pieces that 389-ds accepts.
//!
//! 389-ds accepts no message of more than `nsslapd-maxbersize` (2 MiB by default): it closes the connection. And while it
//! makes a change, all other changes wait. So a change with more values than these limits is made by several operations.
//! Values are added before others are removed: in between, an entry has too many values rather than too few.

use ldap_text::ldif::{Attribute, Modification, ModifyKind, Value};

/// The most values in a piece.
pub const MOST_VALUES: usize = 5000;
/// The most bytes of values in a piece: half of what 389-ds accepts, so that lengths, names and short values fit too.
pub const MOST_BYTES: usize = 1 << 20;

/// The limits of a piece.
const PIECE: Size = Size { values: MOST_VALUES, bytes: MOST_BYTES };
/// An attribute with no more than this is not divided.
const SHORT: Size = Size { values: 100, bytes: 16 << 10 };

/// The size of some values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Size {
    values: usize,
    bytes: usize,
}

impl Size {
    /// The size of items of which each has a number of bytes.
    fn of(bytes: impl Iterator<Item = usize>) -> Self {
        bytes.fold(Self::default(), Self::with)
    }

    fn with(self, bytes: usize) -> Self {
        Self { values: self.values + 1, bytes: self.bytes + bytes }
    }

    fn is_within(self, most: Self) -> bool {
        self.values <= most.values && self.bytes <= most.bytes
    }
}

/// Whether items, of which each has a number of bytes, fit into one piece.
#[must_use]
pub fn fit(bytes: impl Iterator<Item = usize>) -> bool {
    Size::of(bytes).is_within(PIECE)
}

/// Divides items into runs that each fit into one piece; an item that is too large alone is a run of its own.
#[must_use]
pub fn runs<T>(items: Vec<T>, bytes: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut runs = Vec::new();
    let (mut run, mut size) = (Vec::new(), Size::default());
    for item in items {
        let grown = size.with(bytes(&item));
        if grown.is_within(PIECE) || run.is_empty() {
            size = grown;
        } else {
            size = Size::default().with(bytes(&item));
            runs.push(std::mem::take(&mut run));
        }
        run.push(item);
    }
    runs.extend((!run.is_empty()).then_some(run));
    runs
}

/// Whether all values of a change fit into one piece.
#[must_use]
pub fn fits<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> bool {
    fit(attributes.flat_map(|attribute| &attribute.values).map(length))
}

/// Divides a change into changes that are made in this order. The first one has everything but the values of attributes
/// with many values that are added or removed; of the added ones it has the first, since a class may require the
/// attribute. A change that fits into one piece is not divided; a replacement of many values never is.
#[must_use]
pub fn divided(modifications: Vec<Modification>) -> Vec<Vec<Modification>> {
    if fits(modifications.iter().map(|modification| &modification.attribute)) {
        return vec![modifications];
    }
    let can_be_divided =
        |change: &Modification| change.kind != ModifyKind::Replace && is_long(&change.attribute);
    let (long, mut first): (Vec<_>, Vec<_>) = modifications.into_iter().partition(can_be_divided);
    let (removed, mut added): (Vec<_>, Vec<_>) =
        long.into_iter().partition(|modification| modification.kind == ModifyKind::Delete);
    first.extend(added.iter_mut().filter_map(first_value));
    let rest = added.into_iter().chain(removed).flat_map(in_runs);
    std::iter::once(first).chain(rest).collect()
}

/// Whether an attribute has so many values that they are divided.
#[must_use]
pub fn is_long(attribute: &Attribute) -> bool {
    attribute.values.len() > 1 && !Size::of(attribute.values.iter().map(length)).is_within(SHORT)
}

/// Takes the first value out of a modification, as a modification of its own.
fn first_value(modification: &mut Modification) -> Option<Modification> {
    let values = &mut modification.attribute.values;
    let others = if values.is_empty() { Vec::new() } else { values.split_off(1) };
    let first = std::mem::replace(values, others);
    (!first.is_empty()).then(|| with_values(modification, first))
}

fn in_runs(mut modification: Modification) -> Vec<Vec<Modification>> {
    let values = std::mem::take(&mut modification.attribute.values);
    let run = |values| vec![with_values(&modification, values)];
    runs(values, length).into_iter().map(run).collect()
}

fn with_values(modification: &Modification, values: Vec<Value>) -> Modification {
    let name = modification.attribute.name.clone();
    Modification { kind: modification.kind, attribute: Attribute { name, values } }
}

fn length(value: &Value) -> usize {
    value.as_bytes().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::names;
    use proptest::{collection::vec, prelude::*};

    fn modification(kind: ModifyKind, count: usize, length: usize) -> Modification {
        let values = (0..count).map(|number| format!("{number:0length$}"));
        Modification { kind, attribute: Attribute::new(names::MEMBER, values) }
    }

    fn kinds_and_counts(pieces: &[Vec<Modification>]) -> Vec<Vec<(ModifyKind, usize)>> {
        let shown = |piece: &Vec<Modification>| {
            piece.iter().map(|change| (change.kind, change.attribute.values.len())).collect()
        };
        pieces.iter().map(shown).collect()
    }

    #[test]
    fn a_change_that_fits_stays_as_it_is() {
        let change =
            vec![modification(ModifyKind::Delete, 2000, 10), modification(ModifyKind::Add, 3000, 10)];
        assert_eq!(divided(change.clone()), [change]);
    }

    #[test]
    fn additions_come_before_removals_and_a_required_attribute_has_a_value() {
        use ModifyKind::{Add, Delete, Replace};
        let change = vec![
            modification(Replace, 1, 10),
            modification(Delete, 6000, 10),
            modification(Add, 10_002, 10),
            modification(Add, 3, 10),
        ];
        let expected = [
            vec![(Replace, 1), (Add, 3), (Add, 1)],
            vec![(Add, 5000)],
            vec![(Add, 5000)],
            vec![(Add, 1)],
            vec![(Delete, 5000)],
            vec![(Delete, 1000)],
        ];
        assert_eq!(kinds_and_counts(&divided(change)), expected);
    }

    #[test]
    fn long_values_make_more_pieces() {
        let pieces = divided(vec![modification(ModifyKind::Add, 4000, 512)]);
        assert_eq!(pieces.iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 1]);
        assert_eq!(kinds_and_counts(&pieces)[1], [(ModifyKind::Add, 2048)]);
    }

    fn kind() -> impl Strategy<Value = ModifyKind> {
        prop_oneof![Just(ModifyKind::Add), Just(ModifyKind::Delete), Just(ModifyKind::Replace)]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn nothing_is_lost_and_every_later_piece_is_within_the_limits(
            parts in vec((kind(), 0_usize..8000, 1_usize..300), 0..4),
        ) {
            let change: Vec<_> =
                parts.into_iter().map(|(kind, count, length)| modification(kind, count, length)).collect();
            let pieces = divided(change.clone());
            let sorted = |change: &[Modification]| {
                let mut all: Vec<_> = change
                    .iter()
                    .flat_map(|m| m.attribute.values.iter().map(|v| (format!("{:?}", m.kind), v.as_bytes().to_vec())))
                    .collect();
                all.sort_unstable();
                all
            };
            prop_assert_eq!(sorted(&pieces.concat()), sorted(&change));
            for piece in &pieces[1..] {
                prop_assert!(fits(piece.iter().map(|m| &m.attribute)));
                prop_assert!(!piece.is_empty());
            }
        }

        #[test]
        fn runs_are_as_long_as_they_may_be(lengths in vec(0_usize..MOST_BYTES * 2, 0..20)) {
            let found = runs(lengths.clone(), |length| *length);
            prop_assert_eq!(found.concat(), lengths);
            for (one, next) in found.iter().zip(found.iter().skip(1)) {
                prop_assert!(!fit(one.iter().chain(next.first()).copied()));
            }
            for run in &found {
                prop_assert!(run.len() == 1 || fit(run.iter().copied()));
            }
        }
    }
}
