//! /metrics: what exactly is said of a small board, and that the tools which read it have nothing to add.

use std::io::{Read, Write};
use std::process::{Command, Stdio};

use sqswatch::board::Board;
use sqswatch::telemetry::Telemetry;
use sqswatch::web::exposition::{Encoding, Format, Sources, render};

use super::client::Server;
use super::world;

fn exposition(board: &Board, format: Format) -> String {
    let telemetry = Telemetry::new();
    let config = world::config();
    let outbox = [("ops".into(), Default::default())].into();
    let sources = Sources {
        board,
        config: &config,
        registry: &telemetry.registry,
        outbox: &outbox,
        peril: None,
        ready: true,
    };
    String::from_utf8(render(sources, world::NOW, format, Encoding::Identity, 0)).unwrap()
}

/// What precedes the daemon's own counters and the process's figures, which the `prometheus` crate lists.
fn ours(text: &str) -> &str {
    let last = text.find("sqswatch_build_info{").unwrap();
    let length = text[last..].find('\n').unwrap();
    &text[..=last + length]
}

#[test]
fn a_small_board_reads_exactly_so() {
    let text = exposition(&world::small(), Format::Prometheus);
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/web/small.prom");
    if std::env::var_os("SQSWATCH_BLESS").is_some() {
        std::fs::write(golden, ours(&text)).unwrap();
    }
    let expected = std::fs::read_to_string(golden).unwrap();
    for (found, expected) in ours(&text).lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(ours(&text).len(), expected.len());
}

#[test]
fn what_is_not_known_is_not_there() {
    let text = exposition(&world::small(), Format::Prometheus);
    let unread: Vec<&str> = text.lines().filter(|line| line.contains("queue=\"unread\"")).collect();
    assert_eq!(unread.len(), 1, "a queue never read has only its info: {unread:?}");
    assert!(unread[0].starts_with("sqs_queue_info{"));
    let empty = exposition(&Board::default(), Format::Prometheus);
    assert!(!empty.contains("sqs_queue") && !empty.contains("sqswatch_queues_"), "{empty}");
}

#[test]
fn openmetrics_says_the_same_series() {
    let series = |text: &str| -> Vec<String> {
        ours(text).lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
    };
    let board = world::small();
    let open = exposition(&board, Format::OpenMetrics);
    assert_eq!(series(&open), series(&exposition(&board, Format::Prometheus)));
    assert!(open.ends_with("\n# EOF\n"));
    assert!(open.contains("# TYPE sqs_queue_messages_sent counter\n"));
    assert!(!open.contains("_total counter\n"));
}

/// `promtool check metrics` over `text`: everything it prints.
fn promtool(text: &str) -> String {
    let started = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = started.unwrap_or_else(|error| {
        panic!("promtool: {error}; install it: apt-get install -y --no-install-recommends prometheus")
    });
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn promtool_has_nothing_to_say() {
    for board in [Board::default(), world::small(), world::large(50)] {
        assert_eq!(promtool(&exposition(&board, Format::Prometheus)), "");
    }
    assert_ne!(promtool("# TYPE a_total gauge\na_total 1\n"), "", "promtool itself must be able to complain");
}

#[tokio::test]
async fn a_scraper_gets_the_format_and_the_compression_it_asks_for() {
    let server = Server::start(world::web(world::small()).0).await;
    let plain = server.get("/metrics").await;
    assert_eq!(plain.status, 200);
    assert!(plain.headers.contains("content-type: text/plain; version=0.0.4; charset=utf-8"), "{plain:?}");
    assert!(plain.headers.contains("vary: accept, accept-encoding"), "{plain:?}");

    let accept = ("accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
    let packed = server.send("GET", "/metrics", &[accept, ("accept-encoding", "gzip")]).await;
    assert!(packed.headers.contains("content-encoding: gzip"), "{}", packed.headers);
    let kind = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert!(packed.headers.contains(kind), "{}", packed.headers);
    let mut text = String::new();
    flate2::read::GzDecoder::new(&*packed.body).read_to_string(&mut text).unwrap();
    assert!(text.starts_with("# HELP sqs_queue_messages ") && text.ends_with("# EOF\n"));
}
