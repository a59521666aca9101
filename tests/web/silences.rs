//! Silences over HTTP: made, shown, ended; refused in every way.

use serde_json::{Value, json};
use sqswatch::board::Board;
use sqswatch::domain::alarm::{Alarm, AlarmKey, Subject};
use sqswatch::domain::maintenance::{Schedule, Span, Window};
use sqswatch::domain::rule::Glob;
use sqswatch::domain::silence::Matchers;
use sqswatch::domain::time::MINUTE;
use sqswatch::web::Web;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client::{Answer, Server};
use super::world;

const GUIDE: &str = include_str!("../../docs/http.md");

async fn start() -> (Server, Web) {
    let (web, _) = world::web(world::small());
    (Server::start(web.clone()).await, web)
}

/// A request with the token and a body.
async fn send(server: &Server, method: &str, path: &str, body: &str) -> Answer {
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n");
    let token = format!("authorization: Bearer {}\r\ncontent-length: {}\r\n", world::TOKEN, body.len());
    server.raw(format!("{head}{token}\r\n{body}").as_bytes()).await
}

fn silence(rest: Value) -> String {
    let mut body = json!({ "reason": "deploying", "author": "ana", "duration": "2h" });
    for (key, value) in rest.as_object().unwrap() {
        body[key] = value.clone();
    }
    body.to_string()
}

async fn listed(server: &Server) -> Vec<Value> {
    let json = server.get("/api/v1/silences").await.json();
    json["silences"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_silence_is_made_shown_and_ended() {
    let (server, web) = start().await;
    let body = silence(json!({ "alarms": ["dlq-*"], "queues": ["orders-dlq*"] }));
    let made = send(&server, "POST", "/api/v1/silences", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
    let (made, id) = (made.json(), made.json()["silence"]["id"].as_str().unwrap().to_owned());
    assert_eq!((&made["alarms"], &made["firing"]), (&json!(1), &json!(1)));
    assert_eq!(listed(&server).await, [made["silence"].clone()]);
    assert_eq!(made["silence"]["state"], "active");
    assert!(made["silence"].get("all").is_none());
    assert_eq!(web.store.silences().unwrap().len(), 1, "on record before the answer");

    let alarms = server.get("/api/v1/alarms").await.json();
    assert_eq!(alarms["alarms"][0]["state"], "ALARM", "it is judged as ever");
    let by = json!({ "kind": "silence", "by": id, "until": made["silence"]["ends"] });
    assert_eq!(alarms["alarms"][0]["held"], by);
    assert!(alarms["alarms"][1].get("held").is_none());
    let queue = server.get("/api/v1/queues/orders-dlq.fifo").await.json();
    assert_eq!(queue["alarms"][0]["held"], by);

    let ended = send(&server, "DELETE", &format!("/api/v1/silences/{id}"), "").await;
    assert_eq!((ended.status, &ended.json()["state"]), (200, &json!("expired")));
    assert_eq!(listed(&server).await, [ended.json()], "it stays on record");
    assert_eq!(web.store.silences().unwrap()[0].ends.to_string(), ended.json()["ends"].as_str().unwrap());
    let alarms = server.get("/api/v1/alarms").await.json();
    assert!(alarms["alarms"][0].get("held").is_none());
    for (id, status, words) in [(id.as_str(), 409, "is over since"), ("nobody", 404, "no silence `nobody`")] {
        let refused = send(&server, "DELETE", &format!("/api/v1/silences/{id}"), "").await;
        assert_eq!(refused.status, status);
        assert!(refused.text().contains(words), "{}", refused.text());
    }
}

#[tokio::test]
async fn one_that_means_nothing_is_taken_and_said_to() {
    let (server, _) = start().await;
    let made = send(&server, "POST", "/api/v1/silences", &silence(json!({ "alarms": "dqlnotempty" }))).await;
    assert_eq!((made.status, &made.json()["alarms"]), (201, &json!(0)));
    let all = send(&server, "POST", "/api/v1/silences", &silence(json!({ "all": true }))).await;
    assert_eq!((&all.json()["alarms"], &all.json()["silence"]["all"]), (&json!(2), &json!(true)));
}

#[tokio::test]
async fn without_the_token_nothing_changes() {
    let (server, web) = start().await;
    let body = silence(json!({ "all": true }));
    for header in [None, Some("Bearer wrong"), Some(world::TOKEN)] {
        let header = header.map(|value| format!("authorization: {value}\r\n")).unwrap_or_default();
        for line in ["POST /api/v1/silences", "DELETE /api/v1/silences/x"] {
            let length = body.len();
            let request = format!(
                "{line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{header}content-length: {length}\r\n\r\n{body}"
            );
            let refused = server.raw(request.as_bytes()).await;
            assert_eq!(refused.status, 403, "{line} {header}");
            assert!(!refused.text().contains(world::TOKEN));
        }
    }
    let mut without = world::config();
    without.web.token = None;
    web.config.store(without.into());
    let off = send(&server, "POST", "/api/v1/silences", &body).await;
    assert!(
        off.status == 403 && off.json()["hint"].as_str().unwrap().contains("web.token"),
        "{}",
        off.text()
    );
    assert!(listed(&server).await.is_empty() && web.store.silences().unwrap().is_empty());
}

#[tokio::test]
async fn faulty_bodies_are_refused_with_all_their_faults() {
    let (server, web) = start().await;
    let bad =
        send(&server, "POST", "/api/v1/silences", r#"{"alarm": "a", "duration": "2", "author": "ana"}"#)
            .await;
    assert_eq!(bad.status, 400);
    let error = bad.json()["error"].as_str().unwrap().to_owned();
    for words in [
        "alarm: is no key that is known here (did you mean `alarms`?)",
        "duration: `2` is no duration",
        "`reason` is missing",
        "which alarms are meant",
    ] {
        assert!(error.contains(words), "{words} is not in {error}");
    }
    for body in ["", "{", "[]", "null", "all", "\u{0}"] {
        assert_eq!(send(&server, "POST", "/api/v1/silences", body).await.status, 400, "{body}");
    }
    let huge = silence(json!({ "all": true, "reason": "x".repeat(70_000) }));
    assert_eq!(send(&server, "POST", "/api/v1/silences", &huge).await.status, 413);
    assert!(web.board.silences().silences.is_empty());
}

#[tokio::test]
async fn a_body_that_is_broken_off_or_never_comes_does_no_harm() {
    let (server, web) = start().await;
    let token = world::TOKEN;
    let head = format!("POST /api/v1/silences HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n");
    let mut slow = tokio::net::TcpStream::connect(server.address).await.unwrap();
    slow.write_all(format!("{head}content-length: 100\r\n\r\n{{\"all\"").as_bytes()).await.unwrap();
    let mut broken = tokio::net::TcpStream::connect(server.address).await.unwrap();
    broken.write_all(format!("{head}content-length: 100\r\n\r\n{{\"all\": true").as_bytes()).await.unwrap();
    broken.shutdown().await.unwrap();
    let _ = broken.read_to_end(&mut Vec::new()).await;
    let endless = format!("{head}connection: close\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunks = "10000\r\n".to_owned() + &" ".repeat(0x10000) + "\r\n";
    let refused = server.raw(format!("{endless}{}", chunks.repeat(3)).as_bytes()).await;
    assert_eq!(refused.status, 413);
    assert_eq!(server.get("/healthz").await.status, 200);
    assert!(web.board.silences().silences.is_empty());
}

#[tokio::test]
async fn other_methods_are_told_which_there_are() {
    let (server, _) = start().await;
    for (method, path, hint) in
        [("PUT", "/api/v1/silences", "use GET or POST"), ("GET", "/api/v1/silences/x", "use DELETE")]
    {
        let refused = server.send(method, path, &[]).await;
        assert_eq!(refused.status, 405);
        assert!(refused.json()["hint"].as_str().unwrap().starts_with(hint), "{}", refused.text());
    }
}

/// A window on the dead-letter queues from so many minutes before now to so many after.
fn window(name: &str, before: u32, after: u32) -> Window {
    let now = sqswatch::clock::now();
    let span = Span { from: now - MINUTE * before, until: now + MINUTE * after };
    let matchers = Matchers { queues: vec![Glob::new("*-dlq*")], ..Matchers::default() };
    Window { name: name.into(), matchers, schedule: Schedule::Once(span) }
}

#[tokio::test]
async fn maintenance_windows_silence_and_are_shown_everywhere() {
    let board = world::small();
    board.set_maintenance(vec![window("past", 90, 0), window("present", 30, 30)]);
    let key = |queue| AlarmKey { rule: world::rule().name, subject: Subject::Queue(world::id(queue)) };
    board.with_alarms_mut(|alarms| {
        let older = Alarm { since: world::NOW - MINUTE * 60, ..alarms[&key("orders-dlq.fifo")].clone() };
        alarms.insert(key("unread"), older);
    });
    let server = Server::start(world::web(board).0).await;
    let windows = server.get("/api/v1/silences").await.json()["maintenance"].clone();
    assert_eq!((&windows[0]["name"], &windows[0]["active"]), (&json!("past"), &json!(false)));
    assert!(windows[0].get("next").is_none() && windows[0].get("until").is_none());
    assert_eq!((&windows[1]["active"], &windows[1]["queues"]), (&json!(true), &json!(["*-dlq*"])));
    let alarm = server.get("/api/v1/alarms").await.json()["alarms"][0].clone();
    assert_eq!((&alarm["held"]["kind"], &alarm["held"]["by"]), (&json!("maintenance"), &json!("present")));

    let metrics = server.get("/metrics").await.text();
    for line in [
        "sqswatch_maintenance_active{window=\"past\"} 0",
        "sqswatch_maintenance_active{window=\"present\"} 1",
        "sqswatch_silences{state=\"active\"} 0",
        "sqs_alarm_silenced{alarm=\"dlq-not-empty\",account=\"123456789012\",region=\"eu-west-1\",queue=\"orders-dlq.fifo\"} 1",
    ] {
        assert!(metrics.lines().any(|found| found == line), "{line}");
    }
    let page = server.get("/").await.text();
    let order = ["<h2 id=\"firing\">", ">unread</a>", ">orders-dlq.fifo</a>", "<h2 id=\"silenced\">"];
    let places: Vec<_> = order.iter().map(|text| page.find(text)).collect();
    assert!(places.is_sorted() && places[0].is_some(), "what is silenced comes last: {places:?} in {page}");
    assert!(page.contains("maintenance present") && page.contains(">silenced</span>"), "{page}");
}

#[tokio::test]
async fn hostile_texts_of_a_silence_stay_text() {
    let (server, _) = start().await;
    let hostile = "<script>alert(1)</script>";
    let body = silence(json!({ "all": true, "reason": hostile, "author": hostile }));
    assert_eq!(send(&server, "POST", "/api/v1/silences", &body).await.status, 201);
    let page = server.get("/").await.text();
    assert!(page.contains("alert(1)") && !page.contains("<script>alert"), "{page}");
}

#[tokio::test]
async fn a_board_without_silences_has_empty_lists() {
    let server = Server::start(world::web(Board::default()).0).await;
    assert_eq!(server.get("/api/v1/silences").await.json(), json!({ "silences": [], "maintenance": [] }));
    assert!(!server.get("/").await.text().contains("Silenced"));
}

/// The JSON block of the guide that follows `marker`.
fn example(marker: &str) -> Value {
    let (_, rest) = GUIDE.split_once(&format!("<!-- {marker} -->\n```json\n")).expect(marker);
    serde_json::from_str(rest.split("\n```").next().unwrap()).unwrap()
}

#[tokio::test]
async fn the_guide_s_request_gives_the_guide_s_answers() {
    fn shape(value: &Value) -> Value {
        match value {
            Value::Object(map) => map.iter().map(|(key, value)| (key.clone(), shape(value))).collect(),
            Value::Array(items) => items.iter().map(shape).collect(),
            Value::String(_) => json!("text"),
            other => other.clone(),
        }
    }
    let (server, web) = start().await;
    web.board.set_maintenance(vec![window("nightly-batch", 30, 30)]);
    let made = send(&server, "POST", "/api/v1/silences", &example("POST silence").to_string()).await;
    assert_eq!(shape(&made.json()), shape(&example("answer of POST silence")));
    let mut list = example("list of silences");
    // A window of one time, which is open, does not open again.
    list["maintenance"][0].as_object_mut().unwrap().remove("next");
    assert_eq!(shape(&server.get("/api/v1/silences").await.json()), shape(&list));
}
