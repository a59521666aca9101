//! The table of the shop: its queues, who works on them, and what goes wrong when.

use std::collections::BTreeMap;

use super::workload::{Plan, Rhythm, Workload};
use crate::simulator::clock::Millis;
use crate::simulator::cloud::{Cloud, Scope};
use crate::simulator::sns;
use crate::simulator::topic::Subscription;

const fn at(first: f64, every: f64, lasts: f64) -> Rhythm {
    Rhythm { first, every, lasts }
}

/// Who does what. In the first two minutes: poison in `orders` (10 s) reaches its dead-letter queue, `emails` stalls (20 s),
/// `inventory-sync` piles up in flight (40 s), shipping gets poison (60 s), `emails` recovers (from 110 s), the orders'
/// dead letters are cleared (130 s).
const PLANS: [Plan; 10] = [
    Plan {
        burst: at(30.0, 300.0, 30.0),
        burst_factor: 4.0,
        poison: at(10.0, 240.0, 10.0),
        poison_rate: 0.4,
        dead_letters: Some(("orders-dlq", at(130.0, 240.0, 4.0))),
        ..Plan::steady("orders", "checkout", 1.5)
    },
    Plan {
        poison: at(90.0, 420.0, 10.0),
        poison_rate: 0.1,
        dead_letters: Some(("payments-dlq.fifo", at(270.0, 420.0, 4.0))),
        ..Plan::steady("payments.fifo", "payments", 1.0)
    },
    Plan {
        capacity: 10.0,
        stall: at(20.0, 300.0, 90.0),
        dead_letters: Some(("emails-dlq", Rhythm::NEVER)),
        ..Plan::steady("emails", "mailer", 2.0)
    },
    Plan {
        poison: at(60.0, 480.0, 10.0),
        poison_rate: 0.2,
        dead_letters: Some(("shipping-events-dlq", at(360.0, 480.0, 4.0))),
        ..Plan::steady("shipping-events", "shipping", 0.8)
    },
    Plan {
        burst: at(50.0, 180.0, 20.0),
        burst_factor: 20.0,
        tenants: true,
        capacity: 1.5,
        handling: 2.0,
        ..Plan::steady("image-resize", "images", 0.3)
    },
    Plan { slow: at(40.0, 360.0, 120.0), handling: 0.8, ..Plan::steady("inventory-sync", "inventory", 1.5) },
    Plan::steady("search-index", "search", 1.2),
    Plan::steady("invoices.fifo", "billing", 0.3),
    Plan::steady("analytics-events", "analytics", 2.0),
    Plan::steady("cart-reminders", "reminders", 0.5),
];

/// `maxReceiveCount` of every redrive policy.
const MAX_RECEIVES: u32 = 3;

/// Creates the queues and the topic, and puts everybody to work.
pub fn open(cloud: &mut Cloud, home: &Scope, now: Millis) -> Vec<Workload> {
    let mut shop = Shop { cloud, home, now };
    for plan in &PLANS {
        let (team, attributes) = about(plan.queue);
        let mut attributes: BTreeMap<String, String> = owned(attributes);
        if let Some((dead_letters, _)) = plan.dead_letters {
            shop.queue(dead_letters, BTreeMap::from(LONG_RETENTION.map(text)), team, plan.service);
            let arn = home.arn("sqs", dead_letters);
            let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":{MAX_RECEIVES}}}"#);
            attributes.insert("RedrivePolicy".into(), policy);
        }
        shop.queue(plan.queue, attributes, team, plan.service);
    }
    shop.queue("legacy-reports", BTreeMap::new(), "platform", "reports");
    shop.queue("alerts-inbox", BTreeMap::new(), "platform", "alerts");
    shop.topic();
    let inbox = Plan::steady("alerts-inbox", "alerts", 0.0);
    PLANS.into_iter().chain([Plan { capacity: 1.0, ..inbox }]).map(Workload::new).collect()
}

/// A dead-letter queue must keep messages longer than its source.
const LONG_RETENTION: [(&str, &str); 1] = [("MessageRetentionPeriod", "1209600")];

/// Team and attributes of a worked queue.
fn about(queue: &str) -> (&'static str, &'static [(&'static str, &'static str)]) {
    match queue {
        "orders" => ("storefront", &[("VisibilityTimeout", "30")]),
        "payments.fifo" => ("payments", &[("ContentBasedDeduplication", "true")]),
        "invoices.fifo" => ("payments", &[("DeduplicationScope", "messageGroup")]),
        "emails" => ("customer-care", &[("ReceiveMessageWaitTimeSeconds", "20")]),
        "inventory-sync" => ("logistics", &[("VisibilityTimeout", "600")]),
        "shipping-events" => ("logistics", &[]),
        "cart-reminders" => ("customer-care", &[("DelaySeconds", "60")]),
        "analytics-events" => ("data", &[("MessageRetentionPeriod", "86400")]),
        _ => ("storefront", &[]),
    }
}

fn text((name, value): (&str, &str)) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

fn owned(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().copied().map(text).collect()
}

struct Shop<'a> {
    cloud: &'a mut Cloud,
    home: &'a Scope,
    now: Millis,
}

impl Shop<'_> {
    fn queue(&mut self, name: &str, mut attributes: BTreeMap<String, String>, team: &str, service: &str) {
        if name.ends_with(".fifo") {
            attributes.insert("FifoQueue".into(), "true".into());
        }
        let created = self.cloud.create_queue(self.home, name, &attributes, self.now);
        debug_assert_eq!(created, Ok(()), "{name}");
        if let Ok(queue) = self.cloud.queue(self.home, name) {
            queue.tags.extend([("team", team), ("service", service), ("environment", "prod")].map(text));
        }
    }

    /// Subscribers: a queue that a ticket system reads, and a mailbox that nobody does.
    fn topic(&mut self) {
        let realm = self.cloud.realm(self.home);
        let arn = sns::create(realm, self.home, "alerts", BTreeMap::new());
        let endpoints =
            [("sqs", self.home.arn("sqs", "alerts-inbox")), ("email", "oncall@example.com".into())];
        if let Some(topic) = realm.topics.get_mut("alerts") {
            topic.subscriptions = endpoints
                .into_iter()
                .zip(1..)
                .map(|((protocol, endpoint), number)| Subscription {
                    arn: format!("{arn}:00000000-0000-4000-8000-{number:012}"),
                    protocol: protocol.to_owned(),
                    endpoint,
                    raw: false,
                })
                .collect();
        }
    }
}
