//! Answers as bytes: JSON, CBOR or XML, with the headers that the SDKs look at.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::json;

use super::call::{Answer, Protocol};
use super::cbor;
use super::refusal::Refusal;

/// The answer to a call that succeeded.
pub fn success(protocol: Protocol, service: &str, operation: &str, answer: Answer) -> Response<Body> {
    let body = match (protocol, answer) {
        (Protocol::Query, answer) => result(service, operation, answer).into(),
        // An empty answer has no body in JSON: SQS sends none either.
        (_, Answer::Empty) => Body::empty(),
        (Protocol::Json, Answer::Value(value)) => value.to_string().into(),
        (Protocol::Cbor, Answer::Value(value)) => cbor::encode(&value).into(),
        (_, Answer::Text(text) | Answer::Xml(text)) => text.into(),
    };
    response(protocol, 200, body)
}

fn result(service: &str, operation: &str, answer: Answer) -> String {
    let inside = match answer {
        Answer::Xml(xml) => format!("<{operation}Result>{xml}</{operation}Result>"),
        _ => String::new(),
    };
    let namespace = namespace(service);
    let id = request_id();
    format!(
        "<{operation}Response xmlns=\"{namespace}\">{inside}<ResponseMetadata><RequestId>{id}</RequestId>\
         </ResponseMetadata></{operation}Response>"
    )
}

fn namespace(service: &str) -> &'static str {
    match service {
        "sts" => "https://sts.amazonaws.com/doc/2011-06-15/",
        _ => "http://sns.amazonaws.com/doc/2010-03-31/",
    }
}

/// The answer to a call that was refused.
pub fn failure(protocol: Protocol, service: &str, refusal: &Refusal) -> Response<Body> {
    let body = json!({"__type": refusal.shape, "message": refusal.message});
    let body = match protocol {
        Protocol::Json => body.to_string().into(),
        Protocol::Cbor => cbor::encode(&body).into(),
        Protocol::Query => error(service, refusal).into(),
    };
    let mut response = response(protocol, refusal.status, body);
    if protocol != Protocol::Query {
        let code = format!("{};{}", refusal.code, refusal.blame());
        // Codes are our own words, all of them header text.
        let value =
            HeaderValue::from_str(&code).unwrap_or(HeaderValue::from_static("InternalFailure;Receiver"));
        response.headers_mut().insert("x-amzn-query-error", value);
    }
    response
}

/// A refusal as XML, whatever the call's protocol was.
pub fn error(service: &str, refusal: &Refusal) -> String {
    let (namespace, blame, code) = (namespace(service), refusal.blame(), refusal.code);
    let message = escape(&refusal.message);
    let id = request_id();
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{blame}</Type><Code>{code}</Code>\
         <Message>{message}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>"
    )
}

/// A response with the headers of `protocol`.
pub fn response(protocol: Protocol, status: u16, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let content_type = match protocol {
        Protocol::Json => "application/x-amz-json-1.0",
        Protocol::Cbor => "application/cbor",
        Protocol::Query => "text/xml",
    };
    headers.insert("content-type", HeaderValue::from_static(content_type));
    if protocol == Protocol::Cbor {
        headers.insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
    }
    if let Ok(id) = HeaderValue::from_str(&request_id()) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}

fn request_id() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    format!("00000000-0000-4000-8000-{:012x}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Text that is safe inside an XML element.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML 1.0 has no way to write the other control characters.
            '\t' | '\n' => escaped.push(character),
            '\r' => escaped.push_str("&#13;"),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
    }
    escaped
}
