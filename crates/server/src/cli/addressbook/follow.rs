//! `pbm addressbook follow`: keeps a copy of a tenant's address book, as an example for other programs.
//!
//! The command line and the end of the command; [`Follower::step`] does one round of the work.

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

/// How long the page that is being printed may take after a signal to stop.
const LAST_PAGE: Duration = Duration::from_secs(1);

const EXPLANATION: &str = "Prints one JSON object per line:

  {\"op\":\"put\",\"contact\":{\"id\":\"…\",\"mail\":\"ivan@acme.example\",…}}
  {\"op\":\"delete\",\"id\":\"…\"}
  {\"op\":\"reset\"}

put: store the contact and replace one with the same id. delete: delete the contact, if it exists. reset: delete all \
contacts; the server sends all of them again, because it no longer knows which ones have changed.

A reader that applies every line in order has the tenant's contacts. The first run prints all of them, every later run \
the changes since the previous one, by the token in FILE. The token is saved after a page is printed: if the command \
is killed in between, the next run prints that page again. This is harmless, because a put or a delete can be applied \
twice. If the reader fails before it has applied all lines, delete the copy and empty FILE, and start over.

Example, with a copy in a folder:

  $ pbm addressbook follow --tenant acme --state acme.token --once |
      while IFS= read -r change; do
        case $(jq -r .op <<<\"$change\") in
          reset) rm -f copy/* ;;
          put) jq .contact <<<\"$change\" >\"copy/$(jq -r .contact.id <<<\"$change\")\" ;;
          delete) rm -f \"copy/$(jq -r .id <<<\"$change\")\" ;;
        esac
      done

While the server is unreachable or has no feed, the command waits and tries again; it reports problems on stderr.

Exit code: 0 on SIGTERM or Ctrl-C, at the end of --once, and when the reader closes the pipe; 1 on an error that a \
retry cannot cure; 2 when the command line is wrong.";

#[derive(Args)]
#[command(after_help = EXPLANATION)]
pub(in crate::cli) struct FollowArgs {
    /// The tenant whose contacts to follow.
    #[arg(long)]
    tenant: String,
    /// The URL of pbm.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    url: String,
    /// File that keeps the token between runs; created if it does not exist.
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Address to log in with. Without it no token is sent, which works from `auth.allowed_subnets`.
    #[arg(long, value_name = "ADDRESS")]
    login: Option<String>,
    /// File with the password. If `PBM_PASSWORD` is set, it is used instead.
    #[arg(long, value_name = "FILE", requires = "login")]
    password_file: Option<PathBuf>,
    /// File with the CAs to trust (PEM) instead of the system's, for https.
    #[arg(long, value_name = "FILE")]
    ca_file: Option<PathBuf>,
    /// How long to wait if there are no new changes.
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = humantime::parse_duration)]
    interval: Duration,
    /// Maximum number of changes per request.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Exit when there are no more changes.
    #[arg(long)]
    once: bool,
}

pub(super) fn follow(args: FollowArgs) -> Outcome {
    let login = args.login.map(|address| login(address, args.password_file.as_deref())).transpose()?;
    let tenant = TenantId::parse(&args.tenant).with_context(|| format!("--tenant {:?}", args.tenant))?;
    let client = Client::new(&args.url, args.ca_file.as_deref(), tenant.to_string(), login)?;
    let state = State::new(args.state);
    let since = state.read()?;
    // An unwritable file should fail here, not after the first page.
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
    // A page that is being printed may finish; a pending request is abandoned.
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
        bail!("--login needs a password: use --password-file FILE or set {PASSWORD}");
    };
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    Ok(Login { address, password: SecretString::from(text.trim_end_matches(['\n', '\r'])) })
}
