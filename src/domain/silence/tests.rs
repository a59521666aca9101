//! Which alarms are meant, how a silence lives and ends, and what is forgotten.

use proptest::prelude::*;

use super::*;
use crate::domain::alarm::CustomId;
use crate::domain::maintenance::{Schedule, Span};
use crate::domain::metric::Metric;
use crate::domain::queue::QueueId;
use crate::domain::rule::{Comparison, Condition, MetricRef, Severity, Statistic};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + seconds)
}

fn rule() -> Rule {
    let visible = MetricRef::Queue(Metric::MessagesVisible);
    let condition = Condition::new(visible, Statistic::Maximum, Comparison::GreaterThan, 1.0);
    let labels = [("team", "payments"), ("region", "nowhere")];
    Rule {
        severity: Severity::Critical,
        labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..Rule::on("backlog", condition)
    }
}

fn queue(name: &str) -> Subject {
    Subject::Queue(QueueId::new("123456789012", "eu-west-1", name))
}

fn matchers(alarms: &[&str], queues: &[&str], labels: &[(&str, &str)]) -> Matchers {
    let globs = |texts: &[&str]| texts.iter().map(|text| Glob::new(text)).collect();
    let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Matchers { alarms: globs(alarms), queues: globs(queues), labels: labels.collect() }
}

fn silence(id: &str, starts: i64, ends: i64) -> Silence {
    Silence {
        id: id.into(),
        matchers: Matchers::default(),
        reason: "deploying".into(),
        author: "ana".into(),
        starts: at(starts),
        ends: at(ends),
    }
}

#[test]
fn all_that_is_set_must_match() {
    for (alarms, queues, labels, expected) in [
        (&[][..], &[][..], &[][..], true),
        (&["backlog"], &[], &[], true),
        (&["back*", "other"], &["orders-?"], &[("team", "payments")], true),
        (&["back"], &[], &[], false),
        (&["Backlog"], &[], &[], false),
        (&["*"], &["carts-*", "orders-*"], &[], true),
        (&["*"], &["orders"], &[], false),
        (&[], &[], &[("severity", "critical"), ("account", "123456789012")], true),
        (&[], &[], &[("severity", "warning")], false),
        (&[], &[], &[("region", "eu-west-1")], true),
        (&[], &[], &[("region", "nowhere")], false),
        (&[], &[], &[("team", "")], false),
        (&[], &[], &[("owner", "")], false),
    ] {
        let matchers = matchers(alarms, queues, labels);
        assert_eq!(matchers.matches(&rule(), &queue("orders-1")), expected, "{matchers}");
    }
}

#[test]
fn a_composite_alarm_as_a_whole_has_no_queue() {
    let composite = Subject::Composite("backlog".into());
    let custom =
        Subject::Custom(CustomId { account: "".into(), region: "eu".into(), name: "latency".into() });
    for (matchers, on_composite, on_custom) in [
        (matchers(&["backlog"], &[], &[]), true, true),
        (matchers(&[], &["*"], &[]), false, true),
        (matchers(&[], &["lat*"], &[]), false, true),
        (matchers(&[], &[], &[("region", "eu")]), false, true),
    ] {
        assert_eq!(matchers.matches(&rule(), &composite), on_composite, "{matchers}");
        assert_eq!(matchers.matches(&rule(), &custom), on_custom, "{matchers}");
    }
}

#[test]
fn matchers_read_as_people_say_them() {
    let all = matchers(&["a"], &["b-*", "c"], &[("team", "x"), ("severity", "info")]);
    assert_eq!(all.to_string(), "alarm a, queue b-* or c, severity=info, team=x");
    assert_eq!(Matchers::default().to_string(), "everything");
}

#[test]
fn a_silence_holds_from_its_start_until_just_before_its_end() {
    let silences = Silences { silences: vec![silence("a", 10, 20)], windows: Vec::new() };
    for (now, phase) in [
        (9, Phase::Pending),
        (10, Phase::Active),
        (19, Phase::Active),
        (20, Phase::Expired),
        (21, Phase::Expired),
    ] {
        assert_eq!(silences.silences[0].phase(at(now)), phase, "{now}");
        let held = silences.hold(&rule(), &queue("q"), at(now)).is_some();
        assert_eq!(held, phase == Phase::Active, "{now}");
    }
}

#[test]
fn of_several_that_hold_the_one_that_ends_last_is_told() {
    let window = |name: &str, until| Window {
        name: name.into(),
        matchers: matchers(&[], &["q"], &[]),
        schedule: Schedule::Once(Span { from: at(0), until: at(until) }),
    };
    let silences = Silences {
        silences: vec![silence("short", 0, 10), silence("long", 0, 30), silence("later", 40, 99)],
        windows: vec![window("nightly", 20), window("weekly", 40)],
    };
    let held = |name: &str, now| silences.hold(&rule(), &queue(name), at(now)).map(|hold| hold.to_string());
    assert_eq!(held("q", 5).as_deref(), Some("maintenance `weekly`"));
    assert_eq!(held("other", 5).as_deref(), Some("silence `long`"));
    assert_eq!(held("other", 30), None);
    let in_force = silences.at(at(5));
    assert_eq!(in_force.holder(&rule(), &queue("q")).unwrap().until, at(40));
}

#[test]
fn what_is_ended_stays_on_record_and_cannot_be_ended_twice() {
    let mut silences =
        Silences { silences: vec![silence("a", 0, 100), silence("b", 50, 100)], ..Silences::default() };
    assert_eq!(silences.end("c", at(10)), Err(CannotEnd::Unknown));
    let ended = silences.end("a", at(10)).unwrap();
    assert_eq!((ended.starts, ended.ends), (at(0), at(10)));
    assert_eq!(silences.end("a", at(11)), Err(CannotEnd::Over(at(10))));
    let never = silences.end("b", at(10)).unwrap();
    assert_eq!((never.starts, never.ends, never.phase(at(10))), (at(10), at(10), Phase::Expired));
    assert!((0..200).all(|now| !silences.silences[1].is_active(at(now))));
    assert_eq!(silences.silences.len(), 2);
}

#[test]
fn only_so_many_may_live_at_once_and_ended_ones_make_room() {
    let mut silences = Silences::default();
    for number in 0..MOST {
        silences.add(silence(&number.to_string(), 0, 100), at(0)).unwrap();
    }
    assert_eq!(silences.add(silence("one more", 50, 100), at(0)), Err(TooMany));
    silences.end("7", at(1)).unwrap();
    assert_eq!(silences.add(silence("one more", 50, 100), at(1)), Ok(()));
    assert_eq!(silences.add(silence("and one", 50, 100), at(1)), Err(TooMany));
    assert_eq!(silences.add(silence("and one", 150, 200), at(100)), Ok(()));
}

#[test]
fn what_ended_long_ago_is_forgotten_and_so_is_the_oldest_of_too_many() {
    let kept = i64::try_from(KEPT.as_secs()).unwrap();
    let mut silences =
        Silences { silences: vec![silence("a", 0, 10), silence("b", 0, 11)], ..Silences::default() };
    assert!(silences.forget(at(9 + kept)).is_empty());
    assert_eq!(silences.forget(at(10 + kept)), ["a".into()]);
    assert_eq!(silences.silences.len(), 1);

    let many = (0..MOST_KEPT as i64 + 3).rev().map(|n| silence(&n.to_string(), 0, 1 + n));
    let mut silences = Silences { silences: many.collect(), ..Silences::default() };
    let now = at(MOST_KEPT as i64 + 50);
    assert_eq!(silences.forget(now), ["0".into(), "1".into(), "2".into()]);
    assert!(silences.forget(now).is_empty() && silences.silences.len() == MOST_KEPT);
}

proptest! {
    /// Whatever is done to silences: what is forgotten is over, and as many live as may.
    #[test]
    fn nothing_that_lives_is_ever_forgotten(steps in prop::collection::vec((0..4_u8, 0..40_i64, 1..40_i64), 0..60)) {
        let (mut silences, mut now, mut added) = (Silences::default(), 0, 0_usize);
        for (step, a, b) in steps {
            let before = silences.clone();
            match step {
                0 | 1 => {
                    added += 1;
                    silences.add(silence(&added.to_string(), now + a, now + a + b), at(now)).unwrap();
                }
                2 => drop(silences.end(&a.to_string(), at(now)).cloned()),
                _ => now += b * 40_000,
            }
            for gone in silences.forget(at(now)) {
                let gone = before.silences.iter().find(|silence| silence.id == gone).unwrap();
                prop_assert_eq!(gone.phase(at(now)), Phase::Expired);
            }
            for silence in &silences.silences {
                prop_assert!(silence.starts <= silence.ends);
                prop_assert_eq!(silence.is_active(at(now)), silences.at(at(now)).0.iter().any(|holder| *holder.hold.by() == silence.id));
            }
        }
    }
}
