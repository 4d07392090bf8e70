//! A Redis master, its replica and the sentinels: the death of the master.

use std::time::Instant;

use sandbox::{RedisSentinels, RedisSentinelsOptions, SandboxError};
use tempfile::TempDir;

use crate::commands::processes_in;

fn fails_over_and_back(options: RedisSentinelsOptions, processes: usize) {
    let began = Instant::now();
    let mut redis = options.start().unwrap();
    println!("start: {:?}", began.elapsed());
    assert_eq!(processes_in(redis.folder()).len(), processes);
    assert_eq!(redis.sentinel_addresses().len(), processes - 2);
    let first = redis.master().unwrap().port();
    redis.command(&["SET", "key", "value"]).unwrap();
    redis.command(&["WAIT", "1", "1000"]).unwrap();

    let began = Instant::now();
    redis.kill_master().unwrap();
    let second = redis.wait_for_master().unwrap().port();
    println!("fail-over: {:?}", began.elapsed());
    assert_ne!(second, first);
    assert_eq!(redis.command(&["GET", "key"]).unwrap(), "value");

    let began = Instant::now();
    redis.start_again().unwrap();
    println!("back as a replica: {:?}", began.elapsed());
    assert_eq!(redis.master().unwrap().port(), second);
    redis.kill_master().unwrap();
    assert_eq!(redis.wait_for_master().unwrap().port(), first);
    assert_eq!(redis.command(&["GET", "key"]).unwrap(), "value");

    let folder = redis.folder().to_owned();
    drop(redis);
    assert_eq!(processes_in(&folder), []);
}

#[test]
fn the_replica_of_a_dead_master_takes_over() {
    let folder = TempDir::new().unwrap();
    fails_over_and_back(RedisSentinels::in_folder(folder.path()).password("a \"b\" é".into()), 5);
    // The folder continues with the first server as the master.
    let again = RedisSentinels::in_folder(folder.path()).number(1).start().unwrap();
    assert_eq!(again.command(&["DBSIZE"]).unwrap(), "0");
}

#[test]
fn with_tls_and_passwords_everywhere_one_sentinel_does_it_too() {
    let folder = TempDir::new().unwrap();
    let options = RedisSentinels::in_folder(folder.path()).number(1).tls(true);
    let options = options.password("secret".into()).sentinel_password("other".into());
    fails_over_and_back(options, 3);
}

#[test]
fn a_missing_program_names_its_package() {
    let folder = TempDir::new().unwrap();
    let error = RedisSentinels::in_folder(folder.path()).programs_in(folder.path()).start().unwrap_err();
    assert!(matches!(error, SandboxError::MissingProgram { package: "redis-server", .. }), "{error}");
}
