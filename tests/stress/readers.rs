//! Workers that search through the API: every kind of search that pbm makes for requests.

use crate::{
    kinds::Kind,
    site::{LISTS, TENANTS, expect, standing_list, standing_user, user_path},
    worker::Worker,
};
use harness::{Book, encoded};
use std::{thread::sleep, time::Duration};

/// Uses the pbm with Redis.
pub(crate) fn with_redis(worker: &mut Worker<'_>) -> Option<()> {
    let mut feed = vec![String::new(); TENANTS.len()];
    while !worker.watch.is_over() {
        let tenant = worker.any_tenant();
        let id = TENANTS[tenant].0;
        let users = format!("/v2/users/{id}");
        let book = format!("/v2/addressbook/{id}");
        let page = worker.any(4) + 1;
        let get = |kind, path: String| worker.ask(kind, ["GET", &path, ""], &[200]).map(drop);
        get(Kind::UsersPage, format!("{users}?page={page}&orderby=sn"))?;
        get(Kind::UsersPage, format!("{users}?search=standing1"))?;
        get(Kind::DeletedUsersPage, format!("{users}?deleted=1&limit=100"))?;
        get(Kind::BookPage, format!("{book}?page={page}&search=user"))?;
        get(Kind::Suggest, format!("{book}/suggest?q={}", encoded("Фам")))?;
        directory(worker, tenant)?;
        let path = format!("{book}/changes?since={}", encoded(&feed[tenant]));
        let ask = || changes(worker, &path);
        feed[tenant] = worker.watch.time(worker.number, Kind::Changes, &path, ask)?;
        if worker.any(10) == 0 {
            let export = format!("{book}/export?format=csv");
            worker.ask(Kind::Export, ["GET", &export, ""], &[200])?;
        }
    }
    None
}

/// Requests a page of changes, and returns the next token. The feed may be unavailable for a moment, as it is when a
/// write could not be recorded within two seconds; it has to become available in time.
fn changes(worker: &Worker<'_>, path: &str) -> Result<String, String> {
    loop {
        let answer = expect(worker.site.client.try_send("GET", path, b""), &[200, 410, 503])?;
        match answer.status {
            200 => return Ok(answer.json()["since"].as_str().unwrap_or_default().to_owned()),
            410 => return Ok(String::new()),
            _ => sleep(Duration::from_millis(100)),
        }
    }
}

/// Reads that go to the directory with and without Redis.
fn directory(worker: &mut Worker<'_>, tenant: usize) -> Option<()> {
    let id = TENANTS[tenant].0;
    let list = standing_list(tenant, worker.any(LISTS));
    let user = standing_user(tenant, worker.any(worker.site.users_of(tenant)));
    let get = |kind, path: String| worker.ask(kind, ["GET", &path, ""], &[200]).map(drop);
    get(Kind::ListsPage, format!("/v2/maillists?tenant-id={id}&limit=100&search=list"))?;
    get(Kind::GroupsPage, format!("/v2/resourcegroups/{id}"))?;
    get(Kind::ReadList, format!("/v2/maillists/{id}/{}", encoded(&list)))?;
    get(Kind::ExpandList, format!("/v2/maillists/{id}/{}?expand=1", encoded(&list)))?;
    get(Kind::Memberships, format!("{}/maillists", user_path(tenant, &user)))?;
    get(Kind::TenantsPage, "/v2/tenants".to_owned())?;
    get(Kind::TenantCounts, format!("/v2/tenants/{id}"))
}

/// Uses the pbm without Redis, most often for the books of small tenants: each response needs the whole book.
pub(crate) fn without_redis(worker: &mut Worker<'_>) -> Option<()> {
    while !worker.watch.is_over() {
        let tenant = TENANTS.len() - 1 - worker.any_tenant();
        let id = TENANTS[tenant].0;
        let client = &worker.site.client_without_redis;
        let get = |kind, path: String| worker.send(kind, client, ["GET", &path, ""], &[200]).map(drop);
        get(Kind::UsersPageWithoutRedis, format!("/v2/users/{id}?search=user"))?;
        let book = Book::new(client, id).path;
        get(Kind::BookPageWithoutRedis, format!("{book}?view=all&limit=200"))?;
        get(Kind::TenantBackup, format!("/v2/backup/ldif?tenant-id={id}"))?;
        directory(worker, tenant)?;
    }
    None
}
