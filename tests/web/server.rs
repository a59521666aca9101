//! The server under clients that behave badly, and at its end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use sqswatch::board::Board;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::Server;
use super::world;

#[tokio::test]
async fn unknown_paths_and_wrong_methods_are_json_with_a_hint() {
    let server = Server::start(world::web(Board::default()).0).await;
    for (method, path, status, word) in [
        ("GET", "/metric", 404, "`/metric`"),
        ("GET", "/api/v1/", 404, "/api/v1/queues"),
        ("GET", "/%00%ff", 404, "nothing"),
        ("POST", "/metrics", 405, "POST"),
        ("DELETE", "/api/v1/queues", 405, "use GET"),
        ("GET", "/-/reload", 405, "use POST"),
    ] {
        let answer = server.send(method, path, &[]).await;
        assert_eq!(answer.status, status, "{method} {path}");
        let json = answer.json();
        assert!(json["error"].is_string() && json["hint"].is_string(), "{json}");
        assert!(json.to_string().contains(word), "{json}");
    }
    assert_eq!(server.get("/healthz").await.text(), "ok\n");
}

#[tokio::test]
async fn a_huge_header_is_refused_and_garbage_does_no_harm() {
    let server = Server::start(world::web(Board::default()).0).await;
    let huge = "x".repeat(1 << 20);
    assert_eq!(server.send("GET", "/healthz", &[("x-huge", &huge)]).await.status, 431);
    let many: Vec<String> = (0..500).map(|n| format!("x-{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(server.send("GET", "/healthz", &many).await.status, 431);
    assert_eq!(server.raw(b"\x16\x03\x01 not http\r\n\r\n").await.status, 400);
    assert_eq!(server.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_thousand_scrapes_at_once_are_all_answered_from_a_few_renderings() {
    let (web, _reloads) = world::web(world::large(200));
    let renderings = Renderings::default();
    web.telemetry.registry.register(Box::new(renderings.clone())).unwrap();
    let server = Server::start(web).await;
    let address = server.address;
    let mut scrapes = tokio::task::JoinSet::new();
    for _ in 0..1000 {
        scrapes.spawn(async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.unwrap();
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await.unwrap();
            assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
            answer.len()
        });
    }
    let lengths = scrapes.join_all().await;
    assert_eq!(lengths.len(), 1000);
    assert!(lengths.iter().all(|length| *length > 100_000));
    let renderings = renderings.0.load(Ordering::Relaxed);
    assert!((1..100).contains(&renderings), "{renderings} renderings");
}

/// Registering describes, rendering collects: a metric without series that counts how often it was asked.
#[derive(Clone, Default)]
struct Renderings(Arc<AtomicUsize>);

impl Collector for Renderings {
    fn desc(&self) -> Vec<&Desc> {
        Vec::new()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.0.fetch_add(1, Ordering::Relaxed);
        Vec::new()
    }
}

#[tokio::test]
async fn slow_clients_hold_nobody_up() {
    let server = Server::start(world::web(world::large(2000)).0).await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut unfinished = TcpStream::connect(server.address).await.unwrap();
        unfinished.write_all(b"GET /metrics HTTP/1.1\r\nhost").await.unwrap();
        let mut not_reading = TcpStream::connect(server.address).await.unwrap();
        not_reading.write_all(b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        slow.push((unfinished, not_reading));
    }
    assert_eq!(server.get("/healthz").await.status, 200);
    assert_eq!(server.get("/metrics").await.status, 200);
}

#[tokio::test]
async fn the_end_finishes_the_answer_in_hand_and_takes_no_new_request() {
    let (web, mut reloads) = world::web(Board::default());
    let server = Server::start(web).await;
    let mut kept = TcpStream::connect(server.address).await.unwrap();
    kept.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 15];
    kept.read_exact(&mut first).await.unwrap();
    let request =
        format!("POST /-/reload HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", world::TOKEN);
    let in_hand = tokio::spawn({
        let address = server.address;
        async move {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        }
    });
    let answer = reloads.recv().await.unwrap();
    server.shutdown.cancel();
    let mut rest = Vec::new();
    tokio::time::timeout(Duration::from_secs(60), kept.read_to_end(&mut rest)).await.unwrap().unwrap();
    answer.send(Ok(())).unwrap();
    assert!(in_hand.await.unwrap().ends_with("{\"reloaded\":true}"));
    server.task.await.unwrap();
    assert!(TcpStream::connect(server.address).await.is_err(), "nobody listens any more");
}

#[tokio::test]
async fn readiness_says_what_is_wrong() {
    let (web, _reloads) = world::web(Board::default());
    let server = Server::start(web.clone()).await;
    let blind = server.get("/readyz").await;
    assert_eq!((blind.status, blind.json()["ready"].as_bool()), (503, Some(false)));
    web.board.update_target(&world::target(), |health| {
        health.discovered_at = Some(sqswatch::clock::now());
        health.discovery_interval = Duration::from_secs(3600);
    });
    let seeing = server.get("/readyz").await;
    assert_eq!((seeing.status, seeing.text()), (200, "{\"ready\":true,\"reasons\":[]}".to_owned()));
    web.draining.store(true, Ordering::Relaxed);
    let ending = server.get("/readyz").await;
    assert_eq!(ending.status, 503);
    assert_eq!(ending.json()["reasons"][0], "the daemon is shutting down");
    assert_eq!(server.get("/healthz").await.status, 200);
}
