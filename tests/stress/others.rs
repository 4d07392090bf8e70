//! Workers that do not use the API: other writers and readers of the directory, and the commands of pbm.

use crate::{
    kinds::Kind,
    site::{TENANTS, standing_user},
    worker::Worker,
};
use harness::{Finished, documented_filter, ldif_line};

/// Result codes of 389-ds during concurrent writes: operationsError, busy, and noSuchObject (see [`Worker::change`])
/// (RFC 4511 appendix A.2).
const BUSY: [i32; 3] = [1, 51, 32];

/// Adds, changes, renames and removes users directly in the directory.
pub(crate) fn ldap_writer(worker: &mut Worker<'_>) -> Option<()> {
    let probe = worker.site.probe();
    while !worker.watch.is_over() {
        let tenant = worker.any_tenant();
        let folder = format!("ou={},ou=People,{}", TENANTS[tenant].0, probe.root);
        let mails: Vec<_> = (0..10).map(|_| worker.fresh_mail("raw", tenant)).collect();
        let apply = |kind, records: Vec<String>| {
            let ldif = records.join("\n");
            let modify = || done(worker, &probe.try_modify(&ldif));
            worker.watch.time(worker.number, kind, &folder, modify)
        };
        let record = |mail: &String, rest: &str| format!("dn: mail={mail},{folder}\nchangetype: {rest}\n");
        let classes = ["inetOrgPerson", "inetUser", "mailRecipient", "pbmUser"];
        let classes = classes.map(|class| ldif_line("objectClass", class)).concat();
        let user = |mail: &String| {
            let rest =
                format!("add\n{classes}mail: {mail}\ncn: Raw\nsn: Raw\nemployeeNumber: 2\ninetUserStatus: 1");
            record(mail, &rest)
        };
        apply(Kind::LdapAdds, mails.iter().map(user).collect())?;
        let change =
            |mail| record(mail, "modify\nreplace: l\nl: Tomsk\n-\nreplace: displayName\ndisplayName: Raw");
        apply(Kind::LdapChanges, mails.iter().map(change).collect())?;
        let (some, rest) = mails.split_at(5);
        let new: Vec<_> = some.iter().map(|mail| format!("new-{mail}")).collect();
        let rename = |(mail, new)| record(mail, &format!("modrdn\nnewrdn: mail={new}\ndeleteoldrdn: 1"));
        apply(Kind::LdapRenames, some.iter().zip(&new).map(rename).collect())?;
        apply(Kind::LdapDeletions, new.iter().chain(rest).map(|mail| record(mail, "delete")).collect())?;
    }
    None
}

/// Searches like Postfix, Dovecot and address books, with the filters of `docs/OPERATIONS.md`.
pub(crate) fn ldap_reader(worker: &mut Worker<'_>) -> Option<()> {
    let readers = [
        "Postfix, mailbox exists",
        "query_filter",
        "Dovecot, userdb",
        "address books, people",
        "address books, lists",
    ];
    let filters = readers.map(documented_filter);
    let probe = worker.site.probe();
    while !worker.watch.is_over() {
        let tenant = worker.any_tenant();
        let user = standing_user(tenant, worker.any(worker.site.users_of(tenant)));
        for (base, filter) in &filters {
            let base = base.replace("<tenant>", TENANTS[tenant].0).replace(",R", &format!(",{}", probe.root));
            let filter = filter.replace("%s", &user).replace("%u", &user);
            let search = || {
                probe.search(&base, "sub", &filter);
                Ok(())
            };
            worker.watch.time(worker.number, Kind::LdapReaders, &filter, search)?;
        }
    }
    None
}

/// Runs the commands that read the whole directory.
pub(crate) fn commands(worker: &mut Worker<'_>) -> Option<()> {
    let site = worker.site;
    let file = site.file("stress.ldif.zst");
    let file = file.to_str()?;
    while !worker.watch.is_over() {
        let run = |kind, arguments: &[&str], codes: &[i32]| {
            let run = || {
                let finished = site.pbm(arguments);
                if codes.contains(&finished.code) { Ok(()) } else { Err(told(&finished)) }
            };
            worker.watch.time(worker.number, kind, &arguments.join(" "), run)
        };
        run(Kind::Backup, &["backup", "--output", file], &[0])?;
        // 1: there are differences, or entries whose addresses other entries have by now.
        run(Kind::Diff, &["diff", file], &[0, 1])?;
        run(Kind::RestoreDryRun, &["restore", file, "--dry-run"], &[0, 1])?;
        run(Kind::PurgeDryRun, &["purge", "--dry-run"], &[0])?;
        run(Kind::Purge, &["purge"], &[0])?;
    }
    None
}

/// Whether LDIF change records were applied, or refused because of concurrent changes.
fn done(worker: &Worker<'_>, finished: &Finished) -> Result<(), String> {
    match finished.code {
        0 => Ok(()),
        code if BUSY.contains(&code) => {
            worker.watch.crowded_out();
            Ok(())
        }
        _ => Err(told(finished)),
    }
}

fn told(finished: &Finished) -> String {
    format!("exit code {}: {:.2000}", finished.code, finished.stderr)
}
