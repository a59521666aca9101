//! POST /-/reload: takes the configuration file anew. Only with the token, as it changes what the daemon does.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::Serialize;
use tokio::sync::oneshot;

use super::token::authorize;
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
