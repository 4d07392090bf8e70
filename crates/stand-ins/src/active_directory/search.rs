//! Answers to searches, within the limits of a domain controller.

use super::{
    domain::DOMAIN,
    entry::Entry,
    filter,
    session::{After, Answer, done},
    state::{Asked, Fault, State},
};
use ldap3_proto::{
    control::LdapControl,
    proto::{
        LdapOp, LdapPartialAttribute, LdapResultCode, LdapSearchRequest, LdapSearchResultEntry,
        LdapSearchResultReference, LdapSearchScope,
    },
};

/// Most entries in an answer, and most values of an attribute in an entry (MS-ADTS 3.1.1.3.4.6).
const MAX_PAGE_SIZE: usize = 1000;
const MAX_VAL_RANGE: usize = 1500;
const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";

/// The answer to a search of someone who is logged in.
pub(crate) fn answer(state: &mut State, request: &LdapSearchRequest, controls: &[LdapControl]) -> Answer {
    let paging = controls.iter().find_map(|control| match control {
        LdapControl::SimplePagedResults { size, cookie } => Some((*size, cookie.clone())),
        _ => None,
    });
    let (first, page) =
        paging.as_ref().map_or(Some((0, 1)), |(_, cookie)| continued(cookie)).unwrap_or_default();
    note(state, request, controls, page);
    if page == 0 {
        return done(
            LdapResultCode::UnavailableCriticalExtension,
            "00000057: LdapErr: Error processing control",
        )
        .into();
    }
    if request.scope == LdapSearchScope::Base {
        return one(state, request);
    }
    if !state.population.has(&request.base) {
        return missing();
    }
    let limit = paging.as_ref().and_then(|(size, _)| usize::try_from(*size).ok()).unwrap_or(MAX_PAGE_SIZE);
    let (found, next) = below(state, request, first, limit.clamp(1, MAX_PAGE_SIZE));
    let mut ops: Vec<_> = found.iter().map(|entry| result(entry, &request.attrs)).collect();
    if request.base.eq_ignore_ascii_case(DOMAIN) && page == 1 {
        ops.insert(0, referral());
    }
    let answer = match (&paging, next) {
        (Some(_), next) => done(LdapResultCode::Success, "").with_control(LdapControl::SimplePagedResults {
            size: 0,
            cookie: next.map(|next| format!("{next} {}", page + 1).into_bytes()).unwrap_or_default(),
        }),
        (None, None) => done(LdapResultCode::Success, ""),
        (None, Some(_)) => done(LdapResultCode::SizeLimitExceeded, ""),
    };
    faulty(&state.fault, page, ops, answer)
}

fn note(state: &mut State, request: &LdapSearchRequest, controls: &[LdapControl], page: usize) {
    state.asked.push(Asked {
        base: request.base.clone(),
        filter: format!("{:?}", request.filter),
        attributes: request.attrs.clone(),
        controls: controls.iter().map(|control| format!("{control:?}")).collect(),
        page,
    });
}

/// Which entry is the first of a page, and the page's number. The cookie is made of both.
fn continued(cookie: &[u8]) -> Option<(usize, usize)> {
    if cookie.is_empty() {
        return Some((0, 1));
    }
    let (first, page) = std::str::from_utf8(cookie).ok()?.split_once(' ')?;
    Some((first.parse().ok()?, page.parse().ok()?))
}

/// The answer with what goes wrong in this page.
fn faulty(fault: &Fault, page: usize, mut ops: Vec<LdapOp>, end: super::session::Done) -> Answer {
    let after = match fault {
        Fault::CutOnPage(wrong) if *wrong == page => After::Close,
        Fault::SilentOnPage(wrong) if *wrong == page => After::Silence,
        Fault::FailOnPage(wrong) if *wrong == page => {
            ops.truncate(ops.len() / 2);
            let end =
                done(LdapResultCode::Busy, "000020EF: SvcErr: DSID-0208048B, problem 5001 (BUSY), data 0\0");
            return Answer { ops, end: Some(end), after: After::Continue };
        }
        _ => return Answer { ops, end: Some(end), after: After::Continue },
    };
    ops.truncate(ops.len() / 2);
    Answer { ops, end: None, after }
}

/// The entries of a page, and the number of the first one after it.
fn below(
    state: &State,
    request: &LdapSearchRequest,
    first: usize,
    limit: usize,
) -> (Vec<Entry>, Option<usize>) {
    let base = request.base.to_lowercase();
    let is_found =
        |(_, entry): &(usize, Entry)| is_below(entry, &base) && filter::matches(&request.filter, entry);
    let mut found = state.population.from(first).filter(is_found);
    let page = found.by_ref().take(limit).map(|(_, entry)| entry).collect();
    (page, found.next().map(|(number, _)| number))
}

fn is_below(entry: &Entry, base: &str) -> bool {
    let dn = entry.dn().to_lowercase();
    dn.strip_suffix(base).is_some_and(|rest| rest.is_empty() || rest.ends_with(','))
}

fn one(state: &State, request: &LdapSearchRequest) -> Answer {
    let root = root(state);
    let service = service(state);
    let entry = if request.base.is_empty() {
        Some(&root)
    } else if request.base == service.dn() {
        Some(&service)
    } else {
        state.population.get(&request.base)
    };
    let Some(entry) = entry else { return missing() };
    let ops = if filter::matches(&request.filter, entry) {
        vec![result(entry, &request.attrs)]
    } else {
        Vec::new()
    };
    Answer { ops, end: Some(done(LdapResultCode::Success, "")), after: After::Continue }
}

fn missing() -> Answer {
    let text = "0000208D: NameErr: DSID-0310028B, problem 2001 (NO_OBJECT), data 0, best match of: ''\0";
    done(LdapResultCode::NoSuchObject, text).into()
}

/// The entry that tells of the server.
fn root(state: &State) -> Entry {
    let controls: &[&str] = if state.fault == Fault::NoPaging {
        &["1.2.840.113556.1.4.417"]
    } else {
        &[PAGED_RESULTS, "1.2.840.113556.1.4.417"]
    };
    Entry::new("", &["top"])
        .with_all("supportedCapabilities", &["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1670"])
        .with_all("supportedControl", controls)
        .with("defaultNamingContext", DOMAIN)
        .with("dnsHostName", "DC1.example.test")
        .with("dsServiceName", service(state).dn())
        .with("highestCommittedUSN", &state.population.usn.to_string())
        .with("currentTime", "20261130120000.0Z")
}

/// The entry of the domain controller's settings.
fn service(state: &State) -> Entry {
    let dn = format!(
        "CN=NTDS Settings,CN=DC1,CN=Servers,CN=Default-First-Site-Name,CN=Sites,CN=Configuration,{DOMAIN}"
    );
    Entry::new(&dn, &["top", "nTDSDSA"])
        .with_bytes("invocationId", vec![vec![state.population.invocation; 16]])
}

fn referral() -> LdapOp {
    let uris = vec![format!("ldap://DomainDnsZones.example.test/DC=DomainDnsZones,{DOMAIN}")];
    LdapOp::SearchResultReference(LdapSearchResultReference { uris })
}

fn result(entry: &Entry, wanted: &[String]) -> LdapOp {
    let attributes = entry.attributes().flat_map(|(name, values)| selected(name, values, wanted)).collect();
    LdapOp::SearchResultEntry(LdapSearchResultEntry { dn: entry.dn().to_owned(), attributes })
}

/// An attribute as it is returned: not at all, whole, or in a piece.
fn selected(name: &str, values: &[Vec<u8>], wanted: &[String]) -> Vec<LdapPartialAttribute> {
    let is_all = wanted.is_empty() || wanted.iter().any(|wanted| wanted == "*");
    let asked = wanted
        .iter()
        .find(|wanted| wanted.split(';').next().is_some_and(|own| own.eq_ignore_ascii_case(name)));
    let range = asked.and_then(|asked| asked.split_once(";range=")).map(|(_, range)| range);
    let whole = |atype: String, vals: &[Vec<u8>]| LdapPartialAttribute { atype, vals: vals.to_vec() };
    match range {
        _ if asked.is_none() && !is_all => Vec::new(),
        None if values.len() <= MAX_VAL_RANGE => vec![whole(name.to_owned(), values)],
        None => vec![whole(name.to_owned(), &[]), piece(name, values, 0)],
        Some(range) => {
            let first: usize =
                range.split('-').next().and_then(|first| first.parse().ok()).unwrap_or_default();
            if first < values.len() { vec![piece(name, values, first)] } else { Vec::new() }
        }
    }
}

fn piece(name: &str, values: &[Vec<u8>], first: usize) -> LdapPartialAttribute {
    let end = values.len().min(first + MAX_VAL_RANGE);
    let last = if end == values.len() { "*".to_owned() } else { (end - 1).to_string() };
    LdapPartialAttribute { atype: format!("{name};range={first}-{last}"), vals: values[first..end].to_vec() }
}
