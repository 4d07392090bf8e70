//! Searches, in pages where the server has them (RFC 2696). The server decides how large a page may be, so a limit of
//! entries in one answer, such as the 1,000 of Active Directory, does not matter.

use super::{connection::Session, entry, entry::Entry, refusal, root::Root, shown::shown, wire};
use crate::SourceError;
use lber::{
    common::TagClass,
    parse::parse_tag,
    structures::{ASNTag as _, Integer, OctetString, Sequence, Tag},
    universal::Types,
};
use ldap_text::AttributeName;
use ldap3::{LdapResult, ResultEntry, Scope, SearchStream, controls::RawControl};

/// The control of paged results.
pub(super) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// How many entries are asked for at once: with a photo of 100 KB each, 50 MB.
const PAGE: i64 = 500;
/// Longest cookie, in bytes. It is sent back with the next request.
const MAX_COOKIE: usize = 1 << 20;

/// Longest name of an entry, in bytes. Those of groups are kept until all are read.
const MAX_DN: usize = 8192;

/// What is searched for.
#[derive(Clone, Debug)]
pub(super) struct Query {
    /// The DN of the entry to begin at, as text: ours, or one that the server gave.
    pub(super) base: String,
    /// Whether that entry alone is read, or all below it too.
    pub(super) scope: Scope,
    /// The filter.
    pub(super) filter: String,
    /// The attributes to return.
    pub(super) attributes: Vec<String>,
}

/// Everything that has an object class, which every entry has.
pub(super) fn any() -> String {
    ldap_text::Filter::present(super::names::OBJECT_CLASS).to_string()
}

/// The texts of attribute names, as a search takes them.
pub(super) fn texts<'a>(names: impl IntoIterator<Item = &'a AttributeName>) -> Vec<String> {
    names.into_iter().map(ToString::to_string).collect()
}

/// The entry with a name.
///
/// # Errors
/// [`SourceError`], also if there is none.
pub(super) async fn one(
    session: &mut Session,
    base: &str,
    attributes: Vec<String>,
) -> Result<Entry, SourceError> {
    let query = Query { base: base.to_owned(), scope: Scope::Base, filter: any(), attributes };
    let mut search = Search::new(session, query, false);
    let found = search.next().await?;
    // The rest says whether the search was a success.
    if search.next().await?.is_some() {
        return Err(SourceError::Refused(format!("the server sends several entries for {:?}", shown(base))));
    }
    found.ok_or_else(|| {
        SourceError::Refused(format!("{:?} cannot be read: the account may not see it", shown(base)))
    })
}

/// A search in progress.
pub(super) struct Search<'a> {
    session: &'a mut Session,
    query: Query,
    is_paged: bool,
    /// The page that is being read.
    page: Option<SearchStream<'static, String, Vec<String>>>,
    /// How many entries there were so far.
    found: u32,
    /// How many of them came before this page.
    before_page: u32,
    empty_pages: u32,
    /// From where the next page continues; `None` after the last.
    cookie: Option<Vec<u8>>,
}

impl<'a> Search<'a> {
    /// A search for whole subtrees.
    pub(super) fn below(
        session: &'a mut Session,
        root: &Root,
        base: &ldap_text::Dn,
        filter: String,
        attributes: Vec<String>,
    ) -> Self {
        let query = Query { base: base.to_string(), scope: Scope::Subtree, filter, attributes };
        Self::new(session, query, root.has_pages)
    }

    fn new(session: &'a mut Session, query: Query, is_paged: bool) -> Self {
        Self {
            session,
            query,
            is_paged,
            page: None,
            found: 0,
            before_page: 0,
            empty_pages: 0,
            cookie: Some(Vec::new()),
        }
    }

    /// The next entry; `None` after the last.
    ///
    /// # Errors
    /// [`SourceError`]; the search is then over, and what it returned was not all.
    pub(super) async fn next(&mut self) -> Result<Option<Entry>, SourceError> {
        loop {
            if self.page.is_none() && !self.begin_page().await? {
                return Ok(None);
            }
            let Some(page) = &mut self.page else { return Ok(None) };
            let item = page.next().await.map_err(|error| self.session.broken(&error))?;
            self.session.read_one();
            self.session.budget.item()?;
            match item {
                Some(other) if other.is_ref() || other.is_intermediate() => {}
                Some(entry) => return self.entry(entry).map(Some),
                None => {
                    let result = page.finish().await;
                    self.page = None;
                    self.end_page(&result)?;
                }
            }
        }
    }

    fn entry(&mut self, entry: ResultEntry) -> Result<Entry, SourceError> {
        self.found += 1;
        self.session.budget.check_entries(self.found)?;
        let malformed = || SourceError::Refused("the server sent an entry that is malformed".to_owned());
        let entry = Entry::decode(entry).ok_or_else(malformed)?;
        if entry.dn().len() > MAX_DN {
            let why = format!("the server sent an entry whose name is longer than {MAX_DN} bytes");
            return Err(SourceError::Refused(why));
        }
        Ok(entry)
    }

    /// Asks for the next page, unless there is none.
    async fn begin_page(&mut self) -> Result<bool, SourceError> {
        let Some(cookie) = self.cookie.take() else { return Ok(false) };
        let Query { base, scope, filter, attributes } = &self.query;
        let operation = self.session.next_operation();
        if self.is_paged {
            operation.with_controls(vec![request(cookie)]);
        }
        let begun = operation.streaming_search(base, *scope, filter, attributes.clone()).await;
        self.page = Some(begun.map_err(|error| self.session.broken(&error))?);
        self.before_page = self.found;
        Ok(true)
    }

    /// Looks whether there is another page.
    fn end_page(&mut self, result: &LdapResult) -> Result<(), SourceError> {
        if result.rc != 0 {
            return Err(refusal::of_search(result, &self.query.base, self.is_paged));
        }
        if !self.is_paged {
            return Ok(());
        }
        let bad = || {
            SourceError::Refused("the server's answer does not say whether there is another page".to_owned())
        };
        let cookie = cookie(result).ok_or_else(bad)?;
        self.empty_pages = if self.found == self.before_page { self.empty_pages + 1 } else { 0 };
        self.session.budget.check_empty_pages(self.empty_pages)?;
        self.cookie = Some(cookie).filter(|cookie| !cookie.is_empty());
        Ok(())
    }
}

/// The control of a request. It is critical: a server that cannot page refuses, instead of ignoring it.
fn request(cookie: Vec<u8>) -> RawControl {
    let size = Tag::Integer(Integer { inner: PAGE, ..Integer::default() });
    let cookie = Tag::OctetString(OctetString { inner: cookie, ..OctetString::default() });
    let value = Tag::Sequence(Sequence { inner: vec![size, cookie], ..Sequence::default() });
    let mut buffer = bytes::BytesMut::new();
    // Writing to memory cannot fail.
    let _ = lber::write::encode_into(&mut buffer, value.into_structure());
    RawControl { ctype: PAGED_RESULTS.to_owned(), crit: true, val: Some(buffer.to_vec()) }
}

/// The cookie of an answer: empty after the last page; `None` if there is no usable control.
fn cookie(result: &LdapResult) -> Option<Vec<u8>> {
    let control = result.ctrls.iter().find(|control| control.1.ctype == PAGED_RESULTS)?;
    let value = control.1.val.as_deref().filter(|value| wire::is_sound(value))?;
    let (_, value) = parse_tag(value).ok()?;
    let mut parts = entry::constructed(value)?.into_iter().skip(1);
    let cookie = parts.next()?.match_class(TagClass::Universal)?.match_id(Types::OctetString as u64)?;
    entry::bytes(cookie).filter(|cookie| cookie.len() <= MAX_COOKIE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ldap3::controls::Control;

    fn answer(value: Option<Vec<u8>>) -> LdapResult {
        let raw = RawControl { ctype: PAGED_RESULTS.to_owned(), crit: false, val: value };
        let ctrls = vec![Control(None, raw)];
        LdapResult { rc: 0, matched: String::new(), text: String::new(), refs: vec![], ctrls }
    }

    #[test]
    fn the_cookie_of_an_answer_is_sent_with_the_next_request() {
        for text in ["", "next"] {
            let control = request(text.into());
            assert!(control.crit);
            assert_eq!(cookie(&answer(control.val)), Some(text.into()));
        }
    }

    #[test]
    fn a_control_that_is_malformed_does_not_end_the_search() {
        for value in [None, Some(vec![]), Some(vec![0x30]), Some(vec![0x30, 3, 2, 1, 0]), Some(vec![4, 1, 0])]
        {
            assert_eq!(cookie(&answer(value.clone())), None, "{value:?}");
        }
        let nested = [0x30, 0x80 | 3, 1, 0, 0].repeat(20_000);
        assert_eq!(cookie(&answer(Some(nested))), None);
        let long = request(vec![0; MAX_COOKIE + 1]).val;
        assert_eq!(cookie(&answer(long)), None);
        let none = LdapResult { ctrls: vec![], ..answer(None) };
        assert_eq!(cookie(&none), None);
    }
}
