//! The board as its users see it: what enters, what is known, what is gone.

use super::*;
use crate::domain::history::History;
use crate::domain::queue::{RedrivePolicy, Role};
use crate::domain::rule::Statistic;
use crate::domain::series::StatisticSet;
use crate::domain::silence::{Matchers, Silence};

fn id(name: &str) -> QueueId {
    QueueId::new("1", "eu-west-1", name)
}

fn minute(n: i64) -> Timestamp {
    Timestamp::from_secs(n * 60)
}

fn target() -> Arc<Target> {
    Arc::new(Target { region: "eu-west-1".into(), role_arn: None })
}

fn board(names: &[&str]) -> Board {
    let board = Board::default();
    board.configure(Vec::new(), Duration::from_secs(15));
    board.discovered(&target(), names.iter().map(|name| Queue::new(id(name), "http://q")).collect());
    board
}

fn redrive_to(name: &str) -> Option<Settings> {
    let redrive = RedrivePolicy { dead_letter_queue: id(name), max_receive_count: 5 };
    Some(Settings { redrive: Some(redrive), retention_seconds: Some(1000), ..Settings::default() })
}

fn depth(visible: u64) -> Depth {
    Depth { visible: Some(visible), in_flight: Some(0), delayed: Some(0) }
}

fn value(board: &Board, name: &str, metric: Metric) -> Option<f64> {
    board.queue(&id(name)).and_then(|watched| watched.lock().value(metric))
}

#[test]
fn a_listing_brings_new_queues_takes_gone_ones_and_keeps_the_rest() {
    let board = board(&["a", "b"]);
    board.read_attributes(&id("a"), minute(1), depth(7), None);
    let found = ["a", "c"].iter().map(|name| Queue::new(id(name), "http://q")).collect();
    let (new, gone) = board.discovered(&target(), found);
    assert_eq!((new, gone), (vec![id("c")], vec![id("b")]));
    assert_eq!(value(&board, "a", Metric::MessagesVisible), Some(7.0));
    let elsewhere = Arc::new(Target { region: "us-east-1".into(), role_arn: None });
    board.discovered(&elsewhere, Vec::new());
    assert_eq!(board.queues().len(), 2, "another target's listing takes nothing away here");
}

#[test]
fn topology_follows_settings_both_ways_and_back() {
    let board = board(&["orders", "orders-dlq"]);
    let role = |name: &str| board.queues()[&id(name)].lock().queue.role;
    board.read_attributes(&id("orders"), minute(0), depth(0), redrive_to("orders-dlq"));
    assert_eq!((role("orders"), role("orders-dlq")), (Role::Source, Role::DeadLetter));
    board.read_attributes(&id("orders"), minute(1), depth(0), Some(Settings::default()));
    assert_eq!((role("orders"), role("orders-dlq")), (Role::Plain, Role::Plain));
}

#[test]
fn an_unknown_count_is_absent_and_not_zero() {
    let board = board(&["a"]);
    board.read_attributes(&id("a"), minute(0), depth(5), None);
    board.read_attributes(&id("a"), minute(1), Depth { visible: None, ..depth(0) }, None);
    assert_eq!(value(&board, "a", Metric::MessagesVisible), None);
    assert_eq!(value(&board, "a", Metric::MessagesInFlight), Some(0.0));
    assert_eq!(value(&board, "a", Metric::OldestMessageAge), None);
}

#[test]
fn an_empty_queue_has_no_age_whatever_cloudwatch_still_says() {
    let board = board(&["a"]);
    board.read_attributes(&id("a"), minute(0), depth(0), None);
    let window = Window {
        from: minute(0),
        until: minute(2),
        settled: minute(0),
        datapoints: vec![(minute(1), StatisticSet::single(500.0))],
    };
    board.read_cloudwatch(&id("a"), minute(4), Metric::OldestMessageAge, &window);
    assert_eq!(value(&board, "a", Metric::OldestMessageAge), Some(0.0));
}

#[test]
fn the_age_of_a_queue_that_fills_is_unknown_until_cloudwatch_tells_it() {
    let board = board(&["a"]);
    board.read_attributes(&id("a"), minute(0), depth(0), None);
    assert_eq!(value(&board, "a", Metric::OldestMessageAge), Some(0.0));
    board.read_attributes(&id("a"), minute(1), depth(3), None);
    assert_eq!(value(&board, "a", Metric::OldestMessageAge), None);
}

#[test]
fn dead_letters_are_counted_once_a_second_reading_confirms_them() {
    let board = board(&["orders", "orders-dlq"]);
    board.read_attributes(&id("orders"), minute(0), depth(0), redrive_to("orders-dlq"));
    board.queues();
    for (n, count) in [(1, 2), (2, 5), (3, 2), (4, 5), (5, 5), (6, 0), (7, 0), (8, 1), (9, 1)] {
        board.read_attributes(&id("orders-dlq"), minute(n), depth(count), None);
    }
    assert_eq!(
        value(&board, "orders-dlq", Metric::DeadLetters),
        Some(4.0),
        "3 confirmed, then 1; the first 2 were there"
    );
    assert_eq!(value(&board, "orders", Metric::DeadLetters), None);
}

#[test]
fn dead_letters_that_no_reading_saw_are_counted_by_their_deletes() {
    let board = board(&["orders", "orders-dlq"]);
    board.read_attributes(&id("orders"), minute(0), depth(0), redrive_to("orders-dlq"));
    board.queues();
    for n in 1..20 {
        board.read_attributes(&id("orders-dlq"), minute(n), depth(0), None);
        if n == 12 {
            let datapoints = vec![(minute(5), StatisticSet::single(3.0))];
            let window = Window { from: minute(2), until: minute(10), settled: minute(7), datapoints };
            board.read_cloudwatch(&id("orders-dlq"), minute(n), Metric::MessagesDeleted, &window);
            assert_eq!(value(&board, "orders-dlq", Metric::DeadLetters), Some(0.0));
        }
    }
    assert_eq!(value(&board, "orders-dlq", Metric::DeadLetters), Some(3.0));
    assert_eq!(value(&board, "orders-dlq", Metric::Messages), Some(0.0));
    board.read_attributes(&id("orders-dlq"), minute(20), Depth { delayed: None, ..depth(0) }, None);
    assert_eq!(value(&board, "orders-dlq", Metric::Messages), None, "a part is not known");
}

#[test]
fn counters_go_on_after_a_restart_and_count_no_minute_twice() {
    let window = |minutes: std::ops::Range<i64>| Window {
        from: minute(minutes.start),
        until: minute(minutes.end),
        settled: minute(minutes.start),
        datapoints: minutes.map(|n| (minute(n), StatisticSet::single(10.0))).rev().collect(),
    };
    let before = board(&["a"]);
    before.read_cloudwatch(&id("a"), minute(5), Metric::MessagesSent, &window(0..3));
    let after = Board::default();
    let kept = before.counters().into_iter().filter_map(|(key, counter)| Some((key, counter?)));
    after.remember_counters(kept.collect());
    after.discovered(&target(), vec![Queue::new(id("a"), "http://q")]);
    assert_eq!(value(&after, "a", Metric::MessagesSent), Some(30.0));
    after.read_cloudwatch(&id("a"), minute(7), Metric::MessagesSent, &window(1..5));
    assert_eq!(value(&after, "a", Metric::MessagesSent), Some(50.0));
}

#[test]
fn gaps_of_a_settled_window_are_missing_and_later_ones_unknown() {
    let rule_needs = Needs {
        series: BTreeMap::from([((Metric::OldestMessageAge, MINUTE), MINUTE * 10)]),
        ..Needs::default()
    };
    let mut readings = Readings::new(Queue::new(id("a"), "http://q"), &rule_needs);
    let window = Window {
        from: minute(0),
        until: minute(6),
        settled: minute(3),
        datapoints: vec![(minute(1), StatisticSet::single(9.0))],
    };
    readings.cloudwatch(minute(8), Metric::OldestMessageAge, &window);
    let series = readings.series(Metric::OldestMessageAge, MINUTE).unwrap();
    let slots: Vec<String> =
        (0..6).map(|n| format!("{:?}", series.at(minute(n))).chars().take(1).collect()).collect();
    assert_eq!(slots.concat(), "MVMUUU");
    assert_eq!(series.horizon(minute(8)), minute(6));
    let maximum = series.latest().map(|(_, set)| set.get(Statistic::Maximum));
    assert_eq!(maximum, Some(9.0));
}

fn sent(board: &Board, name: &str, sum: f64) {
    let datapoints = vec![(minute(0), StatisticSet::single(sum))];
    let window = Window { from: minute(0), until: minute(1), settled: minute(0), datapoints };
    board.read_cloudwatch(&id(name), minute(3), Metric::MessagesSent, &window);
}

#[test]
fn the_counters_of_a_queue_go_on_when_it_is_back_and_are_forgotten_only_when_it_is_known_to_be_gone() {
    let board = board(&["a", "b"]);
    sent(&board, "a", 5.0);
    sent(&board, "b", 7.0);
    let key = |name: &str| (id(name), Metric::MessagesSent);
    board.forget(&id("a"));
    assert!(board.counters()[&key("a")].is_some(), "nothing was listed yet, so nothing is gone");
    board.update_target(&target(), |health| {
        health.note_discovery(minute(1));
        health.skipped.insert("a".into(), Skip::Denied);
    });
    assert!(board.counters()[&key("a")].is_some(), "it is there and may not be read");
    board.discovered(&target(), vec![Queue::new(id("a"), "http://q")]);
    board.update_target(&target(), |health| health.skipped.clear());
    assert_eq!(value(&board, "a", Metric::MessagesSent), Some(5.0), "admitted again");
    assert_eq!(board.counters()[&key("b")], None, "gone with the listing");
    board.drop_counters([key("b")]);
    assert!(!board.counters().contains_key(&key("b")));
}

#[test]
fn tags_that_were_not_read_this_time_stay_as_they_were() {
    let board = board(&["a"]);
    let tagged = |tags| Queue { tags, ..Queue::new(id("a"), "http://q") };
    let tags = || board.queues()[&id("a")].lock().queue.tags.clone();
    let red = Some([("team".to_owned(), "red".to_owned())].into());
    board.discovered(&target(), vec![tagged(red.clone())]);
    board.discovered(&target(), vec![tagged(None)]);
    assert_eq!(tags(), red);
    board.discovered(&target(), vec![tagged(Some(BTreeMap::new()))]);
    assert_eq!(tags(), Some(BTreeMap::new()));
}

#[test]
fn what_belongs_to_a_target_goes_with_it() {
    let board = board(&["a"]);
    let custom = |region: &str| CustomId { account: "1".into(), region: region.into(), name: "jobs".into() };
    let elsewhere = Arc::new(Target { region: "us-east-1".into(), role_arn: None });
    board.place_customs(&target(), vec![custom("eu-west-1")]);
    board.place_customs(&elsewhere, vec![custom("us-east-1")]);
    board.retain_targets(&BTreeSet::from([elsewhere.clone()]));
    assert!(board.queues().is_empty());
    assert!(board.customs().keys().eq([&custom("us-east-1")]));
    board.place_customs(&elsewhere, Vec::new());
    assert!(board.customs().is_empty());
    board.retain_targets(&BTreeSet::from([elsewhere.clone(), target()]));
    assert!(!board.is_listed() && board.targets().len() == 2, "a new target is known and not listed");
}

#[test]
fn a_custom_metric_that_is_no_longer_published_has_no_value_however_far_its_alarm_looks_back() {
    let board = board(&[]);
    let id = CustomId { account: "1".into(), region: "eu-west-1".into(), name: "latency".into() };
    board.place_customs(&target(), vec![id.clone()]);
    let custom = board.customs()[&id].clone();
    custom.lock().series.ensure_reach(MINUTE * 60);
    let window = |from, datapoints| Window {
        from: minute(from),
        until: minute(from + 5),
        settled: minute(from + 2),
        datapoints,
    };
    custom.read(minute(7), &window(0, vec![(minute(1), StatisticSet::single(9.0))]), false);
    assert_eq!(custom.lock().newest.map(|set| set.maximum), Some(9.0));
    custom.read(minute(12), &window(5, vec![]), false);
    assert_eq!(custom.lock().newest, None);
    assert!(custom.lock().series.latest().is_some(), "the alarm still sees it");
}

#[test]
fn a_change_of_silences_that_fails_changes_nothing_and_windows_keep_silences() {
    let board = Board::default();
    let silence = Silence {
        id: "a".into(),
        matchers: Matchers::default(),
        reason: "why".into(),
        author: "ana".into(),
        starts: Timestamp::from_secs(0),
        ends: Timestamp::from_secs(60),
    };
    let add = |silences: &mut Silences| silences.silences.push(silence.clone());
    let failed: Result<(), &str> = board.change_silences(|silences| {
        add(silences);
        assert!(board.silences().silences.is_empty(), "readers go on meanwhile");
        Err("the disk is full")
    });
    assert_eq!((failed, board.silences().silences.len()), (Err("the disk is full"), 0));
    let done: Result<(), &str> = board.change_silences(|silences| {
        add(silences);
        Ok(())
    });
    assert_eq!(done, Ok(()));
    board.set_maintenance(Vec::new());
    assert_eq!(board.silences().silences, [silence]);
}

/// What the plot of one queue's metric shows of the minutes `[from, until)`.
fn plotted(board: &Board, name: &str, metric: Metric, from: i64, until: i64) -> Vec<Option<f64>> {
    let watched = board.queue(&id(name)).unwrap();
    let points = watched.lock().history.points(metric, minute(from), minute(until), 100).points;
    points.into_iter().map(|point| point.value).collect()
}

#[test]
fn every_reading_leaves_its_mark_in_the_history_and_what_was_not_read_does_not() {
    let board = board(&["orders", "orders-dlq"]);
    board.read_attributes(&id("orders"), minute(1000), depth(5), redrive_to("orders-dlq"));
    let _ = board.queues();
    for (n, total) in [(1000, 0), (1001, 3), (1002, 3)] {
        board.read_attributes(&id("orders-dlq"), minute(n), depth(total), None);
    }
    board.read_attributes(&id("orders"), minute(1001), Depth::default(), None);
    board.read_attributes(&id("orders"), minute(1002), depth(9), None);
    let set = |sum: f64| StatisticSet { count: 4.0, sum, minimum: 1.0, maximum: 7.0 };
    let window = Window {
        from: minute(998),
        until: minute(1001),
        settled: minute(1001),
        datapoints: vec![(minute(998), set(20.0)), (minute(1000), set(0.0)), (minute(1001), set(99.0))],
    };
    for metric in [Metric::MessagesSent, Metric::OldestMessageAge, Metric::SentBytes] {
        board.read_cloudwatch(&id("orders"), minute(1003), metric, &window);
    }
    for (name, metric, expected) in [
        ("orders", Metric::MessagesVisible, [None, None, Some(5.0), None, Some(9.0)]),
        ("orders", Metric::MessagesSent, [Some(20.0), None, Some(0.0), None, None]),
        ("orders", Metric::OldestMessageAge, [Some(7.0), None, Some(7.0), None, None]),
        ("orders", Metric::DeadLetters, [None; 5]),
        ("orders-dlq", Metric::DeadLetters, [None, None, Some(0.0), Some(0.0), Some(3.0)]),
    ] {
        assert_eq!(plotted(&board, name, metric, 998, 1003), expected, "{metric:?} of {name}");
    }
    board.shift(Jump { from: minute(1003), to: minute(2003) });
    assert_eq!(plotted(&board, "orders", Metric::MessagesVisible, 2000, 2003), [Some(5.0), None, Some(9.0)]);
}

#[test]
fn a_history_outlives_its_queue_until_all_of_it_is_too_old_and_goes_on_with_a_queue_that_is_found() {
    let earlier = board(&["a", "b"]);
    earlier.read_attributes(&id("a"), minute(10_000), depth(7), None);
    earlier.read_attributes(&id("b"), minute(10_000), depth(8), None);
    let saved = |board: &Board, now| board.histories(minute(now)).collect::<BTreeMap<_, _>>();
    let board = Board::default();
    board.remember_histories(saved(&earlier, 10_000), minute(10_005));
    assert_eq!(saved(&board, 10_005).len(), 2, "nothing is found yet, nothing is lost");

    board.discovered(&target(), vec![Queue::new(id("a"), "http://q")]);
    board.read_attributes(&id("a"), minute(10_002), depth(9), None);
    assert_eq!(plotted(&board, "a", Metric::MessagesVisible, 10_000, 10_003), [Some(7.0), None, Some(9.0)]);
    board.forget(&id("a"));
    board.discovered(&target(), vec![Queue::new(id("a"), "http://q")]);
    assert_eq!(plotted(&board, "a", Metric::MessagesVisible, 10_000, 10_001), [Some(7.0)]);

    board.shift(Jump { from: minute(10_002), to: minute(20_002) });
    let week = 7 * 24 * 60;
    assert!(saved(&board, 20_001 + week).contains_key(&id("b")), "b moved along");
    assert!(!saved(&board, 20_002 + week).contains_key(&id("b")), "b is too old");
    assert!(saved(&board, 20_002 + week).contains_key(&id("a")));
}

#[test]
fn histories_of_queues_that_come_and_go_are_bounded() {
    let board = Board::default();
    let mut history = History::default();
    history.read(Metric::MessagesVisible, minute(10_000), 1.0);
    let many = (0..10_050).map(|n| (id(&format!("q{n}")), history.clone())).collect();
    board.remember_histories(many, minute(10_000));
    assert_eq!(board.histories(minute(10_001)).count(), 10_000);
    let mut future = BTreeMap::new();
    future.insert(id("q"), history);
    let other = Board::default();
    other.remember_histories(future, minute(5000));
    assert_eq!(other.histories(minute(5000)).count(), 0, "noted by a clock that was wrong");
}
