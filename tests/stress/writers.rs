//! Workers that write through the API.

use crate::{
    kinds::Kind,
    site::{TENANTS, row, standing_user, user_path},
    worker::Worker,
};
use harness::{PASSWORD, encoded, form};
use std::collections::VecDeque;

/// The number of a worker's users at a time.
const USERS: usize = 20;
/// Rows of a small import.
const ROWS: usize = 50;
/// Resources of a group.
const RESOURCES: usize = 15;

/// Creates users, changes and renames some, and deletes the oldest.
pub(crate) fn users(worker: &mut Worker<'_>) -> Option<()> {
    let mut users: VecDeque<(usize, String)> = VecDeque::new();
    loop {
        let tenant = worker.any_tenant();
        let mail = worker.fresh_mail("user", tenant);
        let body = form(&own(&mail)) + "&" + &form(&[("alias", format!("alias-{mail}"))]);
        if !worker.change(Kind::CreateUser, ["PUT", &user_path(tenant, &mail), &body])? {
            continue;
        }
        users.push_back((tenant, mail));
        let choice = worker.any(users.len());
        let (tenant, mail) = users[choice].clone();
        let path = user_path(tenant, &mail);
        match worker.any(6) {
            0 => drop(worker.ask(Kind::ReadUser, ["GET", &path, ""], &[200])?),
            1 => drop(worker.ask(Kind::ChangeUser, ["PATCH", &path, "l=Omsk&ou=Sales"], &[200])?),
            2 => {
                let new = worker.fresh_mail("renamed", tenant);
                if worker.change(Kind::RenameUser, ["PATCH", &path, &form(&[("mail", &new)])])? {
                    users[choice].1 = new;
                }
            }
            3 => {
                let taken = user_path(tenant, &standing_user(tenant, 0));
                let body = form(&own(&mail));
                if worker.ask(Kind::Conflict, ["PUT", &taken, &body], &[409, 503])?.status == 503 {
                    worker.watch.crowded_out();
                }
            }
            _ => {}
        }
        if users.len() > USERS {
            let (tenant, mail) = users.pop_front()?;
            let path = user_path(tenant, &mail);
            worker.ask(Kind::DeleteUser, ["DELETE", &path, ""], &[200])?;
            if worker.any(4) == 0 {
                // It may already be purged.
                worker.ask(Kind::UndeleteUser, ["POST", &format!("{path}/restore"), ""], &[200, 404])?;
            }
        }
        if worker.watch.is_over() {
            return None;
        }
    }
}

/// The parameters of a new user.
fn own(name: &str) -> [(&str, &str); 4] {
    [("userPassword", PASSWORD), ("employeeNumber", "2"), ("cn", "Имя"), ("sn", name)]
}

/// Creates lists, adds members that exist throughout the run, removes some, renames and deletes the lists.
pub(crate) fn lists(worker: &mut Worker<'_>) -> Option<()> {
    while !worker.watch.is_over() {
        let tenant = worker.any_tenant();
        let id = TENANTS[tenant].0;
        let mail = worker.fresh_mail("list", tenant);
        let first = standing_user(tenant, 0);
        let body = form(&[("tenant-id", id), ("mail", &mail), ("displayName", "Группа"), ("alias", &first)]);
        if !worker.change(Kind::CreateList, ["POST", "/v2/maillists", &body])? {
            continue;
        }
        let path = |mail: &str| format!("/v2/maillists?tenant-id={id}&mail={}", encoded(mail));
        for _ in 0..4 {
            let members = members(worker, tenant);
            let request = ["PUT", &path(&mail), &form(&[("alias", &members)])];
            worker.ask(Kind::AddMembers, request, &[200])?;
        }
        let members = members(worker, tenant);
        let request = ["PUT", &path(&mail), &form(&[("remove", &members)])];
        worker.ask(Kind::RemoveMembers, request, &[200])?;
        let new = worker.fresh_mail("renamedlist", tenant);
        let request = ["PUT", &path(&mail), &form(&[("newmail", &new)])];
        let is_renamed = worker.change(Kind::RenameList, request)?;
        let left = if is_renamed { &new } else { &mail };
        worker.change(Kind::DeleteList, ["DELETE", &path(left), ""])?;
    }
    None
}

fn members(worker: &mut Worker<'_>, tenant: usize) -> String {
    let users = worker.site.users_of(tenant);
    let members: Vec<_> = (0..30).map(|_| standing_user(tenant, worker.any(users))).collect();
    members.join(",")
}

/// Creates a group of resources, renames it, and deletes it.
pub(crate) fn resources(worker: &mut Worker<'_>) -> Option<()> {
    while !worker.watch.is_over() {
        let tenant = worker.any_tenant();
        let id = TENANTS[tenant].0;
        let (name, new) = (worker.fresh("group"), worker.fresh("renamedgroup"));
        let path = |name: &str| format!("/v2/resourcegroups/{id}/{name}");
        if !worker.change(Kind::CreateResource, ["PUT", &path(&name), ""])? {
            continue;
        }
        for _ in 0..RESOURCES {
            let mail = worker.fresh_mail("room", tenant);
            let path = format!("/v2/resources/{id}/{name}/{}", encoded(&mail));
            worker.change(Kind::CreateResource, ["PUT", &path, "displayName=Room"])?;
        }
        let is_renamed =
            worker.change(Kind::RenameGroup, ["PATCH", &path(&name), &form(&[("name", &new)])])?;
        let left = if is_renamed { new } else { name };
        let page = format!("/v2/resources/{id}/{left}?search=room&orderby=displayName");
        worker.ask(Kind::ResourcesPage, ["GET", &page, ""], &[200])?;
        worker.change(Kind::DeleteGroup, ["DELETE", &path(&left), ""])?;
    }
    None
}

/// Imports users, runs an import as a dry run, and deletes them.
pub(crate) fn bulk(worker: &mut Worker<'_>) -> Option<()> {
    while !worker.watch.is_over() {
        let tenant = worker.any_tenant();
        let (id, site) = (TENANTS[tenant].0, worker.site);
        let mails: Vec<_> = (0..ROWS).map(|_| worker.fresh_mail("bulk", tenant)).collect();
        let rows: String = mails.iter().map(|mail| row(mail)).collect();
        let dry_run = || site.bulk(id, &rows, "mode=upsert&dry-run=1");
        worker.watch.time(worker.number, Kind::BulkDryRun, id, dry_run)?;
        // A row that fails because of concurrent changes is an error of that row.
        let import = || {
            site.bulk(id, &rows, "")
                .or_else(|told| told.contains("Too many concurrent changes").then_some(()).ok_or(told))
        };
        worker.watch.time(worker.number, Kind::BulkImport, id, import)?;
        for mail in &mails {
            worker.change(Kind::DeleteUser, ["DELETE", &user_path(tenant, mail), ""])?;
        }
    }
    None
}
