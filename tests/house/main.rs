//! The house as `docs/ARCHITECTURE.md` draws it, held against the code: which crate uses which, and that files do not need each
//! other in circles.

mod circles;
mod imports;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

/// Files that need each other may be two or three: a thing and its parts.
const LARGEST_CIRCLE: usize = 3;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The crates below `crates/`, each with those of them that it uses outside of tests.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    let folders = fs::read_dir(root().join("crates")).unwrap();
    let names: BTreeSet<String> =
        folders.map(|folder| folder.unwrap().file_name().to_string_lossy().into_owned()).collect();
    let of = |name: &String| {
        let text = fs::read_to_string(root().join("crates").join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        let listed = manifest.get("dependencies").and_then(toml::Value::as_table);
        let used = listed.into_iter().flat_map(toml::Table::keys).filter(|used| names.contains(*used));
        (name.clone(), used.cloned().collect())
    };
    names.iter().map(of).collect()
}

/// What the picture says: lines such as `server ─► administration, web`.
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
    let large: Vec<_> = uses()
        .keys()
        .flat_map(|name| {
            let needs = imports::of_crate(&root().join("crates").join(name).join("src"));
            circles::circles(&needs).into_iter().map(move |circle| (name.clone(), circle))
        })
        .filter(|(_, circle)| circle.len() > LARGEST_CIRCLE)
        .collect();
    assert!(large.is_empty(), "{large:#?}");
}
