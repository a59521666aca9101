//! The running daemon as commands reach it: over HTTP, where it listens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use thiserror::Error;

use super::{FAILED, USAGE, chain};

/// The variable that may hold the token.
const TOKEN: &str = "SQSWATCH_TOKEN";
/// How long an answer may take, from the first byte sent to the last one read.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where the daemon is, and what lets it be changed.
#[derive(Clone, Debug, Args)]
pub(super) struct DaemonArgs {
    /// Where the daemon listens
    #[arg(long, value_name = "URL", env = "SQSWATCH_URL", default_value = "http://127.0.0.1:9434")]
    url: String,
    /// A file with the daemon's `web.token`; without it the environment's SQSWATCH_TOKEN is taken
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Why the daemon did not do it.
#[derive(Debug, Error)]
pub(super) enum ClientError {
    /// `--url` is no address.
    #[error("`{0}` is no http or https address\n  hint: `--url` looks like `http://127.0.0.1:9434`")]
    Address(String),
    /// The token file cannot be read.
    #[error("cannot read the token from `{}`: {source}", path.display())]
    TokenFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A token that no header can carry.
    #[error(
        "the token is empty, or has characters that no header can carry\n  hint: it is the daemon's `web.token`"
    )]
    Token,
    /// TLS cannot be set up.
    #[error("cannot set up the HTTP client")]
    Setup(#[source] reqwest::Error),
    /// No answer, or half of one.
    #[error(
        "cannot reach sqswatch at `{url}`: {why}\n  hint: does `sqswatch run` listen there? `--url` or SQSWATCH_URL says where it is"
    )]
    Unreachable {
        /// Where, without any password.
        url: String,
        /// What went wrong.
        why: String,
    },
    /// The daemon said no.
    #[error("{error}\n  hint: {hint}")]
    Refused {
        /// With which status.
        status: StatusCode,
        /// What is wrong.
        error: String,
        /// What to do.
        hint: String,
    },
    /// Something else answers there.
    #[error(
        "what answers at `{url}` is not sqswatch, or another version of it ({status})\n  hint: `--url` or SQSWATCH_URL says where it is"
    )]
    Foreign {
        /// Where.
        url: String,
        /// Its status.
        status: StatusCode,
    },
}

impl ClientError {
    /// Prints it to standard error and gives the exit code.
    pub(super) fn report(&self) -> u8 {
        eprintln!("error: {}", chain(self));
        match self {
            Self::Address(_) | Self::TokenFile { .. } | Self::Token => USAGE,
            Self::Refused { status: StatusCode::BAD_REQUEST, .. } => USAGE,
            _ => FAILED,
        }
    }
}

/// Speaks to one daemon.
pub(super) struct Client {
    base: Url,
    token: Option<HeaderValue>,
    http: reqwest::Client,
}

impl Client {
    /// Takes address and token; nothing is sent yet.
    ///
    /// # Errors
    /// When either is unusable, or TLS is.
    pub(super) fn new(args: &DaemonArgs) -> Result<Self, ClientError> {
        let base = address(&args.url).ok_or_else(|| ClientError::Address(args.url.clone()))?;
        let token = match (&args.token_file, std::env::var(TOKEN)) {
            (Some(path), _) => Some(header(&read(path)?)?),
            (None, Ok(text)) => Some(header(&text)?),
            (None, Err(_)) => None,
        };
        // Fails only if somebody installed a provider before, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("sqswatch/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .timeout(PATIENCE);
        if is_loopback(&base) {
            builder = builder.no_proxy();
        }
        if base.scheme() == "http" {
            // No certificate is needed then, and a machine without any must do.
            builder = builder.tls_certs_only([]);
        }
        Ok(Self { base, token, http: builder.build().map_err(ClientError::Setup)? })
    }

    /// GET `path`.
    ///
    /// # Errors
    /// When there is no good answer.
    pub(super) async fn get(&self, path: &str) -> Result<Value, ClientError> {
        self.send(Method::GET, path, None).await
    }

    /// POST `body` to `path`.
    ///
    /// # Errors
    /// When there is no good answer.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<Value, ClientError> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// DELETE `path`.
    ///
    /// # Errors
    /// When there is no good answer.
    pub(super) async fn delete(&self, path: &str) -> Result<Value, ClientError> {
        self.send(Method::DELETE, path, None).await
    }

    async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value, ClientError> {
        let address = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        let mut request = self.http.request(method, address);
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answer = request.send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| self.unreachable(&error))?;
        self.understood(status, &text)
    }

    fn understood(&self, status: StatusCode, text: &str) -> Result<Value, ClientError> {
        let foreign = || ClientError::Foreign { url: self.shown(), status };
        let json: Value = serde_json::from_str(text).map_err(|_| foreign())?;
        if status.is_success() {
            return Ok(json);
        }
        let word = |key: &str| json[key].as_str().map(str::to_owned);
        match (word("error"), word("hint")) {
            (Some(error), Some(hint)) => Err(ClientError::Refused { status, error, hint }),
            _ => Err(foreign()),
        }
    }

    fn unreachable(&self, error: &reqwest::Error) -> ClientError {
        // The innermost cause says it; the outer ones repeat the address.
        let mut cause: &dyn std::error::Error = error;
        while let Some(inner) = cause.source() {
            cause = inner;
        }
        ClientError::Unreachable { url: self.shown(), why: cause.to_string() }
    }

    /// The address without a user's name and password.
    fn shown(&self) -> String {
        let mut url = self.base.clone();
        let _ = url.set_password(None); // fails only where there can be none
        let _ = url.set_username("");
        url.to_string()
    }
}

fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.query().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && plain).then_some(url)
}

/// A proxy could not reach this machine's own loopback.
fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn read(path: &Path) -> Result<String, ClientError> {
    std::fs::read_to_string(path).map_err(|source| ClientError::TokenFile { path: path.to_owned(), source })
}

fn header(token: &str) -> Result<HeaderValue, ClientError> {
    let token = token.trim();
    let value = HeaderValue::from_str(&format!("Bearer {token}")).ok().filter(|_| !token.is_empty());
    let mut value = value.ok_or(ClientError::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(url: &str) -> Result<Client, ClientError> {
        Client::new(&DaemonArgs { url: url.to_owned(), token_file: None })
    }

    #[test]
    fn only_an_address_is_one_and_a_password_is_not_shown() {
        for wrong in
            ["", "127.0.0.1:9434", "localhost:9434", "ftp://x", "http://", "http://x/?a=b", "http://x#y"]
        {
            assert!(matches!(client(wrong), Err(ClientError::Address(_))), "{wrong}");
        }
        let shown = client("https://ana:hunter2@watch.example.com/sqs").unwrap().shown();
        assert_eq!(shown, "https://watch.example.com/sqs");
    }

    #[test]
    fn a_token_is_a_header_and_never_shown() {
        let header = header(" hunter2\n").unwrap();
        assert_eq!(header, "Bearer hunter2");
        assert!(!format!("{header:?}").contains("hunter2"));
        for wrong in ["", " \n", "two\nlines"] {
            assert!(matches!(super::header(wrong), Err(ClientError::Token)), "{wrong:?}");
        }
    }

    #[test]
    fn loopback_needs_no_proxy() {
        for (url, expected) in [
            ("http://127.0.0.1:9434", true),
            ("http://localhost", true),
            ("http://[::1]:9434", true),
            ("http://10.0.0.1", false),
            ("http://localhost.example.com", false),
        ] {
            assert_eq!(is_loopback(&Url::parse(url).unwrap()), expected, "{url}");
        }
    }

    #[test]
    fn an_answer_that_is_not_ours_is_told_as_that() {
        let client = client("http://127.0.0.1:1").unwrap();
        let foreign =
            |status, text: &str| matches!(client.understood(status, text), Err(ClientError::Foreign { .. }));
        assert!(foreign(StatusCode::OK, "<html>"));
        assert!(foreign(StatusCode::BAD_GATEWAY, ""));
        assert!(foreign(StatusCode::NOT_FOUND, "{\"message\": \"no Route matched\"}"));
        let refused = client.understood(StatusCode::NOT_FOUND, r#"{"error": "no", "hint": "try"}"#);
        assert_eq!(refused.unwrap_err().to_string(), "no\n  hint: try");
        assert_eq!(client.understood(StatusCode::CREATED, "{}").unwrap(), serde_json::json!({}));
    }
}
