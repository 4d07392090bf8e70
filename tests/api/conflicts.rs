//! Races for one address, and the information in a refusal.

use harness::{Tenant, User, World, form};
use std::sync::Barrier;

harness::trials! { "conflicts":
    of_8_clients_who_want_an_address_one_gets_it_100_times,
    a_conflict_names_the_address_and_no_other_tenant,
    of_two_renames_to_one_address_one_succeeds,
}

const CLIENTS: usize = 8;
const ROUNDS: usize = 100;

fn of_8_clients_who_want_an_address_one_gets_it_100_times(world: &World) {
    let tenant = world.tenant();
    // Even-numbered clients create the address as that of a user, odd-numbered ones add it to a user as an alias.
    let owners: Vec<User<'_>> = (0..CLIENTS).map(|n| tenant.user(&format!("owner{n}")).create()).collect();
    let barrier = Barrier::new(CLIENTS);
    let statuses: Vec<Vec<u16>> = std::thread::scope(|scope| {
        let clients: Vec<_> = owners
            .iter()
            .enumerate()
            .map(|(number, owner)| {
                let (tenant, barrier) = (&tenant, &barrier);
                scope.spawn(move || {
                    (0..ROUNDS).map(|round| claim(tenant, owner, number, round, barrier)).collect()
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    for round in 0..ROUNDS {
        let mut answers: Vec<_> = statuses.iter().map(|client| client[round]).collect();
        answers.sort_unstable();
        assert_eq!(answers, [200, 409, 409, 409, 409, 409, 409, 409], "round {round}");
    }
    let probe = world.probe();
    for round in 0..ROUNDS {
        let wanted = tenant.address(&format!("wanted{round}"));
        probe.find_one(&format!("(|(mail={wanted})(mailAlternateAddress={wanted}))"));
    }
}

fn claim(tenant: &Tenant<'_>, owner: &User<'_>, number: usize, round: usize, barrier: &Barrier) -> u16 {
    let name = format!("wanted{round}");
    barrier.wait();
    let answer = if number.is_multiple_of(2) {
        tenant.user(&name).put()
    } else {
        // The owner keeps every address that it has won so far.
        let held = tenant.admin().get(owner).expect(200).json()["alias"].clone();
        let held = held.as_array().into_iter().flatten().map(|alias| alias.as_str().unwrap().to_owned());
        let aliases: Vec<_> = held.chain([tenant.address(&name)]).collect();
        tenant.admin().patch(owner, &form(&[("alias", aliases.join(","))]))
    };
    if answer.status == 409 {
        assert!(answer.clone().expect(409).text().contains(&tenant.address(&name)), "{}", answer.text());
    }
    answer.status
}

fn a_conflict_names_the_address_and_no_other_tenant(world: &World) {
    let (ours, theirs) = (world.tenant(), world.tenant());
    // An address of our domain in another tenant: moved there behind the program's back.
    let theirs_dn = theirs.user("olga").create().dn();
    let taken = ours.address("taken");
    let add = format!("changetype: modify\nadd: mailAlternateAddress\nmailAlternateAddress: {taken}\n");
    world.probe().modify(&format!("dn: {theirs_dn}\n{add}"));
    let ivan = ours.user("ivan").create();
    let answers = [
        ours.user("taken").put(),
        ours.user("other").with("alias", &taken).put(),
        ours.admin().patch(&ivan, &form(&[("alias", &taken)])),
        ours.admin().patch(&ivan, &form(&[("mail", &taken)])),
    ];
    for answer in answers {
        let text = answer.expect(409).text();
        assert!(text.contains(&taken), "{text}");
        assert!(!text.contains(&theirs.id) && !text.contains("olga"), "{text}");
    }
    // The deletion of its owner there is not reported here either.
    theirs.admin().delete(theirs.named("olga")).expect_success();
    let text = ours.user("taken").put().expect(409).text();
    assert!(!text.contains("deleted") && !text.contains(&theirs.id), "{text}");
    assert_eq!(world.probe().find(&format!("(mail={})", ours.address("other"))), []);
}

fn of_two_renames_to_one_address_one_succeeds(world: &World) {
    let tenant = world.tenant();
    for round in 0..20 {
        let users: Vec<_> = (0..4).map(|n| tenant.user(&format!("r{round}-{n}")).create()).collect();
        let wanted = tenant.address(&format!("wanted{round}"));
        let body = form(&[("mail", &wanted)]);
        let mut statuses: Vec<_> = std::thread::scope(|scope| {
            let (admin, body) = (tenant.admin(), &body);
            let renames: Vec<_> =
                users.iter().map(|user| scope.spawn(move || admin.patch(user, body).status)).collect();
            renames.into_iter().map(|rename| rename.join().unwrap()).collect()
        });
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409]);
        let left =
            tenant.listed("limit=1000").into_iter().filter(|name| name.starts_with(&format!("r{round}-")));
        assert_eq!(left.count(), 3);
        assert_eq!(world.probe().user(&wanted).all("mailAlternateAddress"), Vec::<&str>::new());
    }
}
