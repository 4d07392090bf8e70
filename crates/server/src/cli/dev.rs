//! `pbm dev`: all servers in one process tree, to try pbm out.

use super::{
    Outcome, block_on, demo,
    dev_files::{secret_file, secret_file_of, write_private},
    init, patient,
    print::say,
    serve, stop_signal,
};
use crate::{
    application::StartError,
    config::{Config, LogConfig, LogFormat},
    telemetry,
};
use anyhow::{Context, bail};
use clap::Args;
use directory::{Directory, settings::Credentials, setup::SetupRequest};
use ldap_text::dn::Dn;
use mail_model::{
    address::{Domain, MailAddress},
    field::FieldErrors,
    names,
    revision::Precondition,
    tenant::TenantId,
    user::command::{Password, UserPatch},
};
use sandbox::{Backend, DirectoryServer, RedisServer, SandboxError};
use secrecy::{ExposeSecret, SecretString};
use std::{
    net::SocketAddr,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

/// Plug-ins that 389-ds loads only at its start; `pbm init` enables the others.
const PLUGINS: &[&str] = &["USN"];

#[derive(Args)]
pub(super) struct DevArgs {
    /// Folder for the servers' data and the passwords; kept between runs.
    #[arg(long, value_name = "DIR", default_value = "./var/dev")]
    data: PathBuf,
    /// Address to serve at.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Mail domain of the tenant `default`; the root DN is made from it.
    #[arg(long, default_value = "example.com")]
    domain: String,
    /// How many demo people to make.
    #[arg(long, value_name = "N", default_value_t = 50)]
    demo: usize,
    /// Database library of 389-ds, `mdb` (LMDB) or `bdb` (Berkeley DB) [default: that of the folder, else mdb].
    #[arg(long, value_name = "NAME")]
    backend: Option<Backend>,
}

/// The files of a data folder.
struct Data {
    folder: PathBuf,
}

impl Data {
    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn config(&self) -> PathBuf {
        self.file("pbm.toml")
    }

    fn redis_password(&self) -> PathBuf {
        self.file("redis-password")
    }

    fn admin_password(&self) -> PathBuf {
        self.file("admin-password")
    }

    fn demo_password(&self) -> PathBuf {
        self.file("demo-password")
    }
}

/// The servers that run beside pbm.
struct Servers {
    directory: DirectoryServer,
    /// Redis, or the component missing on this machine.
    redis: Result<RedisServer, SandboxError>,
}

impl Servers {
    fn start(data: &Data, root: &Dn, backend: Option<Backend>) -> anyhow::Result<Self> {
        let options =
            DirectoryServer::in_folder(data.file("389-ds")).suffix(&root.to_string()).plugins(PLUGINS);
        let options = match backend {
            Some(backend) => options.backend(backend),
            None => options,
        };
        let directory = options.start()?;
        let password = secret_file(&data.redis_password())?;
        let redis = match RedisServer::in_folder(data.file("redis")).password(password).start() {
            redis @ (Ok(_) | Err(SandboxError::MissingProgram { .. })) => redis,
            Err(error) => return Err(error.into()),
        };
        Ok(Self { directory, redis })
    }
}

pub(super) fn dev(args: &DevArgs) -> Outcome {
    telemetry::start(LogConfig { format: LogFormat::Auto, level: tracing::Level::INFO });
    let domain = Domain::parse(&args.domain).with_context(|| format!("--domain {}", args.domain))?;
    let data = open(&args.data, &domain)?;
    // Checked before the slow steps: an address in use is the most common mistake.
    drop(
        std::net::TcpListener::bind(args.listen)
            .map_err(|source| StartError::Bind { address: args.listen, source })?,
    );
    let root = root_of(&domain);
    // Started on this thread, which lives as long as the process: the servers end with their thread.
    let servers = Servers::start(&data, &root, args.backend)?;
    let config = write_config(&data, &servers, &root, args.listen)?;
    block_on(async {
        tokio::select! {
            prepared = prepare(args, &data, &servers, &config, &domain) => prepared?,
            () = stop_signal() => return Ok(()),
        }
        Box::pin(serve::serve_until(&config, None, stop_signal())).await
    })?;
    drop(servers);
    Ok(ExitCode::SUCCESS)
}

async fn prepare(
    args: &DevArgs,
    data: &Data,
    servers: &Servers,
    config: &Config,
    domain: &Domain,
) -> anyhow::Result<()> {
    let address = MailAddress::parse(&format!("admin@{domain}"))?;
    let given = std::env::var(init::ADMIN_PASSWORD).ok().map(SecretString::from);
    let password = match &given {
        Some(password) => password.clone(),
        None => secret_file(&data.admin_password())?,
    };
    let request = SetupRequest {
        service: config.ldap.credentials.clone(),
        backup: config.backup.account.clone(),
        domain: domain.clone(),
        administrator: Some(init::administrator(address.as_str(), &password, domain)?),
        with_member_of: false,
    };
    let server = &servers.directory;
    let manager =
        Credentials { dn: Dn::parse(server.manager_dn())?, password: server.manager_password().clone() };
    super::manager::as_manager(config, manager).set_up(&request, false, |_| {}).await?;
    let directory = patient(Directory::new(Arc::new(config.ldap.clone()), config.tree.clone()));
    if given.is_some() {
        set_password(&directory, &address, &password).await?;
    }
    let demo_password = secret_file(&data.demo_password())?;
    let demo_password = Password::parse(demo_password.expose_secret())?;
    demo::fill(&directory, domain, args.demo, &demo_password).await?;
    drop(directory);
    print_welcome(data, servers, args.listen, domain, given.is_some());
    Ok(())
}

/// Makes the data folder, or checks that it belongs to the domain.
fn open(folder: &Path, domain: &Domain) -> anyhow::Result<Data> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.with_context(|| format!("cannot make {}", folder.display()))?;
    let folder = folder.canonicalize()?;
    let data = Data { folder };
    let file = data.file("domain");
    match std::fs::read_to_string(&file) {
        Ok(of) if of.trim() == domain.as_str() => {}
        Ok(of) => bail!(
            "{} holds the data of the domain {}; use another folder (--data) or --domain {}",
            data.folder.display(),
            of.trim(),
            of.trim()
        ),
        Err(_) => std::fs::write(&file, format!("{domain}\n"))
            .with_context(|| format!("cannot write {}", file.display()))?,
    }
    Ok(data)
}

fn root_of(domain: &Domain) -> Dn {
    domain.as_str().rsplit('.').fold(Dn::empty(), |dn, label| dn.child(names::DC, label))
}

/// Writes the configuration into the data folder, so that other commands use the same server, and reads it back.
fn write_config(data: &Data, servers: &Servers, root: &Dn, listen: SocketAddr) -> anyhow::Result<Config> {
    secret_file(&data.file("ldap-password"))?;
    secret_file(&data.file("backup-password"))?;
    secret_file_of(&data.file("token-key"), 64)?;
    let table = toml::toml! {
        [http]
        shutdown_timeout = "1s"
        [deletion]
        retention = "30d"
    };
    let mut table = table;
    let mut set = |section: &str, key: &str, value: toml::Value| {
        let section = table.entry(section).or_insert_with(|| toml::Table::new().into());
        if let Some(section) = section.as_table_mut() {
            section.insert(key.to_owned(), value);
        }
    };
    let path = |name: &str| toml::Value::from(data.file(name).display().to_string());
    set("http", "listen", toml::Value::Array(vec![listen.to_string().into()]));
    set("ldap", "urls", toml::Value::Array(vec![servers.directory.url().into()]));
    set("ldap", "bind_password_file", path("ldap-password"));
    set("backup", "bind_password_file", path("backup-password"));
    set("tree", "root", root.to_string().into());
    set("auth", "token_key_file", path("token-key"));
    if let Ok(redis) = &servers.redis {
        set("redis", "url", redis.url().into());
        set("redis", "password_file", data.redis_password().display().to_string().into());
    }
    let text = format!("# Written by pbm dev at every start.\n\n{table}");
    write_private(&data.config(), &text)?;
    Config::read(Some(&data.config()), []).map_err(|mistakes| anyhow::anyhow!("{mistakes:?}"))
}

/// Sets the administrator's password, if it differs.
async fn set_password(
    directory: &Directory,
    address: &MailAddress,
    password: &SecretString,
) -> anyhow::Result<()> {
    let tenant_id = TenantId::default_tenant();
    let password = Password::parse(password.expose_secret())?;
    let account = directory.account_of_login(address).await?;
    if account.is_none() || directory.is_password_of(account.as_ref(), &password).await? {
        return Ok(());
    }
    let tenant = directory.tenant(&tenant_id).await?.context("the tenant default is not there")?;
    let fields = std::collections::BTreeMap::new();
    let patch = UserPatch::new(address, None, Some(password), fields, &tenant, FieldErrors::default())?;
    directory
        .patch_user(&tenant, address, &patch, &Precondition::None, administration::clock::now(), |_| true)
        .await?;
    Ok(())
}

fn print_welcome(data: &Data, servers: &Servers, listen: SocketAddr, domain: &Domain, password_given: bool) {
    let server = &servers.directory;
    let redis = match &servers.redis {
        Ok(redis) => format!("{} (password in {})", redis.url(), data.redis_password().display()),
        Err(missing) => format!("none: {missing}; all works without, but for the feed of changes"),
    };
    let password_file = data.admin_password();
    let (place, value) = if password_given {
        (format!("in ${}", init::ADMIN_PASSWORD), format!("${}", init::ADMIN_PASSWORD))
    } else {
        (format!("in {}", password_file.display()), format!("$(cat {})", password_file.display()))
    };
    let url = format!("http://{listen}/v2");
    say!(
        r#"
pbm runs at       {url}
super admin       admin@{domain}, password {place}
demo people       password in {demo}
directory         {ldap} (389-ds on {backend}; root {root}; Directory Manager's password in {manager})
Redis             {redis}
configuration     {config}

Paste these:

TOKEN=$(curl -s -X POST "{url}/auth" -d "login=admin@{domain}" --data-urlencode "password={value}" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
curl -X GET "{url}/users/default" -d "&page=1&orderby=mail" -H "Authorization: Bearer $TOKEN"
curl -X PUT "{url}/users/default/vera@{domain}" -d "userPassword=Correct-Horse-7" -d "employeeNumber=2" -d "cn=Вера" -d "sn=Новикова" -H "Authorization: Bearer $TOKEN"
curl -X PATCH "{url}/users/default/vera@{domain}" -d "ou=Development&lang=ru-RU" -H "Authorization: Bearer $TOKEN"
curl -X GET "{url}/users/default/vera@{domain}" -H "Authorization: Bearer $TOKEN"
"#,
        demo = data.demo_password().display(),
        ldap = server.url(),
        backend = server.backend(),
        root = server.suffix(),
        manager = server.manager_password_file().display(),
        config = data.config().display(),
    );
}
