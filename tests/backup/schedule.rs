//! Scheduled backups.

use crate::fixture::{Fixture, client_of, super_of};
use harness::{Serve, soon, start_serve, within};
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

pub(crate) const TRIALS: &[harness::Alone] = &[
    ("backups_come_by_themselves_and_old_ones_go", schedule),
    ("one_that_fails_is_told_and_removes_nothing", failure),
];

fn serve(fixture: &Fixture, folder: &Path, more: &[(&str, &str)]) -> Serve {
    let folder = format!("{:?}", folder.display().to_string());
    let settings = [("backup.folder", folder.as_str()), ("backup.every", "\"1s\"")];
    start_serve(&fixture.installation.config("schedule.toml", &[&settings, more].concat()), &[])
}

fn backups(folder: &Path) -> Vec<PathBuf> {
    let Ok(files) = fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    files.retain(|file| file.file_name().unwrap().to_str().unwrap().starts_with("pbm-"));
    files.sort_unstable();
    files
}

fn schedule() {
    let fixture = Fixture::empty();
    let folder = fixture.file("backups");
    let older = folder.join("pbm-20200101T000000Z.ldif.zst");
    let others = folder.join("notes.txt");
    let copy = fixture.file("first.ldif.zst");
    fs::create_dir(&folder).unwrap();
    fs::write(&older, "of a month long ago").unwrap();
    fs::write(&others, "not a backup").unwrap();
    let serve = serve(
        &fixture,
        &folder,
        &[("backup.keep.monthly", "2"), ("backup.keep.daily", "1"), ("backup.keep.weekly", "0")],
    );
    let first = {
        let mut first = None;
        soon("there is one", || {
            first = backups(&folder).into_iter().find(|file| *file != older);
            // Copied, because the next backup replaces it.
            first.as_ref().is_some_and(|file| fs::copy(file, &copy).is_ok())
        });
        first.unwrap()
    };
    fixture.assert_is_as(&copy);
    let is_replaced = || !first.exists() && backups(&folder).len() == 2;
    assert!(within(Duration::from_secs(20), is_replaced), "{:?}", backups(&folder));
    assert!(older.exists() && others.exists(), "what is kept was removed");
    assert_eq!(client_of(&serve).get("/health/ready").json()["backup"], serde_json::Value::Null);
    assert!(serve.log().contains("backup.done") && serve.log().contains("backup.removed"));
}

fn failure() {
    let mut fixture = Fixture::empty();
    let folder = fixture.file("backups");
    let process = serve(&fixture, &folder, &[]);
    soon("there is one", || !backups(&folder).is_empty());
    let client = client_of(&process);
    let good = backups(&folder);
    fixture.installation.directory.kill();
    let is_told = || process.log().contains("backup.failed");
    assert!(within(Duration::from_secs(20), is_told), "{}", process.log());
    fixture.installation.directory.start_again().unwrap();
    soon("it is told", || {
        let ready = client.get("/health/ready");
        ready.status == 200 && (ready.json()["backup"] == "failed" || backups(&folder).len() > good.len())
    });
    assert!(backups(&folder).iter().all(|file| fs::metadata(file).unwrap().len() > 100));
    assert!(!backups(&folder).is_empty());
    // The next successful backup clears the error.
    let is_good = || client.get("/health/ready").json()["backup"] == serde_json::Value::Null;
    assert!(within(Duration::from_secs(20), is_good));
    // A folder that cannot be created: the process serves all the same.
    let file = fixture.file("no-folder");
    fs::write(&file, "a file").unwrap();
    let process = serve(&fixture, &file, &[]);
    let client = client_of(&process);
    soon("it is told", || client.get("/health/ready").json()["backup"] == "failed");
    client.get("/v2/users/default").expect(200);
    told_to_administrators_only(&fixture, &process);
}

fn told_to_administrators_only(fixture: &Fixture, process: &Serve) {
    let nobody = process.client();
    assert_eq!(super_of(process).get("/health/ready").expect(200).json()["backup"], "failed");
    fixture.installation.create_tenant("acme", "acme.test");
    let form = "userPassword=Correct-Horse-7&employeeNumber=1&cn=a&sn=b";
    client_of(process).put("/v2/users/acme/admin@acme.test", form).expect_success();
    let granted = nobody.log_in("admin@acme.test", "Correct-Horse-7").expect(200).json();
    let tenants = nobody.with_token(granted["access_token"].as_str().unwrap());
    for client in [&nobody, &tenants, &nobody.with_token("x.y.z"), &nobody.behind("203.0.113.9")] {
        let ready = client.get("/health/ready").expect(200);
        assert_eq!(ready.json(), serde_json::json!({"status": "ready"}));
    }
    // An allowed address is not sufficient: a page of another site could send requests from there.
    let page = client_of(process).with_header("Sec-Fetch-Site", "cross-site");
    assert_eq!(page.get("/health/ready").expect(200).json()["backup"], serde_json::Value::Null);
}
