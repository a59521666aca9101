//! The pages of alarms, of notifications and of the system: what they say without a script, and that whatever is hostile stays
//! text.

use std::sync::Arc;

use sqswatch::board::Board;
use sqswatch::clock;
use sqswatch::domain::alarm::{Alarm, AlarmKey, State, Subject, Transition};
use sqswatch::domain::hold::Hold;
use sqswatch::domain::notification::{Cause, Debt, Event, Notification};
use sqswatch::domain::outbox::Reason;
use sqswatch::domain::queue::Queue;
use sqswatch::domain::rule::Rule;
use sqswatch::domain::time::MINUTE;
use sqswatch::store::Batch;
use sqswatch::web::Web;

use super::client::Server;
use super::pages::text_of;
use super::{shop, world};

const HOSTILE: &str = "\"><script>alert(1)</script>\u{202e}🎉";

async fn text(web: Web, path: &str) -> String {
    let answer = Server::start(web).await.get(path).await;
    assert!(answer.text().contains("<!DOCTYPE html>"), "{path}: {}", answer.text());
    text_of(&answer)
}

fn shop() -> Web {
    world::web(shop::shop(clock::now())).0
}

#[track_caller]
fn contains(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "`{word}` is not in {text}");
    }
}

fn key(rule: &str, queue: &str) -> AlarmKey {
    AlarmKey { rule: rule.into(), subject: Subject::Queue(world::id(queue)) }
}

#[tokio::test]
async fn alarms_are_listed_worst_first_with_value_threshold_and_reason() {
    let text = text(shop(), "/alarms").await;
    contains(
        &text,
        &["In ALARM 3", "No data 1", "OK 8", "Alarms 12", "1,870 ≥ 1", "Threshold Crossed: 1 datapoint"],
    );
    let places: Vec<_> = ["orders-dlq.fifo", "shipping-dlq", "shipping-labels", "audit-events", "payments"]
        .iter()
        .map(|name| text.find(name).unwrap())
        .collect();
    assert!(places.is_sorted(), "{places:?} in {text}");
}

#[tokio::test]
async fn a_list_of_alarms_is_narrowed_by_its_address() {
    let server = Server::start(shop()).await;
    for (query, some, none) in [
        ("state=ALARM", "Alarms 3 of 12", "audit-events"),
        ("state=INSUFFICIENT_DATA", "Alarms 1 of 12", "shipping-dlq"),
        ("severity=critical&state=ALARM", "Alarms 2 of 12", "shipping-labels"),
        ("q=LABELS", "Alarms 1 of 12", "shipping-dlq"),
        ("q=oldest-message", "shipping-labels", "shipping-dlq"),
        ("state=nonsense", "No alarm is like that. Show all", "shipping-dlq"),
        ("by=rule", "Rules 2", "shipping-dlq"),
        ("by=rule&q=dlq", "Rules 1", "oldest-message"),
    ] {
        let text = text_of(&server.get(&format!("/alarms?{query}")).await);
        assert!(text.contains(some) && !text.contains(none), "{query}: {text}");
    }
    let by_rule = text_of(&server.get("/alarms?by=rule").await);
    contains(&by_rule, &["ALARM when messages_visible is ≥ 1 (Maximum over 1 min)."]);
}

#[tokio::test]
async fn tens_of_thousands_of_alarms_come_in_pages() {
    let server = Server::start(world::web(world::large(40_000)).0).await;
    let first = server.get("/alarms").await;
    assert!(first.body.len() < 150_000, "{} bytes", first.body.len());
    contains(&text_of(&first), &["Alarms 10,000", "Page 1 of 200 After"]);
    let last = text_of(&server.get("/alarms?page=9999").await);
    contains(&last, &["Before Page 200 of 200", "service-39996-events"]);
    let of_rule = text_of(&server.get("/alarms/dlq-not-empty?q=00400").await);
    contains(&of_rule, &["Alarms 1 of 10,000", "service-00400-events"]);
}

#[tokio::test]
async fn no_alarm_at_all_says_what_to_do() {
    let board = Board::default();
    world::health(&board);
    contains(
        &text(world::web(board).0, "/alarms").await,
        &["No alarm is configured", "the built-in set applies"],
    );
    let board = Board::default();
    board.configure(vec![world::rule()], MINUTE);
    contains(
        &text(world::web(board).0, "/alarms").await,
        &["Nothing is judged yet: the queues are not listed."],
    );
    let board = Board::default();
    board.configure(vec![world::rule()], MINUTE);
    world::health(&board);
    let web = world::web(board).0;
    contains(
        &text(web.clone(), "/alarms").await,
        &["none of them selects a queue that is watched", "Nothing is silenced."],
    );
    contains(&text(web, "/alarms/dlq-not-empty").await, &["This rule judges nothing at present"]);
}

/// A notification of the alarm on the shop's `shipping-dlq`.
fn notification(event: Event, rule: &Rule) -> Arc<Notification> {
    let now = clock::now();
    Arc::new(Notification {
        id: format!("sqw_{}", event.as_str()),
        event,
        alarm: key("dlq-not-empty", "shipping-dlq"),
        from: State::Ok,
        to: State::Alarm,
        since: now,
        fired_at: None,
        at: now,
        reason: "because".into(),
        value: Some(3.0),
        description: String::new(),
        cause: Cause::of(rule),
        severity: rule.severity,
        labels: [].into(),
        queue: None,
    })
}

/// The shop with a past: changes of one alarm, a delivered, a refused and a waiting notification.
fn with_a_past() -> Web {
    let web = shop();
    let now = clock::now();
    let change = |from, to, minutes_ago: u32, reason: &str| {
        let (since, at) = (now - MINUTE * (minutes_ago + 60), now - MINUTE * minutes_ago);
        (
            key("dlq-not-empty", "shipping-dlq"),
            Transition { from, to, since, at, reason: reason.into(), value: Some(1870.0) },
        )
    };
    let changes = vec![
        change(State::InsufficientData, State::Ok, 300, "settled"),
        change(State::Ok, State::Alarm, 200, HOSTILE),
    ];
    let rule = world::rule();
    let debt = |event| Debt { notification: notification(event, &rule), destinations: vec!["ops".into()] };
    let debts = vec![debt(Event::Firing), debt(Event::Repeated), debt(Event::Increased)];
    web.store.commit(&Batch { changes, debts, ..Batch::default() }, now).unwrap();
    let mut entries = web.store.pending("ops", 9).unwrap();
    for entry in &mut entries {
        entry.hear(HOSTILE);
    }
    web.store.acknowledge(&entries[0], now).unwrap();
    web.store.park(&entries[1], Reason::Denied, now).unwrap();
    entries[2].postpone(now + MINUTE);
    web.store.postpone(&entries[2]).unwrap();
    web
}

const ONE: &str = "/alarms/dlq-not-empty?queue=shipping-dlq&region=eu-west-1&account=123456789012";

#[tokio::test]
async fn one_alarm_is_told_with_its_past_and_what_was_sent() {
    let server = Server::start(with_a_past()).await;
    let answer = server.get(ONE).await;
    assert_eq!(answer.status, 200);
    let text = text_of(&answer);
    contains(
        &text,
        &[
            "dlq-not-empty on shipping-dlq",
            "Messages in a dead-letter queue need a person",
            "ALARM when messages_visible is ≥ 1 (Maximum over 1 min).",
            "Silence it",
            "1,870 fires at ≥ 1",
            "GreaterThanOrEqualToThreshold",
            "settled",
            "increased ops",
            "failed once , due",
            "firing ops",
            "delivered",
            "repeated ops",
            "given up : denied",
        ],
    );
    let html = answer.text();
    for part in [
        "aria-label=\"In ALARM once, for ",
        "href=\"/queues/shipping-dlq?region=eu-west-1&amp;account=123456789012\"",
        "href=\"/silence?alarm=dlq-not-empty&amp;queue=shipping-dlq&amp;region=eu-west-1\"",
        "range=7d\" data-soft",
    ] {
        assert!(html.contains(part), "{part} is not in {html}");
    }
    assert!(!html.contains("<script>alert"), "{html}");
    let week = server.get(&format!("{ONE}&range=7d")).await;
    assert!(week.text().contains("over the last 7 d."), "{}", week.text());
}

#[tokio::test]
async fn an_alarm_says_what_holds_it_back() {
    let web = shop();
    web.board.with_alarms_mut(|alarms| {
        let alarm = alarms.get_mut(&key("dlq-not-empty", "shipping-dlq")).unwrap();
        alarm.held = Some(Hold::Suppressor("deploying".into()));
        alarm.flaps.flapping = true;
    });
    let server = Server::start(web).await;
    let one = text_of(&server.get(ONE).await);
    contains(&one, &["Nobody is told at present", "Suppressed by deploying .", "It flaps"]);
    let list = text_of(&server.get("/alarms?state=ALARM").await);
    contains(&list, &["In ALARM, silenced 1", "suppressed flapping"]);
}

#[tokio::test]
async fn an_alarm_that_is_not_there_has_a_page_that_says_so() {
    let server = Server::start(shop()).await;
    for (path, status, words) in [
        ("/alarms/dlq-not-emtpy", 404, "Did you mean dlq-not-empty"),
        ("/alarms/dlq-not-empty?queue=shiping-dlq", 404, "Did you mean shipping-dlq"),
        ("/alarms/zzz%3Cscript%3E", 404, "There is no alarm of this name"),
        ("/alarms/dlq-not-empty?region=eu-west-1", 200, "Several alarms are meant"),
        ("/alarms/dlq-not-empty", 200, "Alarms 4"),
    ] {
        let answer = server.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        assert!(!answer.text().contains("<script>"), "{path}");
        contains(&text_of(&answer), &[words]);
    }
}

#[tokio::test]
async fn hostile_names_and_reasons_stay_text_on_every_page() {
    let board = Board::default();
    let rule = Rule {
        description: HOSTILE.into(),
        name: HOSTILE.into(),
        labels: [("a".to_owned(), HOSTILE.to_owned())].into(),
        ..world::rule()
    };
    board.configure(vec![rule], MINUTE);
    board.discovered(&world::target(), vec![Queue::new(world::id(HOSTILE), "http://x")]);
    board.update_target(&world::target(), |health| {
        health.skipped = [(HOSTILE.into(), sqswatch::board::Skip::Denied)].into();
        health.troubles = [("ListQueues", HOSTILE.to_owned())].into();
    });
    let alarm =
        Alarm { state: State::Alarm, reason: HOSTILE.into(), since: clock::now(), ..Alarm::default() };
    board.with_alarms_mut(|alarms| alarms.insert(key(HOSTILE, HOSTILE), alarm));
    let server = Server::start(world::web(board).0).await;
    let name = "%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E%E2%80%AE%F0%9F%8E%89";
    for path in [
        "/alarms".to_owned(),
        "/alarms?by=rule".to_owned(),
        format!("/alarms?q={name}&state={name}&severity={name}&page={name}&by={name}"),
        format!("/alarms/{name}"),
        format!("/alarms/{name}?queue={name}"),
        format!("/alarms/{name}?queue={name}x&region={name}"),
        format!(
            "/silence?alarm={name}&queue={name}&region={name}&reason={name}&until={name}&duration={name}"
        ),
        format!("/silence/{name}"),
        format!("/parked?destination={name}&sequence={name}"),
        format!("/notifications?destination={name}&alarm={name}&state={name}&after={name}"),
        "/system".to_owned(),
    ] {
        let answer = server.get(&path).await;
        let html = answer.text();
        assert!(html.contains("<!DOCTYPE html>"), "{path}: {html}");
        assert!(!html.contains("<script>") && !html.contains("alert(1)\""), "{path}: {html}");
        for rule in ["script-src 'self'", "form-action 'self'"] {
            assert!(answer.headers.contains(rule), "{path}: {}", answer.headers);
        }
        assert!(!html.contains(" style=") && !html.contains("javascript:"), "{path}");
    }
    contains(&text_of(&server.get("/alarms").await), &["In ALARM 1", "alert(1)"]);
}

#[tokio::test]
async fn notifications_tell_who_is_owed_what_and_what_came_back() {
    let server = Server::start(with_a_past()).await;
    let answer = server.get("/notifications").await;
    let text = text_of(&answer);
    contains(
        &text,
        &["ops sns 1", "failed once , due", "Given up 1", "Send again or drop", "Waiting", "Receipts"],
    );
    contains(&text, &["sqswatch outbox resend DESTINATION --all", "denied"]);
    assert!(!answer.text().contains("<script>alert"));
    for (query, some, none) in [
        ("state=parked", "Send again or drop", "Receipts"),
        ("state=pending", "increased", "Receipts"),
        ("state=delivered", "firing", "repeated"),
        ("state=not_delivered", "repeated", "firing"),
        ("destination=nobody", "None is like that", "Send again or drop"),
        ("alarm=another", "None is like that", "Send again or drop"),
    ] {
        let text = text_of(&server.get(&format!("/notifications?{query}")).await);
        assert!(text.contains(some) && !text.contains(none), "{query}: {text}");
    }
}

#[tokio::test]
async fn long_lists_of_receipts_go_on() {
    let web = shop();
    let rule = world::rule();
    for n in 0..60 {
        let mut one = Notification::clone(&notification(Event::Firing, &rule));
        one.id = format!("sqw_{n}");
        let debt = Debt { notification: one.into(), destinations: vec!["ops".into()] };
        web.store.commit(&Batch { debts: vec![debt], ..Batch::default() }, clock::now()).unwrap();
    }
    for entry in web.store.pending("ops", 99).unwrap() {
        web.store.acknowledge(&entry, clock::now()).unwrap();
    }
    let server = Server::start(web).await;
    let first = server.get("/notifications?state=delivered").await.text();
    let rest =
        first.split("rel=\"next\" href=\"").nth(1).unwrap().split('"').next().unwrap().replace("&amp;", "&");
    let last = server.get(&rest).await.text();
    let rows = |html: &str| html.matches("<th scope=\"row\">").count();
    assert_eq!((rows(&first) - 1, rows(&last) - 1), (50, 10), "one row is the destination's");
    assert!(!last.contains("rel=\"next\"") && last.contains("From the start"));
}

#[tokio::test]
async fn without_a_destination_the_page_says_how_to_have_one() {
    let (web, _) = world::web(world::small());
    contains(&text(web.clone(), "/notifications").await, &["Nothing was sent yet.", "sqswatch test-notify"]);
    let mut config = world::config();
    config.destinations.clear();
    web.config.store(config.into());
    contains(&text(web, "/notifications").await, &["Nobody is told of anything"]);
}

#[tokio::test]
async fn the_system_says_how_it_is_and_what_it_costs() {
    let (web, _) = world::web(world::small());
    let telemetry = &web.telemetry;
    telemetry.requests.with_label_values(&["sqs", "GetQueueAttributes", "eu-west-1"]).inc_by(1200);
    telemetry.failures.with_label_values(&["sqs", "GetQueueAttributes", "eu-west-1", "throttled"]).inc_by(3);
    telemetry.throttles.with_label_values(&["sqs", "eu-west-1"]).inc_by(3);
    telemetry.dollars.with_label_values(&["sqs"]).inc_by(0.5);
    telemetry.late.with_label_values(&["attributes"]).inc_by(2);
    telemetry.reload_at.set(1_767_323_045.0);
    let text = text(web, "/system").await;
    contains(
        &text,
        &[
            "Spent since the start $0.50",
            "Failed calls 3 3 throttled",
            "eu-west-1 account 123456789012",
            "2 queues are not watched",
            "not permitted",
            "sqs:GetQueueAttributes",
            "GetQueueAttributes sqs",
            "1,200 3 3 throttled",
            "the last reload was refused",
            "in memory: nothing is kept when the daemon ends",
            "attributes 2 times",
            "calls a dead man's switch",
            env!("CARGO_PKG_VERSION"),
        ],
    );
}
