//! The forms that change something: silencing, ending a silence, sending again and dropping what was given up.

use std::time::Duration;

use sqswatch::clock;
use sqswatch::domain::alarm::{AlarmKey, State, Subject};
use sqswatch::domain::notification::{Cause, Debt, Event, Notification};
use sqswatch::domain::outbox::Reason;
use sqswatch::store::{Batch, Wanted};
use sqswatch::web::Web;

use super::client::{Answer, Server};
use super::pages::text_of;
use super::world;

async fn start() -> (Server, Web) {
    let (web, _) = world::web(world::small());
    (Server::start(web.clone()).await, web)
}

/// Sends a form as a browser does.
async fn post(server: &Server, path: &str, fields: &[(&str, &str)]) -> Answer {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    post_raw(server, path, &body).await
}

async fn post_raw(server: &Server, path: &str, body: &str) -> Answer {
    let head = format!("POST {path} HTTP/1.1\r\nhost: sqswatch\r\nconnection: close\r\n");
    let kind = "content-type: application/x-www-form-urlencoded\r\n";
    server.raw(format!("{head}{kind}content-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
}

const GOOD: [(&str, &str); 6] = [
    ("alarm", "dlq-not-empty"),
    ("queue", "orders-dlq*"),
    ("labels", "region=eu-west-1\r\n"),
    ("duration", "4h"),
    ("reason", "redriving"),
    ("author", "ana"),
];

/// The good form with other values of some fields.
fn with<'a>(other: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    [&GOOD[..], &[("token", world::TOKEN)], other].concat()
}

#[tokio::test]
async fn the_form_is_filled_in_as_its_link_says() {
    let (server, _) = start().await;
    let path = "/silence?alarm=dlq-not-empty&queue=orders-dlq.fifo&region=eu-west-1";
    let headers = [("referer", "http://sqswatch/alarms/dlq-not-empty?queue=orders-dlq.fifo")];
    let answer = server.send("GET", path, &headers).await;
    let html = answer.text();
    for part in [
        "name=\"alarm\" value=\"dlq-not-empty\"",
        "name=\"queue\" value=\"orders-dlq.fifo\"",
        ">region=eu-west-1</textarea>",
        "type=\"password\" name=\"token\" autocomplete=\"current-password\"",
        "name=\"duration\" value=\"1h\" checked",
        "name=\"back\" value=\"/alarms/dlq-not-empty?queue=orders-dlq.fifo\"",
        "sqswatch silence add --alarm dlq-not-empty --queue orders-dlq.fifo --label region=eu-west-1 --for 1h",
        "means 1 alarm at present, 1 in ALARM",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    assert!(
        !html.contains("data-view") && !html.contains("http-equiv"),
        "nothing changes under somebody who types"
    );
    assert!(!html.contains(world::TOKEN));
}

#[tokio::test]
async fn a_silence_is_made_by_a_form_shown_and_ended_by_another() {
    let (server, web) = start().await;
    let made =
        post(&server, "/silence", &with(&[("back", "/alarms/dlq-not-empty?queue=orders-dlq.fifo")])).await;
    assert_eq!(made.status, 303, "{}", made.text());
    assert!(
        made.headers.contains("location: /alarms/dlq-not-empty?queue=orders-dlq.fifo#silenced"),
        "{}",
        made.headers
    );
    let silence = web.store.silences().unwrap().remove(0);
    assert_eq!((silence.reason.as_str(), silence.author.as_str()), ("redriving", "ana"));
    assert_eq!(silence.ends.since(silence.starts), Duration::from_secs(4 * 3600));
    assert_eq!(silence.matchers.to_string(), "alarm dlq-not-empty, queue orders-dlq*, region=eu-west-1");

    let one = server.get("/alarms/dlq-not-empty?queue=orders-dlq.fifo").await;
    let text = text_of(&one);
    assert!(text.contains("Silenced until") && text.contains("by ana : redriving"), "{text}");
    let ending = format!("/silence/{}", silence.id);
    assert!(one.text().contains(&format!("href=\"{ending}\"")));
    let list = text_of(&server.get("/alarms").await);
    assert!(
        list.contains("alarm dlq-not-empty, queue orders-dlq*, region=eu-west-1") && list.contains("End it"),
        "{list}"
    );
    assert!(list.contains("In ALARM, silenced 1"), "{list}");

    let form = server.get(&ending).await;
    assert!(form.status == 200 && text_of(&form).contains("redriving"), "{}", form.text());
    let wrong = post(&server, &ending, &[("token", "wrong")]).await;
    assert!(wrong.status == 403 && wrong.text().contains("the token is missing or wrong"));
    let ended = post(&server, &ending, &[("token", world::TOKEN), ("back", "//evil.example")]).await;
    assert!(ended.status == 303 && ended.headers.contains("location: /alarms#silenced"), "{}", ended.headers);
    let again = post(&server, &ending, &[("token", world::TOKEN)]).await;
    assert!(again.status == 409 && again.text().contains("is over since"), "{}", again.text());
    assert_eq!(server.get("/silence/nobody").await.status, 404);
    assert_eq!(post(&server, "/silence/nobody", &[("token", world::TOKEN)]).await.status, 404);
    assert!(text_of(&server.get("/alarms").await).contains("Nothing is silenced."));
}

#[tokio::test]
async fn until_a_time_is_in_utc() {
    let (server, web) = start().await;
    let ends = clock::now() + Duration::from_secs(86_400);
    let until = ends.to_string()[..16].to_owned();
    let made = post(&server, "/silence", &with(&[("duration", "until"), ("until", &until)])).await;
    assert_eq!(made.status, 303, "{}", made.text());
    assert_eq!(web.store.silences().unwrap()[0].ends.to_string(), format!("{until}:00Z"));
}

#[tokio::test]
async fn every_fault_is_told_at_its_field_and_nothing_is_lost_but_the_token() {
    let (server, web) = start().await;
    let long = "x".repeat(2000);
    for (other, field, words) in [
        (vec![("reason", "")], "reason", "is empty"),
        (vec![("reason", "two\nlines")], "reason", "control characters"),
        (vec![("author", &*long)], "author", "2000 characters long"),
        (vec![("duration", "soon")], "duration", "choose for how long"),
        (vec![("duration", "until")], "until", "say until when, in UTC"),
        (vec![("duration", "until"), ("until", "2001-01-01T00:00")], "until", "has passed"),
        (vec![("duration", "until"), ("until", "<b>")], "until", "RFC 3339"),
        (vec![("labels", "nonsense")], "labels", "nonsense"),
        (vec![("labels", "severity=bad")], "labels", "severity"),
        (vec![("labels", "<b>=x")], "labels", "is no label name"),
        (vec![("alarm", ""), ("queue", ""), ("labels", "")], "alarm", "say which alarms are meant"),
        (vec![("alarm", &*long)], "alarm", "2000 characters long"),
        (vec![("token", "wrong")], "token", "the token is missing or wrong"),
    ] {
        let answer = post(&server, "/silence", &with(&other)).await;
        let html = answer.text();
        assert_eq!(answer.status, if field == "token" { 403 } else { 400 }, "{other:?}: {html}");
        let (_, rest) = html.split_once("class=\"fault\"").unwrap_or_else(|| panic!("{other:?}: {html}"));
        let fault = rest.split("</p>").next().unwrap();
        assert!(fault.contains(words), "{other:?}: {fault}");
        let before = html.split("class=\"fault\"").next().unwrap();
        let name = before.rsplit("name=\"").next().unwrap().split('"').next().unwrap();
        assert_eq!(name, field, "{other:?}: the fault is at another field");
        if field != "author" {
            assert!(html.contains("value=\"ana\""), "what was typed is kept: {html}");
        }
        assert!(!html.contains(world::TOKEN) && !html.contains("value=\"wrong\""), "{html}");
        assert!(!html.contains("<b>\"") && !html.contains("data-view"), "{html}");
    }
    let all = post(&server, "/silence", &[("token", "wrong"), ("duration", "1h")]).await;
    assert_eq!(
        all.text().matches("class=\"fault\"").count(),
        4,
        "alarm, reason, author and token: {}",
        all.text()
    );
    assert!(web.store.silences().unwrap().is_empty() && web.board.silences().silences.is_empty());
}

#[tokio::test]
async fn a_body_that_is_huge_or_nonsense_changes_nothing() {
    let (server, web) = start().await;
    let huge = format!("token={}&reason={}", world::TOKEN, "x".repeat(70_000));
    for path in ["/silence", "/silence/x", "/parked"] {
        let refused = post_raw(&server, path, &huge).await;
        assert_eq!(refused.status, 413, "{path}");
        assert!(
            !refused.text().contains(world::TOKEN) && refused.text().contains("64 KiB"),
            "{}",
            refused.text()
        );
        for body in ["", "&&&", "%", "=", "token", "\u{0}\u{1}"] {
            let refused = post_raw(&server, path, body).await;
            assert_eq!(refused.status, 403, "{path} {body:?}");
        }
    }
    assert!(web.store.silences().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_token_in_the_configuration_the_form_says_how_to_set_it() {
    let (server, web) = start().await;
    let mut config = world::config();
    config.web.token = None;
    web.config.store(config.into());
    let html = server.get("/silence?alarm=dlq-not-empty").await.text();
    assert!(
        html.contains("The configuration has no <code>web.token</code>")
            && !html.contains("type=\"password\""),
        "{html}"
    );
    assert!(html.contains("sqswatch silence add --alarm dlq-not-empty"), "{html}");
    for path in ["/silence", "/silence/x", "/parked"] {
        assert_eq!(post(&server, path, &with(&[])).await.status, 403);
    }
    assert!(web.store.silences().unwrap().is_empty());
}

/// A web with one notification that was given up, and its number.
fn given_up() -> (Web, u64) {
    let (web, _) = world::web(world::small());
    let now = clock::now();
    let alarm = AlarmKey { rule: world::rule().name, subject: Subject::Queue(world::id("orders-dlq.fifo")) };
    let notification = Notification {
        id: "sqw_1".into(),
        event: Event::Resolved,
        alarm,
        from: State::Alarm,
        to: State::Ok,
        since: now,
        fired_at: None,
        at: now,
        reason: String::new(),
        value: None,
        description: String::new(),
        cause: Cause::of(&world::rule()),
        severity: world::rule().severity,
        labels: [].into(),
        queue: None,
    };
    let debts = vec![Debt { notification: notification.into(), destinations: vec!["ops".into()] }];
    web.store.commit(&Batch { debts, ..Batch::default() }, now).unwrap();
    let entry = web.store.pending("ops", 1).unwrap().remove(0);
    web.store.park(&entry, Reason::Denied, now).unwrap();
    (web, entry.sequence)
}

fn count(web: &Web) -> (usize, usize) {
    let parked = web.store.parked(&Wanted { limit: 9, ..Wanted::default() }).unwrap();
    (web.store.pending("ops", 9).unwrap().len(), parked.len())
}

#[tokio::test]
async fn what_was_given_up_is_sent_again_or_dropped_by_a_form() {
    for (action, left) in [("resend", (1, 0)), ("drop", (0, 0))] {
        for all in [false, true] {
            let (web, sequence) = given_up();
            let server = Server::start(web.clone()).await;
            let sequence = if all { String::new() } else { sequence.to_string() };
            let form = server.get(&format!("/parked?destination=ops&sequence={sequence}")).await;
            assert_eq!(form.status, 200);
            assert!(
                text_of(&form).contains("OK: dlq-not-empty on orders-dlq.fifo (eu-west-1)"),
                "{}",
                form.text()
            );
            let fields = [("destination", "ops"), ("sequence", &*sequence), ("do", action)];
            let refused = post(&server, "/parked", &fields).await;
            assert_eq!((refused.status, count(&web)), (403, (0, 1)), "without the token");
            let fields = [&fields[..], &[("token", world::TOKEN)]].concat();
            let done = post(&server, "/parked", &fields).await;
            assert!(
                done.status == 303 && done.headers.contains("location: /notifications"),
                "{}",
                done.text()
            );
            assert_eq!(count(&web), left, "{action}");
            assert_eq!(post(&server, "/parked", &fields).await.status, 404, "it is gone");
        }
    }
}

#[tokio::test]
async fn a_form_of_what_was_given_up_refuses_nonsense() {
    let (web, _) = given_up();
    let server = Server::start(web.clone()).await;
    let token = ("token", world::TOKEN);
    for (fields, status) in [
        (vec![token, ("destination", "ops"), ("sequence", "x"), ("do", "drop")], 404),
        (vec![token, ("destination", "ops"), ("do", "dance")], 400),
        (vec![token, ("destination", "ops")], 400),
        (vec![token, ("destination", "nobody"), ("do", "resend")], 404),
        (vec![token, ("destination", "nobody"), ("do", "drop")], 404),
    ] {
        let answer = post(&server, "/parked", &fields).await;
        assert_eq!(answer.status, status, "{fields:?}: {}", answer.text());
    }
    assert_eq!(server.get("/parked").await.status, 404);
    assert_eq!(count(&web), (0, 1));
}
