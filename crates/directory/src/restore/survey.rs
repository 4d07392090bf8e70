//! The first pass over a file: it finds everything that can be wrong with the file before any change is made.

use super::{
    OtherRoot, RestoreError, RestoreRequest,
    bounds::{DEEPEST, LONGEST_NAME, TooLarge},
    out_of_place::OutOfPlace,
    reading::Reading,
    records::{Item, Rebase, Records, Unreadable},
    refusal::Refusal,
    roots::{common, common_root, head_of, name_of},
    rules::Rules,
};
use crate::{
    Scope,
    backup::{
        Extent, every_entry, is_group_entry,
        key::Key,
        seal::{Head, Verdict},
    },
};
use ldap_text::{
    attribute::AttributeName,
    dn::{Dn, Rdn},
    filter::Filter,
    ldif::Entry,
};
use mail_model::{names, restorable::NotAllowed};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Levels of a tree that can be sorted: each costs one more pass over the file.
pub(super) const MAX_LEVELS: usize = 64;

/// Levels of nested groups that can be sorted: each costs one more pass over the file.
const MAX_NESTING: usize = 8;

/// The result of the first pass over a file.
pub(super) struct Survey {
    pub(super) verdict: Verdict,
    /// The part that is restored from it.
    pub(super) extent: Extent,
    /// The names of its entries, and the lines at which they first occur.
    pub(super) lines: HashMap<Key, u64>,
    /// Whether entries are refused, whatever the directory contains. The second pass finds the reason again when it
    /// reads such an entry, and it does not matter if the directory has the same entry.
    pub(super) has_refused: bool,
    /// Entries that the second pass skips: they are in a wrong place or occur twice.
    pub(super) out_of_place: OutOfPlace,
    /// The names of entries that can't be read, if their names can.
    pub(super) unreadable: HashSet<Key>,
    /// The number of records whose names can't be read either.
    pub(super) unnamed: u64,
    /// Entries outside of the requested part.
    pub(super) left_out: u64,
    rebase: Option<Rebase>,
    /// The depths of the entries, if an entry occurs before its parent.
    levels: Option<BTreeSet<usize>>,
    /// Groups, each with its members; in the end with those that are groups themselves.
    groups: HashMap<Key, Vec<Key>>,
    /// The number of members kept for them.
    nested: usize,
    /// How many levels of groups are below each group: 0 for a group without groups as members.
    nesting: HashMap<Key, usize>,
    /// Groups that have other entries below them in the tree.
    groups_above: HashSet<Key>,
    /// Whether there are entries that 389-ds hides unless a search asks for them.
    has_hidden: bool,
    /// Those of the attributes that many files do not contain which this file contains.
    said: HashSet<AttributeName>,
}

/// Entries that are processed together, after the entries of earlier stages.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// All entries except groups.
    Entries,
    /// All entries of one depth, except groups.
    Level(usize),
    /// The groups with this many levels of groups below them, after their members.
    Groups(usize),
    /// The entries that begin at these lines, once more.
    Again(HashSet<u64>),
}

/// The state while a file is read.
#[derive(Default)]
struct Seen {
    /// Parents that have not been read yet.
    unmet: HashSet<Key>,
    /// The depths of entries.
    levels: BTreeSet<usize>,
    /// The common ending of the names outside of the root.
    foreign: Option<Vec<Rdn>>,
}

impl Survey {
    /// Reads a whole file. Afterwards the rules know which attributes the file covers.
    ///
    /// # Errors
    /// [`RestoreError`], if the file as a whole can't be used.
    pub(super) fn of(
        file: &Reading,
        request: &RestoreRequest,
        rules: &mut Rules,
        on_read: impl FnMut(usize) + Send + 'static,
    ) -> Result<Self, RestoreError> {
        let head = head_of(file)?;
        let mut survey = Self::begin(file, request, rules, &head)?;
        let mut records = Records::open(file, on_read)?;
        let mut seen = Seen::default();
        let bases = survey.extent.bases(&rules.tree);
        while let Some((line, record)) = records.next()? {
            let (entry, flaw) = match record {
                Ok(entry) => (entry, None),
                Err(Unreadable { dn: Some(dn), reason }) => {
                    (Entry { dn, attributes: Vec::new() }, Some(reason))
                }
                Err(Unreadable { dn: None, reason }) => {
                    survey.unnamed += 1;
                    survey.out_of_place.push(line, Dn::empty(), Refusal::Unreadable(reason));
                    continue;
                }
            };
            let entry = survey.to_stand_here(entry, rules);
            let Some(entry) = survey.in_place(line, entry, &bases, rules, &mut seen) else { continue };
            let key = rules.numbers.of(&entry.dn);
            if let Some(reason) = flaw {
                survey.lines.entry(key).or_insert(line);
                survey.unreadable.insert(key);
                survey.out_of_place.push(line, entry.dn, Refusal::Unreadable(reason));
            } else {
                survey.note_order(key, &entry, rules, &mut seen);
                survey.take(line, key, entry, rules);
            }
            survey.check_bounds(file)?;
        }
        if survey.levels.is_some() {
            if seen.levels.len() > MAX_LEVELS {
                return Err(RestoreError::TooDeep);
            }
            survey.levels = Some(seen.levels);
        }
        survey.verdict = records.verdict();
        survey.nest_groups();
        survey.judge(request, rules, seen.foreign)?;
        rules.unsaid = Rules::often_unsaid().filter(|name| !survey.says(name)).collect();
        Ok(survey)
    }

    /// Returns an entry that is in a place where it may be restored; records any other one as left out or out of
    /// place.
    fn in_place(
        &mut self,
        line: u64,
        entry: Entry,
        bases: &[(Dn, Scope)],
        rules: &Rules,
        seen: &mut Seen,
    ) -> Option<Entry> {
        if !entry.dn.is_within(rules.tree.root()) {
            common(&mut seen.foreign, &entry.dn);
            self.out_of_place.push(line, entry.dn, Refusal::Outside(rules.tree.root().clone()));
            return None;
        }
        let Some((base, _)) = bases.iter().find(|(base, _)| entry.dn.is_within(base)) else {
            self.left_out += 1;
            return None;
        };
        if let Some(refusal) = misplaced(&entry.dn, base, rules) {
            self.out_of_place.push(line, entry.dn, refusal);
            return None;
        }
        Some(entry)
    }

    /// Records an entry that occurs before its parent, and a group that has other entries below it.
    fn note_order(&mut self, key: Key, entry: &Entry, rules: &Rules, seen: &mut Seen) {
        seen.levels.insert(entry.dn.rdns().len());
        if seen.unmet.contains(&key) {
            // A child of this entry has occurred before it.
            self.levels = Some(BTreeSet::new());
            self.groups_above.extend(is_group_entry(entry).then_some(key));
        }
        if let Some(parent) = rules.numbers.of_parent(&entry.dn) {
            self.groups_above.extend(self.groups.contains_key(&parent).then_some(parent));
            if !self.lines.contains_key(&parent) {
                seen.unmet.insert(parent);
            }
        }
    }

    fn begin(
        file: &Reading,
        request: &RestoreRequest,
        rules: &Rules,
        head: &Head,
    ) -> Result<Self, RestoreError> {
        let from = match &request.other_root {
            OtherRoot::Refused => None,
            OtherRoot::Named(from) => Some(from.clone()),
            OtherRoot::Any => head.root.clone().map_or_else(|| common_root(file), |root| Ok(Some(root)))?,
        };
        // A backup says nothing about tenants that it does not cover, and so must not delete them.
        let extent = match &request.extent {
            Extent::Everything => Extent::of_tenants(head.tenants.clone()),
            extent => extent.clone(),
        };
        Ok(Self {
            verdict: Verdict::Foreign,
            extent,
            lines: HashMap::new(),
            has_refused: false,
            out_of_place: OutOfPlace::default(),
            unreadable: HashSet::new(),
            unnamed: 0,
            left_out: 0,
            rebase: from.map(|from| Rebase { from, to: rules.tree.root().clone() }),
            levels: None,
            groups: HashMap::new(),
            nested: 0,
            nesting: HashMap::new(),
            groups_above: HashSet::new(),
            has_hidden: false,
            said: HashSet::new(),
        })
    }

    /// The normal form of an entry, moved below the root of this directory.
    fn to_stand_here(&self, entry: Entry, rules: &Rules) -> Entry {
        let entry = rules.as_meant(entry);
        match &self.rebase {
            Some(rebase) => rebase.entry(entry, rules),
            None => entry,
        }
    }

    fn take(&mut self, line: u64, key: Key, entry: Entry, rules: &Rules) {
        if let Some(first) = self.lines.get(&key) {
            self.out_of_place.push(line, entry.dn, Refusal::Doubled(*first));
            return;
        }
        self.lines.insert(key, line);
        self.has_hidden |= entry.is_of_class(names::HIDDEN_CLASS);
        let is_refused = rules.refusal(&entry).is_some();
        self.has_refused |= is_refused;
        if !is_refused && is_group_entry(&entry) {
            let members = names::MEMBER_ATTRIBUTES.iter().flat_map(|name| entry.values(name));
            let named = members.filter_map(|value| Dn::parse(str::from_utf8(value.as_bytes()).ok()?).ok());
            let groups = named.filter(|member| rules.may_be_group(member));
            let groups: Vec<_> = groups.map(|member| rules.numbers.of(&member)).collect();
            self.nested += groups.len();
            self.groups.insert(key, groups);
        }
        for attribute in &entry.attributes {
            if (attribute.name == names::USER_PASSWORD || names::KEPT_OPERATIONAL.contains(&attribute.name))
                && !self.said.contains(&attribute.name)
            {
                self.said.insert(attribute.name.clone());
            }
        }
    }

    fn check_bounds(&self, file: &Reading) -> Result<(), TooLarge> {
        let bounds = &file.bounds;
        if self.lines.len() > bounds.entries {
            Err(TooLarge::Entries(bounds.entries))
        } else if self.nested > bounds.nested {
            Err(TooLarge::Nested(bounds.nested))
        } else {
            Ok(())
        }
    }

    /// Finds out the order of groups: when an outer group is added, the server's plug-in updates the members that are
    /// groups.
    fn nest_groups(&mut self) {
        let groups = &self.groups;
        let inner: HashMap<Key, Vec<Key>> = groups
            .iter()
            .map(|(group, members)| {
                (*group, members.iter().filter(|key| groups.contains_key(key)).copied().collect())
            })
            .collect();
        for group in inner.keys().filter(|group| !self.groups_above.contains(group)) {
            self.nesting.insert(*group, 0);
        }
        // Each step goes one level deeper; groups that contain each other would never end.
        for _ in 0..MAX_NESTING {
            let deeper: Vec<_> = self
                .nesting
                .iter()
                .filter_map(|(group, nesting)| {
                    let least = inner.get(group)?.iter().filter_map(|key| self.nesting.get(key)).max()? + 1;
                    (least > *nesting).then_some((*group, least))
                })
                .collect();
            if deeper.is_empty() {
                break;
            }
            self.nesting.extend(deeper);
        }
        self.groups = HashMap::new();
    }

    /// Treats groups as entries like others: no plug-in writes to the members.
    pub(super) fn forget_groups(&mut self) {
        self.nesting.clear();
    }

    /// Whether the file covers an attribute: a backup covers all of them, other files those that they contain.
    fn says(&self, name: &AttributeName) -> bool {
        !matches!(self.verdict, Verdict::Foreign) || self.said.contains(name)
    }

    /// A filter for the entries of the directory that the file may lack. A search for every object class does not
    /// return hidden entries, such as password policies and roles. So if a file from another program has none of them,
    /// it says nothing about them.
    pub(super) fn lacking(&self) -> Filter {
        let is_silent = matches!(self.verdict, Verdict::Foreign) && !self.has_hidden;
        if is_silent { Filter::present(names::OBJECT_CLASS) } else { every_entry() }
    }

    fn judge(
        &self,
        request: &RestoreRequest,
        rules: &Rules,
        foreign: Option<Vec<Rdn>>,
    ) -> Result<(), RestoreError> {
        require_whole(&self.verdict, request.force)?;
        if self.lines.is_empty() {
            return Err(match foreign {
                _ if self.left_out > 0 => RestoreError::NothingOfIt,
                Some(suffix) => {
                    RestoreError::OtherRoot { found: name_of(&suffix), ours: rules.tree.root().clone() }
                }
                // All of its entries are out of place.
                None if self.out_of_place.len() > 0 => return Ok(()),
                None => RestoreError::Empty,
            });
        }
        Ok(())
    }

    /// The stages in which its entries are processed, in order.
    pub(super) fn stages(&self) -> Vec<Stage> {
        let mut stages: Vec<_> = match &self.levels {
            None => vec![Stage::Entries],
            Some(levels) => levels.iter().map(|level| Stage::Level(*level)).collect(),
        };
        let nestings: BTreeSet<_> = self.nesting.values().copied().collect();
        stages.extend(nestings.into_iter().map(Stage::Groups));
        stages
    }

    fn takes(&self, stage: &Stage, line: u64, key: Key, entry: &Entry) -> bool {
        let is_late = || self.nesting.contains_key(&key);
        match stage {
            Stage::Entries => !is_late(),
            Stage::Level(depth) => entry.dn.rdns().len() == *depth && !is_late(),
            Stage::Groups(nesting) => self.nesting.get(&key) == Some(nesting),
            Stage::Again(lines) => lines.contains(&line),
        }
    }

    /// The next entry of a stage, as it is to be restored.
    pub(super) fn next(
        &self,
        records: &mut Records,
        stage: &Stage,
        rules: &Rules,
    ) -> Result<Option<Item>, RestoreError> {
        while let Some((line, entry)) = records.next_entry()? {
            let entry = self.to_stand_here(entry, rules);
            let key = rules.numbers.of(&entry.dn);
            if self.lines.get(&key) == Some(&line) && self.takes(stage, line, key, &entry) {
                let digest = rules.digest(key, &entry);
                return Ok(Some(Item { line, key, digest, entry, room: None }));
            }
        }
        Ok(None)
    }
}

/// A restore with removals deletes what the file lacks, and a truncated file lacks entries that nobody wanted to
/// delete.
pub(super) fn require_whole(verdict: &Verdict, force: bool) -> Result<(), RestoreError> {
    match verdict {
        Verdict::Cut if !force => Err(RestoreError::Cut),
        Verdict::Altered if !force => Err(RestoreError::Altered),
        _ => Ok(()),
    }
}

/// Why an entry is not examined further if the administrator of a tenant restores: it is deeper below a folder, or its
/// name is longer, than any entry that pbm creates.
fn misplaced(dn: &Dn, base: &Dn, rules: &Rules) -> Option<Refusal> {
    let is_limited = rules.limits.is_some();
    let depth = dn.rdns().len().saturating_sub(base.rdns().len());
    let is_misplaced = is_limited && (depth > DEEPEST || dn.to_string().len() > LONGEST_NAME);
    is_misplaced.then(|| Refusal::Forbidden(NotAllowed::Place.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        backup::file::LdifFile,
        restore::{Existing, bounds::Bounds},
        subschema::Subschema,
    };
    use jiff::Timestamp;
    use mail_model::tree::Tree;
    use std::fmt::Write;

    /// Surveys a number of entries within limits.
    fn survey(entries: usize, bounds: Bounds) -> Result<Survey, RestoreError> {
        let mut text = String::new();
        for number in 0..entries {
            write!(text, "dn: ou=o{number},dc=x\nobjectClass: top\n\n").unwrap();
        }
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let reading = Reading::of(LdifFile::new(file.path()), bounds);
        let request = RestoreRequest {
            extent: Extent::Everything,
            existing: Existing::Keep,
            dry_run: true,
            force: false,
            other_root: OtherRoot::Refused,
            limited_to: None,
            now: Timestamp::UNIX_EPOCH,
        };
        let tree = Tree::new(Dn::parse("dc=x").unwrap());
        let mut rules = Rules::new(tree, Subschema::well_known(), &[], request.now);
        Survey::of(&reading, &request, &mut rules, |_| {})
    }

    #[test]
    fn entries_are_bounded() {
        let bounds = Bounds { entries: 6, ..Bounds::TENANT };
        assert_eq!(survey(6, bounds).unwrap().lines.len(), 6);
        let outcome = survey(7, bounds).err();
        assert!(matches!(outcome, Some(RestoreError::TooLarge(TooLarge::Entries(6)))), "{outcome:?}");
    }

    #[test]
    fn members_that_may_be_groups_are_bounded() {
        let bounds = Bounds { nested: 3, ..Bounds::TENANT };
        let file = Reading::of(LdifFile::new("no-such-file"), bounds);
        let mut survey = survey(1, bounds).unwrap();
        survey.nested = 3;
        assert_eq!(survey.check_bounds(&file), Ok(()));
        survey.nested = 4;
        assert_eq!(survey.check_bounds(&file), Err(TooLarge::Nested(3)));
    }
}
