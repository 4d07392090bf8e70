//! Bad requests about tenants, lists, groups and resources: each gets a clear error in JSON and changes nothing.

use harness::{Answer, Client, Context, Entry, Tenant, World, encoded, exchange};
use serde_json::json;

harness::trials! { "bad_requests":
    percent_encoding_that_is_not_utf_8_is_refused,
    bytes_that_are_not_utf_8_are_refused,
    parameters_that_are_too_long_are_refused,
    too_many_parameters_are_refused,
    other_content_types_are_refused,
    json_that_is_no_flat_object_is_refused,
    json_may_begin_with_a_byte_order_mark,
    a_parameter_given_twice_is_refused,
    two_names_for_a_list_are_refused,
    two_tenants_in_a_request_get_nobody_into_the_other,
    other_methods_are_refused_and_the_right_ones_named,
    paths_that_lead_nowhere_are_not_found,
}

/// A tenant with one object of each kind, and a snapshot of it that must not change.
struct Fixture<'w> {
    world: &'w World,
    tenant: Tenant<'w>,
    before: Vec<Entry>,
}

impl<'w> Fixture<'w> {
    fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let ivan = tenant.user("ivan").create();
        tenant.mail_list("friends").members(&[&ivan.mail]).create();
        tenant.group("Rooms").create().resource("rome").create();
        let before = tenant.entries();
        Self { world, tenant, before }
    }

    fn root(&self) -> &Client {
        self.world.root()
    }

    /// Requests that would make a change if their parameters were valid.
    fn requests(&self) -> Vec<(&'static str, String)> {
        let (tenant, rooms) = (&self.tenant, self.tenant.group("Rooms"));
        vec![
            ("POST", "/v2/tenants".into()),
            ("PUT", "/v2/tenants/new".into()),
            ("PATCH", tenant.path()),
            ("POST", tenant.maillists()),
            ("PUT", tenant.list_named("friends").request()),
            ("PATCH", rooms.as_ref().into()),
            ("PUT", rooms.named("new").as_ref().into()),
            ("PATCH", rooms.named("rome").as_ref().into()),
        ]
    }

    /// Sends a body to each of them.
    fn each(&self, client: &Client, body: &[u8], mut check: impl FnMut(Answer)) {
        for (method, path) in self.requests() {
            let _case = Context::new(format!("{method} {path}"));
            check(client.try_send(method, &path, body).unwrap());
        }
    }

    #[track_caller]
    fn assert_unchanged(self) {
        assert_eq!(self.tenant.entries(), self.before);
    }
}

/// A parameter of each of the requests.
const PARAMETERS: [&str; 4] = ["displayName", "name", "domain", "quota"];

fn percent_encoding_that_is_not_utf_8_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    for value in ["%FF", "a%C3%28", "%ED%A0%80", "%C0%AF"] {
        for (method, path) in fixture.requests() {
            let _case = Context::new(format!("{method} {path} {value}"));
            let body = PARAMETERS.map(|name| format!("{name}={value}")).join("&");
            fixture.root().send(method, &path, &body).expect(400);
            let joint = if path.contains('?') { '&' } else { '?' };
            fixture.root().send(method, &format!("{path}{joint}{body}"), "").expect(400);
        }
        let id = &fixture.tenant.id;
        for path in [
            format!("/v2/tenants/{value}"),
            format!("/v2/maillists/{id}/{value}"),
            format!("/v2/maillists?tenant-id={value}"),
            format!("/v2/resourcegroups/{id}/{value}"),
            format!("/v2/resources/{id}/{value}"),
            format!("/v2/resources/{id}/Rooms/{value}"),
        ] {
            fixture.root().get(path).expect(400);
        }
        fixture.root().put(format!("/v2/resourcegroups/{id}/{value}"), "").expect(400);
        fixture.root().delete(format!("/v2/resourcegroups/{id}/{value}")).expect(400);
    }
    fixture.assert_unchanged();
}

fn bytes_that_are_not_utf_8_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    let body = [b"displayName=\xff&name=\xff&domain=\xff&quota=".as_slice(), b"\xff"].concat();
    fixture.each(fixture.root(), &body, |answer| drop(answer.expect(400)));
    // A shell puts letters of any script into a path without encoding.
    let request = |method: &str, path: &[u8]| {
        let token = fixture.root().token();
        let head =
            format!(" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n");
        exchange(fixture.root().server(), &[method.as_bytes(), b" ", path, head.as_bytes()].concat()).unwrap()
    };
    let groups = fixture.tenant.groups();
    request("PUT", &[groups.as_bytes(), b"/\xff"].concat()).expect(400);
    request("PUT", format!("{groups}/Залы").as_bytes()).expect_success();
    let shown = request("GET", format!("{groups}/Залы").as_bytes()).expect(200).json();
    assert_eq!(shown, json!({"name": "Залы", "tenant-id": fixture.tenant.id, "resources": 0}));
    request("DELETE", format!("{groups}/Залы").as_bytes()).expect_success();
    fixture.assert_unchanged();
}

fn parameters_that_are_too_long_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    let long = "x".repeat(100_000);
    let body = PARAMETERS.map(|name| format!("{name}={long}")).join("&");
    fixture.each(fixture.root(), body.as_bytes(), |answer| {
        let answer = answer.expect(400);
        assert!(answer.body.len() < 1000, "the error repeats what was sent");
    });
    fixture.each(fixture.root(), &vec![b'&'; 2 << 20], |answer| drop(answer.expect(413)));
    let id = &fixture.tenant.id;
    for path in [
        format!("/v2/maillists/{id}/{long}"),
        format!("/v2/resourcegroups/{id}/{long}"),
        format!("/v2/maillists?tenant-id={id}&search={long}"),
        format!("/v2/tenants?search={}", "x".repeat(300)),
        format!("/v2/resources/{id}/Rooms?search={}", "x+".repeat(100)),
    ] {
        let answer = fixture.root().get(&path);
        let status = answer.status;
        assert!([400, 404, 414, 431].contains(&status), "{status}");
        answer.expect(status);
    }
    fixture.assert_unchanged();
}

fn too_many_parameters_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    let different: Vec<_> = (0..10_000).map(|number| format!("p{number}=1")).collect();
    for body in [different.join("&"), "filter=ou%3Dx&".repeat(10_000), "x&".repeat(10_000)] {
        fixture.each(fixture.root(), body.as_bytes(), |answer| {
            let answer = answer.expect(400);
            assert!(answer.body.len() < 1000);
        });
    }
    fixture.assert_unchanged();
}

fn other_content_types_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/xml", "nonsense"] {
        let client = fixture.root().with_header("Content-Type", kind);
        fixture
            .each(&client, b"displayName=x&name=x&domain=x.test&quota=1", |answer| drop(answer.expect(415)));
    }
    fixture.assert_unchanged();
}

fn json_that_is_no_flat_object_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    let client = fixture.root().with_header("Content-Type", "application/json");
    for body in
        ["[]", "1", "{", "{\"displayName\":{}}", "{\"alias\":[[\"x\"]]}", "name=x", "{\"name\":\"\\ud800\"}"]
    {
        fixture.each(&client, body.as_bytes(), |answer| drop(answer.expect(400)));
    }
    fixture.assert_unchanged();
}

fn json_may_begin_with_a_byte_order_mark(world: &World) {
    let tenant = world.tenant();
    let ivan = tenant.user("ivan").create();
    let client = tenant.admin().with_header("Content-Type", "application/json");
    client.patch(&ivan, "\u{feff}{\"title\":\"Boss\"}").expect_success();
    assert_eq!(client.get(&ivan).json()["title"], "Boss");
    client.patch(&ivan, "\u{feff}\u{feff}{\"title\":\"x\"}").expect(400);
}

fn a_parameter_given_twice_is_refused(world: &World) {
    let fixture = Fixture::new(world);
    let (tenant, root) = (&fixture.tenant, fixture.root());
    let list = tenant.list_named("friends");
    for name in ["displayName", "newmail", "mail", "tenant-id"] {
        let value = encoded(&tenant.address("x"));
        root.put(
            "/v2/maillists",
            &format!("tenant-id={}&mail={}&{name}={value}&{name}=y", tenant.id, list.mail),
        )
        .expect(400);
    }
    for name in ["displayName", "l", "employeeType", "description"] {
        let rome = tenant.group("Rooms").named("rome");
        root.patch(&rome, &format!("{name}=1&{name}=2")).expect_wrong(&[name]);
    }
    root.get(format!("{}&tenant-id=default", tenant.maillists())).expect_wrong(&["tenant-id"]);
    for page in [tenant.groups(), "/v2/tenants".into(), tenant.group("Rooms").resources()] {
        root.get(format!("{page}?page=1&page=2")).expect_wrong(&["page"]);
    }
    fixture.assert_unchanged();
}

fn two_names_for_a_list_are_refused(world: &World) {
    let fixture = Fixture::new(world);
    let friends = fixture.tenant.list_named("friends");
    let other = encoded(&fixture.tenant.address("other"));
    for request in [
        format!("{}&mmail={other}", friends.request()),
        friends.request().replace("mail=", &format!("mail={other}&mmail=")),
    ] {
        let _case = Context::new(&request);
        fixture.root().put(&request, "displayName=x").expect(400);
        fixture.root().delete(&request).expect(400);
    }
    fixture.assert_unchanged();
}

/// Whichever tenant is used, the rights are checked for that tenant.
fn two_tenants_in_a_request_get_nobody_into_the_other(world: &World) {
    let (fixture, theirs) = (Fixture::new(world), world.tenant());
    let (ours, client) = (&fixture.tenant, theirs.admin());
    let json = client.with_header("Content-Type", "application/json");
    let (ours_id, theirs_id) = (&ours.id, &theirs.id);
    for (one, other) in [(ours_id, theirs_id), (theirs_id, ours_id)] {
        for name in ["mail", "mmail"] {
            let mail = encoded(&ours.address("friends"));
            let body = format!("tenant-id={one}&{name}={mail}&displayName=x&alias=a@outside.example");
            let json_body = json!({"tenant-id": one, name: ours.address("friends"), "displayName": "x",
                "alias": "a@outside.example"});
            for method in ["GET", "POST", "PUT", "DELETE"] {
                let _case = Context::new(format!("{method} {one} {other}"));
                for path in
                    [format!("/v2/maillists?tenant-id={other}"), format!("/v2/maillists&tenant-id={other}")]
                {
                    let answers =
                        [client.send(method, &path, &body), json.send(method, &path, &json_body.to_string())];
                    for answer in answers {
                        assert!(
                            !answer.text().contains(&ours.domain) || answer.status >= 400,
                            "{}",
                            answer.text()
                        );
                    }
                }
                client.send(method, &format!("/v2/maillists?tenant-id={one}&tenant-id={other}"), &body);
            }
        }
    }
    // If the path names the tenant, a parameter must not.
    let room = ours.group("Rooms").named("rome");
    client.patch(&room, &format!("tenant-id={theirs_id}&l=x")).expect(403);
    client.patch(format!("{}&tenant-id={theirs_id}&l=x", room.as_ref()), "").expect(403);
    fixture.assert_unchanged();
}

fn other_methods_are_refused_and_the_right_ones_named(world: &World) {
    let fixture = Fixture::new(world);
    let (tenant, rooms) = (&fixture.tenant, fixture.tenant.group("Rooms"));
    let user_lists = format!("{}/maillists", tenant.named("ivan").as_ref());
    let domain = format!("{}/domains/{}", tenant.path(), tenant.domain);
    let restore = format!("{}/restore", tenant.path());
    for (path, allowed) in [
        ("/v2/tenants", "GET HEAD POST"),
        (&tenant.path(), "DELETE GET HEAD PATCH PUT"),
        (&restore, "POST"),
        (&domain, "DELETE PUT"),
        ("/v2/maillists", "DELETE GET HEAD POST PUT"),
        (tenant.list_named("friends").as_ref(), "GET HEAD"),
        (&user_lists, "GET HEAD"),
        (&tenant.groups(), "GET HEAD"),
        (rooms.as_ref(), "DELETE GET HEAD PATCH PUT"),
        (&rooms.resources(), "GET HEAD"),
        (rooms.named("rome").as_ref(), "DELETE GET HEAD PATCH PUT"),
    ] {
        let _case = Context::new(path);
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"] {
            if !allowed.split(' ').any(|known| known == method) {
                let answer = fixture.root().send(method, path, "").expect(405);
                let mut named: Vec<_> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
                named.sort_unstable();
                assert_eq!(named.join(" "), allowed, "{method}");
            }
        }
    }
    fixture.assert_unchanged();
}

fn paths_that_lead_nowhere_are_not_found(world: &World) {
    let fixture = Fixture::new(world);
    let id = &fixture.tenant.id;
    for path in [
        "/v2/tenants/".to_owned(),
        format!("/v2/tenants/{id}/"),
        format!("/v2/tenants/{id}/domains"),
        format!("/v2/tenants/{id}/domains/"),
        format!("/v2/tenants/{id}/nonsense"),
        format!("/v2/maillists/{id}"),
        format!("/v2/maillists/{id}/"),
        "/v2/resourcegroups".into(),
        format!("/v2/resourcegroups/{id}/"),
        format!("/v2/resourcegroups/{id}/Rooms/x"),
        "/v2/resources".into(),
        format!("/v2/resources/{id}"),
        format!("/v2/resources/{id}//x"),
        format!("/v2/resources/{id}/Rooms/x/y"),
    ] {
        let _case = Context::new(&path);
        for method in ["GET", "PUT", "POST", "PATCH", "DELETE"] {
            fixture.root().send(method, &path, "").expect(404);
        }
    }
    fixture.assert_unchanged();
}
