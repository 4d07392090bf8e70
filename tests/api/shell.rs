//! The guide's own curl lines, run by bash as a person would paste them: each in one line, with the host and the
//! placeholders filled in and nothing else changed.

use harness::{Finished, Tenant, World, program, run_program};
use serde_json::{Value, json};

/// One person at a shell.
pub(crate) struct Shell<'w> {
    world: &'w World,
    filled_in: Vec<(&'static str, String)>,
}

impl<'w> Shell<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        Self { world, filled_in: Vec::new() }
    }

    /// A shell for a tenant's administrator.
    pub(crate) fn about(world: &'w World, tenant: &Tenant<'_>) -> Self {
        let shell = Self::new(world).fill("<tenant-id>", &tenant.id);
        shell.fill("<access_token>", tenant.admin().token())
    }

    /// A shell for the first super administrator.
    pub(crate) fn of_root(world: &'w World) -> Self {
        Self::new(world).fill("<access_token>", world.root().token())
    }

    pub(crate) fn fill(mut self, placeholder: &'static str, value: &str) -> Self {
        self.filled_in.push((placeholder, value.to_owned()));
        self
    }

    /// Runs a line of the guide; curl must succeed and print JSON.
    #[track_caller]
    pub(crate) fn run(&self, printed: &str) -> Value {
        let Finished { stdout, .. } = self.try_run(printed).expect_success();
        serde_json::from_str(&stdout).unwrap_or_else(|error| panic!("{error}: {printed}\n{stdout}"))
    }

    /// Runs a line of the guide with any result.
    #[track_caller]
    pub(crate) fn try_run(&self, printed: &str) -> Finished {
        let (serve, ca_file) = self.world.https();
        let host = serve.address().to_string();
        let line = joined(printed).replace("<pbm_url>", &host).replace("<pbm_url/", &format!("{host}/"));
        let line = self.filled_in.iter().fold(line, |line, (name, value)| line.replace(name, value));
        assert!(!line.contains('<'), "{line}");
        let environment = [("CURL_CA_BUNDLE", ca_file.to_str().unwrap())];
        run_program(&program("bash"), ["-c", &line], &environment, "")
    }
}

/// Joins a printed line that was broken: a URL continues where it was broken, all else is separated by a blank.
fn joined(printed: &str) -> String {
    let mut lines = printed.lines().map(str::trim_end);
    let mut whole = lines.next().unwrap_or_default().to_owned();
    for line in lines {
        let (before, last_word) = whole.rsplit_once(' ').unwrap_or_default();
        let is_in_url = last_word.starts_with("\"https://") && before.matches('"').count().is_multiple_of(2);
        let ends = last_word.matches('"').count().is_multiple_of(2);
        if !is_in_url || ends {
            whole.push(' ');
        }
        whole.push_str(line);
    }
    whole
}

pub(crate) fn success() -> Value {
    json!({"success": true})
}
