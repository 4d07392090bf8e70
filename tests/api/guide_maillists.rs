//! The guide's curl lines about mailing lists (3.13), run by bash.

use crate::shell::{Shell, success};
use harness::{Context, MailList, Tenant, World};
use serde_json::json;

harness::trials! { "guide_maillists":
    the_first_line_of_3_13_2_lists_mailing_lists,
    the_second_line_of_3_13_2_makes_a_mailing_list,
    the_sample_of_3_13_2_works_with_the_shells_quoting,
    the_line_of_3_13_3_renames_a_list_and_adds_members,
    the_sample_of_3_13_3_is_no_line_of_a_shell_and_works_once_it_is_one,
    the_line_of_3_13_4_deletes_a_mailing_list,
}

const LIST: &str = r#"curl -X GET "https://<pbm_url>/v2/maillists?tenant-id=<tenant-id>"  
-H "Authorization: Bearer <access_token>""#;

const POST: &str = r#"curl -X POST "https://<pbm_url>/v2/maillists?tenant-id=<tenant-id>  
&mail=<mmail>&alias=<alias>&displayName=<mname>" -H "Authorization:  
Bearer <access_token>""#;

const PUT: &str = r#"curl -X PUT "https://<pbm_url>/v2/maillists?tenant-id=<tenant-id>  
&mail=<mmail>&displayName=<mname>&newmail=<nmail>&alias=<alias>"  
-H "Authorization: Bearer <access_token>""#;

const DELETE: &str = r#"curl -X DELETE "https://<pbm_url>/v2/maillists?tenant-id=<tenant-id>
&mmail=<MMAIL>" -H "Authorization: Bearer <access_token>""#;

/// A tenant with the people of the samples.
struct Fixture<'w> {
    world: &'w World,
    tenant: Tenant<'w>,
    emails: [String; 4],
    dns: [String; 4],
}

impl<'w> Fixture<'w> {
    fn new(world: &'w World) -> Self {
        let tenant = world.tenant();
        let users = [1, 2, 3, 4].map(|number| tenant.user(&format!("email{number}")).create());
        let dns = users.each_ref().map(|user| user.dn().to_lowercase());
        Self { world, tenant, emails: users.map(|user| user.mail), dns }
    }

    fn shell(&self, list: &MailList<'_>) -> Shell<'w> {
        Shell::about(self.world, &self.tenant).fill("<mmail>", &list.mail).fill("<MMAIL>", &list.mail)
    }

    fn friends(&self, members: &[&str]) -> MailList<'w> {
        self.tenant.mail_list("friends").members(members).create()
    }

    /// A sample of the guide with our addresses instead of the printed ones.
    fn sample(&self, printed: &str) -> String {
        [1, 2, 3, 4].iter().zip(&self.emails).fold(printed.to_owned(), |text, (number, mail)| {
            text.replace(&format!("email{number}@test.ru"), mail)
        })
    }
}

fn the_first_line_of_3_13_2_lists_mailing_lists(world: &World) {
    let fixture = Fixture::new(world);
    let [a, b, ..] = &fixture.emails;
    let friends = fixture.friends(&[a, b]);
    let list = json!({"mail": friends.mail, "displayName": "friends", "alias": [a, b], "members": 2});
    let expected = json!({"maillists": [list], "count": 1, "page": 1, "pages": 1, "per_page": 50});
    assert_eq!(Shell::about(world, &fixture.tenant).run(LIST), expected);
}

fn the_second_line_of_3_13_2_makes_a_mailing_list(world: &World) {
    let fixture = Fixture::new(world);
    let [a, b, ..] = &fixture.emails;
    for (number, alias) in
        [a.clone(), format!("{a},{b}"), format!("{a},partner@outside.example"), format!("%5B%22{a}%22%5D")]
            .iter()
            .enumerate()
    {
        let _case = Context::new(alias);
        let list = fixture.tenant.list_named(&format!("list{number}"));
        let shell = fixture.shell(&list).fill("<alias>", alias).fill("<mname>", "Отдел%20продаж");
        assert_eq!(shell.run(POST), success());
        assert_eq!(list.show()["displayName"], "Отдел продаж");
        let members = list.members();
        assert_eq!(members.contains(b), alias.contains(b.as_str()), "{members:?}");
        let entry = list.entry();
        assert_eq!(entry.one("displayName"), "Отдел продаж");
        assert!(list.member_dns().contains(&fixture.dns[0]));
        let outside = entry.one("mgrpRFC822MailMember");
        assert_eq!(outside, if alias.contains("outside") { "partner@outside.example" } else { "" });
    }
}

fn the_sample_of_3_13_2_works_with_the_shells_quoting(world: &World) {
    let fixture = Fixture::new(world);
    let list = fixture.tenant.list_named("friends");
    // As printed, within the URL that is itself in quotation marks.
    let sample = fixture.sample(r#"\["email1@test.ru","\email2@test.ru"\]"#);
    let shell = fixture.shell(&list).fill("<alias>", &sample).fill("<mname>", "Друзья");
    assert_eq!(shell.run(POST), success());
    assert_eq!(list.members(), fixture.emails[..2]);
    assert_eq!(list.show()["displayName"], "Друзья");
    assert_eq!(list.member_dns(), fixture.dns[..2]);
}

fn the_line_of_3_13_3_renames_a_list_and_adds_members(world: &World) {
    let fixture = Fixture::new(world);
    let [a, b, c, _] = &fixture.emails;
    let friends = fixture.friends(&[a]);
    let renamed = fixture.tenant.list_named("comrades");
    let shell = fixture.shell(&friends).fill("<mname>", "Товарищи").fill("<nmail>", &renamed.mail);
    assert_eq!(shell.fill("<alias>", &format!("{b},{c}")).run(PUT), success());
    fixture.tenant.admin().get(&friends).expect(404);
    assert_eq!(renamed.members(), [a.as_str(), b, c]);
    assert_eq!(renamed.show()["displayName"], "Товарищи");
    let entry = renamed.entry();
    assert_eq!((entry.all("mail"), entry.one("displayName")), (vec![renamed.mail.as_str()], "Товарищи"));
    assert_eq!(renamed.member_dns(), fixture.dns[..3]);
    // Empty parameters change nothing.
    let shell = fixture.shell(&renamed).fill("<mname>", "Все").fill("<nmail>", "").fill("<alias>", "");
    assert_eq!(shell.run(PUT), success());
    assert_eq!((&renamed.show()["displayName"], renamed.members().len()), (&json!("Все"), 3));
}

fn the_sample_of_3_13_3_is_no_line_of_a_shell_and_works_once_it_is_one(world: &World) {
    let fixture = Fixture::new(world);
    let [_, _, c, d] = &fixture.emails;
    let friends = fixture.friends(&[&fixture.emails[0]]);
    let shell = |alias: &str| {
        let shell = fixture.shell(&friends).fill("<mname>", "Друзья").fill("<nmail>", &friends.mail);
        shell.fill("<alias>", &fixture.sample(alias))
    };
    // Five quotation marks leave one open, so the shell never starts curl.
    let refused = shell(r#"\["email3@test.ru","\ "email4@test.ru"\]"#).try_run(PUT).expect_failure();
    assert!(refused.stderr.contains("matching `\"'"), "{refused:?}");
    // With one mark less, and the blank encoded for a URL.
    for mended in [
        r#"\["email3@test.ru","\%20email4@test.ru"\]"#,
        r#"\["email3@test.ru","email4@test.ru"\]"#,
        // The whole text as printed, encoded by a tool.
        "%5C%5B%22email3@test.ru%22,%22%5C%20%22email4@test.ru%22%5C%5D",
    ] {
        let _case = Context::new(mended);
        friends.remove(&[c, d]).expect_success();
        assert_eq!(shell(mended).run(PUT), success());
        assert_eq!(friends.members(), [&fixture.emails[0], c, d].map(String::as_str));
        assert_eq!(friends.member_dns().len(), 3);
    }
}

fn the_line_of_3_13_4_deletes_a_mailing_list(world: &World) {
    let fixture = Fixture::new(world);
    let friends = fixture.friends(&[&fixture.emails[0]]);
    assert_eq!(fixture.shell(&friends).run(DELETE), success());
    fixture.tenant.admin().get(&friends).expect(404);
    assert_eq!(world.probe().find(&format!("(mail={})", friends.mail)), []);
    // No user of it is changed.
    assert_eq!(fixture.tenant.listed("search=email").len(), 4);
}
