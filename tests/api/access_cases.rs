//! How each endpoint is called by a role: the response, and whether the directory changed exactly in the allowed
//! places.

use harness::{Answer, Client, Group, MailList, Tenant, User, World, form};

/// A call of an endpoint in a tenant, on an object with this name.
pub(crate) struct Case<'a, 'w> {
    pub(crate) world: &'w World,
    pub(crate) client: &'a Client,
    pub(crate) tenant: &'a Tenant<'w>,
    pub(crate) name: String,
    pub(crate) expected: u16,
}

impl<'w> Case<'_, 'w> {
    #[track_caller]
    pub(crate) fn check(&self, endpoint: &str) {
        match endpoint {
            "authenticate" => {
                let user = self.user();
                let client = self.client.behind(&self.world.fresh_address());
                self.assert_status(&client.log_in(&user.mail, &user.password));
            }
            "live" => self.assert_read("/health/live"),
            "ready" => self.assert_read("/health/ready"),
            "readDocument" => self.assert_read("/openapi.json"),
            "readDocs" => self.assert_read("/docs"),
            "readDocsFile" => self.assert_read("/docs/start.js"),
            "listUsers" | "createUser" | "readUser" | "patchUser" | "deleteUser" | "restoreUser"
            | "importUsers" | "listMemberships" => self.check_users(endpoint),
            "readPhoto" | "putPhoto" | "deletePhoto" => self.check_photos(endpoint),
            "listTenants"
            | "createTenantOfDomain"
            | "createTenant"
            | "readTenant"
            | "patchTenant"
            | "deleteTenant"
            | "restoreTenant"
            | "addDomain"
            | "removeDomain" => self.check_tenants(endpoint),
            "listMailLists" | "createMailList" | "patchMailList" | "deleteMailList" | "readMailList" => {
                self.check_lists(endpoint);
            }
            "listResourceGroups"
            | "createResourceGroup"
            | "readResourceGroup"
            | "renameResourceGroup"
            | "deleteResourceGroup" => self.check_groups(endpoint),
            "listResources" | "createResource" | "readResource" | "patchResource" | "deleteResource" => {
                self.check_resources(endpoint);
            }
            "listContacts" | "suggestContacts" | "listContactChanges" | "exportContacts" | "readContact" => {
                self.check_contacts(endpoint);
            }
            "backUp" => {
                self.assert_read(&format!("/v2/backup/ldif?tenant-id={}", self.tenant.id));
            }
            "restore" => self.check_restore(),
            "syncPeopleOfBitrix24"
            | "syncPeopleOfDirectory"
            | "syncGroupsOfDirectory"
            | "listRuns"
            | "readRun" => self.check_synchronizations(endpoint),
            "recallMessage" => {
                let query = form(&[("messageid", "<1@x>"), ("emails", &self.tenant.address(&self.name))]);
                let answer = self.client.post(format!("/v2/actions?{query}"), "");
                // These servers have no mailboxes; `tests/life/recall` has some.
                if !(self.allowed() && answer.status == 503) {
                    self.assert_status(&answer);
                }
            }
            other => panic!("{other} is not tried here"),
        }
    }

    /// No source is set up here, and there is no run: whoever may ask is told so.
    fn check_synchronizations(&self, endpoint: &str) {
        let id = &self.tenant.id;
        let (answer, otherwise) = match endpoint {
            "syncPeopleOfBitrix24" => {
                (self.client.post(format!("/v2/actions/cabsync?tenant-id={id}"), ""), 503)
            }
            "syncPeopleOfDirectory" => (self.client.post(format!("/v2/actions/cabsync/{id}/ad"), ""), 503),
            "syncGroupsOfDirectory" => (self.client.post(format!("/v2/actions/groupsync/{id}/ad"), ""), 503),
            "readRun" => (self.client.get(format!("/v2/actions/runs/{}?tenant-id={id}", self.name)), 404),
            _ => return self.assert_read(&format!("/v2/actions/runs?tenant-id={id}")),
        };
        if self.allowed() {
            answer.expect(otherwise);
        } else {
            self.assert_status(&answer);
        }
    }

    fn check_restore(&self) {
        let (mail, name) = (self.tenant.address(&self.name), &self.name);
        let root = &self.world.probe().root;
        let entry = format!(
            "dn: mail={mail},ou={},ou=People,{root}\nobjectClass: inetOrgPerson\nobjectClass: inetUser\n\
             objectClass: mailRecipient\nobjectClass: pbmUser\nmail: {mail}\ncn: {name}\nsn: Tester\nemployeeNumber: 2\n",
            self.tenant.id
        );
        let path = format!("/v2/restore/ldif?tenant-id={}", self.tenant.id);
        self.assert_made(&self.client.post(path, &entry), &format!("(cn={name})"));
    }

    fn check_users(&self, endpoint: &str) {
        let new = self.tenant.user(&self.name);
        match endpoint {
            "createUser" => {
                self.assert_made(&new.by(self.client).put(), &format!("(cn={})", self.name));
            }
            "importUsers" => {
                let header = "mail,userPassword,employeeNumber,cn,sn";
                let (mail, name) = (self.tenant.address(&self.name), &self.name);
                let rows = format!("{header}\n{mail},{},2,{name},Tester\n", harness::PASSWORD);
                let client = self.client.with_header("Content-Type", "text/csv");
                let answer = client.post(format!("{}/bulk", self.tenant.users()), &rows);
                self.assert_made(&answer, &format!("(cn={name})"));
            }
            "listUsers" => {
                self.assert_read(&self.tenant.users());
                self.assert_read(&format!("{}?deleted=1", self.tenant.users()));
            }
            "readUser" => self.assert_read(self.user().as_ref()),
            "listMemberships" => self.assert_read(&format!("{}/maillists", self.user().as_ref())),
            "patchUser" => {
                let user = self.user();
                self.assert_status(&self.client.patch(&user, "title=Boss"));
                assert_eq!(self.world.probe().user(&user.mail).one("title") == "Boss", self.allowed());
            }
            "deleteUser" => {
                let user = self.user();
                self.assert_status(&self.client.delete(&user));
                assert_eq!(is_deleted(self.world, &user), self.allowed());
            }
            _ => {
                let user = self.user();
                self.world.root().delete(&user).expect_success();
                self.assert_status(&self.client.restore(&user));
                assert_eq!(is_deleted(self.world, &user), !self.allowed());
            }
        }
    }

    fn check_photos(&self, endpoint: &str) {
        let user = self.user();
        let path = format!("{}/photo", user.as_ref());
        let put = |client: &Client| client.try_send("PUT", &path, &crate::photos::jpeg()).unwrap();
        let has_photo = || !self.world.probe().user(&user.mail).all("jpegPhoto").is_empty();
        if endpoint == "putPhoto" {
            self.assert_status(&put(self.client));
            return assert_eq!(has_photo(), self.allowed());
        }
        put(self.world.root()).expect_success();
        if endpoint == "readPhoto" {
            self.assert_read(&path);
        } else {
            self.assert_status(&self.client.delete(&path));
            assert_eq!(has_photo(), !self.allowed());
        }
    }

    fn check_tenants(&self, endpoint: &str) {
        let domain = format!("{}.test", self.name);
        let made = format!("(&(objectClass=pbmTenant)(associatedDomain={domain}))");
        let body = form(&[("domain", &domain)]);
        // A success here would break the conditions of the other cases.
        let another = self.allowed().then(|| self.world.tenant());
        let tenant = another.as_ref().unwrap_or(self.tenant);
        let changed = |answer: &Answer, attribute: &str, before: &Option<harness::Entry>| {
            self.assert_status(answer);
            let values = |entry: &harness::Entry| entry.all(attribute).join(",");
            let after = self.tenant_entry(tenant);
            assert_eq!(after.as_ref().map(values) != before.as_ref().map(values), self.allowed());
        };
        let before = self.tenant_entry(tenant);
        match endpoint {
            "listTenants" => {
                self.assert_read("/v2/tenants");
                self.assert_read("/v2/tenants?deleted=1");
            }
            "readTenant" => self.assert_read(&tenant.path()),
            "createTenantOfDomain" => {
                self.assert_made(&self.client.post("/v2/tenants", &body), &made);
            }
            "createTenant" => {
                self.assert_made(&self.client.put(format!("/v2/tenants/{}", self.name), &body), &made);
            }
            "patchTenant" => {
                changed(&self.client.patch(tenant.path(), "quota=77"), "pbmDefaultQuota", &before);
            }
            "deleteTenant" => changed(&self.client.delete(tenant.path()), "pbmDeletedSince", &before),
            "restoreTenant" => {
                if self.allowed() {
                    self.world.root().delete(tenant.path()).expect_success();
                }
                let before = self.tenant_entry(tenant);
                changed(&self.client.restore(tenant.path()), "pbmDeletedSince", &before);
            }
            "addDomain" => {
                let path = format!("{}/domains/{domain}", tenant.path());
                changed(&self.client.put(path, ""), "associatedDomain", &before);
            }
            _ => {
                let path = format!("{}/domains/{domain}", tenant.path());
                self.world.root().put(&path, "").expect_success();
                let before = self.tenant_entry(tenant);
                changed(&self.client.delete(&path), "associatedDomain", &before);
                self.world.root().delete(path);
            }
        }
    }

    fn tenant_entry(&self, tenant: &Tenant<'_>) -> Option<harness::Entry> {
        let probe = self.world.probe();
        probe.entry(&format!("ou={},ou=Domains,{}", tenant.id, probe.root))
    }

    fn check_lists(&self, endpoint: &str) {
        let new = self.tenant.mail_list(&self.name).members(&["partner@outside.example"]);
        let found = format!("(mail={})", self.tenant.address(&self.name));
        if endpoint == "createMailList" {
            return self.assert_made(&new.by(self.client).post(), &found);
        }
        let list: MailList<'w> = new.by(self.world.root()).create();
        match endpoint {
            "listMailLists" => self.assert_read(&self.tenant.maillists()),
            "readMailList" => {
                self.assert_read(list.as_ref());
                self.assert_read(&format!("{}?expand=1", list.as_ref()));
            }
            "patchMailList" => {
                self.assert_status(&self.client.put(list.request(), "displayName=Changed"));
                assert_eq!(list.entry().one("displayName") == "Changed", self.allowed());
            }
            _ => self.assert_gone(&self.client.delete(list.request()), &found),
        }
    }

    fn check_groups(&self, endpoint: &str) {
        let group = self.tenant.group(&self.name);
        let renamed = group.renamed(&format!("{}-renamed", self.name));
        if endpoint == "createResourceGroup" {
            return self.assert_made(&self.client.put(&group, ""), &format!("(ou={})", self.name));
        }
        let group = self.group();
        match endpoint {
            "listResourceGroups" => self.assert_read(&self.tenant.groups()),
            "readResourceGroup" => self.assert_read(group.as_ref()),
            "renameResourceGroup" => {
                self.assert_status(&self.client.patch(&group, &form(&[("name", &renamed.name)])));
                assert_eq!(
                    (renamed.entries().len() == 1, group.entries().is_empty()),
                    (self.allowed(), self.allowed())
                );
            }
            _ => self.assert_gone(&self.client.delete(&group), &format!("(ou={})", self.name)),
        }
    }

    fn check_resources(&self, endpoint: &str) {
        let group = self.group();
        let new = group.resource(&self.name);
        let found = format!("(mail={})", self.tenant.address(&self.name));
        if endpoint == "createResource" {
            return self.assert_made(&new.by(self.client).put(), &found);
        }
        let room = new.by(self.world.root()).create();
        match endpoint {
            "listResources" => self.assert_read(&group.resources()),
            "readResource" => self.assert_read(room.as_ref()),
            "patchResource" => {
                self.assert_status(&self.client.patch(&room, "l=Omsk"));
                assert_eq!(room.entry().one("l") == "Omsk", self.allowed());
            }
            _ => self.assert_gone(&self.client.delete(&room), &found),
        }
    }

    fn check_contacts(&self, endpoint: &str) {
        let user = self.user();
        let book = format!("/v2/addressbook/{}", self.tenant.id);
        match endpoint {
            "listContacts" => self.assert_read(&book),
            "suggestContacts" => self.assert_read(&format!("{book}/suggest?q={}", self.name)),
            "listContactChanges" => {
                let answer = self.client.get(format!("{book}/changes"));
                // This case does not test whether there is a feed.
                if !(self.allowed() && answer.status == 503) {
                    self.assert_status(&answer);
                }
            }
            "exportContacts" => self.assert_read(&format!("{book}/export")),
            _ => {
                let found = self.world.root().get(format!("{book}?{}", form(&[("search", &user.mail)])));
                let id = found.expect(200).json()["contacts"][0]["id"].as_str().unwrap().to_owned();
                self.assert_read(&format!("{book}/{id}.vcf"));
            }
        }
    }

    fn allowed(&self) -> bool {
        self.expected == 200
    }

    fn user(&self) -> User<'w> {
        self.tenant.user(&self.name).create()
    }

    fn group(&self) -> Group<'w> {
        self.world.root().put(self.tenant.group(&self.name), "").expect_success();
        self.tenant.group(&self.name)
    }

    #[track_caller]
    fn assert_made(&self, answer: &Answer, filter: &str) {
        self.assert_status(answer);
        assert_eq!(self.world.probe().find(filter).len(), usize::from(self.allowed()));
    }

    #[track_caller]
    fn assert_gone(&self, answer: &Answer, filter: &str) {
        self.assert_status(answer);
        assert_eq!(self.world.probe().find(filter).is_empty(), self.allowed());
    }

    #[track_caller]
    fn assert_read(&self, path: &str) {
        self.assert_status(&self.client.get(path));
        let head = self.client.send("HEAD", path, "");
        assert_eq!((head.status, head.body.len()), (self.expected, 0));
    }

    /// A response with the status; a refusal with the guide's message.
    #[track_caller]
    fn assert_status(&self, answer: &Answer) {
        let answer = answer.clone().expect(self.expected);
        if self.expected == 403 {
            assert_eq!(
                answer.message(),
                "You don't have the permission to access the requested resource. It is either read-protected or \
                 not readable by the server."
            );
        }
    }
}

pub(crate) fn is_deleted(world: &World, user: &User<'_>) -> bool {
    !world.probe().user(&user.mail).one("pbmDeletedSince").is_empty()
}
