//! The first reading of a file: everything that can be wrong with it is found before anything is done.

use super::{
    OtherRoot, RestoreError, RestoreRequest,
    records::{Item, Rebase, Records},
    refusal::Refusal,
    rules::Rules,
};
use crate::backup::{
    Extent,
    file::LdifFile,
    is_group_entry,
    key::Key,
    seal::{Head, Verdict},
};
use ldap_text::{
    attribute::AttributeName,
    dn::{Dn, Rdn},
    ldif::Entry,
};
use mail_model::names;
use std::collections::{BTreeSet, HashMap, HashSet};

/// Levels of a tree that can be sorted: each is one more reading of the file.
pub(super) const MAX_LEVELS: usize = 64;

/// Groups one in the other that are sorted: each is one more reading of the file.
const MAX_NESTING: usize = 8;

/// What is known of a file.
pub(super) struct Survey {
    pub(super) verdict: Verdict,
    /// The part that it is restored of.
    pub(super) extent: Extent,
    /// The names of its entries, and the lines at which they stand first.
    pub(super) lines: HashMap<Key, u64>,
    /// Entries that are refused, by their lines; whether one matters where the directory has just the same is decided
    /// when it is met again.
    pub(super) refused: HashMap<u64, Refusal>,
    /// Entries that are never met again: they stand elsewhere, or twice.
    pub(super) out_of_place: Vec<(u64, Dn, Refusal)>,
    /// Entries that are of no part that was asked for.
    pub(super) left_out: u64,
    rebase: Option<Rebase>,
    /// The depths of its entries, where one stands before its parent.
    levels: Option<BTreeSet<usize>>,
    /// Groups, each with its members; in the end with those that are groups themselves.
    groups: HashMap<Key, Vec<Key>>,
    /// How many groups are one in the other below each: 0 of one without groups among its members.
    nesting: HashMap<Key, usize>,
    /// Groups that have others below them in the tree.
    groups_above: HashSet<Key>,
    /// Of the attributes that many a file lacks, those that it has.
    said: HashSet<AttributeName>,
}

/// Entries that are done together, since others must be done before.
#[derive(Clone, Debug)]
pub(super) enum Stage {
    /// All but groups.
    Entries,
    /// All of one depth but groups.
    Level(usize),
    /// Groups of which so many are one in the other: after their members.
    Groups(usize),
    /// Those that begin at some lines, once more.
    Again(HashSet<u64>),
}

impl Survey {
    /// Reads a file whole. Afterwards the rules know what the file speaks of.
    ///
    /// # Errors
    /// [`RestoreError`]: what makes the whole file unfit.
    pub(super) fn of(
        file: &LdifFile,
        request: &RestoreRequest,
        rules: &mut Rules,
        on_read: impl FnMut(usize) + Send + 'static,
    ) -> Result<Self, RestoreError> {
        let head = head_of(file)?;
        let mut survey = Self::begin(file, request, rules, &head)?;
        let mut records = Records::open(file, on_read)?;
        let (mut unmet, mut levels) = (HashSet::new(), BTreeSet::new());
        let bases = survey.extent.bases(&rules.tree);
        let mut foreign: Option<Vec<Rdn>> = None;
        while let Some((line, entry)) = records.next()? {
            let entry = survey.to_stand_here(entry, rules);
            if !entry.dn.is_within(rules.tree.root()) {
                common(&mut foreign, &entry.dn);
                survey.out_of_place.push((line, entry.dn, Refusal::Outside(rules.tree.root().clone())));
                continue;
            }
            if !bases.iter().any(|(base, _)| entry.dn.is_within(base)) {
                survey.left_out += 1;
                continue;
            }
            let key = rules.numbers.of(&entry.dn);
            levels.insert(entry.dn.rdns().len());
            if unmet.contains(&key) {
                // Something below it stands before it.
                survey.levels = Some(BTreeSet::new());
                survey.groups_above.extend(is_group_entry(&entry).then_some(key));
            }
            if let Some(parent) = rules.numbers.of_parent(&entry.dn) {
                survey.groups_above.extend(survey.groups.contains_key(&parent).then_some(parent));
                if !survey.lines.contains_key(&parent) {
                    unmet.insert(parent);
                }
            }
            survey.take(line, key, entry, rules);
        }
        if survey.levels.is_some() {
            if levels.len() > MAX_LEVELS {
                return Err(RestoreError::TooDeep);
            }
            survey.levels = Some(levels);
        }
        survey.verdict = records.verdict();
        survey.nest_groups();
        survey.judge(request, rules, foreign)?;
        rules.unsaid = Rules::often_unsaid().filter(|name| !survey.says(name)).collect();
        Ok(survey)
    }

    fn begin(
        file: &LdifFile,
        request: &RestoreRequest,
        rules: &Rules,
        head: &Head,
    ) -> Result<Self, RestoreError> {
        let from = match &request.other_root {
            OtherRoot::Refused => None,
            OtherRoot::Named(from) => Some(from.clone()),
            OtherRoot::Any => head.root.clone().map_or_else(|| common_root(file), |root| Ok(Some(root)))?,
        };
        // Of what a backup is not of, it says nothing: least of all that it should go.
        let extent = match &request.extent {
            Extent::Everything => Extent::of_tenants(head.tenants.clone()),
            extent => extent.clone(),
        };
        Ok(Self {
            verdict: Verdict::Foreign,
            extent,
            lines: HashMap::new(),
            refused: HashMap::new(),
            out_of_place: Vec::new(),
            left_out: 0,
            rebase: from.map(|from| Rebase { from, to: rules.tree.root().clone() }),
            levels: None,
            groups: HashMap::new(),
            nesting: HashMap::new(),
            groups_above: HashSet::new(),
            said: HashSet::new(),
        })
    }

    /// An entry below our root, each of its attributes under its own name.
    fn to_stand_here(&self, entry: Entry, rules: &Rules) -> Entry {
        let entry = rules.with_own_names(entry);
        match &self.rebase {
            Some(rebase) => rebase.entry(entry, rules),
            None => entry,
        }
    }

    fn take(&mut self, line: u64, key: Key, entry: Entry, rules: &Rules) {
        if let Some(first) = self.lines.get(&key) {
            self.out_of_place.push((line, entry.dn, Refusal::Doubled(*first)));
            return;
        }
        self.lines.insert(key, line);
        if is_group_entry(&entry) {
            let members = names::MEMBER_ATTRIBUTES.iter().flat_map(|name| entry.values(name));
            let named = members.filter_map(|value| Dn::parse(str::from_utf8(value.as_bytes()).ok()?).ok());
            self.groups.insert(key, named.map(|member| rules.numbers.of(&member)).collect());
        }
        for attribute in &entry.attributes {
            if (attribute.name == names::USER_PASSWORD || names::KEPT_OPERATIONAL.contains(&attribute.name))
                && !self.said.contains(&attribute.name)
            {
                self.said.insert(attribute.name.clone());
            }
        }
        if let Some(refusal) = rules.refusal(&entry) {
            self.refused.insert(line, refusal);
        }
    }

    /// Finds out which groups come after which: the server's plug-in tells members that are groups what they are in when
    /// the outer one is added.
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
        // One step deeper each time; those that contain each other would go on for ever.
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

    /// Whether the file speaks of an attribute: a backup does so of each, other files of those that they have.
    fn says(&self, name: &AttributeName) -> bool {
        !matches!(self.verdict, Verdict::Foreign) || self.said.contains(name)
    }

    fn judge(
        &self,
        request: &RestoreRequest,
        rules: &Rules,
        foreign: Option<Vec<Rdn>>,
    ) -> Result<(), RestoreError> {
        if self.lines.is_empty() {
            return Err(match foreign {
                _ if self.left_out > 0 => RestoreError::NothingOfIt,
                Some(suffix) => {
                    RestoreError::OtherRoot { found: name_of(&suffix), ours: rules.tree.root().clone() }
                }
                None => RestoreError::Empty,
            });
        }
        require_whole(&self.verdict, request.force)
    }

    /// In which order its entries are done.
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

    /// The next entry of a stage, as it is to stand here.
    pub(super) fn next(
        &self,
        records: &mut Records,
        stage: &Stage,
        rules: &Rules,
    ) -> Result<Option<Item>, RestoreError> {
        while let Some((line, entry)) = records.next()? {
            let entry = self.to_stand_here(entry, rules);
            let key = rules.numbers.of(&entry.dn);
            if self.lines.get(&key) == Some(&line) && self.takes(stage, line, key, &entry) {
                let digest = rules.digest(key, &entry);
                return Ok(Some(Item { line, key, digest, entry }));
            }
        }
        Ok(None)
    }
}

/// Whoever mirrors a file removes what it lacks, and a file that is cut lacks what nobody wanted to remove.
pub(super) fn require_whole(verdict: &Verdict, force: bool) -> Result<(), RestoreError> {
    match verdict {
        Verdict::Cut if !force => Err(RestoreError::Cut),
        Verdict::Altered if !force => Err(RestoreError::Altered),
        _ => Ok(()),
    }
}

fn head_of(file: &LdifFile) -> Result<Head, RestoreError> {
    let mut records = Records::open(file, |_| {})?;
    // What is wrong with it is told by the reading of everything, with its line.
    let _first = records.next();
    Ok(records.head())
}

/// The root that all entries of a file have in common, where that is more than none.
fn common_root(file: &LdifFile) -> Result<Option<Dn>, RestoreError> {
    let (mut records, mut suffix) = (Records::open(file, |_| {})?, None);
    while let Some((_, entry)) = records.next()? {
        common(&mut suffix, &entry.dn);
    }
    Ok(suffix.map(|suffix| name_of(&suffix)).filter(|root| !root.rdns().is_empty()))
}

/// Takes a name to those that share an ending, the root first.
fn common(suffix: &mut Option<Vec<Rdn>>, dn: &Dn) {
    match suffix {
        None => *suffix = Some(dn.rdns().iter().rev().cloned().collect()),
        Some(suffix) => {
            let shared = suffix.iter().zip(dn.rdns().iter().rev()).take_while(|(one, other)| one == other);
            let length = shared.count();
            suffix.truncate(length);
        }
    }
}

fn name_of(root_first: &[Rdn]) -> Dn {
    root_first.iter().fold(Dn::empty(), |dn, rdn| dn.with_rdn(rdn.clone()))
}
