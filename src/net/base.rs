//! The base URL of a server, and whether another URL lies under it.
//!
//! Compared by origin (scheme, host, port) and whole path segments, never as texts:
//! `https://ehr.example.evil.net/r4` begins with `https://ehr.example` but is elsewhere.

use reqwest::Url;

/// The base URL of a FHIR server, without trailing slash, query or fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Base {
    url: Url,
}

/// A text that is no base URL.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum BaseError {
    /// It does not parse.
    #[error("not a URL; write https://host/path")]
    NotAUrl,
    /// It is no http or https URL.
    #[error("only http and https URLs with a host can be used")]
    Scheme,
    /// It holds more than a base.
    #[error("a base URL has no query, fragment, user name or password; remove them")]
    Extra,
}

impl Base {
    /// Reads a base URL.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, BaseError> {
        let mut url = Url::parse(text).map_err(|_| BaseError::NotAUrl)?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
            return Err(BaseError::Scheme);
        }
        let credentials = !url.username().is_empty() || url.password().is_some();
        if credentials || url.query().is_some() || url.fragment().is_some() {
            return Err(BaseError::Extra);
        }
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(&path);
        Ok(Self { url })
    }

    /// The base with these path segments (escaped as needed) and query parameters after it.
    pub fn join(&self, segments: &[&str], query: &[(&str, &str)]) -> Url {
        let mut url = self.url.clone();
        url.path_segments_mut()
            .expect("an http URL has path segments")
            .pop_if_empty()
            .extend(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Whether a URL has the same origin and lies at or under this base's path.
    pub fn contains(&self, url: &Url) -> bool {
        self.same_origin(url) && self.rest(url).is_some()
    }

    /// Whether scheme, host and port are the same.
    pub fn same_origin(&self, url: &Url) -> bool {
        // A user name or password in a link would be sent along.
        self.url.origin() == url.origin() && url.username().is_empty() && url.password().is_none()
    }

    /// A link as a server states it: absolute and under this base, or relative to the page it
    /// stands on. `None` when it leads elsewhere.
    pub fn follow(&self, page: &Url, link: &str) -> Option<Url> {
        let url = page.join(link).ok()?;
        // A HAPI server pages by `base?_getpages=…`: the base itself is under the base.
        self.contains(&url).then_some(url)
    }

    /// The path segments of a URL after the base.
    pub fn rest<'a>(&self, url: &'a Url) -> Option<Vec<&'a str>> {
        let base = self.url.path().trim_end_matches('/');
        let rest = url.path().strip_prefix(base)?;
        (rest.is_empty() || rest.starts_with('/'))
            .then(|| rest.split('/').filter(|s| !s.is_empty()).collect())
    }

    /// Whether the host is this machine by number or name.
    pub fn is_loopback(&self) -> bool {
        let host = self.url.host_str().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback())
    }

    /// The URL, without trailing slash if it has a path.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// The URL as text, without trailing slash.
    pub fn text(&self) -> &str {
        self.url.as_str().trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "test")]
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn only_what_lies_under_the_base_is_contained() {
        let base = Base::parse("https://ehr.example/r4/").unwrap();
        let page = base.join(&["Goal"], &[("_count", "5")]);
        for link in [
            "https://ehr.example/r4/Goal?page=2",
            "https://EHR.example:443/r4?_getpages=x",
            "?page=2",
            "/r4/Goal",
            "Goal?page=2",
        ] {
            assert!(base.follow(&page, link).is_some(), "{link}");
        }
        for link in [
            "https://ehr.example.evil.net/r4/Goal",
            "https://ehr.example@evil.net/r4/Goal",
            "https://user@ehr.example/r4/Goal",
            "http://ehr.example/r4/Goal",
            "https://ehr.example:8443/r4/Goal",
            "https://ehr.example/r4evil/Goal",
            "https://ehr.example/r4/../admin",
            "//evil.net/r4/Goal",
            "file:///r4/Goal",
            "https://",
        ] {
            assert!(base.follow(&page, link).is_none(), "{link}");
        }
        assert_eq!(page.as_str(), "https://ehr.example/r4/Goal?_count=5");
        assert_eq!(base.rest(&page).unwrap(), ["Goal"]);
    }

    #[test]
    fn a_base_holds_nothing_but_a_base() {
        assert_eq!(Base::parse("r4"), Err(BaseError::NotAUrl));
        assert_eq!(Base::parse("ftp://x/r4"), Err(BaseError::Scheme));
        assert_eq!(Base::parse("https://u:p@x/r4"), Err(BaseError::Extra));
        assert_eq!(Base::parse("https://x/r4?a=b"), Err(BaseError::Extra));
        assert_eq!(Base::parse("http://127.0.0.1:80/").unwrap().text(), "http://127.0.0.1");
        assert!(Base::parse("http://[::1]:80/").unwrap().is_loopback());
        assert!(!Base::parse("http://127.0.0.1.example/").unwrap().is_loopback());
    }

    proptest! {
        #[test]
        fn no_link_panics_or_leaves_the_origin(link in ".*") {
            let base = Base::parse("https://ehr.example/r4").unwrap();
            let page = base.join(&["Goal"], &[]);
            if let Some(url) = base.follow(&page, &link) {
                prop_assert_eq!(url.origin(), page.origin());
            }
        }

        #[test]
        fn a_segment_never_climbs_out(segment in "[^/?#]*") {
            let base = Base::parse("https://ehr.example/r4").unwrap();
            prop_assert!(base.contains(&base.join(&["Patient", &segment], &[])));
        }
    }
}
