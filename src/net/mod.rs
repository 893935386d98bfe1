//! The network: the one outbound client, the accept loop, TLS, and what a URL's base is.

mod base;
mod fetcher;
mod refusal;
mod retry;
mod server;
#[cfg(test)]
mod tests;
mod tls;

pub use base::{Base, BaseError};
pub use fetcher::{Bearer, FetchError, Fetched, Fetcher, FetcherOptions};
pub use reqwest::Url;
pub use server::{ServeOptions, Served, serve};
pub use tls::{TlsError, client_config, install_crypto_provider, server_config};
