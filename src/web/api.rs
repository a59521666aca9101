//! The JSON interface under `/api/v1`. Its types are public and documented in docs/http.md: fields are added, never renamed.
//!
//! What changes something needs the token (`token.rs`). Instants are RFC 3339 in UTC, lengths are seconds; what is not known is absent.

pub mod alarms;
pub mod history;
pub mod notifications;
pub mod queues;
pub mod reload;
pub mod silences;
pub mod token;

use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use serde::Serializer;

use super::answer::Fault;
use crate::domain::time::Timestamp;

/// The query string of a request, or what is wrong with it.
type Asked<T> = Result<Query<T>, QueryRejection>;

fn asked<T>(query: Asked<T>) -> Result<T, Fault> {
    query.map(|Query(query)| query).map_err(|rejection| {
        Fault::new(
            StatusCode::BAD_REQUEST,
            rejection.body_text(),
            "docs/http.md lists the parameters of each path",
        )
    })
}

/// Writes an instant that is known as RFC 3339, and `null` for one that is not.
pub(super) fn instant<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => serializer.collect_str(at),
        None => serializer.serialize_none(),
    }
}
