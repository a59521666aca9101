//! A board as a small shop would see it, for the page and the guide.

use sqswatch::board::Board;
use sqswatch::domain::alarm::{Alarm, AlarmKey, State, Subject};
use sqswatch::domain::metric::Metric;
use sqswatch::domain::queue::Queue;
use sqswatch::domain::rule::{Condition, MetricRef, Rule, Severity, Trigger};
use sqswatch::domain::time::{MINUTE, Timestamp};

use super::world::{ACCOUNT, depth, health, id, rule, settings, target, window};

/// A shop's dozen queues at `now`: some idle, one backed up, one whose consumers stand still, dead letters in two.
pub fn shop(now: Timestamp) -> Board {
    const QUEUES: [(&str, Option<&str>, [u64; 3], f64); 12] = [
        ("orders.fifo", Some("orders-dlq.fifo"), [12_431, 240, 0], 1860.0),
        ("payments", Some("payments-dlq"), [318, 96, 0], 44.0),
        ("shipping-labels", Some("shipping-dlq"), [58_200, 0, 1200], 205_000.0),
        ("invoices", Some("shipping-dlq"), [0, 12, 0], 0.0),
        ("email-outbound", None, [87, 31, 4], 12.0),
        ("thumbnails-for-the-product-catalogue-of-the-north", Some("thumbnails-dlq"), [2_204, 512, 0], 95.0),
        ("audit-events", None, [0, 0, 0], 0.0),
        ("search-index-updates", None, [1_042_880, 3_100, 0], 7_300.0),
        ("orders-dlq.fifo", None, [3, 0, 0], 5_400.0),
        ("payments-dlq", None, [0, 0, 0], 0.0),
        ("shipping-dlq", None, [1_870, 0, 0], 410_000.0),
        ("thumbnails-dlq", None, [0, 0, 0], 0.0),
    ];
    let board = Board::default();
    let rules = shop_rules();
    board.configure(rules.clone(), std::time::Duration::from_secs(15));
    let found = QUEUES.map(|(name, ..)| Queue::new(id(name), format!("http://sqs/{ACCOUNT}/{name}")));
    board.discovered(&target(), found.into());
    for (name, dead_letter_queue, [visible, in_flight, delayed], age) in QUEUES {
        let settings = settings(dead_letter_queue.map(id));
        board.read_attributes(&id(name), now, depth(visible, in_flight, delayed), Some(settings));
        board.read_cloudwatch(&id(name), now, Metric::OldestMessageAge, &window(age));
    }
    health(&board);
    board.update_target(&target(), |health| {
        (health.discovered_at, health.attributes_at) = (Some(now), Some(now));
    });
    let firing = [
        ("orders-dlq.fifo", 0, 4, 3.0),
        ("shipping-dlq", 0, 6800, 1870.0),
        ("shipping-labels", 1, 95, 205_000.0),
    ];
    board.with_alarms_mut(|alarms| {
        for (name, ..) in QUEUES {
            let rule = if name.contains("dlq") { &rules[0] } else { &rules[1] };
            let key = AlarmKey { rule: rule.name.clone(), subject: Subject::Queue(id(name)) };
            let state = if name == "audit-events" { State::InsufficientData } else { State::Ok };
            alarms.insert(key, Alarm { state, since: now, ..Alarm::default() });
        }
        for (name, rule, minutes, value) in firing {
            let key = AlarmKey { rule: rules[rule].name.clone(), subject: Subject::Queue(id(name)) };
            let since = now - MINUTE * minutes;
            let threshold = rules[rule].condition().unwrap().threshold;
            let reason = format!(
                "Threshold Crossed: 1 datapoint [{value:?}] was greater than or equal to the threshold ({threshold:?})."
            );
            alarms.insert(
                key,
                Alarm { state: State::Alarm, since, reason, value: Some(value), ..Alarm::default() },
            );
        }
    });
    board
}

fn shop_rules() -> Vec<Rule> {
    let mut old = rule();
    old.name = "oldest-message-past-half-of-retention".into();
    old.description = "Messages will be lost unless consumers catch up".into();
    old.trigger = Trigger::Metric(Condition {
        metric: MetricRef::Queue(Metric::OldestMessageAge),
        threshold: 172_800.0,
        ..old.condition().unwrap().clone()
    });
    old.severity = Severity::Warning;
    vec![rule(), old]
}
