//! A Prometheus that lies, hangs or is not one: no plot breaks, none waits longer than the limit, none shows what is not the queue's.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use sqswatch::config::secret::Secret;
use sqswatch::config::{self, Config};
use sqswatch::domain::metric::Metric;
use sqswatch::domain::time::{MINUTE, Timestamp};
use sqswatch::web::Web;
use sqswatch::web::reach::{Reach, Teller, plot_history};

use super::receiver::{Act, Receiver, answer};
use super::world::{self, NOW};

const TOKEN: &str = "prometheus-token";

fn config(url: &str, timeout: Duration) -> Config {
    let mut config = world::config();
    let (url, bearer_token) = (Secret::new(url), Some(Secret::new(TOKEN)));
    config.web.prometheus = Some(config::Prometheus { url, bearer_token, timeout });
    config
}

fn web(url: &str, timeout: Duration) -> Web {
    let web = world::web(world::small()).0;
    web.config.store(Arc::new(config(url, timeout)));
    web
}

/// The last ten minutes of `orders.fifo`, of which the daemon knows the present one.
async fn ten_minutes(web: &Web, metrics: &[Metric]) -> Reach {
    let until = NOW.floor(MINUTE) + MINUTE;
    plot_history(web, &world::id("orders.fifo"), metrics, until - MINUTE * 10, until, 100).await
}

async fn depths(web: &Web) -> Reach {
    ten_minutes(web, &[Metric::MessagesVisible]).await
}

fn values(reach: &Reach, metric: Metric) -> Vec<Option<f64>> {
    reach.metrics[&metric].iter().map(|point| point.value).collect()
}

/// What the daemon alone knows.
fn own() -> Vec<Option<f64>> {
    [vec![None; 9], vec![Some(1200.0)]].concat()
}

/// The end of a bucket, by how many minutes ago it was.
fn end(back: u64) -> i64 {
    (NOW.floor(MINUTE) + MINUTE - MINUTE * back as u32).as_secs()
}

fn series(values: Value) -> Value {
    let labels = json!({"account": world::ACCOUNT, "region": "eu-west-1", "queue": "orders.fifo"});
    json!({"metric": labels, "values": values})
}

fn success(result: Value) -> Act {
    let body = json!({"status": "success", "data": {"resultType": "matrix", "result": result}});
    answer(200, "content-type: application/json\r\n", &body.to_string())
}

#[tokio::test]
async fn a_plot_goes_back_further_by_what_is_stored_and_keeps_what_the_daemon_knows() {
    let stored = json!([[end(9), "5"], [end(8), "6.5"], [end(0), "7"]]);
    let prometheus = Receiver::start(vec![success(json!([series(stored)]))]).await;
    let web = web(&prometheus.url, Duration::from_secs(60));
    let reach = depths(&web).await;
    let mut expected = own();
    (expected[0], expected[1]) = (Some(5.0), Some(6.5));
    assert_eq!(
        (values(&reach, Metric::MessagesVisible), reach.source, reach.note),
        (expected, Teller::Prometheus, None)
    );

    let request = &prometheus.requests()[0];
    assert!(request.line.starts_with("GET /api/v1/query_range?query=max+by+"), "{}", request.line);
    let asked = format!("start={}&end={}&step=60", end(9), end(1));
    assert!(request.line.contains(&asked), "{}: {asked}", request.line);
    assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));

    // What the daemon knows itself is not asked for.
    let minute = NOW.floor(MINUTE);
    let known =
        plot_history(&web, &world::id("orders.fifo"), &[Metric::MessagesVisible], minute, minute + MINUTE, 9)
            .await;
    assert_eq!((known.source, prometheus.requests().len()), (Teller::Daemon, 1));
    let nothing = plot_history(&web, &world::id("orders.fifo"), &[], minute - MINUTE, minute, 9).await;
    assert_eq!((nothing.source, prometheus.requests().len()), (Teller::Daemon, 1));
}

#[tokio::test]
async fn the_same_is_asked_once_in_ten_seconds_and_all_metrics_at_once() {
    let prometheus = Receiver::start(vec![success(json!([series(json!([[end(9), "5"]]))]))]).await;
    let web = web(&prometheus.url, Duration::from_secs(60));
    let metrics = [Metric::MessagesVisible, Metric::MessagesInFlight, Metric::MessagesDeleted];
    let (one, other, third) =
        tokio::join!(ten_minutes(&web, &metrics), ten_minutes(&web, &metrics), ten_minutes(&web, &metrics));
    assert!(one == other && other == third);
    assert_eq!(ten_minutes(&web, &metrics).await, one);
    assert_eq!(values(&one, Metric::MessagesDeleted)[0], Some(5.0));
    // Those that came at once may each have had a turn.
    let asked = prometheus.requests().len();
    assert!(asked % 3 == 0 && asked <= 9, "{asked}");
    depths(&web).await;
    assert_eq!(prometheus.requests().len(), asked + 1, "another question");
}

#[tokio::test]
async fn whatever_it_says_or_does_the_plot_has_what_the_daemon_knows_and_says_why() {
    let labelled = |labels: Value| success(json!([{"metric": labels, "values": [[end(9), "5"]]}]));
    let right = || series(json!([[end(9), "5"]]));
    let flood = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\n".to_owned();
    for (what, act, why) in [
        ("down", Act::Reset, "cannot be reached"),
        ("an error", answer(500, "", "<h1>oops</h1>"), "answered HTTP 500"),
        ("bad query", answer(400, "", r#"{"status":"error"}"#), "answered HTTP 400"),
        ("sign in", answer(302, "location: http://elsewhere/login\r\n", ""), "answered HTTP 302"),
        ("a page", answer(200, "content-type: text/html\r\n", "<html>Sign in</html>"), "is no Prometheus"),
        ("cut off", Act::Send(flood.replace("3", "300") + "{\"status\""), "cannot be reached"),
        ("no HTTP", Act::Send("SSH-2.0-OpenSSH_9.2\r\n".to_owned()), "cannot be reached"),
        ("endless", Act::Flood(64 * 1024 * 1024), "answered more than 1 MiB"),
        (
            "another's",
            labelled(json!({"account": "1", "region": "eu-west-1", "queue": "orders.fifo"})),
            "something else",
        ),
        ("no labels", labelled(json!({})), "something else"),
        ("several", success(json!([right(), right()])), "something else"),
        ("words", success(json!([series(json!([[end(9), "many"]]))])), "something else"),
        ("numbers", success(json!([series(json!([[end(9), 5]]))])), "is no Prometheus"),
    ] {
        let prometheus = Receiver::start(vec![act]).await;
        let reach = depths(&web(&prometheus.url, Duration::from_secs(60))).await;
        assert_eq!(
            (values(&reach, Metric::MessagesVisible), reach.source),
            (own(), Teller::Daemon),
            "{what}"
        );
        let note = reach.note.unwrap_or_default();
        assert!(note.contains(why) && note.contains("sqswatch itself"), "{what}: {note}");
        assert!(!note.contains("127.0.0.1") && !note.contains(TOKEN), "{what}: {note}");
    }
    // These are no lies: there is nothing, or nothing that counts.
    let odd = json!([[end(9), "NaN"], [end(8), "-Inf"], [end(7), "-3"], [1e300, "5"], [0, "5"]]);
    for result in [json!([]), json!([series(json!([]))]), json!([series(odd)])] {
        let prometheus = Receiver::start(vec![success(result)]).await;
        let reach = depths(&web(&prometheus.url, Duration::from_secs(60))).await;
        assert_eq!(
            (values(&reach, Metric::MessagesVisible), reach.source, reach.note),
            (own(), Teller::Daemon, None)
        );
    }
}

#[tokio::test]
async fn a_slow_one_is_waited_for_once_and_then_left_alone_for_a_while() {
    for act in [Act::Hang, Act::Drip("HTTP/1.1 200 OK\r\n".to_owned())] {
        let prometheus = Receiver::start(vec![act]).await;
        let web = web(&prometheus.url, Duration::from_millis(300));
        let late = "Prometheus did not answer within 300ms: shown is what sqswatch itself remembers";
        assert_eq!(depths(&web).await.note.as_deref(), Some(late));
        let other =
            plot_history(&web, &world::id("unread"), &[Metric::MessagesSent], NOW - MINUTE, NOW, 9).await;
        assert_eq!(other.note.as_deref(), Some(late), "another queue does not wait again");
        assert_eq!(prometheus.requests().len(), 1);
        // A reload with another address is tried at once.
        let sound = Receiver::start(vec![success(json!([]))]).await;
        web.config.store(Arc::new(config(&sound.url, Duration::from_secs(60))));
        assert_eq!(depths(&web).await.note, None);
    }
}

#[tokio::test]
async fn the_api_says_who_told_and_why_not() {
    let stored = success(json!([series(json!([[end(9), "5"]]))]));
    let prometheus = Receiver::start(vec![stored, answer(500, "", "")]).await;
    let server = super::client::Server::start(web(&prometheus.url, Duration::from_secs(60))).await;
    let path = |from: Timestamp| {
        let (from, until) = (from.as_secs(), NOW.as_secs());
        format!("/api/v1/queues/orders.fifo/history?metric=messages_visible&from={from}&until={until}")
    };
    let from = NOW.floor(MINUTE) - MINUTE * 9;
    let told = server.get(&path(from)).await.json();
    assert_eq!((&told["source"], told.get("note")), (&json!("prometheus"), None));
    assert_eq!(told["metrics"]["messages_visible"][0], json!([from.as_secs(), 5.0]));
    let told = server.get(&path(from - MINUTE)).await.json();
    assert_eq!(told["source"], "daemon");
    assert!(told["note"].as_str().unwrap().starts_with("Prometheus answered HTTP 500: "), "{told}");
}
