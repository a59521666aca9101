//! From an HTTP request to its answer: counts it, lets a fault have its way, and asks the service.
//!
//! Nothing that a client sends is answered with silence or a panic: what cannot be read is a 400, what the simulator does
//! not have is an `UnknownOperationException`.

use std::sync::Arc;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::call::{Answer, Call, MAX_BODY, Protocol};
use super::fault::{Fault, FaultKind, refusal};
use super::refusal::Refusal;
use super::shared::{Shared, lock};
use super::{cloudwatch, sns, sqs, sts, wire};

/// Marks a response in whose place the server resets the connection.
#[derive(Clone, Copy, Debug)]
pub struct Reset;

/// Every route: the control's under `/_simulator`, and AWS on every other path.
pub fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/_simulator/faults", post(inject).delete(clear))
        .route("/_simulator/requests", get(requests))
        .route("/_simulator/published", get(published))
        .fallback(aws)
        .with_state(shared)
}

async fn inject(State(shared): State<Arc<Shared>>, body: Bytes) -> (StatusCode, Json<Value>) {
    match serde_json::from_slice::<Fault>(&body) {
        Ok(fault) => {
            lock(&shared.faults).inject(fault);
            (StatusCode::CREATED, Json(json!({})))
        }
        Err(error) => (StatusCode::BAD_REQUEST, Json(json!({"error": error.to_string()}))),
    }
}

async fn clear(State(shared): State<Arc<Shared>>) -> Json<Value> {
    lock(&shared.faults).clear();
    Json(json!({}))
}

async fn requests(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!(shared.requests()))
}

async fn published(State(shared): State<Arc<Shared>>) -> Json<Value> {
    Json(json!(shared.published()))
}

async fn aws(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let call = match to_bytes(body, MAX_BODY).await {
        Ok(body) => Call::read(&parts, body, &shared.home),
        Err(error) => Err(Refusal::unreadable(error)),
    };
    let call = match call {
        Ok(call) => call,
        Err(refusal) => return wire::failure(protocol_of(&parts), "sns", &refusal),
    };
    shared.count(call.service, &call.operation);
    let fault = fault_of(&shared, &call);
    match &fault {
        Some(FaultKind::Latency(delay)) => sleep(*delay).await,
        Some(kind) => {
            if let Some(response) = failed(kind, &call) {
                return response;
            }
        }
        None => {}
    }
    let response = match ask(&shared, &call, fault.as_ref()).await {
        Ok(answer) => wire::success(call.protocol, call.service, &call.operation, answer),
        Err(refusal) => wire::failure(call.protocol, call.service, &refusal),
    };
    match fault {
        Some(FaultKind::Truncated) => first_half(response).await,
        _ => response,
    }
}

/// In which protocol to refuse what could not even be read.
fn protocol_of(parts: &axum::http::request::Parts) -> Protocol {
    if parts.headers.contains_key("smithy-protocol") {
        Protocol::Cbor
    } else if parts.headers.contains_key("x-amz-target") {
        Protocol::Json
    } else {
        Protocol::Query
    }
}

fn fault_of(shared: &Shared, call: &Call) -> Option<FaultKind> {
    let mut faults = lock(&shared.faults);
    if faults.is_empty() {
        return None;
    }
    faults.of_request(call.service, &call.operation, call.queue().as_deref())
}

/// The response that a fault puts in place of the true one, if it does.
fn failed(kind: &FaultKind, call: &Call) -> Option<Response<Body>> {
    match kind {
        FaultKind::Garbage => {
            let page = "<html><body>It works!</body></html>";
            Some(wire::response(call.protocol, 200, page.into()))
        }
        FaultKind::ConnectionReset => {
            let mut response = Response::new(Body::empty());
            response.extensions_mut().insert(Reset);
            Some(response)
        }
        FaultKind::DeniedXml => {
            let refusal = refusal(kind, call.service, &call.operation)?;
            let body = wire::error(call.service, &refusal);
            Some(wire::response(Protocol::Query, refusal.status, body.into()))
        }
        _ => {
            let refusal = refusal(kind, call.service, &call.operation)?;
            Some(wire::failure(call.protocol, call.service, &refusal))
        }
    }
}

async fn ask(shared: &Arc<Shared>, call: &Call, fault: Option<&FaultKind>) -> Result<Answer, Refusal> {
    let endless = matches!(fault, Some(FaultKind::EndlessPages));
    let content_fault = fault.filter(|kind| matches!(kind, FaultKind::Attribute { .. }) || endless);
    match call.service {
        "sqs" => sqs::answer(shared, call, content_fault).await,
        "cloudwatch" => cloudwatch::answer(shared, call, endless),
        "sns" => sns::answer(shared, call),
        _ => sts::answer(shared, call),
    }
}

async fn first_half(response: Response<Body>) -> Response<Body> {
    let (mut parts, body) = response.into_parts();
    parts.headers.remove("content-length");
    let bytes = to_bytes(body, usize::MAX).await.unwrap_or_default();
    Response::from_parts(parts, bytes.slice(..bytes.len() / 2).into())
}
