use super::*;

#[test]
fn example_1_of_rfc_2849_two_entries() {
    let records = read(
        "version: 1\ndn: cn=Barbara Jensen, ou=Product Development, dc=airius, dc=com\nobjectclass: top\n\
         objectclass: person\ncn: Barbara Jensen\ncn: Barbara J Jensen\ncn: Babs Jensen\nsn: Jensen\n\n\
         dn: cn=Bjorn Jensen, ou=Accounting, dc=airius, dc=com\nobjectclass: top\nsn: Jensen\n",
    );
    let Record::Entry(first) = &records[0] else { panic!("an entry") };
    assert_eq!(records.len(), 2);
    assert_eq!(first.dn.to_string(), "cn=Barbara Jensen,ou=Product Development,dc=airius,dc=com");
    assert_eq!(first.attributes[1], attribute("cn", &["Barbara Jensen", "Barbara J Jensen", "Babs Jensen"]));
}

#[test]
fn examples_2_and_3_of_rfc_2849_folding_and_base64() {
    let folded = entry(
        "dn:cn=x\ndescription:Babs is a big sailing fan, and travels extensively in sea\n rch of perfect sailing conditions.\n",
    );
    let text = "Babs is a big sailing fan, and travels extensively in search of perfect sailing conditions.";
    assert_eq!(folded.attributes, [attribute("description", &[text])]);
    let encoded = entry(
        "dn: cn=x\ndescription:: V2hhdCBhIGNhcmVmdWwgcmVhZGVyIHlvdSBhcmUhICBUaGlzIHZhbHVl\n IGlzIGJhc2UtNjQtZW5jb2RlZA==\n",
    );
    assert!(encoded.attributes[0].values[0].as_bytes().starts_with(b"What a careful reader you are!  This"));
}

#[test]
fn example_4_of_rfc_2849_names_in_base64_and_options() {
    let entry = entry(
        "# dn:: ou=<JapaneseOU>,o=Airius\ndn:: b3U95Za25qWt6YOoLG89QWlyaXVz\nobjectclass: top\n\
         ou:: 5Za25qWt6YOo\nou;lang-ja:: 5Za25qWt6YOo\nou;lang-en: Sales\n",
    );
    assert_eq!(entry.dn, Dn::parse("ou=営業部,o=Airius").unwrap());
    assert_eq!(entry.attributes[3], attribute("ou;lang-en", &["Sales"]));
}

#[test]
fn example_6_of_rfc_2849_every_kind_of_change() {
    assert_eq!(
        change("dn: cn=Fiona Jensen, dc=airius\nchangetype: add\nobjectclass: top\nuid: fiona\n"),
        Change::Add(vec![attribute("objectclass", &["top"]), attribute("uid", &["fiona"])])
    );
    assert_eq!(change("dn: cn=Robert Jensen, dc=airius\nchangetype: delete\n\n"), Change::Delete);
    let rename = |new_superior| Change::Rename {
        new_rdn: Rdn::parse("cn=Paula Jensen").unwrap(),
        delete_old_rdn: true,
        new_superior,
    };
    let text = "dn: cn=Paul Jensen\nchangetype: modrdn\nnewrdn: cn=Paula Jensen\ndeleteoldrdn: 1\n";
    assert_eq!(change(text), rename(None));
    let text = text.replace("modrdn", "moddn") + "newsuperior: ou=x, dc=airius\n";
    assert_eq!(change(&text), rename(Some(Dn::parse("ou=x,dc=airius").unwrap())));
}

#[test]
fn example_6_of_rfc_2849_modify() {
    let step = |kind, attribute| Modification { kind, attribute };
    let text = "dn: cn=Paula Jensen, dc=airius\nchangetype: modify\nadd: postaladdress\n\
                postaladdress: 123 Anystreet\n-\n# a comment\ndelete: description\n-\nreplace: telephonenumber\n\
                telephonenumber: 1\nTelephoneNumber: 2\n-\ndelete: fax\nfax: 9\n";
    let expected = Change::Modify(vec![
        step(ModifyKind::Add, attribute("postaladdress", &["123 Anystreet"])),
        step(ModifyKind::Delete, attribute("description", &[])),
        step(ModifyKind::Replace, attribute("telephonenumber", &["1", "2"])),
        step(ModifyKind::Delete, attribute("fax", &["9"])),
    ]);
    assert_eq!(change(text), expected, "the last dash may be missing");
    assert_eq!(change(&format!("{text}-\n")), expected);
}
