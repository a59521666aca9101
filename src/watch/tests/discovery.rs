//! Which queues are watched, and which are not and why.

use std::time::Duration;

use super::{Rig, config};
use crate::board::Skip;
use crate::domain::metric::Metric;
use crate::domain::queue::Role;
use crate::domain::rule::Glob;
use crate::simulator::{Fault, FaultKind};

#[tokio::test]
async fn all_pages_are_listed() {
    let mut config = config();
    config.discovery.interval = Duration::from_secs(3600);
    config.poll.attributes = Duration::from_secs(3600);
    let rig = Rig::start(config, |control| {
        for n in 0..2500 {
            control.create_queue(&format!("q{n:04}"), &[], &[]);
        }
    })
    .await;
    rig.until("the listing", |rig| rig.health().discovered_at.is_some()).await;
    assert_eq!(rig.watched().len(), 2500);
    assert_eq!(rig.requests("sqs.ListQueues"), 3);
    assert_eq!(rig.health().account.as_deref(), Some("123456789012"));
    rig.stop().await;
}

#[tokio::test]
async fn new_queues_appear_and_deleted_ones_lose_everything() {
    let rig = Rig::start(config(), |control| {
        control.create_queue("a", &[], &[]);
        control.create_queue("b", &[], &[]);
    })
    .await;
    rig.until("both are read", |rig| {
        ["a", "b"].iter().all(|name| rig.value(name, Metric::MessagesVisible) == Some(0.0))
    })
    .await;
    rig.control().delete_queue("a");
    rig.control().create_queue("c", &[], &[]);
    rig.until("the new set", |rig| {
        rig.watched() == ["b", "c"] && rig.skipped().is_empty() && rig.value("c", Metric::Retention).is_some()
    })
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn globs_and_tags_leave_queues_out_for_a_reason() {
    let mut config = config();
    config.discovery.include = vec![Glob::new("orders*"), Glob::new("pay*")];
    config.discovery.exclude = vec![Glob::new("*-scratch")];
    config.discovery.tags = [("team".to_owned(), "shop".to_owned())].into();
    let rig = Rig::start(config, |control| {
        for (name, tags) in [
            ("orders", &[("team", "shop"), ("tier", "1")][..]),
            ("orders-untagged", &[]),
            ("orders-scratch", &[("team", "shop")]),
            ("payments", &[("team", "pay")]),
            ("users", &[("team", "shop")]),
        ] {
            control.create_queue(name, &[], tags);
        }
    })
    .await;
    rig.until("the tags are read", |rig| {
        rig.skipped()
            == [
                ("orders-scratch".into(), Skip::Excluded),
                ("orders-untagged".into(), Skip::Tags),
                ("payments".into(), Skip::Tags),
                ("users".into(), Skip::Excluded),
            ]
    })
    .await;
    assert_eq!(rig.watched(), ["orders"]);
    let queues = rig.board.queues();
    let queue = queues.values().next().unwrap().lock().queue.clone();
    assert_eq!(queue.tag("tier").map(String::as_str), Some("1"));
    let asked = rig.requests("sqs.ListQueueTags");
    assert_eq!(asked, 3, "only of queues whose names are let in, and only once");
    rig.stop().await;
}

#[tokio::test]
async fn tags_are_not_asked_for_when_nothing_needs_them() {
    let rig = Rig::start(config(), |control| control.create_queue("a", &[], &[("team", "x")])).await;
    rig.until("three listings", |rig| rig.requests("sqs.ListQueues") >= 3).await;
    assert_eq!(rig.requests("sqs.ListQueueTags"), 0);
    rig.stop().await;
}

#[tokio::test]
async fn tags_that_may_not_be_read_cost_a_label_and_no_queue() {
    let mut config = config();
    config.discovery.tag_labels = vec!["team".into()];
    let rig = Rig::start(config, |control| {
        control.create_queue("a", &[], &[("team", "x")]);
        let operation = Some("ListQueueTags".into());
        control.inject(Fault { operation, ..Fault::new(FaultKind::Denied) });
    })
    .await;
    rig.until("the queue is read", |rig| rig.value("a", Metric::MessagesVisible).is_some()).await;
    rig.until("the trouble is told", |rig| rig.health().troubles.contains_key("ListQueueTags")).await;
    assert!(rig.health().troubles["ListQueueTags"].contains("`sqs:ListQueueTags`"));
    rig.stop().await;
}

#[tokio::test]
async fn a_listing_that_fails_changes_nothing_and_is_made_up_for() {
    let rig = Rig::start(config(), |control| control.create_queue("a", &[], &[])).await;
    rig.until("the queue is read", |rig| rig.value("a", Metric::MessagesVisible).is_some()).await;
    let operation = Some("ListQueues".to_owned());
    rig.control().inject(Fault { operation: operation.clone(), ..Fault::new(FaultKind::Denied) });
    rig.until("the failure shows", |rig| rig.health().troubles.contains_key("ListQueues")).await;
    assert_eq!(rig.watched(), ["a"]);
    rig.control().clear_faults();
    rig.control().create_queue("b", &[], &[]);
    rig.until("it recovers", |rig| rig.watched() == ["a", "b"] && rig.health().troubles.is_empty()).await;

    rig.control().inject(Fault { operation, ..Fault::new(FaultKind::EndlessPages) });
    rig.until("a listing without end fails", |rig| rig.failures("ListQueues", "bad_answer") > 0).await;
    assert_eq!(rig.watched(), ["a", "b"]);
    rig.stop().await;
}

#[tokio::test]
async fn queues_can_be_named_by_name_and_by_url() {
    let mut config = config();
    let simulator_url = |control: &crate::simulator::Control| control.queue_url("by-url");
    config.discovery.queues = vec!["by-name".into(), "nowhere".into()];
    let rig = Rig::start(config.clone(), |control| {
        for name in ["by-name", "by-url", "unnamed"] {
            control.create_queue(name, &[], &[]);
        }
    })
    .await;
    rig.until("the named queue", |rig| rig.value("by-name", Metric::MessagesVisible).is_some()).await;
    assert_eq!(rig.skipped(), [("nowhere".into(), Skip::Gone)]);
    assert_eq!(rig.requests("sqs.ListQueues"), 0);
    config.discovery.queues = vec![simulator_url(rig.control())];
    let mut rig = rig;
    rig.shutdown.cancel();
    while rig.workers.join_next().await.is_some() {}
    rig.shutdown = Default::default();
    rig.watch(config).await;
    rig.until("the queue of the URL, after a reload", |rig| {
        rig.watched() == ["by-url"] && rig.value("by-url", Metric::MessagesVisible).is_some()
    })
    .await;
    rig.stop().await;
}

#[tokio::test]
async fn dead_letter_queues_are_found_both_ways() {
    let rig = Rig::start(config(), |control| {
        control.create_queue("orders-dlq", &[], &[]);
        let arn = control.queue_arn("orders-dlq");
        let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":"3"}}"#);
        control.create_queue("orders", &[("RedrivePolicy", &policy)], &[]);
    })
    .await;
    let role = |rig: &Rig, name: &str| {
        let queues = rig.board.queues();
        let watched = queues.values().find(|watched| &*watched.id.name == name).unwrap();
        let queue = watched.lock().queue.clone();
        (queue.role, queue.sources.len())
    };
    rig.until("the topology", |rig| {
        rig.watched().len() == 2
            && role(rig, "orders") == (Role::Source, 0)
            && role(rig, "orders-dlq") == (Role::DeadLetter, 1)
    })
    .await;
    assert_eq!(rig.value("orders", Metric::MaxReceiveCount), Some(3.0));
    rig.stop().await;
}

#[tokio::test]
async fn a_reload_keeps_the_tags_and_the_readings_until_tags_are_read_again() {
    let mut config = config();
    config.discovery.tags = [("team".to_owned(), "shop".to_owned())].into();
    let mut rig =
        Rig::start(config.clone(), |control| control.create_queue("a", &[], &[("team", "shop")])).await;
    rig.until("the queue is read", |rig| rig.value("a", Metric::MessagesVisible).is_some()).await;
    let first = rig.health().first_discovered_at;
    assert!(first.is_some());
    rig.shutdown.cancel();
    while rig.workers.join_next().await.is_some() {}
    let operation = Some("ListQueueTags".into());
    rig.control().inject(Fault { operation, ..Fault::new(FaultKind::Denied) });
    rig.shutdown = tokio_util::sync::CancellationToken::new();
    let before = rig.board.queues().values().next().unwrap().clone();
    let listings = rig.requests("sqs.ListQueues");
    rig.watch(config).await;
    rig.until("it is listed again", |rig| rig.requests("sqs.ListQueues") >= listings + 3).await;
    let after = rig.board.queues().values().next().cloned();
    assert!(after.is_some_and(|after| std::sync::Arc::ptr_eq(&before, &after)), "it was never taken away");
    assert_eq!(rig.health().first_discovered_at, first);
    rig.stop().await;
}
