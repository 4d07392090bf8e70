//! The API's document and the API: the document has each endpoint once and no others, and every parameter it lists is
//! accepted. (A debug build checks on every request that no unlisted parameter is accepted.)

use harness::{Client, Tenant, World, encoded, form};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use v2::requests::ENDPOINTS;

harness::trials! { "openapi":
    the_document_lists_every_endpoint_once_and_nothing_else,
    every_path_and_method_of_the_document_is_served,
    every_documented_parameter_is_taken,
    every_reference_of_the_document_leads_somewhere,
    the_page_and_its_files_are_served_to_everybody_and_name_no_other_host,
}

fn document(world: &World) -> Value {
    let answer = world.nobody().get("/openapi.json").expect(200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    answer.json()
}

/// Method in capitals, path and operation.
fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'_ Value)| {
        let names: Vec<_> = item.as_object().unwrap().keys().cloned().collect();
        names.into_iter().map(|name| (name, path.clone())).collect::<Vec<_>>()
    };
    let named = paths.iter().flat_map(of_path);
    named.map(|(name, path)| (name.to_uppercase(), path.clone(), &paths[&path][&name])).collect()
}

fn the_document_lists_every_endpoint_once_and_nothing_else(world: &World) {
    let document = document(world);
    assert_eq!(document["openapi"], "3.1.0");
    let listed: Vec<_> = operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let served = ENDPOINTS.iter().map(|e| (e.method.method().to_string(), e.path.to_owned()));
    assert_eq!(listed.iter().cloned().collect::<BTreeSet<_>>(), served.collect::<BTreeSet<_>>());
    assert_eq!(listed.len(), ENDPOINTS.len());
    let all = operations(&document);
    let ids: BTreeSet<_> = all.iter().map(|(_, _, operation)| operation["operationId"].as_str()).collect();
    assert_eq!(ids.len(), all.len());
    for (method, path, operation) in &all {
        for part in ["summary", "description"] {
            assert!(operation[part].as_str().is_some_and(|text| !text.is_empty()), "{method} {path}: {part}");
        }
    }
}

fn every_path_and_method_of_the_document_is_served(world: &World) {
    let document = document(world);
    for (method, path, _) in operations(&document) {
        // The objects do not exist, so nothing changes.
        let names = [("{tenant}", "no-tenant"), ("{mail}", "no@no.test"), ("{file}", "start.js")];
        let path = names.iter().fold(path, |path, (part, name)| path.replace(part, name));
        let path = path.replace("{group}", "nothing").replace("{domain}", "no.test").replace("{id}", "none");
        let answer = world.root().send(&method, &path, "");
        assert_ne!(answer.status, 405, "{method} {path}");
        assert!(!answer.text().contains("no such path"), "{method} {path}");
    }
}

/// The names of an operation's parameters, and those of them in the query.
fn listed_names(operation: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
    let in_query = parameters.iter().filter(|parameter| parameter["in"] == "query");
    let in_query: BTreeSet<_> =
        in_query.map(|parameter| parameter["name"].as_str().unwrap().to_owned()).collect();
    let content = &operation["requestBody"]["content"];
    let form = &content["application/x-www-form-urlencoded"]["schema"]["properties"];
    assert_eq!(form, &content["application/json"]["schema"]["properties"]);
    let in_body = form.as_object().into_iter().flat_map(|properties| properties.keys().cloned());
    (in_query.iter().cloned().chain(in_body).collect(), in_query)
}

/// Requests of the whole API against one tenant.
struct Everything<'w> {
    world: &'w World,
    client: Client,
    document: Value,
    sent: Vec<(&'static str, BTreeSet<String>)>,
}

impl Everything<'_> {
    /// Sends parameters in the places that the document gives; the request must succeed and use all of them.
    #[track_caller]
    fn ask(&mut self, name: &'static str, path: &str, pairs: &[(&str, &str)]) -> Value {
        let endpoint = ENDPOINTS.iter().find(|endpoint| endpoint.name == name).unwrap();
        let method = endpoint.method.method().to_string();
        let operation = &self.document["paths"][endpoint.path][method.to_lowercase()];
        let (_, in_query) = listed_names(operation);
        let (query, body): (Vec<_>, Vec<_>) = pairs.iter().partition(|(name, _)| in_query.contains(*name));
        let path = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", form(&query)) };
        let answer = self.client.send(&method, &path, &form(&body)).expect(200);
        assert_eq!(answer.header("x-ignored-parameters"), None, "{method} {path}");
        self.sent.push((name, pairs.iter().map(|(name, _)| (*name).to_owned()).collect()));
        assert!(operation["responses"]["200"].is_object());
        answer.json()
    }

    /// Requires that each listed parameter was sent.
    fn assert_complete(&self) {
        for endpoint in ENDPOINTS {
            let method = endpoint.method.method().to_string().to_lowercase();
            let (listed, _) = listed_names(&self.document["paths"][endpoint.path][method]);
            let of_endpoint = self.sent.iter().filter(|(sent, _)| *sent == endpoint.name);
            let sent: BTreeSet<_> = of_endpoint.flat_map(|(_, names)| names.iter().cloned()).collect();
            assert_eq!(listed, sent, "{}", endpoint.name);
        }
    }
}

const PAGE: [(&str, &str); 4] = [("page", "1"), ("limit", "10"), ("sort", "1"), ("search", "a")];

fn every_documented_parameter_is_taken(world: &World) {
    let tenant = world.tenant();
    let document = document(world);
    let mut all = Everything { world, client: world.root().clone(), document, sent: Vec::new() };
    log_in(&mut all);
    users(&mut all, &tenant);
    tenants(&mut all, &tenant);
    mail_lists(&mut all, &tenant);
    resources(&mut all, &tenant);
    contacts(&mut all, &tenant);
    backup(&mut all, &tenant);
    synchronizations(&mut all, &tenant);
    recall(&mut all);
    all.assert_complete();
}

fn log_in(all: &mut Everything<'_>) {
    let (login, password) = (World::root_login(), World::root_password());
    let pairs = [("login", login.as_str()), ("password", password)];
    let answer = all.ask("authenticate", "/v2/auth", &pairs);
    let token = answer["refresh_token"].as_str().unwrap();
    let pairs = [("login", login.as_str()), ("password", password), ("refresh_token", token)];
    all.ask("authenticate", "/v2/auth", &pairs);
}

fn users(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let page: Vec<_> = PAGE.into_iter().chain([("orderby", "cn"), ("deleted", "1")]).collect();
    all.ask("listUsers", &tenant.users(), &page);
    let (ivan, alias) = (tenant.named("ivan"), tenant.address("alias"));
    let fields = [
        ("cn", "Ivan"),
        ("sn", "Petrov"),
        ("displayName", "Ivan Petrov"),
        ("employeeNumber", "2"),
        ("employeeType", "1"),
        ("inetUserStatus", "1"),
        ("initials", "I"),
        ("ou", "Sales"),
        ("title", "Boss"),
        ("alias", alias.as_str()),
        ("description", "One"),
        ("homePhone", "112"),
        ("telephoneNumber", "113"),
        ("mobile", "114"),
        ("l", "Town"),
        ("telegram", "ivan"),
        ("skype", "ivan"),
        ("quota", "10"),
        ("lang", "ru-RU"),
        ("tenant-id", tenant.id.as_str()),
        ("userPassword", harness::PASSWORD),
    ];
    all.ask("createUser", ivan.as_ref(), &fields);
    let address = tenant.address("renamed");
    let changes: Vec<_> = fields.into_iter().chain([("mail", address.as_str())]).collect();
    all.ask("patchUser", ivan.as_ref(), &changes);
    import(all, tenant);
}

/// Its body is not a form.
fn import(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let client = all.world.root().with_header("Content-Type", "text/csv");
    let rows = format!("mail;title\n{};Boss\n", tenant.address("renamed"));
    let path = format!("{}/bulk?mode=upsert&dry-run=1", tenant.users());
    let answer = client.post(path, &rows);
    assert_eq!((answer.status, answer.header("x-ignored-parameters")), (200, None), "{}", answer.text());
    let names = ["mode", "dry-run"].map(str::to_owned);
    all.sent.push(("importUsers", names.into_iter().collect()));
}

/// Neither is JSON, in the request or the response.
fn backup(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let client = all.world.root();
    let saved = client.get(format!("/v2/backup/ldif?tenant-id={}", tenant.id)).expect(200);
    let path = format!("/v2/restore/ldif?tenant-id={}&existing=update&dry-run=1", tenant.id);
    let restored = client.post(path, &saved.text()).expect(200);
    for answer in [&saved, &restored] {
        assert_eq!(answer.header("x-ignored-parameters"), None);
    }
    all.sent.push(("backUp", ["tenant-id".to_owned()].into()));
    let names = ["tenant-id", "existing", "dry-run"].map(str::to_owned);
    all.sent.push(("restore", names.into()));
}

/// No source is set up; the parameters are known all the same.
fn synchronizations(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let client = all.world.root();
    let options = "wait=0&force=1&quick=1&dry-run=0";
    let of = |path: String| format!("{path}?{options}&tenant-id={}", tenant.id);
    for (name, path) in [
        ("syncPeopleOfBitrix24", "/v2/actions/cabsync".to_owned()),
        ("syncPeopleOfDirectory", format!("/v2/actions/cabsync/{}/ad", tenant.id)),
        ("syncGroupsOfDirectory", format!("/v2/actions/groupsync/{}/ad", tenant.id)),
    ] {
        let answer = client.post(of(path), "").expect(503);
        assert_eq!(answer.header("x-ignored-parameters"), None, "{name}");
        let names = ["wait", "force", "quick", "dry-run", "tenant-id"].map(str::to_owned);
        all.sent.push((name, names.into()));
    }
    all.ask("listRuns", "/v2/actions/runs", &[("tenant-id", tenant.id.as_str())]);
    let answer = client.get(format!("/v2/actions/runs/none?tenant-id={}", tenant.id)).expect(404);
    assert_eq!(answer.header("x-ignored-parameters"), None);
    all.sent.push(("readRun", ["tenant-id".to_owned()].into()));
}

/// Without a mail server nothing is recalled; its parameters are known all the same.
fn recall(all: &mut Everything<'_>) {
    let pairs = [
        ("cmd", "expunge"),
        ("messageid", "<1@x>"),
        ("emails", "a@b.test"),
        ("force", "0"),
        ("notify", "0"),
        ("expand", "1"),
    ];
    let answer = all.client.post(format!("/v2/actions?{}", form(&pairs)), "").expect(503);
    assert_eq!(answer.header("x-ignored-parameters"), None);
    all.sent.push(("recallMessage", pairs.iter().map(|(name, _)| (*name).to_owned()).collect()));
}

fn tenants(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let page: Vec<_> = PAGE.into_iter().chain([("orderby", "tenant-id"), ("deleted", "1")]).collect();
    all.ask("listTenants", "/v2/tenants", &page);
    let [first, second] = ["one", "two"].map(|name| format!("{name}-{}", tenant.domain));
    let made = all.ask("createTenantOfDomain", "/v2/tenants", &[("domain", &first)]);
    let id = format!("two-{}", tenant.id);
    let path = format!("/v2/tenants/{id}");
    all.ask("createTenant", &path, &[("domain", &second), ("tenant-id", &id)]);
    let defaults = [("quota", "10"), ("lang", "fr-FR"), ("tenant-id", id.as_str())];
    all.ask("patchTenant", &path, &defaults);
    for id in [id.as_str(), made["tenant-id"].as_str().unwrap()] {
        all.client.delete(format!("/v2/tenants/{id}")).expect_success();
    }
}

fn mail_lists(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let [list, other, dynamic, user] =
        ["list", "other", "dynamic", "renamed"].map(|name| tenant.address(name));
    let (user, id) = (user.as_str(), ("tenant-id", tenant.id.as_str()));
    let page: Vec<_> = PAGE.into_iter().chain([("orderby", "displayName"), id]).collect();
    all.ask("listMailLists", "/v2/maillists", &page);
    // `mail` and `mmail` are two names of one parameter.
    let (named, shown) = ([id, ("mail", list.as_str())], ("displayName", "List"));
    let new: Vec<_> = named.into_iter().chain([shown, ("alias", user)]).collect();
    all.ask("createMailList", "/v2/maillists", &new);
    let new = [id, ("mmail", dynamic.as_str()), shown, ("filter", "ou=Sales")];
    all.ask("createMailList", "/v2/maillists", &new);
    let edit = [shown, ("alias", user), ("remove", "a@elsewhere.example"), ("newmail", other.as_str())];
    all.ask("patchMailList", "/v2/maillists", &named.into_iter().chain(edit).collect::<Vec<_>>());
    for change in [("members", user), ("filter", "ou=Sales")] {
        let pairs = [id, ("mmail", other.as_str()), change];
        all.ask("patchMailList", "/v2/maillists", &pairs);
    }
    let path = format!("/v2/maillists/{}/{}", tenant.id, encoded(&other));
    all.ask("readMailList", &path, &[("expand", "1")]);
    let lists = format!("{}/maillists", tenant.named("renamed").as_ref());
    let page: Vec<_> = PAGE.into_iter().chain([("orderby", "displayName")]).collect();
    all.ask("listMemberships", &lists, &page);
    all.ask("deleteMailList", "/v2/maillists", &[id, ("mail", other.as_str())]);
    all.ask("deleteMailList", "/v2/maillists", &[id, ("mmail", dynamic.as_str())]);
}

fn resources(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let id = ("tenant-id", tenant.id.as_str());
    let groups = format!("/v2/resourcegroups/{}", tenant.id);
    let page: Vec<_> = PAGE.into_iter().chain([("orderby", "name")]).collect();
    all.ask("listResourceGroups", &groups, &page);
    all.ask("createResourceGroup", &format!("{groups}/Rooms"), &[id]);
    all.ask("renameResourceGroup", &format!("{groups}/Rooms"), &[id, ("name", "Halls")]);
    let group = format!("/v2/resources/{}/Halls", tenant.id);
    let page: Vec<_> = PAGE.into_iter().chain([("orderby", "mail")]).collect();
    all.ask("listResources", &group, &page);
    let path = format!("{group}/{}", encoded(&tenant.address("hall")));
    let fields = [id, ("displayName", "Hall"), ("description", "Big"), ("l", "Town"), ("employeeType", "2")];
    all.ask("createResource", &path, &fields);
    all.ask("patchResource", &path, &fields);
}

fn contacts(all: &mut Everything<'_>, tenant: &Tenant<'_>) {
    let book = format!("/v2/addressbook/{}", tenant.id);
    let page = PAGE.into_iter().chain([("orderby", "sn"), ("view", "all"), ("kind", "user")]);
    all.ask("listContacts", &book, &page.collect::<Vec<_>>());
    all.ask("suggestContacts", &format!("{book}/suggest"), &[("q", "ivan"), ("limit", "5")]);
    let file = [("format", "json"), ("view", "all"), ("kind", "user,list")];
    all.ask("exportContacts", &format!("{book}/export"), &file);
    // Without Redis there is no feed; its parameters are known all the same.
    let answer = all.client.get(format!("{book}/changes?since=x&limit=5"));
    assert!([410, 503].contains(&answer.status), "{answer:?}");
    assert_eq!(answer.header("x-ignored-parameters"), None);
    all.sent.push(("listContactChanges", ["since", "limit"].map(str::to_owned).into_iter().collect()));
}

fn every_reference_of_the_document_leads_somewhere(world: &World) {
    let document = document(world);
    let mut references = Vec::new();
    collect_references(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap();
        assert!(document.pointer(pointer).is_some(), "{reference}");
    }
}

fn collect_references(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

fn the_page_and_its_files_are_served_to_everybody_and_name_no_other_host(world: &World) {
    let client = world.nobody();
    let page = client.get("/docs").expect(200);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let text = page.text();
    assert!(!text.contains("//"), "{text}");
    let files: Vec<_> = text.split('"').filter(|part| part.starts_with("docs/")).collect();
    assert_eq!(files.len(), 4, "{text}");
    for file in files {
        let answer = client.get(format!("/{file}")).expect(200);
        assert!(!answer.body.is_empty());
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert!(answer.header("content-security-policy").unwrap().starts_with("default-src 'self'"));
    }
    for missing in ["index.html", "swagger-ui.js.map", "..%2Fopenapi.json", "%00"] {
        let answer = client.get(format!("/docs/{missing}")).expect(404);
        assert_eq!(answer.json(), json!({"message": "There is no such file."}));
    }
}
