//! What a bad request must leave as it is.

use harness::{Answer, Client, Entry, Tenant, User, World};

/// A tenant with one user, and a look at both that must not change.
pub(crate) struct Scene<'w> {
    world: &'w World,
    pub(crate) tenant: Tenant<'w>,
    pub(crate) ivan: User<'w>,
    before: Vec<Entry>,
}

impl<'w> Scene<'w> {
    pub(crate) fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let ivan = tenant.user("ivan").with("title", "Boss").with("alias", &tenant.address("alias")).create();
        let mut scene = Self { world, tenant, ivan, before: Vec::new() };
        scene.before = scene.look();
        scene
    }

    fn look(&self) -> Vec<Entry> {
        let base = format!("ou={},ou=People,{}", self.tenant.id, self.world.eye().root);
        let mut entries = self.world.eye().search(&base, "sub", "(objectClass=*)");
        entries.sort_by(|a, b| a.dn.cmp(&b.dn));
        entries
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
