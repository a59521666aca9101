//! POST /-/reload: takes the configuration file anew. Only with the token, as it changes what the daemon does.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use sha2::{Digest, Sha256};
use tokio::sync::oneshot;

use crate::web::Web;
use crate::web::answer::Fault;

/// How long a reload may take before the caller is told that it is still going on.
const PATIENCE: Duration = Duration::from_secs(30);

/// The answer of `/-/reload`.
#[derive(Debug, Serialize)]
pub struct Reloaded {
    /// Always true: the new configuration is in force.
    pub reloaded: bool,
}

/// POST /-/reload: 200, 403 without the token, 422 with the faults of a file that was refused.
pub async fn reload(State(web): State<Web>, headers: HeaderMap) -> Result<Json<Reloaded>, Fault> {
    authorize(&web, &headers)?;
    let (answer, answered) = oneshot::channel();
    let ending =
        || Fault::new(StatusCode::SERVICE_UNAVAILABLE, "the daemon is shutting down", "start it again");
    web.reload.send(answer).await.map_err(|_| ending())?;
    let Ok(answered) = tokio::time::timeout(PATIENCE, answered).await else {
        let hint = "sqswatch_config_last_reload_successful tells how it ends";
        return Err(Fault::new(StatusCode::GATEWAY_TIMEOUT, "the reload is still going on", hint));
    };
    match answered {
        Ok(Ok(())) => Ok(Json(Reloaded { reloaded: true })),
        Ok(Err(faults)) => Err(Fault::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            faults,
            "the previous configuration goes on; `sqswatch check --config FILE` shows the same faults",
        )),
        Err(_) => Err(ending()),
    }
}

fn authorize(web: &Web, headers: &HeaderMap) -> Result<(), Fault> {
    let config = web.config.load();
    let Some(token) = &config.web.token else {
        let hint = "set `web.token` in the configuration, or send SIGHUP";
        return Err(Fault::new(StatusCode::FORBIDDEN, "reloading over HTTP is switched off", hint));
    };
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.strip_prefix("Bearer "));
    if sent.is_some_and(|sent| is_same(sent, token.expose())) {
        return Ok(());
    }
    let hint = "send `Authorization: Bearer TOKEN` with the configuration's `web.token`";
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
