//! The JSON interface as docs/http.md shows it.

use serde_json::json;
use sqswatch::domain::hold::Hold;
use sqswatch::domain::time::MINUTE;
use sqswatch::store::Batch;

use super::client::Server;
use super::world;

#[tokio::test]
async fn queues_are_listed_with_all_that_is_known_and_filtered() {
    let server = Server::start(world::web(world::small()).0).await;
    let all = server.get("/api/v1/queues").await.json();
    let names = |json: &serde_json::Value| -> Vec<String> {
        let queues = json["queues"].as_array().unwrap();
        queues.iter().map(|queue| queue["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&all), ["orders-dlq.fifo", "orders.fifo", "unread"]);
    assert_eq!(all["targets"][0]["skipped"], json!({"old-scratch": "excluded", "secret": "denied"}));
    assert_eq!(all["targets"][0]["watched"], 3);

    for (query, expected) in [
        ("?role=dead_letter", vec!["orders-dlq.fifo"]),
        ("?name=orders*", vec!["orders-dlq.fifo", "orders.fifo"]),
        ("?name=orders*&role=source", vec!["orders.fifo"]),
        ("?region=us-east-1", vec![]),
        ("?account=123456789012&name=un%3Fead", vec!["unread"]),
    ] {
        assert_eq!(names(&server.get(&format!("/api/v1/queues{query}")).await.json()), expected, "{query}");
    }
    for (query, word) in [("?role=boss", "not_dead_letter"), ("?nmae=x", "nmae")] {
        let refused = server.get(&format!("/api/v1/queues{query}")).await;
        assert_eq!(refused.status, 400);
        assert!(refused.text().contains(word), "{}", refused.text());
    }
}

#[tokio::test]
async fn one_queue_is_shown_whole() {
    let server = Server::start(world::web(world::small()).0).await;
    let queue = server.get("/api/v1/queues/orders.fifo").await.json();
    assert_eq!(queue["dead_letter_queue"], "orders-dlq.fifo");
    assert_eq!((&queue["kind"], &queue["role"]), (&json!("fifo"), &json!("source")));
    assert_eq!(queue["metrics"]["messages_visible"], 1200.0);
    assert_eq!(queue["metrics"]["messages_sent"], 1234.0);
    assert!(queue["metrics"]["empty_receives"].is_null(), "unknown is absent");
    assert_eq!(queue["tags"]["Team"], "second");
    assert_eq!(queue["last_readings"]["attributes"], "2026-01-02T03:04:05Z");

    let dead = server.get("/api/v1/queues/orders-dlq.fifo").await.json();
    assert_eq!(dead["sources"], json!(["orders.fifo"]));
    assert_eq!(dead["alarms"][0]["state"], "ALARM");
    assert_eq!(dead["alarms"][0]["rule"]["threshold"], 1.0);

    let missing = server.get("/api/v1/queues/nobody").await;
    assert_eq!(missing.status, 404);
    assert!(missing.json()["error"].as_str().unwrap().contains("`nobody`"));
}

#[tokio::test]
async fn the_history_of_a_queue_is_told_and_what_is_not_known_is_null() {
    let server = Server::start(world::web(world::small()).0).await;
    // NOW is 03:04:05; CloudWatch's minute is 03:01.
    let minute = 1_767_322_860;
    let path = "/api/v1/queues/orders.fifo/history?from=2026-01-02T03:01:00Z&until=1767323100";
    let told = server.get(path).await.json();
    assert_eq!(
        (&told["from"], &told["until"]),
        (&json!("2026-01-02T03:01:00Z"), &json!("2026-01-02T03:05:00Z"))
    );
    assert_eq!((&told["step_seconds"], &told["source"]), (&json!(60), &json!("daemon")));
    assert!(told.get("note").is_none());
    let points = |values: [Option<f64>; 4]| {
        json!((0..4).map(|n| json!([minute + n * 60, values[n as usize]])).collect::<Vec<_>>())
    };
    for (metric, values) in [
        ("messages_visible", [None, None, None, Some(1200.0)]),
        ("messages_delayed", [None, None, None, Some(0.0)]),
        ("oldest_message_age", [Some(86_400.0), None, None, None]),
        ("messages_sent", [Some(1234.0), None, None, None]),
        ("messages_received", [None; 4]),
        ("dead_letters", [None; 4]),
    ] {
        assert_eq!(told["metrics"][metric], points(values), "{metric}");
    }
    assert_eq!(told["metrics"].as_object().unwrap().len(), 9);

    let week = "/api/v1/queues/orders.fifo/history?from=1766718300&until=1767323100&metric=messages_sent,messages_visible";
    let told = server.get(week).await.json();
    assert_eq!(told["step_seconds"], 30 * 60);
    assert_eq!(told["metrics"].as_object().unwrap().len(), 2);
    let sent = told["metrics"]["messages_sent"].as_array().unwrap();
    assert_eq!((sent.len(), &sent[336]), (337, &json!([1_767_322_800, 1234.0])), "a sum is per minute");

    let usual = server.get("/api/v1/queues/unread/history").await.json();
    let points = usual["metrics"]["messages_visible"].as_array().unwrap();
    assert!((180..=181).contains(&points.len()) && points.iter().all(|point| point[1].is_null()));
}

#[tokio::test]
async fn a_history_that_cannot_be_told_is_refused_with_a_hint() {
    let server = Server::start(world::web(world::small()).0).await;
    for (path, status, word) in [
        ("nobody/history", 404, "no watched queue is named `nobody`"),
        ("unread/history?region=mars", 404, "no watched queue"),
        ("unread/history?from=yesterday", 400, "`from` is no instant"),
        ("unread/history?from=NaN", 400, "`from` is no instant"),
        ("unread/history?until=1e300", 400, "`until` is no instant"),
        ("unread/history?from=-1", 400, "`from` is no instant"),
        ("unread/history?from=2026-01-02T03:04:05+01:00", 400, "`from` is no instant"),
        ("unread/history?from=10&until=10", 400, "is not before"),
        ("unread/history?from=2099-01-01T00:00:00Z", 400, "is not before"),
        ("unread/history?metric=messages_visible,depth", 400, "no history is kept of `depth`"),
        ("unread/history?metric=retention", 400, "no history is kept of `retention`"),
        ("unread/history?metric=", 400, "no history is kept of ``"),
        ("unread/history?step=60", 400, "step"),
    ] {
        let refused = server.get(&format!("/api/v1/queues/{path}")).await;
        assert_eq!(refused.status, status, "{path}");
        let fault = refused.json();
        assert!(fault["error"].as_str().unwrap().contains(word), "{path}: {fault}");
        assert!(!fault["hint"].as_str().unwrap().is_empty());
    }
    let long = server.get("/api/v1/queues/unread/history?from=0&until=253402300799").await.json();
    assert!(long["metrics"]["messages_visible"].as_array().unwrap().len() <= 500);
}

#[tokio::test]
async fn a_name_in_two_regions_must_be_told_apart() {
    use sqswatch::domain::queue::{Queue, QueueId};
    let board = world::small();
    let other = QueueId::new(world::ACCOUNT, "us-east-1", "unread");
    let target = sqswatch::board::Target { region: "us-east-1".into(), role_arn: None };
    board.discovered(&target.into(), vec![Queue::new(other, "http://x")]);
    let server = Server::start(world::web(board).0).await;
    assert_eq!(server.get("/api/v1/queues/unread").await.status, 409);
    assert_eq!(server.get("/api/v1/queues/unread/history").await.status, 409);
    let one = server.get("/api/v1/queues/unread?region=us-east-1").await.json();
    assert_eq!(one["region"], "us-east-1");
}

#[tokio::test]
async fn alarms_are_listed_worst_first_and_by_state() {
    let server = Server::start(world::web(world::small()).0).await;
    let all = server.get("/api/v1/alarms").await.json();
    assert_eq!(all["alarms"][0]["queue"], "orders-dlq.fifo");
    assert_eq!(all["alarms"][1]["custom_metric"], "processing_latency");
    let ok = server.get("/api/v1/alarms?state=OK").await.json();
    assert_eq!(ok, json!({"alarms": []}));
    assert_eq!(server.get("/api/v1/alarms?state=ok").await.status, 400);
}

#[tokio::test]
async fn notifications_show_every_destination() {
    let server = Server::start(world::web(world::small()).0).await;
    let json = server.get("/api/v1/notifications").await.json();
    assert_eq!(json, json!({"outbox": [{"destination": "ops", "pending": 0, "parked": 0}], "recent": []}));
}

#[tokio::test]
async fn a_reload_needs_the_token_and_tells_how_it_went() {
    let (web, mut reloads) = world::web(world::small());
    let server = Server::start(web.clone()).await;
    for header in [None, Some("Bearer wrong"), Some("correct-horse-battery"), Some("Bearer ")] {
        let headers: Vec<_> = header.map(|value| ("authorization", value)).into_iter().collect();
        let refused = server.send("POST", "/-/reload", &headers).await;
        assert_eq!(refused.status, 403, "{header:?}");
        assert!(!refused.text().contains(world::TOKEN));
    }
    assert!(reloads.try_recv().is_err(), "nothing was started");

    tokio::spawn(async move {
        for answer in [Ok(()), Err("`alarms[0].period`: 7 s is not a period".to_owned())] {
            reloads.recv().await.unwrap().send(answer).unwrap();
        }
    });
    let bearer = format!("Bearer {}", world::TOKEN);
    let taken = server.send("POST", "/-/reload", &[("authorization", &bearer)]).await;
    assert_eq!((taken.status, taken.json()), (200, json!({"reloaded": true})));
    let faulty = server.send("POST", "/-/reload", &[("authorization", &bearer)]).await;
    assert_eq!(faulty.status, 422);
    assert!(faulty.json()["error"].as_str().unwrap().contains("alarms[0].period"));

    let mut without = world::config();
    without.web.token = None;
    web.config.store(without.into());
    let off = server.send("POST", "/-/reload", &[("authorization", &bearer)]).await;
    assert_eq!(off.status, 403);
    assert!(off.json()["hint"].as_str().unwrap().contains("web.token"));
}

#[tokio::test]
async fn an_alarm_says_what_holds_it_and_that_it_flaps() {
    let board = world::small();
    board.with_alarms_mut(|alarms| {
        for alarm in alarms.values_mut() {
            alarm.held = Some(Hold::Suppressor("deploying".into()));
            alarm.flaps.flapping = true;
        }
    });
    let server = Server::start(world::web(board).0).await;
    let alarms = server.get("/api/v1/alarms").await.json();
    let alarm = &alarms["alarms"][0];
    assert_eq!(alarm["held"], json!({"kind": "suppressor", "by": "deploying"}));
    assert_eq!(alarm["flapping"], true);
    let quiet = Server::start(world::web(world::small()).0).await.get("/api/v1/alarms").await.json();
    assert!(quiet["alarms"][0].get("held").is_none() && quiet["alarms"][0].get("flapping").is_none());
    let metrics = server.get("/metrics").await.text();
    assert!(
        metrics.lines().any(|line| line.starts_with("sqswatch_alarms_flapping ") && !line.ends_with(" 0"))
    );
}

/// A web over the small board, with a past of the alarm on the dead-letter queue.
fn with_a_past() -> sqswatch::web::Web {
    use sqswatch::domain::alarm::{AlarmKey, State, Subject, Transition};
    let (web, _) = world::web(world::small());
    let key = |name: &str| AlarmKey { rule: world::rule().name, subject: Subject::Queue(world::id(name)) };
    let transition = |from, to, minutes_ago: u32, reason: &str| Transition {
        from,
        to,
        since: world::NOW - MINUTE * (minutes_ago + 5),
        at: world::NOW - MINUTE * minutes_ago,
        reason: reason.into(),
        value: Some(f64::from(minutes_ago)),
    };
    let changes = vec![
        (key("orders-dlq.fifo"), transition(State::InsufficientData, State::Ok, 9, "settled")),
        (key("orders-dlq.fifo"), transition(State::Ok, State::Alarm, 3, "<b>3</b> \u{202e}dead letters")),
        (key("another"), transition(State::Ok, State::Alarm, 1, "another")),
    ];
    web.store.commit(&Batch { changes, ..Batch::default() }, world::NOW).unwrap();
    web
}

#[tokio::test]
async fn one_alarm_is_shown_with_its_past() {
    let server = Server::start(with_a_past()).await;
    let alarm = server.get("/api/v1/alarms/dlq-not-empty?queue=orders-dlq.fifo").await.json();
    assert_eq!((&alarm["state"], &alarm["rule"]["threshold"]), (&json!("ALARM"), &json!(1.0)));
    let newest = json!({
        "from": "OK", "to": "ALARM", "since": "2026-01-02T02:56:05Z", "at": "2026-01-02T03:01:05Z",
        "reason": "<b>3</b> \u{202e}dead letters", "value": 3.0,
    });
    assert_eq!(alarm["history"][0], newest);
    assert_eq!((alarm["history"].as_array().unwrap().len(), &alarm["history"][1]["to"]), (2, &json!("OK")));
    assert_eq!((&alarm["owed"], &alarm["notifications"]), (&json!([]), &json!([])));

    let custom = server.get("/api/v1/alarms/dlq-not-empty?metric=processing_latency").await.json();
    assert_eq!((&custom["custom_metric"], &custom["history"]), (&json!("processing_latency"), &json!([])));
}

#[tokio::test]
async fn an_alarm_that_is_not_found_or_not_alone_is_told_apart() {
    let server = Server::start(with_a_past()).await;
    for (path, status, words) in [
        ("dlq-not-emtpy", 404, "did you mean `dlq-not-empty`?"),
        ("zzz", 404, "there is no alarm `zzz`"),
        ("%00%3Cscript%3E", 404, "there is no alarm"),
        ("dlq-not-empty?queue=orders-dlq", 404, "did you mean `orders-dlq.fifo`?"),
        ("dlq-not-empty?queue=processing_latency", 404, "did you mean `processing_latency`?"),
        ("dlq-not-empty?queue=orders-dlq.fifo&region=us-east-1", 404, "judges nothing of the kind"),
        ("dlq-not-empty", 409, "judges 2 things that fit"),
        (
            "dlq-not-empty",
            409,
            "`123456789012/eu-west-1/orders-dlq.fifo`, `123456789012/eu-west-1/processing_latency`",
        ),
        ("dlq-not-empty?nmae=x", 400, "nmae"),
    ] {
        let refused = server.get(&format!("/api/v1/alarms/{path}")).await;
        assert_eq!(refused.status, status, "{path}");
        assert!(refused.text().contains(words), "{path}: {}", refused.text());
    }
}
