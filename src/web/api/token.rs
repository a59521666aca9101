//! Who may change something: whoever sends the configuration's `web.token`.

use axum::http::{HeaderMap, StatusCode, header};
use sha2::{Digest, Sha256};

use crate::web::Web;
use crate::web::answer::Fault;

/// Lets a request pass that carries the token.
///
/// # Errors
/// 403 when the configuration has no token, or the request another one or none.
pub fn authorize(web: &Web, headers: &HeaderMap) -> Result<(), Fault> {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.strip_prefix("Bearer "));
    check(web, sent, "send `Authorization: Bearer TOKEN` with the configuration's `web.token`")
}

/// Lets whoever sent this token pass. `hint` says how it is sent.
///
/// # Errors
/// 403 when the configuration has no token, or another one, or nothing was sent.
pub fn check(web: &Web, sent: Option<&str>, hint: &str) -> Result<(), Fault> {
    let config = web.config.load();
    let Some(token) = &config.web.token else {
        let error = "the configuration has no `web.token`, so nothing can be changed over HTTP";
        let hint = "set `web.token` in the configuration; SIGHUP reloads without it";
        return Err(Fault::new(StatusCode::FORBIDDEN, error, hint));
    };
    if sent.is_some_and(|sent| is_same(sent, token.expose())) {
        return Ok(());
    }
    Err(Fault::new(StatusCode::FORBIDDEN, "the token is missing or wrong", hint))
}

/// Compares digests, and all of them: the time taken tells nothing about the token.
fn is_same(one: &str, other: &str) -> bool {
    let (one, other) = (Sha256::digest(one), Sha256::digest(other));
    one.iter().zip(other.iter()).fold(0, |difference, (a, b)| difference | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_token_is_the_same() {
        assert!(is_same("hunter2", "hunter2"));
        for other in ["", "hunter", "hunter22", "Hunter2"] {
            assert!(!is_same("hunter2", other), "{other}");
        }
    }
}
