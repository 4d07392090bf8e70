use super::*;

#[test]
fn base64_is_used_where_the_rfc_needs_it() {
    for (value, line) in [
        ("plain: <x>", "cn: plain: <x>\n"),
        ("", "cn:\n"),
        (" a", "cn:: IGE=\n"),
        (":a", "cn:: OmE=\n"),
        ("<a", "cn:: PGE=\n"),
        ("a ", "cn:: YSA=\n"),
        ("a\nb", "cn:: YQpi\n"),
        ("a\0", "cn:: YQA=\n"),
        ("\u{1b}[2J", "cn:: G1sySg==\n"),
        ("я\nb", "cn:: 0Y8KYg==\n"),
        ("я\u{202e}", "cn:: 0Y/igK4=\n"),
        ("Иван", "# cn: Иван\ncn:: 0JjQstCw0L0=\n"),
    ] {
        assert_eq!(written("dc=x", &[value.into()]), format!("dn: dc=x\n{line}\n"), "{value:?}");
    }
    assert_eq!(written("dc=x", &[vec![0xff].into()]), "dn: dc=x\ncn:: /w==\n\n");
    assert!(written("cn=Иван", &[]).starts_with("# dn: cn=Иван\ndn:: Y249"));
}

#[test]
fn long_lines_are_folded_and_long_comments_cut() {
    let text = written("dc=x", &["a".repeat(72).into(), "b".repeat(73).into(), "я".repeat(500).into()]);
    assert!(text.contains(&format!("cn: {}\ncn: {}\n b\n", "a".repeat(72), "b".repeat(72))));
    assert!(text.contains(&format!("# cn: {}…\n", "я".repeat(240))));
    assert!(text.lines().all(|line| line.starts_with('#') || (line.is_ascii() && line.len() <= 76)));
}

#[test]
fn for_programs_nothing_is_explained() {
    let dn = Dn::parse("cn=Иван,dc=x").unwrap();
    let attributes =
        vec![Attribute { name: CN, values: vec!["Иван".into(), Value::secret("x"), "a".into()] }];
    let mut text = Vec::new();
    write_content(&mut text, &Entry { dn: dn.clone(), attributes }).unwrap();
    let expected = "dn:: Y2490JjQstCw0L0sZGM9eA==\ncn:: 0JjQstCw0L0=\n# cn: (secret, not shown)\ncn: a\n\n";
    assert_eq!(String::from_utf8(text).unwrap(), expected);
    let mut lines = Vec::new();
    write_name(&mut lines, &dn);
    write_value(&mut lines, &CN, "Иван".as_bytes());
    write_value(&mut lines, &PASSWORD, b"");
    write_name(&mut lines, &Dn::empty());
    write_name(&mut lines, &Dn::empty().child(CN, &"a".repeat(69)));
    write_name(&mut lines, &Dn::empty().child(CN, &"b".repeat(70)));
    let expected = format!(
        "dn:: Y2490JjQstCw0L0sZGM9eA==\ncn:: 0JjQstCw0L0=\nuserPassword:\ndn:\ndn: cn={}\ndn: cn={}\n b\n",
        "a".repeat(69),
        "b".repeat(69)
    );
    assert_eq!(String::from_utf8(lines).unwrap(), expected);
    assert!(is_reserved(&AttributeName::from_static("Control")) && !is_reserved(&CN));
}

#[test]
fn long_values_are_encoded_in_one_piece() {
    for length in [766, 767, 768, 769, 770, 1535, 1536, 1537, 100_000] {
        let value: Vec<u8> = (0..=250).cycle().take(length).collect();
        let text = written("dc=x", &[value.clone().into()]);
        assert!(text.lines().all(|line| line.len() <= 76));
        assert_eq!(entry(&text).attributes[0].values, [Value::from(value)], "{length}");
    }
}

#[test]
fn a_secret_is_never_shown() {
    let secrets = [Value::secret("hunter2"), SecretString::from("hunter3").into(), "seen".into()];
    assert_eq!(format!("{:?}", &secrets[..2]), "[Secret(not shown), Secret(not shown)]");
    assert_eq!(secrets[0].clone().as_bytes(), b"hunter2");
    let entry = written("dc=x", &secrets);
    assert_eq!(entry, "dn: dc=x\n# cn: (secret, not shown)\n# cn: (secret, not shown)\ncn: seen\n\n");
}

#[test]
fn a_modification_with_a_secret_is_wholly_a_comment() {
    let attribute = Attribute { name: PASSWORD, values: vec![Value::secret("x"), "y".into()] };
    let step = Modification { kind: ModifyKind::Replace, attribute };
    let record = ChangeRecord { dn: Dn::parse("dc=x").unwrap(), change: Change::Modify(vec![step]) };
    let text = record.to_string();
    assert_eq!(
        text,
        "dn: dc=x\nchangetype: modify\n# replace: userPassword\n# userPassword: (secret, not shown)\n\
         # userPassword: (secret, not shown)\n# -\n\n"
    );
    // If it is applied, it does nothing; a `replace:` without values would remove the password.
    assert_eq!(change(&text), Change::Modify(vec![]));
}

#[test]
fn words_of_ldif_are_no_attributes() {
    let attributes = vec![attribute("ChangeType", &["delete"])];
    let dn = Dn::parse("dc=x").unwrap();
    let result = write_entry(&mut Vec::new(), &Entry { dn: dn.clone(), attributes: attributes.clone() });
    assert_eq!(result.unwrap_err().kind(), std::io::ErrorKind::InvalidInput);
    let record = ChangeRecord { dn, change: Change::Add(attributes) };
    assert!(record.to_string().starts_with("# (not shown:"));
}
