//! The page of one queue: what it says, whatever is known, whatever names are, and what an address that leads nowhere gives.

use std::sync::Arc;

use sqswatch::board::{Board, Skip, Target, Window};
use sqswatch::clock;
use sqswatch::domain::metric::Metric;
use sqswatch::domain::queue::{Queue, QueueId, RedrivePolicy, Settings};
use sqswatch::domain::series::StatisticSet;
use sqswatch::domain::time::{MINUTE, Timestamp};

use super::client::{Answer, Server};
use super::pages::text_of;
use super::{shop, world};

async fn page(board: Board, path: &str) -> Answer {
    Server::start(world::web(board).0).await.get(path).await
}

/// Minutes of one metric up to `now`, oldest first; `None` is a minute without a datapoint.
fn minutes(board: &Board, id: &QueueId, metric: Metric, now: Timestamp, values: &[Option<f64>]) {
    let until = now.floor(MINUTE);
    let from = until - MINUTE * values.len() as u32;
    let minute = |(place, value): (usize, &Option<f64>)| {
        Some((from + MINUTE * place as u32, StatisticSet::single((*value)?)))
    };
    let datapoints = values.iter().enumerate().filter_map(minute).collect();
    board.read_cloudwatch(id, now, metric, &Window { from, until, settled: until, datapoints });
}

/// One queue of which only this is known.
fn lonely(name: &str, settings: Settings) -> Board {
    let board = Board::default();
    let queue =
        Queue::new(world::id(name), format!("https://sqs.eu-west-1.amazonaws.com/123456789012/{name}"));
    board.discovered(&world::target(), vec![queue]);
    world::health(&board);
    board.read_attributes(&world::id(name), clock::now(), world::depth(7, 2, 0), Some(settings));
    board
}

#[tokio::test]
async fn it_tells_what_the_queue_is_now_and_was() {
    let now = clock::now();
    let board = shop::shop(now);
    let id = world::id("shipping-labels");
    minutes(&board, &id, Metric::MessagesSent, now, &[Some(12.0), None, Some(30.0)]);
    minutes(&board, &id, Metric::OldestMessageAge, now, &[Some(205_000.0)]);
    let answer = page(board, "/queues/shipping-labels?region=eu-west-1&account=123456789012").await;
    assert_eq!(answer.status, 200);
    let text = text_of(&answer);
    for words in [
        "shipping-labels",
        "standard queue in eu-west-1, account 123456789012",
        "Waiting 58.2k + 1,200 delayed",
        "Oldest 2 d 8 h 59 % of retention",
        "In a minute 30",
        "Dead letters 1,870",
        "oldest-message-past-half-of-retention",
        "Silence",
        "after 5 receives",
        "1,870 dead letters",
        "Retention 4 d",
    ] {
        assert!(text.contains(words), "`{words}` is not in {text}");
    }
    let html = answer.text();
    let depth = html.split("data-key=\"depth\"").nth(1).unwrap();
    assert!(depth.contains("waiting: now 58.2k, lowest 58.2k, highest 58.2k"), "{depth}");
    let throughput = html.split("data-key=\"throughput\"").nth(1).unwrap();
    assert!(throughput.contains("12,,30"), "a minute without a datapoint is a gap: {throughput}");
    assert!(html.contains("<rect class=\"alarm\""), "the time in ALARM is shaded");
    assert!(html.contains("oldest-message-past-half-of-retention ≥ 2 d"), "the threshold is drawn");
    assert!(answer.body.len() < 150_000, "{} bytes", answer.body.len());
}

#[tokio::test]
async fn every_range_is_a_page_and_the_largest_is_small() {
    let now = clock::now();
    let board = shop::shop(now);
    let id = world::id("payments");
    let busy: Vec<Option<f64>> = (0..180).map(|n| Some(f64::from(n * 7919 % 100_003))).collect();
    for metric in [
        Metric::OldestMessageAge,
        Metric::MessagesSent,
        Metric::MessagesReceived,
        Metric::MessagesDeleted,
        Metric::EmptyReceives,
    ] {
        minutes(&board, &id, metric, now, &busy);
    }
    let server = Server::start(world::web(board).0).await;
    for query in [
        "",
        "range=1h",
        "range=12h",
        "range=1d",
        "range=3d",
        "range=7d",
        "range=nonsense",
        "from=0&until=1",
        "from=-9&until=x",
    ] {
        let answer = server.get(&format!("/queues/payments?{query}")).await;
        let html = answer.text();
        assert_eq!(answer.status, 200, "{query}");
        assert!(!html.contains("NaN") && !html.contains("inf\""), "{query}");
        assert!(answer.body.len() < 150_000, "{query}: {} bytes", answer.body.len());
    }
    let from = (now.floor(MINUTE) - MINUTE * 60).as_secs();
    let html = server.get(&format!("/queues/payments?from={from}&until={}", from + 1200)).await.text();
    assert!(html.contains("Back to live") && html.contains("data-count=\"20\""), "{html}");
}

#[tokio::test]
async fn what_is_not_known_is_no_number() {
    let board = world::small();
    let html = page(board, "/queues/unread").await;
    let text = text_of(&html);
    assert!(text.contains("This queue was not read yet"), "{text}");
    assert!(
        text.contains("Waiting – In flight – Oldest – In a minute – Out a minute – Empty in –"),
        "{text}"
    );
    assert!(text.contains("nothing is known of this time") && text.contains("Retention –"), "{text}");
    assert!(
        !text.contains("Worth a change") && !text.contains("No dead-letter queue"),
        "nothing is known to be unwise: {text}"
    );
}

#[tokio::test]
async fn a_live_page_is_the_same_until_something_is_new() {
    let server = Server::start(world::web(shop::shop(clock::now())).0).await;
    let version =
        |html: String| html.split("data-version=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    // Two looks within one minute see the same; a third decides when the minute turned between.
    let mut seen = Vec::new();
    for _ in 0..3 {
        seen.push(version(server.get("/queues/payments?range=7d").await.text()));
    }
    assert!(seen[0] == seen[1] || seen[1] == seen[2], "{seen:?}");
}

#[tokio::test]
async fn hostile_names_stay_text_also_in_drawings_and_commands() {
    let hostile = "\"><script>alert(1)</script>\u{202e}'$(reboot)";
    let board = lonely(
        hostile,
        Settings { public: Some(true), ..world::settings(Some(world::id("\"/><svg onload=1>"))) },
    );
    let path = format!("/queues/{}", percent(hostile));
    let answer = page(board, &path).await;
    let html = answer.text();
    assert_eq!(answer.status, 200);
    assert_eq!(html.matches("<script").count(), 2, "{html}");
    assert!(
        !html.contains("<svg onload") && !html.contains("aws sqs"),
        "no command holds a name that turns the text round"
    );
    let server = Server::start(world::web(world::small()).0).await;
    let missing = server.get(&path).await;
    assert_eq!((missing.status, missing.text().matches("<script").count()), (404, 2));
}

fn percent(name: &str) -> String {
    name.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn unwise_settings_come_with_reason_and_command() {
    let settings = Settings {
        encrypted: Some(false),
        redrive: Some(RedrivePolicy { dead_letter_queue: world::id("gone"), max_receive_count: 1 }),
        ..world::settings(None)
    };
    let text = text_of(&page(lonely("it's", settings), "/queues/it's").await);
    for words in [
        "Its dead-letter queue does not exist",
        "One try only",
        "Not encrypted",
        "--queue-url 'https://sqs.eu-west-1.amazonaws.com/123456789012/it'\\''s'",
        "does not exist",
    ] {
        let text = text.replace("&amp;", "&").replace("&quot;", "\"").replace("&#39;", "'");
        assert!(text.contains(words), "`{words}` is not in {text}");
    }
}

#[tokio::test]
async fn many_sources_are_folded_and_a_target_that_is_not_watched_says_so() {
    let board = Board::default();
    let names: Vec<QueueId> = (0..18).map(|n| world::id(&format!("source-{n:02}"))).collect();
    let queue = |id: &QueueId| Queue::new(id.clone(), "http://q");
    let all = names.iter().chain([&world::id("sink")]).map(queue).collect();
    board.discovered(&world::target(), all);
    for name in &names {
        board.read_attributes(
            name,
            clock::now(),
            world::depth(1, 0, 0),
            Some(world::settings(Some(world::id("sink")))),
        );
    }
    let secret = world::settings(Some(world::id("secret")));
    board.read_attributes(&world::id("sink"), clock::now(), world::depth(40, 0, 0), Some(secret));
    world::health(&board);
    let text = text_of(&page(board, "/queues/sink").await);
    assert!(
        text.contains("source-05") && !text.contains("source-06") && text.contains("and 12 more"),
        "{text}"
    );
    assert!(text.contains("secret not watched"), "{text}");
}

#[tokio::test]
async fn a_queue_that_is_its_own_dead_letter_queue_has_a_page() {
    let board = lonely("loop", world::settings(Some(world::id("loop"))));
    let text = text_of(&page(board, "/queues/loop").await);
    assert!(
        text.contains("It is its own dead-letter queue") && text.contains("is this queue itself"),
        "{text}"
    );
}

#[tokio::test]
async fn a_queue_that_is_not_watched_is_not_found_with_near_names() {
    let server = Server::start(world::web(shop::shop(clock::now())).0).await;
    let answer = server.get("/queues/payment").await;
    let text = text_of(&answer);
    assert_eq!(answer.status, 404);
    assert!(
        text.contains("No watched queue has this name") && text.contains("Similar names payments"),
        "{text}"
    );
    let elsewhere = server.get("/queues/payments?region=us-east-1").await;
    let text = text_of(&elsewhere);
    assert_eq!(elsewhere.status, 404);
    assert!(text.contains("in us-east-1") && text.contains("Elsewhere payments eu-west-1"), "{text}");
    let skipped = server.get("/queues/secret").await;
    assert_eq!(skipped.status, 404);
    assert!(text_of(&skipped).contains("sqswatch may not read it"), "{}", text_of(&skipped));
}

#[tokio::test]
async fn a_name_in_several_places_is_asked_back() {
    let board = lonely("orders", world::settings(None));
    let there = Arc::new(Target { region: "us-east-1".into(), role_arn: None });
    board.discovered(
        &there,
        vec![Queue::new(QueueId::new("123456789012", "us-east-1", "orders"), "http://q")],
    );
    board.update_target(&there, |health| health.skipped = [("other".into(), Skip::Excluded)].into());
    let server = Server::start(world::web(board).0).await;
    let answer = server.get("/queues/orders").await;
    assert_eq!(answer.status, 200);
    let text = text_of(&answer);
    assert!(
        text.contains("2 watched queues have this name") && text.contains("us-east-1 123456789012"),
        "{text}"
    );
    let one = text_of(&server.get("/queues/orders?region=us-east-1").await);
    assert!(one.contains("standard queue in us-east-1"), "{one}");
    assert!(text_of(&server.get("/queues/other").await).contains("leaves it out by name"));
}
