//! Runs a Dovecot until its standard input ends: `dovecot FOLDER PASSWORD ADDRESS…`. Prints the port of IMAP, the URL of
//! doveadm's HTTP API and the file with its password, one a line.

use sandbox::{DovecotServer, SandboxError};
use std::{env, io, process::ExitCode};

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [folder, password, addresses @ ..] = arguments.as_slice() else {
        eprintln!("dovecot FOLDER PASSWORD ADDRESS…");
        return ExitCode::FAILURE;
    };
    match run(folder, password, addresses) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run(folder: &str, password: &str, addresses: &[String]) -> Result<(), SandboxError> {
    let server = DovecotServer::in_folder(folder).start()?;
    let users: Vec<_> = addresses.iter().map(|address| (address.as_str(), password)).collect();
    server.set_users(&users)?;
    println!(
        "{}\n{}\n{}",
        server.imap_port(),
        server.doveadm_url(),
        server.doveadm_password_file().display()
    );
    // A failure ends it too.
    let _ = io::copy(&mut io::stdin(), &mut io::sink());
    Ok(())
}
