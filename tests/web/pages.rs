//! The first page: what it says without a script, and that hostile names stay text.

use sqswatch::board::Board;
use sqswatch::clock;
use sqswatch::domain::queue::Queue;

use super::client::{Answer, Server};
use super::{shop, world};

async fn page(board: Board, path: &str) -> Answer {
    Server::start(world::web(board).0).await.get(path).await
}

/// The text of a page without its tags, white space as one blank.
pub fn text_of(answer: &Answer) -> String {
    let html = answer.text();
    let pieces = html.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text);
    let text: Vec<&str> = pieces.flat_map(str::split_whitespace).collect();
    text.join(" ")
}

#[tokio::test]
async fn the_page_tells_what_fires_and_puts_the_worst_queue_first() {
    let answer = page(shop::shop(clock::now()), "/").await;
    assert_eq!(answer.status, 200);
    let text = text_of(&answer);
    for words in
        ["Alarms firing 3", "Dead letters 1,873", "Messages waiting 1.1M", "1,870 fires at ≥ 1", "2 d 8 h"]
    {
        assert!(text.contains(words), "`{words}` is not in {text}");
    }
    let order =
        ["Firing", "shipping-dlq", "shipping-labels", "search-index-updates", "audit-events", "payments-dlq"];
    let places: Vec<_> = order.iter().map(|word| text.find(word).unwrap()).collect();
    assert!(places.is_sorted(), "{places:?} in {text}");
    assert!(text.contains("1 not permitted") && text.contains("secret"), "{text}");
}

#[tokio::test]
async fn the_policy_forbids_whatever_is_not_ours() {
    let answer = page(shop::shop(clock::now()), "/").await;
    for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
        assert!(answer.headers.contains(rule), "{}", answer.headers);
    }
    let html = answer.text();
    assert!(!html.contains(" style=") && !html.contains("<style") && !html.contains(" onclick"));
    assert_eq!(html.matches("<script").count(), 2);

    let server = Server::start(world::web(Board::default()).0).await;
    for (file, kind) in [
        ("style.css", "text/css"),
        ("queue.css", "text/css"),
        ("page.js", "text/javascript"),
        ("plot.js", "text/javascript"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let asset = server.get(&format!("/assets/{file}")).await;
        assert!(asset.status == 200 && asset.headers.contains(kind), "{}", asset.headers);
    }
    assert_eq!(server.get("/assets/..%2f..%2fCargo.toml").await.status, 404);
}

#[tokio::test]
async fn hostile_names_stay_text() {
    let board = Board::default();
    let hostile = "\"><script>alert(1)</script>";
    board.discovered(&world::target(), vec![Queue::new(world::id(hostile), "http://x")]);
    let server = Server::start(world::web(board).0).await;
    for path in ["/", "/?q=%22%3E%3Cscript%3Ealert(1)", "/?tag=%22%3E%3Cscript%3E"] {
        assert!(!server.get(path).await.text().contains("<script>"), "{path}");
    }
}

#[tokio::test]
async fn a_search_narrows_the_table_and_not_the_totals() {
    let text = text_of(&page(shop::shop(clock::now()), "/?q=PAYM").await);
    assert!(text.contains("Queues 2 of 12"), "{text}");
    assert!(text.contains("payments-dlq") && !text.contains("audit-events"), "{text}");
    assert!(text.contains("Alarms firing 3") && !text.contains("shipping"), "{text}");
    assert!(text.contains("Messages waiting 1.1M"), "{text}");
}

#[tokio::test]
async fn ten_thousand_queues_come_in_pages() {
    let server = Server::start(world::web(world::large(10_000)).0).await;
    let first = server.get("/").await;
    let text = text_of(&first);
    assert!(
        text.contains("Queues 10,000") && text.contains("Page 1 of 200 After"),
        "{}",
        &text[text.len() - 400..]
    );
    assert!(first.body.len() < 150_000, "{} bytes", first.body.len());
    let last = text_of(&server.get("/?sort=name&page=999999").await);
    assert!(last.contains("Before Page 200 of 200") && last.contains("service-09999-events"), "{last}");
    let found = text_of(&server.get("/?q=09999&role=source&state=no_data").await);
    assert!(found.contains("service-09999-events"), "{found}");
    let none = text_of(&server.get("/?role=nonsense").await);
    assert!(none.contains("No queue is like that. Show all"), "{none}");
}

#[tokio::test]
async fn a_daemon_that_sees_nothing_says_so() {
    let text = text_of(&page(Board::default(), "/").await);
    assert!(text.contains("sqswatch does not see everything"), "{text}");
    assert!(text.contains("Messages waiting – Queues –"), "what is not known is no 0: {text}");
    assert!(text.contains("no region is read yet") && text.contains("Nothing was read yet"), "{text}");
}

#[tokio::test]
async fn every_address_of_a_page_answers_and_others_do_not() {
    let server = Server::start(world::web(world::small()).0).await;
    for path in ["/", "/queues/orders.fifo", "/alarms", "/alarms/dlq-not-empty", "/notifications", "/system"]
    {
        let answer = server.get(path).await;
        assert!(
            answer.status == 200 && answer.text().contains("<!DOCTYPE html>"),
            "{path}: {}",
            answer.status
        );
        let packed = server.send("GET", path, &[("accept-encoding", "gzip")]).await;
        assert!(
            packed.headers.contains("content-encoding: gzip") && packed.body.starts_with(&[0x1f, 0x8b]),
            "{path}"
        );
    }
    for path in ["/queues", "/queues/", "/systems", "/alarms/a/b"] {
        assert_eq!(server.get(path).await.status, 404, "{path}");
    }
}
