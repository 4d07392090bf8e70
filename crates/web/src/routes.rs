//! Finds the endpoint for a path and a method.
//!
//! A pattern consists of literal segments, of names in braces that match one segment (`{mail}`), and optionally at its
//! end of a name that matches all remaining segments (`{path*}`, at least one). A more specific pattern takes
//! precedence over a less specific one, as in `OpenAPI`: first a literal, then a name, then a tail.

use actix_web::http::Method;
use std::borrow::Cow;

/// The patterns of a surface, with their endpoints.
pub struct Routes<E>(Vec<Route<E>>);

struct Route<E> {
    pattern: &'static str,
    parts: Vec<Part>,
    methods: Vec<(Method, E)>,
}

/// A segment of a pattern, in the order of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// A literal segment.
    Text(&'static str),
    /// A name that matches one segment.
    Name(&'static str),
    /// A name that matches this segment and all that follow.
    Tail(&'static str),
}

impl Part {
    fn of(text: &'static str) -> Self {
        let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
            return Self::Text(text);
        };
        name.strip_suffix('*').map_or(Self::Name(name), Self::Tail)
    }

    /// How unspecific it is.
    fn vagueness(self) -> u8 {
        match self {
            Self::Text(_) => 0,
            Self::Name(_) => 1,
            Self::Tail(_) => 2,
        }
    }
}

/// Why there is no endpoint for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoEndpoint {
    /// The path is unknown.
    UnknownPath,
    /// The path supports only these methods.
    OtherMethods(Vec<Method>),
}

/// The decoded values of the names in a pattern.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathNames<'a>(Vec<(&'static str, Cow<'a, str>)>);

impl PathNames<'_> {
    /// The value of a name; empty if the pattern has no such name.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(known, _)| *known == name).map_or("", |(_, text)| text)
    }
}

impl<E: Copy> Routes<E> {
    /// Parses the patterns.
    pub fn new(endpoints: impl IntoIterator<Item = (Method, &'static str, E)>) -> Self {
        let mut routes: Vec<Route<E>> = Vec::new();
        for (method, pattern, endpoint) in endpoints {
            if let Some(route) = routes.iter_mut().find(|route| route.pattern == pattern) {
                route.methods.push((method, endpoint));
            } else {
                let parts = pattern.split('/').skip(1).map(Part::of).collect();
                routes.push(Route { pattern, parts, methods: vec![(method, endpoint)] });
            }
        }
        routes
            .sort_by_cached_key(|route| route.parts.iter().map(|part| part.vagueness()).collect::<Vec<_>>());
        Self(routes)
    }

    /// The endpoint of a request, and the values in its path. `HEAD` is `GET` without the body (RFC 9110 section
    /// 9.3.2).
    ///
    /// # Errors
    /// [`NoEndpoint`] if the path is unknown, or does not support the method.
    pub fn find<'a>(
        &self,
        method: &Method,
        segments: Vec<Cow<'a, str>>,
    ) -> Result<(E, PathNames<'a>), NoEndpoint> {
        let method = if method == Method::HEAD { &Method::GET } else { method };
        let route = self.0.iter().find(|route| route.is_at(&segments)).ok_or(NoEndpoint::UnknownPath)?;
        if let Some((_, endpoint)) = route.methods.iter().find(|(known, _)| known == method) {
            return Ok((*endpoint, route.names(segments)));
        }
        let mut allowed: Vec<Method> = route.methods.iter().map(|(method, _)| method.clone()).collect();
        if allowed.contains(&Method::GET) {
            allowed.push(Method::HEAD);
        }
        Err(NoEndpoint::OtherMethods(allowed))
    }
}

impl<E> Route<E> {
    fn is_at(&self, segments: &[Cow<'_, str>]) -> bool {
        let has_tail = matches!(self.parts.last(), Some(Part::Tail(_)));
        let is_long_enough =
            if has_tail { segments.len() >= self.parts.len() } else { segments.len() == self.parts.len() };
        let fits = |(part, segment): (&Part, &Cow<'_, str>)| match part {
            Part::Text(text) => text == segment,
            Part::Name(_) | Part::Tail(_) => !segment.is_empty(),
        };
        is_long_enough && self.parts.iter().zip(segments).all(fits)
    }

    fn names<'a>(&self, segments: Vec<Cow<'a, str>>) -> PathNames<'a> {
        let mut names = Vec::with_capacity(self.parts.len());
        let mut segments = segments.into_iter();
        for part in &self.parts {
            let Some(segment) = segments.next() else { break };
            match part {
                Part::Text(_) => {}
                Part::Name(name) => names.push((*name, segment)),
                Part::Tail(name) => {
                    let tail = segments.by_ref().fold(segment.into_owned(), |tail, next| tail + "/" + &next);
                    names.push((*name, tail.into()));
                }
            }
        }
        PathNames(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GET: Method = Method::GET;

    fn routes() -> Routes<&'static str> {
        let of = |method, pattern| (method, pattern, pattern);
        Routes::new([
            of(GET, "/things/{thing}"),
            of(GET, "/things/{thing}/{part}"),
            of(GET, "/things/all"),
            of(Method::PUT, "/things/{thing}"),
            of(GET, "/things/{thing}/files/{path*}"),
            of(Method::POST, "/log-in"),
        ])
    }

    fn find(method: &Method, path: &'static str) -> Result<(&'static str, String), NoEndpoint> {
        let segments = path.split('/').skip(1).map(Cow::from).collect();
        let (pattern, names) = routes().find(method, segments)?;
        Ok((pattern, ["thing", "part", "path"].map(|name| names.get(name)).join(",")))
    }

    #[test]
    fn a_path_leads_to_the_pattern_that_says_most_of_it() {
        for (path, pattern, names) in [
            ("/things/a", "/things/{thing}", "a,,"),
            ("/things/all", "/things/all", ",,"),
            ("/things/all/x", "/things/{thing}/{part}", "all,x,"),
            ("/things/a/files", "/things/{thing}/{part}", "a,files,"),
            ("/things/a/files/b", "/things/{thing}/files/{path*}", "a,,b"),
            ("/things/a/files/b/c", "/things/{thing}/files/{path*}", "a,,b/c"),
        ] {
            assert_eq!(find(&GET, path), Ok((pattern, names.to_owned())), "{path}");
        }
        assert_eq!(find(&Method::HEAD, "/things/a").unwrap().0, "/things/{thing}");
        assert_eq!(find(&Method::PUT, "/things/a").unwrap().0, "/things/{thing}");
    }

    #[test]
    fn what_leads_nowhere_says_why() {
        for path in
            ["/", "/things", "/things/", "/things//x", "/things/a/files/", "/things/a/b/c", "/log-in/x"]
        {
            assert_eq!(find(&GET, path), Err(NoEndpoint::UnknownPath), "{path}");
        }
        assert_eq!(find(&GET, "/log-in"), Err(NoEndpoint::OtherMethods(vec![Method::POST])));
        let allowed = vec![GET, Method::PUT, Method::HEAD];
        assert_eq!(find(&Method::DELETE, "/things/a"), Err(NoEndpoint::OtherMethods(allowed)));
    }
}
