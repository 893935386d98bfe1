//! The one outbound HTTP client: bounded bodies, time limits, retries, no redirects.
//!
//! Nothing in an error's text comes from a URL's path or query: both name patients.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, DATE, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode, Url};

use super::base::Base;
use super::retry::{Backoff, http_date, is_passing, retry_after};
use super::tls::{TlsError, client_config};

/// What a fetcher may do, and how long.
#[derive(Clone, Debug)]
pub struct FetcherOptions {
    /// Time to open a connection.
    pub timeout_connect: Duration,
    /// Time for a whole answer, body included.
    pub timeout_total: Duration,
    /// Largest body read.
    pub body_bytes_max: u64,
    /// PEM file of certification authorities trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Who we say we are.
    pub user_agent: String,
    /// Times a request is tried again.
    pub retries_max: u32,
    /// First wait before a retry; doubled each time.
    pub backoff_min: Duration,
    /// Longest wait before a retry, also when the server asks for a longer one.
    pub backoff_max: Duration,
    /// Seed of the jitter.
    pub seed: u64,
    /// A token and the only origin it is sent to.
    pub bearer: Option<Bearer>,
    /// Ignores the proxy that the environment names; for servers on this machine.
    pub direct: bool,
}

/// A token bound to one origin.
#[derive(Clone)]
pub struct Bearer {
    /// The server it is for.
    pub base: Base,
    /// The token.
    pub token: Box<str>,
}

/// The one outbound client; clones share connections.
#[derive(Clone)]
pub struct Fetcher {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    backoff: Backoff,
    retries_max: u32,
    body_bytes_max: u64,
    bearer: Option<(Base, HeaderValue)>,
}

/// An answer, of whatever status.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// The status.
    pub status: StatusCode,
    /// The body, complete.
    pub body: Bytes,
    /// `Content-Type`, empty if none.
    pub content_type: Box<str>,
    /// The server's clock, from `Date`.
    pub date: Option<Timestamp>,
    /// How often it was tried again.
    pub retries: u32,
}

/// No usable answer. Texts name the origin at most.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// The client cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Setup(#[source] reqwest::Error),
    /// TLS cannot be set up.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The token has characters that no header can hold.
    #[error("the token cannot be sent: it has line breaks or control characters")]
    Token,
    /// The connection failed.
    #[error("cannot connect to {origin}: {reason}")]
    Connect {
        /// Scheme, host and port.
        origin: String,
        /// The innermost reason.
        reason: String,
    },
    /// It took too long.
    #[error("{origin} did not answer in time")]
    Timeout {
        /// Scheme, host and port.
        origin: String,
    },
    /// The answer broke off or is no HTTP.
    #[error("the answer of {origin} broke off: {reason}")]
    Broken {
        /// Scheme, host and port.
        origin: String,
        /// The innermost reason.
        reason: String,
    },
    /// The body is larger than the bound.
    #[error(
        "the answer of {origin} is larger than {limit} bytes; ask for smaller pages or \
             raise limits.page_bytes_max"
    )]
    TooLarge {
        /// Scheme, host and port.
        origin: String,
        /// The bound.
        limit: u64,
    },
}

impl Default for FetcherOptions {
    fn default() -> Self {
        Self {
            timeout_connect: Duration::from_secs(10),
            timeout_total: Duration::from_secs(120),
            body_bytes_max: 64 << 20,
            ca_file: None,
            user_agent: concat!("careweave/", env!("CARGO_PKG_VERSION")).to_owned(),
            retries_max: 4,
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(30),
            seed: 0,
            bearer: None,
            direct: false,
        }
    }
}

impl Fetcher {
    /// Makes a client.
    ///
    /// # Errors
    /// When the CA file or the token cannot be used.
    pub fn new(options: FetcherOptions) -> Result<Self, FetchError> {
        let tls = client_config(options.ca_file.as_deref())?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(options.timeout_connect)
            .timeout(options.timeout_total)
            .user_agent(options.user_agent);
        if options.direct {
            builder = builder.no_proxy();
        }
        let bearer = match options.bearer {
            None => None,
            Some(Bearer { base, token }) => Some((base, token_header(&token)?)),
        };
        let inner = Inner {
            client: builder.build().map_err(FetchError::Setup)?,
            backoff: Backoff::new(options.backoff_min, options.backoff_max, options.seed),
            retries_max: options.retries_max,
            body_bytes_max: options.body_bytes_max,
            bearer,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Gets a URL, trying again while the failure may pass. A passing status that outlasts the
    /// retries is returned like any other.
    ///
    /// # Errors
    /// When no complete answer within the bounds came.
    pub async fn get(&self, url: &Url, accept: &'static str) -> Result<Fetched, FetchError> {
        let mut tries = 0;
        loop {
            let (result, asked) = self.once(url, accept).await;
            let passing = match &result {
                Ok(fetched) => is_passing(fetched.status),
                Err(error) => error.is_passing(),
            };
            if !passing || tries >= self.inner.retries_max {
                return result.map(|fetched| Fetched { retries: tries, ..fetched });
            }
            let backoff = &self.inner.backoff;
            // `Retry-After: 0` of a struggling server is no reason to hammer it.
            let wait = backoff.wait(tries).max(backoff.asked(asked.unwrap_or_default()));
            tokio::time::sleep(wait).await;
            tries += 1;
        }
    }

    /// One try, and the wait the server asks for.
    async fn once(
        &self,
        url: &Url,
        accept: &'static str,
    ) -> (Result<Fetched, FetchError>, Option<Duration>) {
        let mut request = self.inner.client.get(url.clone()).header(ACCEPT, accept);
        if let Some((base, header)) = &self.inner.bearer
            && base.same_origin(url)
        {
            request = request.header(AUTHORIZATION, header.clone());
        }
        let response = match request.send().await {
            Ok(response) => response,
            Err(error) => return (Err(fetch_error(url, error)), None),
        };
        let text = |name| -> &str {
            response.headers().get(name).and_then(|v| v.to_str().ok()).unwrap_or_default()
        };
        let asked = retry_after(text(RETRY_AFTER), Timestamp::now());
        let fetched = Fetched {
            status: response.status(),
            body: Bytes::new(),
            content_type: text(CONTENT_TYPE).into(),
            date: http_date(text(DATE)),
            retries: 0,
        };
        let body = self.body(url, response).await;
        (body.map(|body| Fetched { body, ..fetched }), asked)
    }

    async fn body(&self, url: &Url, mut response: Response) -> Result<Bytes, FetchError> {
        let limit = self.inner.body_bytes_max;
        let too_large = || FetchError::TooLarge { origin: origin(url), limit };
        let announced = response.content_length().unwrap_or(0);
        if announced > limit {
            return Err(too_large());
        }
        let mut body = BytesMut::with_capacity(usize::try_from(announced).unwrap_or(0));
        while let Some(chunk) = response.chunk().await.map_err(|e| fetch_error(url, e))? {
            if (body.len() + chunk.len()) as u64 > limit {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    }
}

impl FetchError {
    /// Whether trying again may help.
    fn is_passing(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Timeout { .. } | Self::Broken { .. } => true,
            Self::Setup(_) | Self::Tls(_) | Self::Token | Self::TooLarge { .. } => false,
        }
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bearer").field("base", &self.base).finish_non_exhaustive()
    }
}

fn token_header(token: &str) -> Result<HeaderValue, FetchError> {
    let mut header =
        HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| FetchError::Token)?;
    header.set_sensitive(true);
    Ok(header)
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

fn fetch_error(url: &Url, error: reqwest::Error) -> FetchError {
    let origin = origin(url);
    // reqwest's own text holds the URL.
    let error = error.without_url();
    if error.is_timeout() {
        return FetchError::Timeout { origin };
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let reason = cause.to_string();
    if error.is_connect() {
        FetchError::Connect { origin, reason }
    } else {
        FetchError::Broken { origin, reason }
    }
}
