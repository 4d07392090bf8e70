//! The `main` of the test programs.

use crate::{
    installation::{Installation, Setup},
    programs,
    world::World,
};
use libtest_mimic::{Arguments, Conclusion, Trial};
use std::{process::ExitCode, sync::Arc};

/// A trial's name and its function in a world.
type Named = (&'static str, fn(&World));
/// A trial's name and its function without a world.
pub type Alone = (&'static str, fn());

/// The trials of one module.
#[derive(Clone, Copy)]
pub struct Trials {
    module: &'static str,
    named: &'static [Named],
    without_redis: bool,
}

impl Trials {
    /// The trials of a module, as the macro [`trials`](crate::trials) creates them.
    pub const fn new(module: &'static str, named: &'static [Named]) -> Self {
        Self { module, named, without_redis: false }
    }

    /// The same trials in a world without Redis.
    #[must_use]
    pub const fn without_redis(self) -> Self {
        Self { without_redis: true, ..self }
    }

    fn name(&self, trial: &str) -> String {
        let world = if self.without_redis { "without_redis::" } else { "" };
        format!("{world}{}::{trial}", self.module)
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

/// A trial, its full name, and whether its world is the one without Redis.
struct Cast {
    name: String,
    body: fn(&World),
    without_redis: bool,
}

/// Starts the worlds that the trials need, runs the trials in them, and stops them.
pub fn run(modules: &[Trials]) -> ExitCode {
    let cast = |module: &Trials, (name, body): Named| Cast {
        name: module.name(name),
        body,
        without_redis: module.without_redis,
    };
    let trials = modules.iter().flat_map(|module| module.named.iter().map(move |named| cast(module, *named)));
    let trials: Vec<_> = trials.collect();
    let arguments = Arguments::from_args();
    let wants = |without_redis: bool| {
        let named = trials.iter().filter(|trial| trial.without_redis == without_redis);
        wants_any(&arguments, named.map(|trial| trial.name.as_str()))
    };
    let wanted = [false, true].map(wants);
    if wanted == [false, false] {
        let idle = trials.into_iter().map(|trial| Trial::test(trial.name, || Ok(())));
        return libtest_mimic::run(&arguments, idle.collect()).exit_code();
    }
    if let Some(code) = cannot_run() {
        return code;
    }
    let [with, without] = start_worlds(wanted);
    let trial = |Cast { name, body, without_redis }| {
        let world = if without_redis { without.clone() } else { with.clone() };
        Trial::test(name, move || {
            body(world.as_ref().expect("a trial that was not asked for"));
            Ok(())
        })
    };
    let conclusion = libtest_mimic::run(&arguments, trials.into_iter().map(trial).collect());
    let left = [with, without].into_iter().flatten().flat_map(|world| {
        let world = Arc::into_inner(world).expect("no trial runs any more");
        if conclusion.has_failed() {
            show_errors(&world);
        }
        world.stop()
    });
    let left: Vec<_> = left.collect();
    end(&conclusion, &left)
}

/// The world with a Redis and the one without.
fn start_worlds(wanted: [bool; 2]) -> [Option<Arc<World>>; 2] {
    // Built before both need it.
    programs::pbm();
    let installations = std::thread::scope(|scope| {
        let [with, without] = [false, true].map(|without_redis| {
            let setup = Setup { without_redis, ..Setup::default() };
            wanted[usize::from(without_redis)].then(|| scope.spawn(move || Installation::start(setup)))
        });
        [with, without].map(|started| started.map(|started| started.join().expect("the servers start")))
    });
    // Not on those threads: a serving process ends with the thread that started it.
    installations.map(|installation| installation.map(|installation| Arc::new(World::of(installation))))
}

/// Runs trials that start their own servers.
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

/// Whether any trial is selected, so that a filter for other tests starts nothing here.
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

/// The server's log about responses of 500 and 503 (which do not contain the cause), and its warnings.
fn show_errors(world: &World) {
    let is_trouble = |line: &&str| line.contains("ERROR") || line.contains("WARN");
    for line in world.serve().log().lines().filter(is_trouble) {
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
