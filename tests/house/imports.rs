//! The dependencies between the files of a crate, by the paths they use (`crate::…`, `super::…`), without tests. A
//! module does not depend on its submodules by declaring them; otherwise each folder whose files share something would
//! be a cycle.

use crate::circles::Graph;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};
use syn::{
    Attribute, Item, ItemUse, UseTree, Visibility,
    visit::{self, Visit},
};

/// The dependencies of the files of a crate, by their paths below `src`.
pub(crate) fn of_crate(src: &Path) -> Graph {
    let mut files = BTreeMap::new();
    gather(src, &[], &mut files);
    let modules: BTreeSet<Vec<String>> = files.keys().cloned().collect();
    let needs = files.iter().map(|(module, text)| {
        let mut file = File { module: module.clone(), modules: &modules, needs: BTreeSet::new() };
        file.visit_file(&syn::parse_file(text).unwrap());
        file.needs.retain(|needed| !needed.starts_with(module));
        (module.join("::"), file.needs.iter().map(|module| module.join("::")).collect())
    });
    needs.collect()
}

/// The text of each module that has a file.
fn gather(folder: &Path, above: &[String], files: &mut BTreeMap<Vec<String>, String>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            gather(&path, &[above, &[name]].concat(), files);
        } else if ["lib", "main", "mod"].contains(&stem.as_str()) {
            files.insert(above.to_vec(), fs::read_to_string(path).unwrap());
        } else if path.extension().is_some_and(|extension| extension == "rs") && stem != "tests" {
            files.insert([above, &[stem]].concat(), fs::read_to_string(path).unwrap());
        }
    }
}

struct File<'a> {
    module: Vec<String>,
    modules: &'a BTreeSet<Vec<String>>,
    needs: BTreeSet<Vec<String>>,
}

impl File<'_> {
    /// A path that is used: depends on the file of the module that it leads to.
    fn take(&mut self, path: &[String]) {
        let Some(absolute) = self.absolute(path) else { return };
        let lengths = (0..=absolute.len()).rev();
        let found = lengths.map(|length| &absolute[..length]).find(|part| self.modules.contains(*part));
        self.needs.extend(found.filter(|part| !part.is_empty()).map(<[String]>::to_vec));
    }

    fn absolute(&self, path: &[String]) -> Option<Vec<String>> {
        let (first, rest) = path.split_first()?;
        match first.as_str() {
            "crate" => Some(rest.to_vec()),
            "self" => Some([&self.module, rest].concat()),
            "super" => {
                let ups = path.iter().take_while(|part| *part == "super").count();
                let above = self.module.get(..self.module.len().checked_sub(ups)?)?;
                Some([above, &path[ups..]].concat())
            }
            _ => {
                let child = [&self.module[..], std::slice::from_ref(first)].concat();
                self.modules.contains(&child).then(|| [&self.module, path].concat())
            }
        }
    }

    fn take_tree(&mut self, tree: &UseTree, above: &[String]) {
        let with = |name: &syn::Ident| [above, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.take_tree(&path.tree, &with(&path.ident)),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take_tree(tree, above)),
            UseTree::Name(name) if name.ident == "self" => self.take(above),
            UseTree::Name(name) => self.take(&with(&name.ident)),
            UseTree::Rename(rename) => self.take(&with(&rename.ident)),
            UseTree::Glob(_) => self.take(above),
        }
    }
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|condition| condition.is_ident("test"))
    })
}

impl<'ast> Visit<'ast> for File<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            _ => return visit::visit_item(self, item),
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if matches!(item.vis, Visibility::Inherited) {
            self.take_tree(&item.tree, &[]);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let parts: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if parts.len() > 1 {
            self.take(&parts);
        }
        visit::visit_path(self, path);
    }
}
