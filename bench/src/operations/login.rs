//! Log-in; raw, a simple bind. 389-ds hashes the password on both sides. Each client has an account of its own, because
//! pbm accepts only a few concurrent log-ins for one login. For information.

use crate::{
    arguments::Arguments,
    http::{Asking, request},
    load::{self, Measured, Until, in_turns},
    people::{DOMAIN, PASSWORD, creation_form},
    raw::{Binding, Login},
    report::{Row, Target},
    world::{PASSWORD_CONNECTIONS, World, ask, login_form},
};
use std::sync::atomic::{AtomicUsize, Ordering};

pub(super) fn measure(arguments: &Arguments, world: &World) -> anyhow::Result<Vec<Row>> {
    for number in 0..PASSWORD_CONNECTIONS {
        let path = format!("/v2/users/default/{}", address(number));
        ask(&world.pbm, &request("PUT", &path, Some(&world.token), &creation_form()))?;
    }
    let until = Until::Elapsed(arguments.time());
    let ours = || -> anyhow::Result<Measured> {
        let number = AtomicUsize::new(0);
        load::run(PASSWORD_CONNECTIONS, until, async || {
            let login = login_form(&address(number.fetch_add(1, Ordering::Relaxed)));
            let request = request("POST", "/v2/auth", None, &login);
            let next = move |bytes: &mut Vec<u8>| bytes.extend_from_slice(&request);
            Asking::connect(world.pbm.address, next).await
        })
    };
    let raw = || -> anyhow::Result<Measured> {
        let number = AtomicUsize::new(0);
        load::run(PASSWORD_CONNECTIONS, until, async || {
            let mail = address(number.fetch_add(1, Ordering::Relaxed));
            let login = Login {
                dn: format!("mail={mail},{}", world.people.folder()),
                password: PASSWORD.to_owned(),
                ..world.service.clone()
            };
            Ok(Binding { ldap: login.connect().await?, login })
        })
    };
    let pair = in_turns("log in", arguments.rounds, world.processes()?, ours, raw)?;
    Ok(vec![Row::of_pair("log in, 8 clients", &pair, world.pbm.peak_memory()?, Target::None)])
}

fn address(number: usize) -> String {
    format!("login{number}@{DOMAIN}")
}
