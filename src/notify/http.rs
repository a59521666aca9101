//! The HTTP client that all webhooks share.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder};

/// Builds the client: TLS by rustls with ring and the system's certificates, no redirect followed, proxies as the
/// environment says.
///
/// # Errors
/// The TLS backend cannot be set up.
pub fn http_client() -> Result<Client, reqwest::Error> {
    // Fails only if somebody installed a provider before, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder().build().or_else(|error| {
        tracing::warn!(%error, "no certificates of the system: https receivers cannot be verified and will fail");
        builder().tls_certs_only([]).build()
    })
}

fn builder() -> ClientBuilder {
    Client::builder()
        .user_agent(concat!("sqswatch/", env!("CARGO_PKG_VERSION")))
        .redirect(Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .pool_idle_timeout(Duration::from_secs(60))
}
