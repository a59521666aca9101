use super::*;
use crate::domain::queue::{RedrivePolicy, Role};

fn id(name: &str) -> QueueId {
    QueueId::new("123456789012", "eu-west-1", name)
}

/// A queue that nothing is wrong with, and the dead-letter queue that it names.
fn wise(name: &str) -> (Queue, Queue) {
    let (stem, ending) = name.strip_suffix(".fifo").map_or((name, ""), |stem| (stem, ".fifo"));
    let dead = id(&format!("{stem}-dlq{ending}"));
    let settings = Settings {
        retention_seconds: Some(345_600),
        visibility_timeout_seconds: Some(30),
        delay_seconds: Some(0),
        receive_wait_seconds: Some(0),
        maximum_message_bytes: Some(262_144),
        encrypted: Some(true),
        public: Some(false),
        ..Settings::default()
    };
    let redrive = Some(RedrivePolicy { dead_letter_queue: dead.clone(), max_receive_count: 5 });
    let queue = |id: QueueId, role, settings| Queue {
        settings,
        role,
        ..Queue::new(id.clone(), format!("https://sqs.eu-west-1.amazonaws.com/123456789012/{}", id.name))
    };
    let source = queue(id(name), Role::Source, Settings { redrive, ..settings.clone() });
    let sink = queue(dead, Role::DeadLetter, Settings { retention_seconds: Some(1_209_600), ..settings });
    (source, sink)
}

fn on(source: &Queue, sink: &Queue, observed: Observed) -> Vec<Advice> {
    let dead_letter_queue = DeadLetterQueue::Watched(sink);
    advise(&Case { queue: source, dead_letter_queue, sources: Vec::new(), observed })
}

fn what(advice: &[Advice]) -> Vec<&str> {
    advice.iter().map(|advice| advice.what.as_str()).collect()
}

#[test]
fn nothing_is_said_of_a_wise_queue_nor_of_one_that_was_not_read() {
    for name in ["orders", "orders.fifo"] {
        let (source, sink) = wise(name);
        assert_eq!(on(&source, &sink, Observed::default()), []);
        let case = Case {
            queue: &sink,
            dead_letter_queue: DeadLetterQueue::None,
            sources: vec![&source],
            observed: Observed::default(),
        };
        assert_eq!(advise(&case), []);
    }
    let unread = Queue::new(id("orders"), "http://x");
    let case = Case {
        queue: &unread,
        dead_letter_queue: DeadLetterQueue::None,
        sources: vec![],
        observed: Observed::default(),
    };
    assert_eq!(advise(&case), []);
}

#[test]
fn each_unwise_setting_is_named_and_mended() {
    type Change = fn(&mut Settings);
    let cases: [(&str, Change, Severity, &str); 9] = [
        ("No dead-letter queue", |s| s.redrive = None, Severity::Warning, "RedrivePolicy"),
        (
            "One try only",
            |s| s.redrive.as_mut().unwrap().max_receive_count = 1,
            Severity::Warning,
            r#"maxReceiveCount\":\"5\""#,
        ),
        (
            "100 tries",
            |s| s.redrive.as_mut().unwrap().max_receive_count = 100,
            Severity::Info,
            "RedrivePolicy",
        ),
        (
            "Received messages are not hidden",
            |s| s.visibility_timeout_seconds = Some(0),
            Severity::Warning,
            r#""VisibilityTimeout":"30""#,
        ),
        (
            "Failing messages expire before they are dead letters",
            |s| s.visibility_timeout_seconds = Some(86_400),
            Severity::Warning,
            r#""MessageRetentionPeriod":"1209600""#,
        ),
        ("Open to the world", |s| s.public = Some(true), Severity::Error, "--attribute-names Policy"),
        (
            "Not encrypted",
            |s| s.encrypted = Some(false),
            Severity::Warning,
            r#""SqsManagedSseEnabled":"true""#,
        ),
        (
            "Messages are deleted after 5 min",
            |s| s.retention_seconds = Some(300),
            Severity::Warning,
            r#""MessageRetentionPeriod":"345600""#,
        ),
        (
            "Messages are deleted after 59 min 59 s",
            |s| s.retention_seconds = Some(3599),
            Severity::Warning,
            "345600",
        ),
    ];
    for (expected, change, severity, fix) in cases {
        let (mut source, sink) = wise("orders");
        change(&mut source.settings);
        let advice = on(&source, &sink, Observed::default());
        assert_eq!(what(&advice), [expected]);
        assert_eq!(advice[0].severity, severity, "{expected}");
        let commands = advice[0].fix.join("\n");
        assert!(commands.contains(fix) && commands.contains("--region eu-west-1"), "{commands}");
    }
}

#[test]
fn a_dead_letter_queue_keeps_messages_longer_than_each_of_its_sources() {
    for (name, kept, dead, short) in [
        ("orders", 345_600, 345_600, true),
        ("orders", 345_600, 345_601, false),
        ("orders", 1_209_600, 1_209_600, true),
        ("orders.fifo", 345_600, 60_000, false),
    ] {
        let (mut source, mut sink) = wise(name);
        (source.settings.retention_seconds, sink.settings.retention_seconds) = (Some(kept), Some(dead));
        let expected: &[&str] = if short { &["Dead letters are kept no longer than messages"] } else { &[] };
        let of_source = on(&source, &sink, Observed::default());
        assert_eq!(what(&of_source), expected, "{name} {kept} {dead}");
        let (other, _) = wise("other");
        let sources = vec![&other, &source];
        let of_sink = advise(&Case {
            queue: &sink,
            dead_letter_queue: DeadLetterQueue::None,
            sources,
            observed: Observed::default(),
        });
        assert_eq!(what(&of_sink), expected, "{name} {kept} {dead}");
        if short {
            assert!(of_sink[0].why.starts_with("orders keeps messages for "), "{}", of_sink[0].why);
            assert_eq!(of_sink[0].fix.is_empty(), kept == 1_209_600, "no queue keeps more than 14 days");
            assert!(
                of_source[0].fix.iter().all(|fix| fix.contains("/orders-dlq ")),
                "{:?}",
                of_source[0].fix
            );
        }
    }
}

#[test]
fn what_is_wrong_with_the_dead_letter_queue_itself() {
    let (source, mut sink) = wise("orders");
    let with = |dead_letter_queue: DeadLetterQueue<'_>| {
        advise(&Case { queue: &source, dead_letter_queue, sources: vec![], observed: Observed::default() })
    };
    assert_eq!(what(&with(DeadLetterQueue::Missing)), ["Its dead-letter queue does not exist"]);
    assert_eq!(with(DeadLetterQueue::Skipped), []);
    assert_eq!(with(DeadLetterQueue::Unknown), []);
    sink.settings.redrive =
        Some(RedrivePolicy { dead_letter_queue: source.id.clone(), max_receive_count: 3 });
    assert_eq!(what(&with(DeadLetterQueue::Watched(&sink))), ["Dead letters go in a circle"]);

    let (mut own, _) = wise("loop");
    own.settings.redrive = Some(RedrivePolicy { dead_letter_queue: own.id.clone(), max_receive_count: 3 });
    let observed = Observed::default();
    let case = Case {
        queue: &own,
        dead_letter_queue: DeadLetterQueue::Watched(&own),
        sources: vec![&own],
        observed,
    };
    assert_eq!(what(&advise(&case)), ["It is its own dead-letter queue"]);

    let (mut both, next) = wise("middle");
    both.role = Role::Both;
    assert_eq!(what(&on(&both, &next, observed)), ["A dead-letter queue with a dead-letter queue"]);
}

#[test]
fn rates_are_held_against_the_visibility_timeout_and_the_wait() {
    let seen = |received: f64, deleted: f64, in_flight: f64, empty: f64| Observed {
        received: Some(received),
        deleted: Some(deleted),
        in_flight: Some(in_flight),
        empty_receives: Some(empty),
    };
    let back = "Messages come back while they are handled";
    for (observed, hidden, wait, expected) in [
        (Observed::default(), 30, 0, None),
        (seen(60.0, 60.0, 30.0, 0.0), 30, 0, None),
        (seen(60.0, 20.0, 28.0, 0.0), 30, 0, Some(back)),
        // Given back at once: the timeout is not why.
        (seen(60.0, 20.0, 1.0, 0.0), 30, 0, None),
        (seen(0.5, 0.0, 0.2, 0.0), 30, 0, None),
        (seen(60.0, 60.0, 2.0, 0.0), 3600, 0, Some("Dropped messages wait long")),
        (seen(60.0, 60.0, 120.0, 0.0), 3600, 0, None),
        (seen(60.0, 60.0, 5.0, 240.0), 30, 0, Some("Short polling")),
        (seen(60.0, 60.0, 5.0, 240.0), 30, 20, None),
        (seen(60.0, 60.0, 5.0, 2.0), 30, 0, None),
        (seen(f64::MAX, 0.0, f64::MAX, f64::MAX), 30, 20, Some(back)),
    ] {
        let (mut source, sink) = wise("orders");
        source.settings.visibility_timeout_seconds = Some(hidden);
        source.settings.receive_wait_seconds = Some(wait);
        let advice = on(&source, &sink, observed);
        assert_eq!(what(&advice), expected.into_iter().collect::<Vec<_>>(), "{observed:?}");
    }
}

#[test]
fn short_polling_has_its_price() {
    for (name, empty, price, severity) in [
        ("orders", 60.0, "60 a minute found none in the last hour: about $1.00 a month", Severity::Info),
        ("orders", 300.4, "300 a minute found none in the last hour: about $5.20 a month", Severity::Warning),
        (
            "orders.fifo",
            6000.0,
            "6000 a minute found none in the last hour: about $130 a month",
            Severity::Warning,
        ),
    ] {
        let (source, sink) = wise(name);
        let observed = Observed { empty_receives: Some(empty), ..Observed::default() };
        let advice = on(&source, &sink, observed);
        assert!(advice[0].why.contains(price), "{}", advice[0].why);
        assert_eq!(advice[0].severity, severity);
    }
}

#[test]
fn lengths_of_time_are_words() {
    for (seconds, expected) in [
        (0, "0 s"),
        (30, "30 s"),
        (345_600, "4 d"),
        (129_600, "1 d 12 h"),
        (3599, "59 min 59 s"),
        (90_000, "1 d 1 h"),
        (86_460, "1 d"),
    ] {
        assert_eq!(lasting(seconds), expected);
    }
}

#[test]
fn the_worst_comes_first() {
    let (mut source, sink) = wise("orders");
    source.settings.redrive = None;
    source.settings.public = Some(true);
    source.settings.encrypted = Some(false);
    let advice = on(&source, &sink, Observed::default());
    assert_eq!(what(&advice), ["Open to the world", "No dead-letter queue", "Not encrypted"]);
}
