//! The shapes of answers: JSON, and errors as JSON `{error, hint}`.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// Every answer that is not a success.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The HTTP status.
    #[serde(skip)]
    pub status: StatusCode,
    /// What is wrong.
    pub error: String,
    /// What the caller can do.
    pub hint: String,
}

impl Fault {
    /// A fault with this status.
    pub fn new(status: StatusCode, error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { status, error: error.into(), hint: hint.into() }
    }

    /// Something inside failed; the log says what.
    pub fn internal(what: &str) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, what, "the log of the daemon says why")
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

/// The paths there are, for whoever took another.
const PATHS: &str = "the pages are /, /queues/{name}, /alarms, /notifications and /system; for programs there are /metrics, /healthz, /readyz, /api/v1/queues, /api/v1/queues/{name}, \
                     /api/v1/queues/{name}/history, /api/v1/alarms, /api/v1/alarms/{alarm}, /api/v1/notifications, /api/v1/silences and POST /-/reload";

/// Answers for every other path.
pub async fn unknown_path(uri: Uri) -> Fault {
    Fault::new(StatusCode::NOT_FOUND, format!("there is nothing at `{}`", uri.path()), PATHS)
}

/// Answers for a method that a path does not have.
pub async fn wrong_method(method: Method, uri: Uri) -> Fault {
    let hint = match uri.path() {
        path if path == "/-/reload" || path.ends_with("/resend") => "use POST",
        path if path.starts_with("/api/v1/notifications/") => {
            "use DELETE, or POST with `/resend` behind it; GET /api/v1/notifications lists them"
        }
        "/api/v1/silences" => "use GET or POST",
        path if path.starts_with("/api/v1/silences/") => {
            "use DELETE, or GET /api/v1/silences for all of them"
        }
        _ => "use GET",
    };
    let error = format!("`{}` does not take {method}", uri.path());
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, error, hint)
}
