//! Runs a portal until it is killed, for clients that others wrote.
//!
//! ```text
//! bitrix24_portal PORT PEOPLE CERTIFICATE
//! ```
//!
//! It speaks TLS, writes its certificate to a file, and then prints the URL, the user and the code of the webhook. The
//! limits are those of the cloud: 50 requests at once, and 2 a second after that.

use stand_ins::bitrix24::{Company, Limits, Portal, PortalOptions};
use std::{error::Error, io, net::Ipv4Addr, thread};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [port, people, certificate] = arguments.as_slice() else {
        return Err(io::Error::other("usage: bitrix24_portal PORT PEOPLE CERTIFICATE").into());
    };
    let options = PortalOptions {
        listen: (Ipv4Addr::LOCALHOST, port.parse()?).into(),
        is_encrypted: true,
        limits: Some(Limits::CLOUD),
        ..PortalOptions::default()
    };
    let (user, code) = (options.user.clone(), options.code.clone());
    let portal = Portal::start(options, Company::of(people.parse()?))?;
    std::fs::write(certificate, portal.certificate().unwrap_or_default())?;
    println!("{} {user} {code}", portal.url());
    loop {
        thread::park();
    }
}
