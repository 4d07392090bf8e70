//! The README's session, run as printed against a fresh `pbm dev`.

use crate::dev::Dev;
use harness::{program, run_program};
use regex::Regex;
use std::sync::LazyLock;

pub(crate) const TRIALS: &[harness::Alone] = &[("its_session_prints_what_it_says", session)];

const README: &str = include_str!("../../README.md");
/// The folder and the server of the README's reader.
const DATA: &str = "var/dev";
const URL: &str = "http://127.0.0.1:8080";

/// A command of the session and its output in the README.
#[derive(Debug)]
struct Step {
    command: String,
    printed: Vec<String>,
}

fn steps() -> Vec<Step> {
    let sessions = README.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let mut steps: Vec<Step> = Vec::new();
    for line in sessions.flat_map(str::lines) {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step { command: command.to_owned(), printed: Vec::new() }),
            (None, Some(step)) => step.printed.push(line.to_owned()),
            (None, None) => panic!("the session begins with {line:?}"),
        }
    }
    steps
}

/// A text in which each time of the form 2026-12-23T03:52:59Z and each UUID is replaced by a constant.
fn without_chance(text: &str) -> String {
    static CHANCE: LazyLock<Regex> = LazyLock::new(|| {
        let hexadecimal = "[0-9a-f]";
        let uuid = format!("{hexadecimal}{{8}}(-{hexadecimal}{{4}}){{3}}-{hexadecimal}{{12}}");
        Regex::new(&format!(r"\d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ|{uuid}")).unwrap()
    });
    CHANCE.replace_all(text, "(chance)").into_owned()
}

fn session() {
    let dev = Dev::new();
    // The default number of people, as for the README's reader.
    let serve = dev.start(&["--demo", "50"], &[]);
    let here = |text: &str| text.replace(URL, serve.url()).replace(DATA, dev.data().to_str().unwrap());
    let steps = steps();
    assert!(steps.len() > 5, "the README has lost its session");
    let marker = "(next)";
    let script: Vec<_> =
        steps.iter().map(|step| format!("{}\necho; echo '{marker}'", here(&step.command))).collect();
    let bash = program("bash");
    // In the folder for its files, with the program in the path, and both output streams merged.
    let path = harness::pbm().parent().unwrap().display();
    let begin = format!("cd {} && export PATH={path}:$PATH && exec 2>&1", dev.data().display());
    let script = format!("{begin}\n{}", script.join("\n").replace("curl ", "curl -sS "));
    let run = run_program(&bash, ["-c", &script], &[], "").expect_success();
    let outputs: Vec<_> = run.stdout.split(&format!("{marker}\n")).collect();
    for (step, output) in steps.iter().zip(outputs) {
        let (printed, said) = (output.trim(), step.printed.join("\n"));
        assert_eq!(without_chance(printed), without_chance(&said), "$ {}", step.command);
    }
}
