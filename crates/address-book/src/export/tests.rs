//! The exact output, and a check that other programs' parsers read the same values from it.

use super::*;
use calcard::vcard::{VCard, VCardProperty, VCardValue};
use ldap_text::ldif::{LdifReader, Record};
use mail_model::contact::{self, id::ContactId};
use proptest::prelude::*;

fn contact(kind: contact::Kind, mail: &str, display_name: &str) -> Contact {
    Contact {
        id: ContactId::parse("0f69e8d2-e82c-11f1-bfa1-87935ae20175").unwrap(),
        kind,
        mail: mail.to_owned(),
        display_name: display_name.to_owned(),
        cn: None,
        sn: None,
        initials: None,
        ou: None,
        title: None,
        alias: Vec::new(),
        description: None,
        home_phone: None,
        telephone_number: None,
        mobile: None,
        l: None,
        telegram: None,
        skype: None,
        group: None,
    }
}

fn anna() -> Contact {
    let some = |text: &str| Some(text.to_owned());
    Contact {
        cn: some("Анна"),
        sn: some("Белых"),
        initials: some("Сергеевна"),
        ou: some("Отдел; продажи, сбыт"),
        title: some("Ведущий \\ инженер"),
        alias: vec!["anna@x.ru".to_owned(), "ab@x.ru".to_owned()],
        description: some("Первая строка, довольно длинная; за ней\r\nвторая\tи \"кавычки\"\u{1} 🎉"),
        home_phone: some("+7 495 000-00-01"),
        telephone_number: some("+7 (495) 000-00-00, доб. 5"),
        mobile: some("+7 900 000-00-02"),
        l: some("Москва"),
        telegram: some("@anna"),
        skype: some("live:anna b"),
        ..contact(contact::Kind::User, "a.belykh@x.ru", "Белых, Анна")
    }
}

fn everybody() -> [(Contact, Vec<String>); 3] {
    let room = Contact {
        group: Some("Переговорные".to_owned()),
        ..contact(contact::Kind::Resource, "room@x.ru", "Большая переговорная")
    };
    let list = contact(contact::Kind::List, "all@x.ru", "Everybody");
    let members = ["a.belykh@x.ru", "o'neil+x&y%z@x.ru"].map(str::to_owned).to_vec();
    [(anna(), Vec::new()), (list, members), (room, Vec::new())]
}

fn written<'a>(format: Format, contacts: impl IntoIterator<Item = &'a (Contact, Vec<String>)>) -> Vec<u8> {
    let (mut writer, mut out) = (Writer::new(format), Vec::new());
    writer.begin(&mut out);
    for (contact, members) in contacts {
        writer.contact(&mut out, contact, Besides { members, photo: None });
    }
    out
}

fn text(format: Format) -> String {
    String::from_utf8(written(format, &everybody())).unwrap()
}

#[test]
fn a_vcard_is_as_rfc_6350_wants_it() {
    let expected = r#"BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:0f69e8d2-e82c-11f1-bfa1-87935ae20175
KIND:individual
FN:Белых\, Анна
N:Белых;Анна;Сергеевна;;
ORG:;Отдел\; продажи\, сбыт
TITLE:Ведущий \\ инженер
EMAIL;PREF=1:a.belykh@x.ru
EMAIL:anna@x.ru
EMAIL:ab@x.ru
TEL;VALUE=text;TYPE=work:+7 (495) 000-00-00\, доб. 5
TEL;VALUE=text;TYPE=home:+7 495 000-00-01
TEL;VALUE=text;TYPE=cell:+7 900 000-00-02
ADR;TYPE=work:;;;Москва;;;
IMPP:skype:live%3Aanna%20b
X-TELEGRAM:@anna
NOTE:Первая строка\, довольно длинная\; за н
 ей\nвторая	и "кавычки"  🎉
END:VCARD
BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:0f69e8d2-e82c-11f1-bfa1-87935ae20175
KIND:group
FN:Everybody
EMAIL;PREF=1:all@x.ru
MEMBER:mailto:a.belykh@x.ru
MEMBER:mailto:o%27neil+x%26y%25z@x.ru
END:VCARD
BEGIN:VCARD
VERSION:4.0
UID:urn:uuid:0f69e8d2-e82c-11f1-bfa1-87935ae20175
KIND:location
FN:Большая переговорная
CATEGORIES:Переговорные
EMAIL;PREF=1:room@x.ru
END:VCARD
"#;
    assert_eq!(text(Format::Vcard), expected.replace('\n', "\r\n"));
}

#[test]
fn a_table_is_as_excel_wants_it() {
    let expected = "\u{feff}mail,displayName,sn,cn,initials,ou,title,telephoneNumber,homePhone,l,telegram,skype,alias,description,kind,group,id,mobile
a.belykh@x.ru,\"Белых, Анна\",Белых,Анна,Сергеевна,\"Отдел; продажи, сбыт\",Ведущий \\ инженер,\
\"'+7 (495) 000-00-00, доб. 5\",'+7 495 000-00-01,Москва,'@anna,live:anna b,\"anna@x.ru,ab@x.ru\",\
\"Первая строка, довольно длинная; за ней<CRLF>вторая\tи \"\"кавычки\"\"  🎉\",user,,0f69e8d2-e82c-11f1-bfa1-87935ae20175,'+7 900 000-00-02
all@x.ru,Everybody,,,,,,,,,,,,,list,,0f69e8d2-e82c-11f1-bfa1-87935ae20175,
room@x.ru,Большая переговорная,,,,,,,,,,,,,resource,Переговорные,0f69e8d2-e82c-11f1-bfa1-87935ae20175,
";
    assert_eq!(text(Format::Csv), expected.replace('\n', "\r\n").replace("<CRLF>", "\r\n"));
}

#[test]
fn entries_are_as_mail_clients_want_them() {
    let text = text(Format::Ldif);
    let start = "version: 1
dn: mail=a.belykh@x.ru
objectClass: top
objectClass: person
objectClass: organizationalPerson
objectClass: inetOrgPerson
objectClass: mailRecipient
# cn: Белых, Анна
cn:: 0JHQtdC70YvRhSwg0JDQvdC90LA=
";
    assert!(text.starts_with(start), "{text}");
    let list = "
dn: mail=all@x.ru
objectClass: top
objectClass: groupOfNames
objectClass: mailGroup
objectClass: extensibleObject
cn: Everybody
displayName: Everybody
mail: all@x.ru
member: mail=a.belykh@x.ru
member: mail=o'neil\\+x&y%z@x.ru

";
    assert!(text.contains(list), "{text}");
    assert_eq!(LdifReader::new(text.as_bytes()).map(Result::unwrap).count(), 3);
}

#[test]
fn a_file_can_be_written_in_pieces() {
    for format in [Format::Vcard, Format::Csv, Format::Ldif] {
        let (mut writer, mut whole, mut piece) = (Writer::new(format), Vec::new(), Vec::new());
        writer.begin(&mut piece);
        for (contact, members) in &everybody() {
            whole.append(&mut piece);
            writer.contact(&mut piece, contact, Besides { members, photo: None });
        }
        whole.append(&mut piece);
        assert_eq!(whole, written(format, &everybody()), "{format:?}");
    }
}

#[test]
fn a_long_description_is_folded_and_whole() {
    let mut anna = anna();
    anna.description = Some("я🎉,".repeat(800));
    let text = String::from_utf8(written(Format::Vcard, &[(anna.clone(), Vec::new())])).unwrap();
    assert!(text.split("\r\n").all(|line| line.len() <= 75));
    assert_eq!(
        VCard::parse(&text).unwrap().property(&VCardProperty::Note).unwrap().values,
        [VCardValue::Text(anna.description.unwrap())]
    );
}

/// Texts that people and programs write, and some that they should not.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        r#"[а-яА-Яa-z ,;:\\"'=+@.\r\n\t-]{1,120}"#,
        "[\\PC\u{0}-\u{1f}\u{7f}-\u{9f}\u{2028}\u{2029}]{1,60}",
        any::<String>(),
    ]
}

fn any_contact() -> impl Strategy<Value = (Contact, Vec<String>)> {
    let kind = prop::sample::select(contact::Kind::ALL.to_vec());
    let texts = prop::collection::vec(prop::option::of(any_text()), 10);
    let addresses = prop::collection::vec("[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,20}@[a-z0-9-]{1,10}\\.ru", 1..5);
    (kind, any::<u128>(), any_text(), texts, addresses.clone(), addresses).prop_map(
        |(kind, id, display_name, texts, mut alias, members)| {
            let digits = format!("{id:032x}");
            let id = format!("{}-{}-{}-{}", &digits[..8], &digits[8..16], &digits[16..24], &digits[24..]);
            let mail = alias.pop().unwrap();
            let [cn, sn, initials, ou, title, description, home_phone, telephone_number, l, skype] =
                texts.try_into().unwrap();
            let contact = Contact {
                id: ContactId::from_unique_id(&id).unwrap(),
                cn,
                sn,
                initials,
                ou,
                title,
                alias,
                description,
                home_phone,
                telephone_number,
                l,
                skype,
                ..contact(kind, &mail, &display_name)
            };
            (contact, members)
        },
    )
}

/// The form of a text that vCard can express.
fn in_vcard(text: Option<&String>) -> String {
    let text = text.map(|text| text.replace("\r\n", "\n")).unwrap_or_default();
    let shown = text.chars().map(|c| match c {
        '\r' | '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        c if c.is_control() && c != '\t' => ' ',
        c => c,
    });
    shown.collect()
}

fn values(card: &VCard, name: &VCardProperty) -> Vec<String> {
    let values = card.properties(name).flat_map(|property| &property.values);
    values.map(|value| value.as_text().unwrap().to_owned()).collect()
}

fn one(text: Option<&String>) -> Vec<String> {
    text.map(|_| in_vcard(text)).into_iter().collect()
}

proptest! {
    #[test]
    fn another_parser_reads_the_same_from_a_vcard((contact, members) in any_contact()) {
        let text = String::from_utf8(written(Format::Vcard, &[(contact.clone(), members.clone())])).unwrap();
        for line in text.strip_suffix("\r\n").unwrap().split("\r\n") {
            prop_assert!(!line.is_empty() && line.len() <= 75, "{:?}", line);
            prop_assert!(!line.contains(|c: char| c.is_control() && c != '\t'), "{:?}", line);
        }
        let card = VCard::parse(&text).unwrap();
        prop_assert_eq!(values(&card, &VCardProperty::Uid), [format!("urn:uuid:{}", contact.id)]);
        prop_assert_eq!(values(&card, &VCardProperty::Fn), one(Some(&contact.display_name)));
        prop_assert_eq!(values(&card, &VCardProperty::Note), one(contact.description.as_ref()));
        prop_assert_eq!(values(&card, &VCardProperty::Title), one(contact.title.as_ref()));
        let phones = [contact.telephone_number.as_ref(), contact.home_phone.as_ref()];
        prop_assert_eq!(values(&card, &VCardProperty::Tel), phones.map(one).concat());
        let mut addresses = vec![contact.mail.clone()];
        addresses.extend(contact.alias.clone());
        prop_assert_eq!(values(&card, &VCardProperty::Email), addresses);
        let names = [contact.sn.as_ref(), contact.cn.as_ref(), contact.initials.as_ref(), None, None];
        let has_name = names.iter().any(Option::is_some);
        let names = if has_name { names.map(in_vcard).to_vec() } else { Vec::new() };
        prop_assert_eq!(values(&card, &VCardProperty::N), names);
        let unit = contact.ou.as_ref().map(|ou| vec![String::new(), in_vcard(Some(ou))]);
        prop_assert_eq!(values(&card, &VCardProperty::Org), unit.unwrap_or_default());
        let city = values(&card, &VCardProperty::Adr);
        prop_assert_eq!(city.get(3).cloned(), contact.l.as_ref().map(|l| in_vcard(Some(l))));
        let is_list = contact.kind == contact::Kind::List;
        let mailto = values(&card, &VCardProperty::Member).iter().map(|uri| {
            percent_encoding::percent_decode_str(uri.strip_prefix("mailto:").unwrap()).decode_utf8().unwrap().into()
        }).collect::<Vec<String>>();
        prop_assert_eq!(mailto, if is_list { members } else { Vec::new() });
    }

    #[test]
    fn a_row_has_a_cell_for_each_column((contact, members) in any_contact()) {
        let bytes = written(Format::Csv, &[(contact.clone(), members)]);
        let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap();
        let mut reader = ::csv::Reader::from_reader(bytes);
        let header = reader.headers().unwrap().clone();
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        prop_assert_eq!(rows.len(), 1);
        prop_assert_eq!(header.len(), rows[0].len());
        let cell = |name: &str| &rows[0][header.iter().position(|column| column == name).unwrap()];
        let id = contact.id.to_string();
        prop_assert_eq!(cell("id"), id.as_str());
        for cell in &rows[0] {
            prop_assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']), "{:?}", cell);
        }
    }

    #[test]
    fn entries_read_back_the_same((contact, members) in any_contact()) {
        let bytes = written(Format::Ldif, &[(contact.clone(), members.clone())]);
        let mut records = LdifReader::new(&*bytes);
        let Some(Ok(Record::Entry(entry))) = records.next() else { panic!("no entry") };
        prop_assert!(records.next().is_none());
        let values = |name: &str| {
            let named = entry.attributes.iter().find(|attribute| attribute.name.as_str() == name);
            named.map(|attribute| attribute.values.clone()).unwrap_or_default()
        };
        let texts = |texts: &[&String]| -> Vec<_> { texts.iter().map(|text| text.as_str().into()).collect() };
        prop_assert_eq!(values("mail"), texts(&[&contact.mail]));
        prop_assert_eq!(values("cn"), texts(&[&contact.display_name]));
        prop_assert_eq!(values("givenName"), texts(contact.cn.as_ref().as_slice()));
        prop_assert_eq!(values("description"), texts(contact.description.as_ref().as_slice()));
        prop_assert_eq!(values("mailAlternateAddress"), texts(&contact.alias.iter().collect::<Vec<_>>()));
        let is_list = contact.kind == contact::Kind::List;
        prop_assert_eq!(values("member").len(), if is_list { members.len() } else { 0 });
    }
}

#[test]
fn a_photo_is_a_data_uri_and_a_card_without_one_is_as_before() {
    let jpeg = [
        &b"\xff\xd8\xff\xc0\0\x0b\x08\0\x08\0\x08\x01\x01\x11\0\xff\xda\0\x08\x01\x01\0\0\x3f\0"[..],
        &[7; 400],
        b"\xff\xd9",
    ]
    .concat();
    let photo = Photo::parse(jpeg).unwrap();
    let card = |photo| {
        let mut out = Vec::new();
        Writer::new(Format::Vcard).contact(&mut out, &anna(), Besides { members: &[], photo });
        String::from_utf8(out).unwrap()
    };
    let (with, without) = (card(Some(&photo)), card(None));
    assert_eq!(without.into_bytes(), written(Format::Vcard, &[(anna(), Vec::new())]));
    assert!(with.contains("\r\nPHOTO:data:image/jpeg;base64,/9j/"), "{with}");
    assert!(with.lines().all(|line| line.len() <= 75));
    let read = VCard::parse(&with).unwrap();
    let found = read.property(&VCardProperty::Photo).unwrap();
    let VCardValue::Binary(data) = &found.values[0] else { panic!("{found:?}") };
    assert_eq!((data.data.as_slice(), data.content_type.as_deref()), (photo.bytes(), Some("image/jpeg")));
}
