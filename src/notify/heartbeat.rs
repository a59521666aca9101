//! One call of a dead man's switch: somebody outside who raises the alarm when the calls stop.
//!
//! When to call is the daemon's business (`app/heartbeat.rs`); here is only what one call is and what its answer means.

use reqwest::{Client, StatusCode};

use crate::config::Heartbeat;
use crate::domain::outbox::Reason;

/// Calls once, bounded in time, without following a redirect.
///
/// # Errors
/// Why it was not acknowledged, as a label and in words without the address.
pub async fn beat(client: &Client, config: &Heartbeat) -> Result<(), (Reason, String)> {
    let url = config.url.expose();
    let request = if config.post { client.post(url) } else { client.get(url) };
    match request.timeout(config.timeout).send().await {
        Ok(answer) if answer.status().is_success() => Ok(()),
        Ok(answer) => Err((meaning(answer.status()), format!("HTTP {}", answer.status()))),
        Err(error) if error.is_timeout() => {
            let timeout = humantime::format_duration(config.timeout);
            Err((Reason::Timeout, format!("no answer within {timeout}")))
        }
        Err(error) => Err((Reason::Connection, innermost(&error.without_url()))),
    }
}

fn meaning(status: StatusCode) -> Reason {
    match status.as_u16() {
        300..=399 => Reason::Redirect,
        401 | 403 | 407 => Reason::Denied,
        404 | 410 => Reason::NotFound,
        429 => Reason::Throttled,
        400..=499 => Reason::Refused,
        _ => Reason::ServerError,
    }
}

/// The cause behind all causes; those before it say no more.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::secret::Secret;
    use crate::notify::fixture::receiver::{Act, Receiver, answer};
    use crate::notify::http_client;

    fn heartbeat(url: &str, post: bool) -> Heartbeat {
        Heartbeat {
            url: Secret::new(format!("{url}/ping/hunter2")),
            post,
            interval: Duration::from_secs(60),
            timeout: Duration::from_millis(300),
            stuck_after: Duration::from_secs(900),
        }
    }

    #[tokio::test]
    async fn only_a_2xx_is_an_acknowledgement_and_no_failure_tells_the_address() {
        let client = http_client().unwrap();
        let cases = [
            (answer(200, "", "OK"), None),
            (answer(204, "", ""), None),
            (answer(302, "location: http://127.0.0.1:1/\r\n", ""), Some(Reason::Redirect)),
            (answer(403, "", ""), Some(Reason::Denied)),
            (answer(404, "", ""), Some(Reason::NotFound)),
            (answer(400, "", ""), Some(Reason::Refused)),
            (answer(429, "", ""), Some(Reason::Throttled)),
            (answer(500, "", ""), Some(Reason::ServerError)),
            (Act::Reset, Some(Reason::Connection)),
            (Act::Send("nonsense".to_owned()), Some(Reason::Connection)),
            (Act::Hang, Some(Reason::Timeout)),
        ];
        for (act, expected) in cases {
            let receiver = Receiver::start(vec![act.clone()]).await;
            let told = beat(&client, &heartbeat(&receiver.url, false)).await;
            assert_eq!(told.as_ref().err().map(|(reason, _)| *reason), expected, "{act:?}: {told:?}");
            assert!(!format!("{told:?}").contains("hunter2"), "{told:?}");
            assert_eq!(receiver.requests().len(), 1, "nothing is followed or repeated");
        }
        let (reason, why) = beat(&client, &heartbeat("http://127.0.0.1:1", false)).await.unwrap_err();
        assert_eq!((reason, why.contains("hunter2")), (Reason::Connection, false), "{why}");
    }

    #[tokio::test]
    async fn the_method_is_the_configured_one() {
        let client = http_client().unwrap();
        for (post, line) in [(false, "GET /ping/hunter2"), (true, "POST /ping/hunter2")] {
            let receiver = Receiver::start(vec![answer(200, "", "")]).await;
            beat(&client, &heartbeat(&receiver.url, post)).await.unwrap();
            assert_eq!(receiver.requests()[0].line, line);
        }
    }
}
