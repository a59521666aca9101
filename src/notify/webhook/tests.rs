//! Real requests at scripted receivers: what is sent, and what each answer means.

use super::*;
use crate::domain::notification::Event;
use crate::notify::fixture::notification;
use crate::notify::fixture::receiver::{Act, Receiver, answer};
use crate::notify::http_client;

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn config(url: &str) -> Webhook {
    Webhook {
        url: Secret::new(format!("{url}/hook?token=hunter2")),
        secrets: vec![Secret::new(KEY), Secret::new("older")],
        headers: [("Authorization".to_owned(), Secret::new("Bearer hunter2"))].into(),
        timeout: Duration::from_secs(20),
    }
}

async fn send_to(config: &Webhook) -> Answer {
    let answer = send(&http_client().unwrap(), config, &notification("dlq", Event::Firing, 0)).await;
    assert!(!answer.detail.contains("hunter2"), "a secret is in `{}`", answer.detail);
    answer
}

/// One attempt at a receiver that does `act`.
async fn attempt(act: Act) -> Answer {
    let receiver = Receiver::start(vec![act]).await;
    send_to(&config(&receiver.url)).await
}

fn reason(answer: &Answer) -> Reason {
    match answer.outcome {
        Outcome::Retry { reason, .. } => reason,
        _ => panic!("not to be tried again: {answer:?}"),
    }
}

#[tokio::test]
async fn the_request_is_signed_json() {
    let receiver = Receiver::start(vec![answer(204, "", "")]).await;
    let config = config(&receiver.url);
    assert_eq!(send_to(&config).await.outcome, Outcome::Acknowledged);
    let request = &receiver.requests()[0];
    let header = |name: &str| request.headers[name].as_str();
    assert_eq!(request.line, "POST /hook?token=hunter2");
    assert_eq!(header("content-type"), "application/json");
    assert_eq!(header("authorization"), "Bearer hunter2");
    assert_eq!(header("user-agent"), concat!("sqswatch/", env!("CARGO_PKG_VERSION")));
    let seconds: i64 = header("webhook-timestamp").parse().unwrap();
    assert!((clock::now().as_secs() - seconds).abs() < 60);
    let signed = signature::sign(&config.secrets, header("webhook-id"), seconds, &request.body);
    assert_eq!(header("webhook-signature"), signed);
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(body["id"], header("webhook-id"));
}

#[tokio::test]
async fn without_a_secret_nothing_is_signed() {
    let receiver = Receiver::start(vec![answer(200, "", "ok")]).await;
    let config = Webhook { secrets: vec![], ..config(&receiver.url) };
    assert_eq!(send_to(&config).await.outcome, Outcome::Acknowledged);
    assert!(!receiver.requests()[0].headers.contains_key("webhook-signature"));
}

#[test]
fn the_status_alone_decides() {
    let cases = [
        (200, "ok"),
        (299, "ok"),
        (301, "retry redirect"),
        (308, "retry redirect"),
        (400, "refused refused"),
        (401, "retry denied"),
        (403, "retry denied"),
        (404, "retry not_found"),
        (408, "retry timeout"),
        (410, "refused gone"),
        (413, "refused refused"),
        (422, "refused refused"),
        (425, "retry throttled"),
        (429, "retry throttled"),
        (500, "retry server_error"),
        (503, "retry server_error"),
        (599, "retry server_error"),
    ];
    for (status, expected) in cases {
        let text = match meaning(StatusCode::from_u16(status).unwrap(), None) {
            Outcome::Acknowledged => "ok".to_owned(),
            Outcome::Retry { reason, .. } => format!("retry {}", reason.as_str()),
            Outcome::Refused { reason } => format!("refused {}", reason.as_str()),
        };
        assert_eq!(text, expected, "{status}");
    }
}

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    for (headers, seconds) in [("retry-after: 90\r\n", Some(90)), ("", None), ("retry-after: soon\r\n", None)]
    {
        for (status, reason) in [(429, Reason::Throttled), (503, Reason::ServerError)] {
            let expected = Outcome::Retry { reason, after: seconds.map(Duration::from_secs) };
            assert_eq!(
                attempt(answer(status, headers, "slow down")).await.outcome,
                expected,
                "{status} {headers}"
            );
        }
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = Receiver::start(vec![answer(200, "", "")]).await;
    let location = format!("location: {}/elsewhere\r\n", target.url);
    let answered = attempt(answer(307, &location, "")).await;
    assert_eq!(reason(&answered), Reason::Redirect);
    assert!(answered.detail.contains("hint: redirects are not followed"), "{}", answered.detail);
    assert!(target.requests().is_empty());
}

#[tokio::test]
async fn a_receiver_that_hangs_is_given_up_in_time() {
    let receiver = Receiver::start(vec![Act::Hang]).await;
    let answered = send_to(&Webhook { timeout: Duration::from_millis(200), ..config(&receiver.url) }).await;
    assert_eq!((reason(&answered), answered.detail.as_str()), (Reason::Timeout, "no answer within 200ms"));
}

#[tokio::test]
async fn broken_connections_and_nonsense_are_told_apart() {
    assert_eq!(reason(&attempt(Act::Reset).await), Reason::Connection);
    assert_eq!(reason(&attempt(Act::Send(String::new())).await), Reason::Connection);
    assert_eq!(reason(&attempt(Act::Send("HTTP/1.1 200 O".into())).await), Reason::Connection);
    assert_eq!(reason(&attempt(Act::Send("SSH-2.0-OpenSSH_9\r\n\r\n".into())).await), Reason::BadAnswer);
    let closed = Receiver::start(vec![Act::Hang]).await.url.replace("127.0.0.1", "127.0.0.2");
    assert_eq!(reason(&send_to(&config(&closed)).await), Reason::Connection);
}

#[tokio::test]
async fn a_success_counts_whatever_follows_it() {
    let truncated = Act::Send("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort".into());
    assert_eq!(attempt(truncated).await.outcome, Outcome::Acknowledged);
    let endless = Act::Send("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nnonsense".into());
    assert_eq!(attempt(endless).await.outcome, Outcome::Acknowledged);
}

#[tokio::test]
async fn a_huge_answer_is_not_read() {
    const HUGE: usize = 20 * 1024 * 1024;
    let receiver = Receiver::start(vec![Act::Flood(HUGE)]).await;
    assert_eq!(send_to(&config(&receiver.url)).await.outcome, Outcome::Acknowledged);
    let sent = receiver.flooded().await;
    assert!(sent < HUGE, "all {sent} bytes were taken");
}

#[tokio::test]
async fn a_header_that_is_none_and_a_url_that_is_none_are_explained() {
    let mut bad = config("http://127.0.0.1:1");
    bad.headers.insert("X-Team".into(), Secret::new("a\nb hunter2"));
    assert!(send_to(&bad).await.detail.contains("header"));
    let bad = Webhook { url: Secret::new("hunter2"), ..config("") };
    assert_eq!(reason(&send_to(&bad).await), Reason::Connection);
}
