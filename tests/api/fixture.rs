//! The objects that a bad request must not change.

use harness::{Answer, Client, Entry, Tenant, User, World};

/// A tenant with one user, and a snapshot of both that must not change.
pub(crate) struct Fixture<'w> {
    pub(crate) tenant: Tenant<'w>,
    pub(crate) ivan: User<'w>,
    before: Vec<Entry>,
}

impl<'w> Fixture<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let ivan = tenant.user("ivan").with("title", "Boss").with("alias", &tenant.address("alias")).create();
        let mut fixture = Self { tenant, ivan, before: Vec::new() };
        fixture.before = fixture.look();
        fixture
    }

    fn look(&self) -> Vec<Entry> {
        self.tenant.entries()
    }

    pub(crate) fn admin(&self) -> &Client {
        self.tenant.admin()
    }

    /// Sends a body as a creation and as a change.
    pub(crate) fn both(&self, body: &[u8]) -> [Answer; 2] {
        let new = self.tenant.named("new");
        [("PUT", new.as_ref()), ("PATCH", self.ivan.as_ref())]
            .map(|(method, path)| self.admin().try_send(method, path, body).unwrap())
    }

    #[track_caller]
    pub(crate) fn assert_unchanged(self) {
        assert_eq!(self.look(), self.before);
    }
}
