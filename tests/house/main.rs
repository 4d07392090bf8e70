//! Compares the architecture in `docs/ARCHITECTURE.md` with the code: which crate uses which, and that files do not
//! depend on each other in cycles.

mod circles;
mod imports;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// A cycle may have two or three files: a module and its parts.
const LARGEST_CIRCLE: usize = 3;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The folders of the crates below `crates/`, by their names.
fn crates() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    let mut open = vec![root().join("crates")];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten().filter(|entry| entry.path().is_dir()) {
            if entry.path().join("Cargo.toml").exists() {
                found.insert(entry.file_name().to_string_lossy().into_owned(), entry.path());
            } else {
                open.push(entry.path());
            }
        }
    }
    found
}

/// Each crate with the crates that it uses outside of tests.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let crates = crates();
    let of = |(name, folder): (&String, &PathBuf)| {
        let text = fs::read_to_string(folder.join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let listed = manifest.get("dependencies").and_then(toml::Value::as_table);
        let used = listed.into_iter().flat_map(toml::Table::keys).filter(|used| crates.contains_key(*used));
        (name.clone(), used.cloned().collect())
    };
    crates.iter().map(of).collect()
}

/// The lines of the picture, such as `server ─► administration, web`.
fn drawn() -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(root().join("docs/ARCHITECTURE.md")).unwrap();
    let lines = text.lines().filter_map(|line| line.split_once(" ─► "));
    let names = |list: &str| {
        list.split(',').map(str::trim).filter(|name| *name != "nothing").map(str::to_owned).collect()
    };
    let known = uses();
    lines
        .filter(|(name, _)| known.contains_key(name.trim()))
        .map(|(name, list)| (name.trim().to_owned(), names(list)))
        .collect()
}

#[test]
fn crates_use_each_other_as_the_picture_says() {
    assert_eq!(drawn(), uses());
}

#[test]
fn files_need_each_other_in_no_large_circle() {
    let large: Vec<_> = crates()
        .iter()
        .flat_map(|(name, folder)| {
            let needs = imports::of_crate(&folder.join("src"));
            circles::circles(&needs).into_iter().map(move |circle| (name.clone(), circle))
        })
        .filter(|(_, circle)| circle.len() > LARGEST_CIRCLE)
        .collect();
    assert!(large.is_empty(), "{large:#?}");
}
