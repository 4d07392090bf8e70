//! `pbm addressbook follow`: the example of how a copy of a tenant's address book is kept.
//!
//! The command line, and when it ends; one round of the work is [`Follower::step`].

use super::{
    client::{Client, Login},
    follower::{Follower, Step},
    state::State,
};
use crate::cli::{Outcome, stop_signal};
use anyhow::{Context, bail};
use clap::Args;
use mail_model::tenant::TenantId;
use secrecy::SecretString;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};

/// The variable that holds the password of `--login`.
const PASSWORD: &str = "PBM_PASSWORD";

/// How long a page that is being printed may take after the signal to stop.
const LAST_PAGE: Duration = Duration::from_secs(1);

const EXPLANATION: &str = "Prints a JSON object a line:

  {\"op\":\"put\",\"contact\":{\"id\":\"…\",\"mail\":\"ivan@acme.example\",…}}
  {\"op\":\"delete\",\"id\":\"…\"}
  {\"op\":\"reset\"}

put: take the contact, in place of one with the same id. delete: drop the contact, if it is there. reset: drop all \
contacts, for they come anew (the server could not tell any more what has changed).

Whoever applies every line in order has the tenant's contacts. The first run begins with all of them, every later one \
with what has changed since, by the token in FILE. The token is kept after a page is printed: when the command is \
killed in between, the next run prints that page again. That does no harm, since a put and a delete can be applied \
twice. When it is the reader that fails, with lines that it has not applied, empty the copy and FILE, and start over.

Example, with a copy in a folder:

  $ pbm addressbook follow --tenant acme --state acme.token --once |
      while IFS= read -r change; do
        case $(jq -r .op <<<\"$change\") in
          reset) rm -f copy/* ;;
          put) jq .contact <<<\"$change\" >\"copy/$(jq -r .contact.id <<<\"$change\")\" ;;
          delete) rm -f \"copy/$(jq -r .id <<<\"$change\")\" ;;
        esac
      done

While the server is out of reach, or has no feed, the command waits and goes on; what is wrong is told on stderr.

Exit code: 0 on SIGTERM, Ctrl-C, with --once, and when nobody reads any more; 1 when asking again does not help; 2 \
when the command line is wrong.";

#[derive(Args)]
#[command(after_help = EXPLANATION)]
pub(in crate::cli) struct FollowArgs {
    /// The tenant whose contacts they are.
    #[arg(long)]
    tenant: String,
    /// Where pbm serves.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File that keeps the token from one run to the next; made when it is not there.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Address to log in with. Without it no token is sent, which works from `auth.allowed_subnets`.
    #[arg(long, value_name = "ADDRESS")]
    login: Option<String>,
    /// File with the password. `PBM_PASSWORD` is taken instead where it is set.
    #[arg(long, value_name = "FILE", requires = "login")]
    password_file: Option<PathBuf>,
    /// CAs to trust (PEM) in place of the system's, with https.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How long to wait when there is nothing new.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// Changes to ask for at once.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// End when there is nothing more.
    #[arg(long)]
    once: bool,
}

pub(super) fn follow(args: FollowArgs) -> Outcome {
    let login = args.login.map(|address| login(address, args.password_file.as_deref())).transpose()?;
    let tenant = TenantId::parse(&args.tenant).with_context(|| format!("--tenant {:?}", args.tenant))?;
    let client = Client::new(&args.url, args.ca_file.as_deref(), tenant.to_string(), login)?;
    let state = State::new(args.state);
    let since = state.read()?;
    // Better now than after the first page.
    state.write(&since)?;
    let follower = Follower::new(client, state, since, args.limit);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("cannot start the runtime")?;
    let end = runtime.block_on(async {
        tokio::select! {
            end = run(follower, args.interval, args.once) => end,
            () = stop_signal() => Ok(()),
        }
    });
    // A page that is being printed may end; an answer that is waited for is not.
    runtime.shutdown_timeout(LAST_PAGE);
    end.map(|()| ExitCode::SUCCESS)
}

async fn run(mut follower: Follower, interval: Duration, once: bool) -> anyhow::Result<()> {
    loop {
        let step = tokio::task::spawn_blocking(move || {
            let done = follower.step(rand::random());
            (follower, done)
        });
        let (same, done) = step.await?;
        follower = same;
        match done? {
            Step::Done { more: true } => {}
            Step::Done { more: false } if once => return Ok(()),
            Step::Done { more: false } => tokio::time::sleep(interval).await,
            Step::Wait(time) => tokio::time::sleep(time).await,
            Step::Closed => return Ok(()),
        }
    }
}

fn login(address: String, password_file: Option<&Path>) -> anyhow::Result<Login> {
    if let Ok(password) = std::env::var(PASSWORD) {
        return Ok(Login { address, password: password.into() });
    }
    let Some(file) = password_file else {
        bail!("the password of --login is needed: --password-file FILE or {PASSWORD}");
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Login { address, password: SecretString::from(text.trim_end_matches(['\n', '\r'])) })
}
