//! Real requests at scripted receivers: what is sent, and what each answer means.

use std::time::Duration;

use super::*;
use crate::config::secret::Secret;
use crate::config::template::Template;
use crate::domain::notification::Event;
use crate::domain::outbox::{Outcome, Reason};
use crate::notify::fixture::notification;
use crate::notify::fixture::receiver::{Act, Receiver, answer};
use crate::notify::http_client;

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn config(url: &str) -> Webhook {
    formatted(url, Format::Sqswatch)
}

fn formatted(url: &str, format: Format) -> Webhook {
    Webhook {
        url: Secret::new(format!("{url}/hook?token=hunter2")),
        secrets: vec![Secret::new(KEY), Secret::new("older")],
        headers: [("Authorization".to_owned(), Secret::new("Bearer hunter2"))].into(),
        timeout: Duration::from_secs(20),
        format,
        tls: None,
    }
}

fn hook(config: &Webhook) -> Hook {
    Hook {
        name: "bridge".into(),
        config: config.clone(),
        client: http_client().unwrap(),
        links: Links::default(),
        template_failures: IntCounter::new("failures", "of templates").unwrap(),
    }
}

async fn send_to(config: &Webhook) -> Answer {
    let answer = send(&hook(config), &notification("dlq", Event::Firing, 0)).await;
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

#[tokio::test]
async fn a_receiver_that_asks_for_time_gets_it() {
    let far = 1 << 40;
    let forever = format!("retry-after: {far}\r\n");
    let cases = [
        ("retry-after: 90\r\n", Some(90)),
        ("retry-after: Thu, 01 Jan 1970 00:00:00 GMT\r\n", Some(0)),
        (forever.as_str(), Some(far)),
        ("", None),
        ("retry-after: soon\r\n", None),
        ("retry-after: -5\r\n", None),
        ("retry-after: \u{fc}\r\n", None),
        ("retry-after: 1e3\r\n", None),
    ];
    for (headers, seconds) in cases {
        for (status, reason) in [
            (429, Reason::Throttled),
            (502, Reason::ServerError),
            (503, Reason::ServerError),
            (504, Reason::ServerError),
        ] {
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
async fn an_answer_that_drips_is_given_up_in_time_and_one_that_was_given_counts_though_its_body_drips() {
    let receiver = Receiver::start(vec![Act::Drip("HTTP/1.1 200 OK\r\n".into())]).await;
    let answered = send_to(&Webhook { timeout: Duration::from_millis(300), ..config(&receiver.url) }).await;
    assert_eq!(reason(&answered), Reason::Timeout);
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n".to_owned();
    assert_eq!(attempt(Act::Drip(head)).await.outcome, Outcome::Acknowledged);
}

#[tokio::test]
async fn alertmanager_s_format_and_a_template_are_sent_and_signed() {
    let receiver = Receiver::start(vec![answer(204, "", "")]).await;
    let template = |source: &str| Template::new(source.into(), "text/markdown").unwrap();
    for format in [Format::Alertmanager, Format::Template(template("# {{ headline }}"))] {
        assert_eq!(send_to(&formatted(&receiver.url, format)).await.outcome, Outcome::Acknowledged);
    }
    let [alertmanager, templated] = receiver.requests().try_into().unwrap();
    assert_eq!(alertmanager.headers["content-type"], "application/json");
    let body: serde_json::Value = serde_json::from_str(&alertmanager.body).unwrap();
    assert_eq!((&body["version"], &body["receiver"]), (&"4".into(), &"bridge".into()));
    assert_eq!(templated.headers["content-type"], "text/markdown");
    assert_eq!(templated.body, "# ALARM: dlq on orders-dlq (us-east-1)");
    let (id, seconds) =
        (&templated.headers["webhook-id"], templated.headers["webhook-timestamp"].parse().unwrap());
    let signed = signature::sign(&config("").secrets, id, seconds, &templated.body);
    assert_eq!(templated.headers["webhook-signature"], signed);
}

#[tokio::test]
async fn a_template_that_fails_is_counted_and_the_plain_text_goes_out() {
    let receiver = Receiver::start(vec![answer(204, "", "")]).await;
    // Its samples were never tried, as if a kind of notification had none.
    let template = Template::new("{{ nothing.at.all }}".into(), "application/json").unwrap();
    let hook = hook(&formatted(&receiver.url, Format::Template(template)));
    let notification = notification("dlq", Event::Firing, 0);
    assert_eq!(send(&hook, &notification).await.outcome, Outcome::Acknowledged);
    assert_eq!(hook.template_failures.get(), 1);
    let request = &receiver.requests()[0];
    assert_eq!(request.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(request.body, text::long(&notification).trim_end_matches('\0'));
}

#[test]
fn ten_megabytes_of_labels_are_left_out_of_our_json() {
    let mut alarm = notification("dlq", Event::Firing, 0);
    alarm.labels = (0..1000).map(|number| (format!("l{number}"), "ü".repeat(5_000))).collect();
    let config = config("http://127.0.0.1:1");
    for format in [Format::Sqswatch, Format::Alertmanager] {
        let hook = hook(&Webhook { format, ..config.clone() });
        let (body, _) = content(&hook, &alarm);
        assert!(body.len() <= BODY_BYTES, "{} bytes", body.len());
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert!(body.to_string().contains("orders-dlq"));
    }
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
