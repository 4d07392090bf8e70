//! Mailing lists of a tenant's administrator that cost the directory far more work than the administrator.

use harness::{BUSY, World};
use std::time::{Duration, Instant};

pub(crate) const TRIALS: &[harness::Alone] =
    &[("lists_that_meet_on_many_paths_keep_nobody_waiting", lists_on_many_paths)];

/// Lists per level, and levels: half a million paths from the top.
const WIDTH: usize = 3;
const LEVELS: usize = 12;
/// Longer than any change may take.
const BOUND: Duration = Duration::from_secs(5);

fn lists_on_many_paths() {
    let world = World::start();
    let tenant = world.tenant();
    let level = |number: usize| -> Vec<String> {
        (0..WIDTH).map(|list| tenant.address(&format!("level{number}n{list}"))).collect()
    };
    let timely = |request: &dyn Fn() -> harness::Answer| {
        let began = Instant::now();
        request().expect(200);
        assert!(began.elapsed() < BOUND + BUSY, "{:?}", began.elapsed());
    };
    let make = |mail: &str, members: &str| {
        let body = harness::form(&[("mail", mail), ("displayName", "L"), ("alias", members)]);
        timely(&|| tenant.admin().post(format!("/v2/maillists?tenant-id={}", tenant.id), &body));
    };
    let outside = ["x@outside.test".to_owned()];
    for number in (0..LEVELS).rev() {
        let members = if number + 1 == LEVELS { outside.to_vec() } else { level(number + 1) };
        for mail in level(number) {
            make(&mail, &members.join(","));
        }
    }
    make(&tenant.address("top"), &level(0).join(","));
    let top = format!("/v2/maillists/{}/{}", tenant.id, tenant.address("top"));
    timely(&|| tenant.admin().get(format!("{top}?expand=1")));
    // Joins the upper and the lower part once more, from the top down.
    let joined = format!("/v2/maillists?tenant-id={}&mail={}", tenant.id, tenant.address("top"));
    timely(&|| tenant.admin().put(&joined, &harness::form(&[("alias", &level(LEVELS / 2).join(","))])));
    let ivan = tenant.user("ivan").create();
    timely(&|| tenant.admin().patch(&ivan, "l=Omsk"));
    assert_eq!(world.stop(), Vec::<String>::new());
}
