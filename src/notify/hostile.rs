//! Receivers that mean harm, each kind of them: one attempt is bounded in time and memory, and tells no secret.

use std::sync::Arc;
use std::time::Duration;

use super::fixture::notification;
use super::fixture::receiver::{Act, Receiver as Peer, answer};
use super::{Answer, Receiver, http_client, send};
use crate::config::secret::Secret;
use crate::config::{PagerDuty, Slack, Teams};
use crate::domain::notification::Event;
use crate::domain::outbox::{Grouping, Outcome, Reason};

/// A part of each receiver's address or its key.
const SECRET: &str = "0123456789abcdefghijklmnopqrstuv";

/// One of each kind that talks to `peer`.
fn receivers(peer: &Peer, timeout: Duration) -> [Receiver; 3] {
    let client = http_client().unwrap();
    let url = Secret::new(format!("{}/hook/{SECRET}?sig={SECRET}", peer.url));
    [
        Receiver::PagerDuty(
            PagerDuty {
                routing_key: Secret::new(SECRET),
                url: peer.url.clone(),
                timeout,
                client_url: None,
                links: [].into(),
            },
            client.clone(),
        ),
        Receiver::Slack(
            Slack { url: url.clone(), timeout, mention: [].into(), grouping: Grouping::NONE },
            client.clone(),
        ),
        Receiver::Teams(Teams { url, timeout, grouping: Grouping::NONE }, client),
    ]
}

/// What each kind makes of `act`, and what was left of the peer.
async fn attempts(act: Act, timeout: Duration) -> Vec<(Answer, Peer)> {
    let mut answers = Vec::new();
    for kind in 0..3 {
        let peer = Peer::start(vec![act.clone()]).await;
        let told = [Arc::new(notification("dlq", Event::Firing, 0))];
        let answer = send(&receivers(&peer, timeout)[kind], &told).await;
        assert!(!answer.detail.contains(SECRET), "a secret is in `{}`", answer.detail);
        answers.push((answer, peer));
    }
    answers
}

fn reason(answer: &Answer) -> Reason {
    match answer.outcome {
        Outcome::Retry { reason, .. } => reason,
        _ => panic!("not to be tried again: {answer:?}"),
    }
}

#[tokio::test]
async fn silence_nonsense_and_broken_connections_are_tried_again() {
    let long = Duration::from_secs(20);
    for (act, expected) in [
        (Act::Reset, Reason::Connection),
        (Act::Send(String::new()), Reason::Connection),
        (Act::Send("HTTP/1.1 200 O".into()), Reason::Connection),
        (Act::Send("SSH-2.0-OpenSSH_9\r\n\r\n".into()), Reason::BadAnswer),
        (answer(500, "", ""), Reason::ServerError),
        (answer(308, "location: http://127.0.0.1:1/\r\n", ""), Reason::Redirect),
        (answer(401, "", SECRET), Reason::Denied),
        (answer(429, "retry-after: 240\r\n", SECRET), Reason::Throttled),
    ] {
        for (answer, _) in attempts(act.clone(), long).await {
            assert_eq!(reason(&answer), expected, "{act:?}: {}", answer.detail);
            if expected == Reason::Throttled {
                let Outcome::Retry { after, .. } = answer.outcome else { unreachable!() };
                assert_eq!(after, Some(Duration::from_secs(240)));
            }
        }
    }
    for (answer, _) in attempts(Act::Hang, Duration::from_millis(200)).await {
        assert_eq!((reason(&answer), answer.detail.as_str()), (Reason::Timeout, "no answer within 200ms"));
    }
}

#[tokio::test]
async fn a_huge_answer_is_not_read_and_no_success() {
    const HUGE: usize = 100 * 1024 * 1024;
    for (answer, peer) in attempts(Act::Flood(HUGE), Duration::from_secs(20)).await {
        assert_eq!(reason(&answer), Reason::BadAnswer, "{answer:?}");
        let sent = peer.flooded().await;
        assert!(sent < HUGE / 2, "{sent} bytes were taken");
    }
}

#[tokio::test]
async fn an_answer_that_comes_byte_by_byte_ends_with_the_time_out() {
    let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n5";
    for (answer, _) in attempts(Act::Drip(head.into()), Duration::from_millis(500)).await {
        assert!(matches!(reason(&answer), Reason::BadAnswer | Reason::Timeout), "{answer:?}");
    }
}
