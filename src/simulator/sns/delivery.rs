//! Delivery to HTTP subscribers: plain HTTP, to loopback only, tried three times.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, Uri};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::simulator::refusal::Refusal;
use crate::simulator::topic::{Published, Subscription, invalid};

const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_secs(15);

/// Reads the URL of a subscriber; anything but plain HTTP to loopback is refused.
pub fn loopback(endpoint: &str) -> Result<Uri, Refusal> {
    let uri: Uri = endpoint.parse().map_err(|_| invalid("HTTP(S) Endpoint"))?;
    let local = match uri.host() {
        Some("localhost" | "[::1]") => true,
        Some(host) => host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback()),
        None => false,
    };
    match local && uri.scheme_str() == Some("http") {
        true => Ok(uri),
        false => Err(invalid("Endpoint: the simulator delivers by plain http to loopback only")),
    }
}

/// Delivers one message; gives up after three attempts.
pub async fn deliver(subscription: Subscription, message: Published) {
    let Ok(uri) = loopback(&subscription.endpoint) else { return };
    for attempt in 1..=ATTEMPTS {
        let sent = timeout(TIMEOUT, post(&uri, &subscription, &message)).await;
        if matches!(sent, Ok(Some(status)) if (200..300).contains(&status)) {
            return;
        }
        sleep(PAUSE * attempt).await;
    }
}

/// The status of one attempt; none if there was no answer.
async fn post(uri: &Uri, subscription: &Subscription, message: &Published) -> Option<u16> {
    let address = format!("{}:{}", uri.host()?, uri.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(address).await.ok()?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.ok()?;
    let body = match subscription.raw {
        true => message.text_for("http"),
        false => message.envelope("http"),
    };
    let request = Request::post(uri.path_and_query().map_or("/", |path| path.as_str()))
        .header("host", uri.authority()?.as_str())
        .header("content-type", "text/plain; charset=UTF-8")
        .header("user-agent", "Amazon Simple Notification Service Agent")
        .header("x-amz-sns-message-type", "Notification")
        .header("x-amz-sns-message-id", &message.message_id)
        .header("x-amz-sns-topic-arn", &message.topic_arn)
        .header("x-amz-sns-subscription-arn", &subscription.arn)
        .body(Body::from(body))
        .ok()?;
    let exchange = async {
        let response = sender.send_request(request).await.ok()?;
        let status = response.status().as_u16();
        to_bytes(Body::new(response.into_body()), 1 << 20).await.ok()?;
        Some(status)
    };
    tokio::select! {
        status = exchange => status,
        _ = connection => None,
    }
}
