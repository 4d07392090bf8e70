//! An actix handler that does nothing, in a process of its own: the cost of HTTP alone.
//!
//! This program starts itself in that role, and compares the measurements with it.

use crate::facade::{Facade, Program};
use actix_web::{App, HttpResponse, HttpServer, rt::System, web};
use std::{process::Command, thread};

/// The option that starts this program as such a server.
pub(crate) const OPTION: &str = "--empty-handler";
/// The default maximum of pbm's workers.
const MAX_WORKERS: usize = 4;

/// Serves until it is killed; prints its URL in the format of `pbm serve`.
pub(crate) fn serve() -> anyhow::Result<()> {
    let processors = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    System::new().block_on(async {
        let app = || App::new().default_service(web::to(|| async { HttpResponse::Ok().finish() }));
        let server = HttpServer::new(app).workers(processors.min(MAX_WORKERS)).bind(("127.0.0.1", 0))?;
        if let Some(address) = server.addrs().first() {
            println!("ready http://{address}");
        }
        Ok(server.run().await?)
    })
}

/// Starts the server.
pub(crate) fn start(program: &Program) -> anyhow::Result<Facade> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg(OPTION);
    Facade::start(command, &program.log)
}
