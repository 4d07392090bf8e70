//! Finds the programs that the tests run: `pbm` itself, built if necessary, and programs of Debian packages.

use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
    sync::LazyLock,
};

/// Programs that the tests require, and their packages.
const NEEDED: [(&str, &str); 15] = [
    ("ns-slapd", "389-ds-base"),
    ("redis-server", "redis-server"),
    ("redis-cli", "redis-tools"),
    ("ldapsearch", "ldap-utils"),
    ("ldapwhoami", "ldap-utils"),
    ("ldapmodify", "ldap-utils"),
    ("curl", "curl"),
    ("openssl", "openssl"),
    ("certutil", "libnss3-tools"),
    ("nginx", "nginx-light"),
    ("haproxy", "haproxy"),
    ("etcd", "etcd-server"),
    ("etcdctl", "etcd-client"),
    ("bash", "bash"),
    ("setpriv", "util-linux"),
];

static PBM: LazyLock<PathBuf> =
    LazyLock::new(|| env::var_os("PBM_BIN").map_or_else(|| built("pbm"), PathBuf::from));
static BENCH: LazyLock<PathBuf> = LazyLock::new(|| built("bench"));

fn built(program: &str) -> PathBuf {
    let (target, profile) = build_folders();
    if let Some(cargo) = env::var_os("CARGO") {
        build(&PathBuf::from(cargo), program, &target, &profile);
    }
    let built = target.join(&profile).join(program);
    assert!(built.exists(), "{} is not there: run the tests by cargo test, or set PBM_BIN", built.display());
    built
}

/// The program under test: `PBM_BIN` if set, otherwise built in the profile of the tests.
pub fn pbm() -> &'static Path {
    &PBM
}

/// The benchmark, built in the profile of the tests.
pub fn bench() -> &'static Path {
    &BENCH
}

/// A program of the system.
pub fn program(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|| panic!("{name} is not installed"))
}

/// The sentence that says what to install; nothing if all programs are installed.
pub(crate) fn missing() -> Option<String> {
    let missing = NEEDED.iter().filter(|(name, _)| find(name).is_none());
    let sentences: Vec<_> =
        missing.map(|(name, package)| format!("{name} not found: apt-get install {package}")).collect();
    (!sentences.is_empty()).then(|| sentences.join("\n"))
}

fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    let folders = env::split_paths(&path).chain(system.map(PathBuf::from));
    folders.map(|folder| folder.join(name)).find(|file| file.is_file())
}

/// Test programs are in `TARGET/PROFILE/deps`.
fn build_folders() -> (PathBuf, String) {
    let program = env::current_exe().unwrap();
    let profile = program.ancestors().nth(2).unwrap();
    let name = profile.file_name().unwrap().to_str().unwrap().to_owned();
    (profile.parent().unwrap().to_path_buf(), name)
}

/// Cargo does not build another package's program for a test, and an outdated one must not be tested.
fn build(cargo: &Path, program: &str, target: &Path, profile: &str) {
    let profile = if profile == "debug" { "dev" } else { profile };
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join("Cargo.toml");
    let mut command = Command::new(cargo);
    // Cargo's variables of the package `tests`. If they were passed on, packages whose build scripts read them would be
    // built again, together with all packages that depend on them.
    let is_of_package = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_of_package)) {
        command.env_remove(name);
    }
    let status = command
        // Of the whole workspace, so that its packages have the features that they have in `cargo test --workspace`, and
        // are not built twice.
        .args(["build", "--quiet", "--workspace", "--bin", program, "--profile", profile])
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(target)
        .status();
    assert!(status.is_ok_and(|status| status.success()), "{program} could not be built");
}
