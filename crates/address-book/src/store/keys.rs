//! The names of the keys.

use ldap_text::dn::Dn;
use redis::Cmd;

/// The key names of one directory.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    before: String,
}

impl Keys {
    /// Keys whose names begin with a prefix and the root, in the form that keeps them on one node of a cluster.
    pub(crate) fn new(prefix: &str, root: &Dn) -> Self {
        let root = root.to_string().to_lowercase().replace(['{', '}'], "_");
        Self { before: format!("{prefix}:{{{root}}}:") }
    }

    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.before)
    }

    /// The command that reads the values for [`Link::standing`].
    pub(super) fn standing(&self) -> Cmd {
        let mut command = redis::cmd("MGET");
        for name in ["layout", "home", "alive", "open", "epoch", "origin", "seq", "horizon", "heartbeats"] {
            command.arg(self.key(name));
        }
        command
    }

    /// All keys except the lease and those that are renewed with it.
    pub(super) fn all(&self) -> Vec<String> {
        let names = [
            "layout",
            "source",
            "generation",
            "epoch",
            "home",
            "alive",
            "origin",
            "seq",
            "records",
            "log",
            "cookie",
            "heartbeats",
            "marks",
            "horizon",
        ];
        names.map(|name| self.key(name)).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_stay_on_one_node_and_apart_from_those_of_other_directories() {
        let keys = |root: &str| Keys::new("pbm", &Dn::parse(root).unwrap()).key("seq");
        assert_eq!(keys("dc=Example,dc=com"), "pbm:{dc=example,dc=com}:seq");
        assert_eq!(keys("o=a{b}c"), "pbm:{o=a_b_c}:seq");
    }
}
