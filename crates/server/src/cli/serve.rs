//! `pbm serve`: the production path.

use super::{Outcome, block_on, print::say, stop_signal};
use crate::{application::Application, config::Config, jobs, telemetry};
use std::process::ExitCode;

pub(super) fn serve(config: &Config) -> Outcome {
    telemetry::start(config.log);
    block_on(async {
        Box::pin(serve_until(config, stop_signal())).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Serves until `stop` completes; prints a line to stdout when it is ready.
pub(super) async fn serve_until(config: &Config, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let application = Application::build(config)?;
    let scheduled_backup = application.scheduled_backup().clone();
    let syncs = application.syncs().clone();
    let follower = jobs::follow(config, application.address_book().clone())?;
    // Scripts wait for this line.
    say!("ready {}", application.urls().join(" "));
    tokio::select! {
        ended = application.run_until_stopped(stop) => ended?,
        () = jobs::purge_on_schedule(config) => {}
        () = jobs::watch_plugins(config) => {}
        () = jobs::back_up_on_schedule(config, &scheduled_backup) => {}
        () = jobs::synchronize_on_schedule(config, &syncs) => {}
    }
    drop(follower);
    tracing::info!("server.stopped");
    Ok(())
}
