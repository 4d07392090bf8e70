//! The measured system: a private 389-ds, prepared by `pbm init` and filled, a Redis, and pbm in front of both.

use crate::{
    arguments::Arguments,
    contents::Contents,
    facade::{Facade, Program},
    http::{HttpClient, request},
    people::{DOMAIN, Name, PASSWORD, People, ROOT},
    processor::Processes,
    raw::Login,
};
use anyhow::{Context, ensure};
use ldap_text::dn::Dn;
use mail_model::tree::Tree;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rand::{SeedableRng, rngs::StdRng, seq::SliceRandom};
use sandbox::{DirectoryServer, RedisServer};
use secrecy::ExposeSecret;
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tempfile::TempDir;
use tokio::runtime;

/// The connections of pbm to 389-ds, and of the raw side: the default of pbm.
pub(crate) const CONNECTIONS: usize = 32;
/// The connections for checking passwords.
pub(crate) const PASSWORD_CONNECTIONS: usize = 8;
/// Plug-ins that 389-ds loads only at its start; `pbm init` enables the others.
const PLUGINS: &[&str] = &["USN"];
const SERVICE_PASSWORD: &str = "bench-service-account-password";
const BACKUP_PASSWORD: &str = "bench-backup-account-password";
const REDIS_PASSWORD: &str = "bench-redis-password";
const ADMINISTRATOR: &str = "admin@example.com";
/// The size of a 389-ds cache per user; for few users it keeps the size that the sandbox sets.
const ENTRY_CACHE_OF_USER: u64 = 8 << 10;
const DATABASE_CACHE_OF_USER: u64 = 2 << 10;
const LEAST_ENTRY_CACHE: u64 = 256 << 20;
const LEAST_DATABASE_CACHE: u64 = 64 << 20;

/// The whole system under measurement. The fields are dropped in this order: pbm, the servers behind it, the folder.
pub(crate) struct World {
    /// The running pbm.
    pub(crate) pbm: Facade,
    /// How to start another one.
    pub(crate) program: Program,
    /// An access token of the super administrator.
    pub(crate) token: String,
    pub(crate) people: Arc<People>,
    /// The loaded users, in random order.
    pub(crate) names: Arc<Vec<Name>>,
    /// The account with which pbm binds.
    pub(crate) service: Login,
    pub(crate) manager: Login,
    /// The account with which `pbm backup` binds.
    pub(crate) backup_directory: Login,
    pub(crate) redis: RedisServer,
    directory: DirectoryServer,
    _folder: TempDir,
}

impl World {
    pub(crate) fn start(arguments: &Arguments, contents: Contents) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pbm-bench-").tempdir()?;
        let binary = binary(arguments)?;
        let file = |name: &str| folder.path().join(name);
        let program = Program { binary, config: file("pbm.toml"), log: file("pbm.log") };
        eprintln!("starting 389-ds and Redis in {}", folder.path().display());
        let directory = directory(&file("389-ds"), contents.users as u64, arguments)?;
        let redis = RedisServer::in_folder(file("redis")).password(REDIS_PASSWORD.into()).start()?;
        let people = Arc::new(People::new()?);
        let login =
            |dn: String, password: &str| Login { url: directory.url(), dn, password: password.into() };
        let service = login(people.service_account(), SERVICE_PASSWORD);
        let manager = login(directory.manager_dn().to_owned(), directory.manager_password().expose_secret());
        let backup_directory = backup_directory(&directory)?;
        prepare(&program, folder.path(), &directory, Some(&redis))?;
        contents.import(&people, &manager, directory.folder())?;
        program.run(&mut program.command("check")?)?;
        let pbm = program.serve()?;
        let token = log_in(&pbm)?;
        let names = Arc::new(shuffled_names(&people, contents.users)?);
        Ok(Self {
            pbm,
            program,
            token,
            people,
            names,
            service,
            manager,
            backup_directory,
            redis,
            directory,
            _folder: folder,
        })
    }
}

impl World {
    /// A folder in which 389-ds may read and write files.
    pub(crate) fn directory_folder(&self) -> &Path {
        self.directory.folder()
    }

    /// All processes except the clients.
    pub(crate) fn processes(&self) -> anyhow::Result<Processes> {
        let directory = self.directory.pid().context("389-ds has ended")?;
        Ok(Processes { directory, pbm: self.pbm.pid() })
    }
}

/// A prepared 389-ds without other data, to restore into.
pub(crate) struct Empty {
    pub(crate) program: Program,
    /// The account with which `pbm restore` binds.
    pub(crate) backup_directory: Login,
    directory: DirectoryServer,
    _folder: TempDir,
}

impl Empty {
    /// Starts the server.
    pub(crate) fn start(arguments: &Arguments) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("pbm-bench-").tempdir()?;
        let users = arguments.users() as u64;
        let directory = directory(&folder.path().join("389-ds"), users, arguments)?;
        let file = |name: &str| folder.path().join(name);
        let program = Program { binary: binary(arguments)?, config: file("pbm.toml"), log: file("pbm.log") };
        prepare(&program, folder.path(), &directory, None)?;
        let backup_directory = backup_directory(&directory)?;
        Ok(Self { program, backup_directory, directory, _folder: folder })
    }

    pub(crate) fn manager(&self) -> Login {
        let password = self.directory.manager_password().expose_secret().to_owned();
        Login { url: self.directory.url(), dn: self.directory.manager_dn().to_owned(), password }
    }

    /// A file with the password of the Directory Manager.
    pub(crate) fn manager_password_file(&self) -> &Path {
        self.directory.manager_password_file()
    }

    /// A folder in which 389-ds may read and write files.
    pub(crate) fn folder(&self) -> &Path {
        self.directory.folder()
    }
}

/// The account for backups and restores.
fn backup_directory(directory: &DirectoryServer) -> anyhow::Result<Login> {
    let dn = Tree::new(Dn::parse(ROOT)?).backup_account().to_string();
    Ok(Login { url: directory.url(), dn, password: BACKUP_PASSWORD.to_owned() })
}

/// The pbm to measure.
fn binary(arguments: &Arguments) -> anyhow::Result<PathBuf> {
    let binary = match &arguments.pbm {
        Some(binary) => binary.clone(),
        None => std::env::current_exe()?.with_file_name("pbm"),
    };
    ensure!(binary.exists(), "no {}; build it: cargo build --release -p server", binary.display());
    Ok(binary)
}

/// Starts a 389-ds with caches for a number of users.
fn directory(folder: &Path, users: u64, arguments: &Arguments) -> anyhow::Result<DirectoryServer> {
    let server = DirectoryServer::in_folder(folder)
        .suffix(ROOT)
        .backend(arguments.backend)
        .plugins(PLUGINS)
        .entry_cache(LEAST_ENTRY_CACHE.max(users * ENTRY_CACHE_OF_USER))
        .database_cache(LEAST_DATABASE_CACHE.max(users * DATABASE_CACHE_OF_USER))
        .durable(!arguments.fast_disk)
        .start()?;
    Ok(server)
}

/// Writes the configuration and runs `pbm init`.
fn prepare(
    program: &Program,
    folder: &Path,
    directory: &DirectoryServer,
    redis: Option<&RedisServer>,
) -> anyhow::Result<()> {
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        anyhow::Ok(path)
    };
    let service = write("ldap-password", SERVICE_PASSWORD)?;
    let key = write("token-key", &"benchmark".repeat(8))?;
    let backup = write("backup-password", BACKUP_PASSWORD)?;
    let administrator = write("admin-password", PASSWORD)?;
    let config = format!(
        "[http]\nlisten = [\"127.0.0.1:0\"]\n\
         [ldap]\nurls = [\"{}\"]\nbind_password_file = '{}'\n\
         connections = {CONNECTIONS}\npassword_connections = {PASSWORD_CONNECTIONS}\n\
         [tree]\nroot = \"{ROOT}\"\n\
         [auth]\ntoken_key_file = '{}'\n\
         [backup]\nbind_password_file = '{}'\n",
        directory.url(),
        service.display(),
        key.display(),
        backup.display(),
    );
    let redis = match redis {
        None => String::new(),
        Some(redis) => {
            let password = write("redis-password", REDIS_PASSWORD)?;
            format!("[redis]\nurl = \"{}\"\npassword_file = '{}'\n", redis.url(), password.display())
        }
    };
    fs::write(&program.config, config + &redis).context("cannot write the configuration")?;
    let mut init = program.command("init")?;
    init.args(["--domain", DOMAIN]).arg("--admin-password-file").arg(administrator);
    init.arg("--manager-password-file").arg(directory.manager_password_file());
    program.run(&mut init)
}

/// The form that logs in with the password of all users.
pub(crate) fn login_form(mail: &str) -> String {
    format!("login={}&password={PASSWORD}", utf8_percent_encode(mail, NON_ALPHANUMERIC))
}

fn log_in(pbm: &Facade) -> anyhow::Result<String> {
    let answer = ask(pbm, &request("POST", "/v2/auth", None, &login_form(ADMINISTRATOR)))?;
    let token = answer.get("access_token").and_then(|token| token.as_str());
    Ok(token.context("no token in the answer")?.to_owned())
}

/// Sends one request, and parses the JSON of its response.
pub(crate) fn ask(pbm: &Facade, request: &[u8]) -> anyhow::Result<serde_json::Value> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut http = HttpClient::connect(pbm.address).await?;
        let answer = http.send(request).await?;
        ensure!(
            answer.status == 200,
            "pbm answered {}: {}",
            answer.status,
            String::from_utf8_lossy(answer.body)
        );
        Ok(serde_json::from_slice(answer.body)?)
    })
}

/// The order is random, but the same on every run.
fn shuffled_names(people: &People, users: usize) -> anyhow::Result<Vec<Name>> {
    let mut names = (0..users).map(|index| people.name(index)).collect::<anyhow::Result<Vec<_>>>()?;
    names.shuffle(&mut StdRng::seed_from_u64(0));
    Ok(names)
}
