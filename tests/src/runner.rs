//! The `main` of the test programs.

use crate::{programs, world::World};
use libtest_mimic::{Arguments, Conclusion, Trial};
use std::{process::ExitCode, sync::Arc};

/// A trial's name and what it does in a world.
type Named = (&'static str, fn(&World));
/// A trial's name and what it does on its own.
pub type Alone = (&'static str, fn());

/// The trials of one module.
pub struct Trials {
    module: &'static str,
    trials: &'static [Named],
}

impl Trials {
    /// The trials of a module, by the macro [`trials`](crate::trials).
    pub const fn new(module: &'static str, trials: &'static [Named]) -> Self {
        Self { module, trials }
    }
}

/// Names the trials of a module: functions that take the [`World`].
#[macro_export]
macro_rules! trials {
    ($module:literal: $($trial:ident),* $(,)?) => {
        pub(crate) const TRIALS: $crate::Trials =
            $crate::Trials::new($module, &[$((stringify!($trial), $trial as fn(&$crate::World))),*]);
    };
}

/// Starts a world, runs the trials in it, and stops it.
pub fn run(modules: &[Trials]) -> ExitCode {
    let named = modules.iter().flat_map(|m| m.trials.iter().map(|(name, body)| (m.module, *name, *body)));
    let named: Vec<_> = named.map(|(module, name, body)| (format!("{module}::{name}"), body)).collect();
    let arguments = Arguments::from_args();
    if !wants_any(&arguments, named.iter().map(|(name, _)| name.as_str())) {
        let idle = named.into_iter().map(|(name, _)| Trial::test(name, || Ok(())));
        return libtest_mimic::run(&arguments, idle.collect()).exit_code();
    }
    if let Some(code) = cannot_run() {
        return code;
    }
    let world = Arc::new(World::start());
    let trial = |(name, body): (String, fn(&World))| {
        let world = world.clone();
        Trial::test(name, move || {
            body(&world);
            Ok(())
        })
    };
    let conclusion = libtest_mimic::run(&arguments, named.into_iter().map(trial).collect());
    let world = Arc::into_inner(world).expect("no trial runs any more");
    if conclusion.has_failed() {
        show_errors(&world);
    }
    end(&conclusion, &world.stop())
}

/// Runs trials that start what they need themselves.
pub fn run_without_world(modules: &[(&str, &[Alone])]) -> ExitCode {
    let arguments = Arguments::from_args();
    let named = modules.iter().flat_map(|(module, trials)| {
        trials.iter().map(move |(name, body)| (format!("{module}::{name}"), *body))
    });
    let named: Vec<_> = named.collect();
    if wants_any(&arguments, named.iter().map(|(name, _)| name.as_str()))
        && let Some(code) = cannot_run()
    {
        return code;
    }
    let trial = |(name, body): (String, fn())| {
        Trial::test(name, move || {
            body();
            Ok(())
        })
    };
    libtest_mimic::run(&arguments, named.into_iter().map(trial).collect()).exit_code()
}

/// Whether any trial is asked for, so that a filter that names tests elsewhere starts nothing here.
fn wants_any<'a>(arguments: &Arguments, mut names: impl Iterator<Item = &'a str>) -> bool {
    let fits = |name: &str, filter: &String| {
        if arguments.exact { name == filter } else { name.contains(filter.as_str()) }
    };
    let wanted = |name: &str| {
        arguments.filter.as_ref().is_none_or(|filter| fits(name, filter))
            && !arguments.skip.iter().any(|skip| fits(name, skip))
    };
    !arguments.list && !arguments.ignored && names.any(wanted)
}

fn cannot_run() -> Option<ExitCode> {
    let missing = programs::missing()?;
    eprintln!("The tests need programs that are not there.\n{missing}");
    Some(ExitCode::FAILURE)
}

/// What the server logged about answers of 500 and 503: the answers themselves keep it back.
fn show_errors(world: &World) {
    for line in world.serve().log().lines().filter(|line| line.contains("ERROR")) {
        eprintln!("pbm logged: {line}");
    }
}

fn end(conclusion: &Conclusion, left: &[String]) -> ExitCode {
    if left.is_empty() {
        return conclusion.exit_code();
    }
    eprintln!("The tests left something behind: {}", left.join(", "));
    ExitCode::FAILURE
}
