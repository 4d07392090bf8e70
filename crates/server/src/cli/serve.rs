//! `pbm serve`: the production path.

use super::{Outcome, block_on, print::say, stop_signal};
use crate::{
    application::Application,
    config::{Config, loading::Loaded},
    following, jobs,
    live::{PurgeSchedule, Switches},
    telemetry,
};
use std::process::ExitCode;
use tokio::sync::watch;

pub(super) fn serve(loaded: Loaded) -> Outcome {
    telemetry::start(loaded.config.log);
    block_on(async {
        let config = loaded.config.clone();
        Box::pin(serve_until(&config, Some(loaded), stop_signal())).await?;
        Ok(ExitCode::SUCCESS)
    })
}

/// Serves until `stop` completes; prints a line to stdout when it is ready. Follows etcd if the configuration was loaded
/// from it.
pub(super) async fn serve_until(
    config: &Config,
    loaded: Option<Loaded>,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<()> {
    let application = Application::build(config)?;
    let services = application.services().clone();
    let address_book = application.address_book().clone();
    let follower = jobs::follow(config, address_book.clone())?;
    let (purge, schedule) = watch::channel(PurgeSchedule::of(config));
    if let Some(loaded) = loaded {
        following::follow(loaded, Switches { services: services.clone(), address_book, purge })?;
    }
    // Scripts wait for this line.
    say!("ready {}", application.urls().join(" "));
    tokio::select! {
        ended = application.run_until_stopped(stop) => ended?,
        () = jobs::purge_on_schedule(config, schedule) => {}
        () = jobs::watch_plugins(config) => {}
        () = jobs::back_up_on_schedule(config, &services.scheduled_backup) => {}
        () = jobs::synchronize_on_schedule(config, &services.syncs) => {}
    }
    drop(follower);
    tracing::info!("server.stopped");
    Ok(())
}
