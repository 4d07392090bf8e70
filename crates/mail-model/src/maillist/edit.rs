//! A change of the members of a mailing list.

use super::member::{Member, Members};
use crate::pieces;

/// Members to add and to remove.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemberEdit {
    /// Members to add.
    pub add: Vec<Member>,
    /// Members to remove.
    pub remove: Vec<Member>,
}

impl MemberEdit {
    /// The part of the change that a list still needs: the members to add that it lacks, and those to remove that it has.
    #[must_use]
    pub fn needed_by(&self, list: &Members) -> Self {
        Self { add: list.missing(&self.add), remove: list.present(&self.remove) }
    }

    /// Divides the change into changes that the server accepts, to be made in this order: the first, and the others.
    /// Members are added before others are removed, so that nobody is missing in between.
    #[must_use]
    pub fn in_pieces(self) -> (Self, Vec<Self>) {
        let size = |member: &Member| member.text().len();
        if pieces::fit(self.add.iter().chain(&self.remove).map(size)) {
            return (self, Vec::new());
        }
        let added = pieces::runs(self.add, size).into_iter().map(|add| Self { add, remove: Vec::new() });
        let removed = pieces::runs(self.remove, size).into_iter();
        let mut all = added.chain(removed.map(|remove| Self { add: Vec::new(), remove }));
        (all.next().unwrap_or_default(), all.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::MailAddress;

    #[test]
    fn members_beyond_the_first_piece_are_added_before_others_are_removed() {
        let some = |from: usize, count: usize| -> Vec<_> {
            (from..from + count)
                .map(|number| Member::Outside(MailAddress::parse(&format!("u{number}@y.ru")).unwrap()))
                .collect()
        };
        let shown = |edit: &MemberEdit| (edit.add.len(), edit.remove.len());
        let small = MemberEdit { add: some(0, 3000), remove: some(9000, 2000) };
        assert_eq!(small.clone().in_pieces(), (small, Vec::new()));
        let (first, later) = MemberEdit { add: some(0, 9000), remove: some(9000, 5001) }.in_pieces();
        assert_eq!(shown(&first), (5000, 0));
        assert_eq!(later.iter().map(shown).collect::<Vec<_>>(), [(4000, 0), (0, 5000), (0, 1)]);
        assert_eq!(MemberEdit::default().in_pieces(), (MemberEdit::default(), Vec::new()));
    }
}
