//! A wall clock that is set an hour back or a day forward, while alarms fire and while they do not.

use super::*;

const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

/// Jumps in seconds: both ways, within the memory of a series and beyond it, by whole slots and not.
const JUMPS: [i64; 10] = [-HOUR, DAY, -HOUR - 17, DAY + 43, 5, -5, 61, -119, 20 * DAY, -400 * DAY];

/// A judge whose clock is set now and then, read every 15 seconds.
struct Rig {
    judge: Judge,
    /// Seconds since the start, as they pass.
    passed: i64,
    /// By how much the wall is ahead of them.
    ahead: i64,
    depth: u64,
}

impl Rig {
    fn new(rules: Vec<Rule>) -> Self {
        let (judge, _) = judge(rules);
        Self { judge, passed: 0, ahead: 0, depth: 0 }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_secs(minute(0).as_secs() + self.passed + self.ahead)
    }

    /// Lets time pass in ticks of 5 seconds.
    fn pass(&mut self, seconds: i64) {
        for _ in 0..seconds / 5 {
            self.passed += 5;
            if self.passed % 15 == 0 {
                read(&self.judge, "orders-dlq", self.now(), self.depth);
            }
            self.judge.tick(self.now()).unwrap();
        }
    }

    fn set(&mut self, by: i64) {
        let from = self.now();
        self.ahead += by;
        self.judge.move_along(Jump { from, to: self.now() });
        self.judge.tick(self.now()).unwrap();
    }

    fn is_in(&self, expected: State) -> bool {
        state(&self.judge, "dead-letters", "orders-dlq") == Some(expected)
    }

    fn told(&self) -> Vec<Event> {
        owed(&self.judge).into_iter().map(|(event, _)| event).collect()
    }
}

/// `dead_letters()` over N periods of `seconds`, which is repeated each ten minutes.
fn alarm(n: u32, seconds: u64) -> Rule {
    let mut rule = Rule { repeat: Some(MINUTE * 10), ..dead_letters() };
    let condition = Condition {
        period: Duration::from_secs(seconds),
        statistic: Statistic::Maximum,
        evaluation_periods: n,
        datapoints_to_alarm: n,
        evaluation_range: n + 2,
        ..rule.condition().unwrap().clone()
    };
    rule.trigger = Trigger::Metric(condition);
    rule
}

#[test]
fn a_jump_changes_no_state_and_tells_nobody() {
    for (n, seconds) in [(1, 60), (5, 60), (2, 120), (3, 30), (1, 10)] {
        for by in JUMPS {
            for phase in [5, 50] {
                let what = format!("{n} x {seconds} s, set by {by} s at phase {phase}");
                let mut rig = Rig::new(vec![alarm(n, seconds)]);
                rig.pass(720 + phase);
                assert!(rig.is_in(State::Ok), "{what}");
                rig.set(by);
                for _ in 0..60 {
                    rig.pass(5);
                    assert!(rig.is_in(State::Ok), "{what}");
                }
                rig.depth = 1;
                rig.pass(720);
                assert!(rig.is_in(State::Alarm), "{what}");
                let told = rig.told();
                rig.set(-by);
                for _ in 0..30 {
                    rig.pass(5);
                    assert!(rig.is_in(State::Alarm), "{what}, and set back");
                }
                assert!(rig.told().len() <= told.len() + 1, "{what}: a repeat may have been due, no more");
            }
        }
    }
}

#[test]
fn a_breach_after_a_jump_pages_in_time_and_so_does_its_end() {
    for (n, seconds) in [(1, 60), (5, 60), (3, 30)] {
        // A period more than N may have begun within the limits, and a set clock may make one slot longer.
        let bound = (i64::from(n) + 2) * seconds as i64 + 60;
        for by in JUMPS {
            for phase in [10, 45] {
                let mut rig = Rig::new(vec![alarm(n, seconds)]);
                rig.pass(600 + phase);
                rig.set(by);
                rig.pass(5);
                rig.depth = 3;
                rig.pass(bound);
                assert_eq!(rig.told(), [Event::Firing], "{n} x {seconds} s, set by {by} s at {phase}");
                rig.set(by);
                rig.depth = 0;
                rig.pass(bound);
                assert_eq!(rig.told(), [Event::Firing, Event::Resolved], "{n} x {seconds} s, set by {by} s");
            }
        }
    }
}

#[test]
fn a_breach_that_lasts_is_counted_on_over_the_jump() {
    for by in JUMPS {
        let mut rig = Rig::new(vec![alarm(5, 60)]);
        rig.pass(600);
        rig.depth = 1;
        rig.pass(180);
        rig.set(by);
        // A minute may have become shorter or longer by what the clock was set.
        rig.pass(50);
        assert!(rig.is_in(State::Ok), "{by}: not yet five minutes");
        rig.pass(130);
        assert!(rig.is_in(State::Alarm), "{by}: the minutes before count");
    }
}

#[test]
fn repeats_go_on_as_often_as_before() {
    for by in JUMPS {
        let mut rig = Rig::new(vec![alarm(1, 60)]);
        rig.depth = 1;
        rig.pass(120 + 300);
        rig.set(by);
        rig.pass(200);
        assert_eq!(rig.told(), [Event::Firing], "{by}: ten minutes have not passed");
        rig.pass(200);
        assert_eq!(rig.told(), [Event::Firing, Event::Repeated], "{by}: they have");
    }
}

#[test]
fn what_is_owed_waits_and_grows_old_as_if_nothing_had_happened() {
    use crate::domain::outbox::{self, Batching, GIVE_UP, Grouping, Next, Outcome, Reason, Verdict};
    let failed = Outcome::Retry { reason: Reason::Timeout, after: None };
    for by in JUMPS {
        let mut rig = Rig::new(vec![alarm(1, 60)]);
        rig.depth = 1;
        rig.pass(120);
        let mut entry = rig.judge.store.pending("ops", 1).unwrap().remove(0);
        entry.postpone(rig.now() + Duration::from_secs(30));
        rig.judge.store.postpone(&entry).unwrap();
        rig.set(by);
        let owed = rig.judge.store.pending("ops", 1).unwrap();
        assert_eq!(outbox::wait(&owed, Grouping::NONE, rig.now()), Some(Duration::from_secs(30)), "{by}");
        let settle = |now| Batching::new(Grouping::NONE).settle(&[&owed[0]], failed, now, 0.5);
        let expired = Verdict::Each(vec![Next::Park { reason: Reason::Expired }]);
        assert_ne!(settle(rig.now()), expired, "{by}: it is not three days old");
        assert_eq!(settle(rig.now() + GIVE_UP), expired, "{by}");
        let stored = rig.judge.store.alarms().unwrap();
        let shown = rig.judge.board.with_alarms(|alarms| alarms.values().map(|alarm| alarm.told_at).max());
        assert_eq!(stored.values().map(|alarm| alarm.told_at).max(), shown, "{by}: also after a restart");
    }
}

#[test]
fn what_cloudwatch_told_by_the_old_clock_is_read_again_before_anything_is_said() {
    let old =
        rule("too-old", Metric::OldestMessageAge, Statistic::Maximum, 1, 3, Comparison::GreaterThan, 300.0);
    for by in JUMPS {
        for (age, expected) in [(100.0, State::Ok), (500.0, State::Alarm)] {
            let (judge, _) = judge(vec![old.clone()]);
            let to = minute(12).plus_millis(by * 1000);
            let tell = |until: Timestamp, age: f64| {
                let until = until.floor(MINUTE);
                let minutes = (1..=6).map(|n| (until - MINUTE * n, StatisticSet::single(age)));
                let window =
                    Window { from: until - MINUTE * 6, until, settled: until, datapoints: minutes.collect() };
                judge.board.read_cloudwatch(&queue_id("orders"), until, Metric::OldestMessageAge, &window);
            };
            tell(minute(10), age);
            judge.tick(minute(12)).unwrap();
            assert_eq!(state(&judge, "too-old", "orders"), Some(expected));
            judge.move_along(Jump { from: minute(12), to });
            for n in 0..5 {
                judge.tick(to + MINUTE * n).unwrap();
                assert_eq!(state(&judge, "too-old", "orders"), Some(expected), "{by}: kept until it is read");
            }
            let (other, turned) = if age > 300.0 { (1.0, State::Ok) } else { (900.0, State::Alarm) };
            tell(to + MINUTE * 3, other);
            judge.tick(to + MINUTE * 5).unwrap();
            assert_eq!(state(&judge, "too-old", "orders"), Some(turned), "{by}");
        }
    }
}

#[test]
fn readiness_sees_readings_as_old_as_they_are() {
    for by in JUMPS {
        let mut rig = Rig::new(vec![alarm(1, 60)]);
        rig.pass(60);
        let age = |rig: &Rig| {
            let queue = rig.judge.board.queue(&queue_id("orders-dlq")).unwrap();
            let read_at = queue.lock().attributes_at.unwrap();
            let target = rig.judge.board.targets().into_values().next().unwrap();
            (rig.now().since(read_at), rig.now().since(target.discovered_at.unwrap()))
        };
        let before = age(&rig);
        rig.set(by);
        assert_eq!(age(&rig), before, "{by}");
    }
}
