//! What a changed configuration, a restart or a vanished queue means for an alarm that fires: a test for each row of the table in
//! docs/notifications.md.

use super::*;
use crate::domain::growth::{Growth, Step};

/// The events that wait for a destination.
fn told(judge: &Judge, destination: &str) -> Vec<Event> {
    let pending = judge.store.pending(destination, 100).unwrap();
    pending.iter().map(|entry| entry.notification.event).collect()
}

fn notifying(names: &[&str]) -> Rule {
    Rule { notify: names.iter().map(|name| (*name).into()).collect(), ..dead_letters() }
}

fn reload(judge: &Judge, rules: Vec<Rule>) {
    judge.board.configure(rules, Duration::from_secs(15));
}

/// The alarm fires since minute 2, and a new configuration is there.
fn reloaded(before: Rule, after: Rule) -> Judge {
    let (judge, _) = firing(vec![before]);
    read(&judge, "orders-dlq", minute(2), 1);
    reload(&judge, vec![after]);
    judge.tick(minute(3)).unwrap();
    judge
}

fn resolve(judge: &Judge) {
    read(judge, "orders-dlq", minute(3), 0);
    judge.tick(minute(4)).unwrap();
    assert_eq!(state(judge, "dead-letters", "orders-dlq"), Some(State::Ok));
}

const FIRED: [Event; 1] = [Event::Firing];
const FIRED_AND_RESOLVED: [Event; 2] = [Event::Firing, Event::Resolved];

#[test]
fn the_same_configuration_is_silent() {
    let judge = reloaded(dead_letters(), dead_letters());
    assert_eq!(told(&judge, "ops"), FIRED);
}

#[test]
fn a_renamed_alarm_ends_and_begins_anew() {
    let judge = reloaded(dead_letters(), Rule { name: "letters".into(), ..dead_letters() });
    let pending = judge.store.pending("ops", 9).unwrap();
    let mut events: Vec<(&str, Event)> =
        pending.iter().map(|entry| (&*entry.notification.alarm.rule, entry.notification.event)).collect();
    events.sort_by_key(|(rule, _)| *rule);
    assert_eq!(
        events,
        [("dead-letters", Event::Firing), ("dead-letters", Event::Closed), ("letters", Event::Firing)]
    );
}

#[test]
fn who_left_the_rule_hears_the_end() {
    let judge = reloaded(notifying(&["ops", "chat"]), notifying(&["ops"]));
    assert_eq!(told(&judge, "chat"), FIRED);
    resolve(&judge);
    assert_eq!(told(&judge, "chat"), FIRED_AND_RESOLVED);
    assert_eq!(told(&judge, "ops"), FIRED_AND_RESOLVED);
}

#[test]
fn who_joined_the_rule_hears_of_the_next_firing_first() {
    let judge = reloaded(notifying(&["ops"]), Rule { repeat: Some(MINUTE), ..notifying(&["ops", "chat"]) });
    assert_eq!(told(&judge, "ops"), [Event::Firing, Event::Repeated]);
    resolve(&judge);
    assert_eq!(told(&judge, "chat"), []);
    read(&judge, "orders-dlq", minute(4), 1);
    judge.tick(minute(5)).unwrap();
    assert_eq!(told(&judge, "chat"), FIRED);
}

#[test]
fn a_rule_that_tells_nobody_any_more_still_tells_the_end() {
    let judge = reloaded(dead_letters(), notifying(&[]));
    resolve(&judge);
    assert_eq!(told(&judge, "ops"), FIRED_AND_RESOLVED);
}

#[test]
fn another_severity_is_told_with_what_comes_next() {
    let judge = reloaded(dead_letters(), Rule { severity: Severity::Info, ..dead_letters() });
    assert_eq!(told(&judge, "ops"), FIRED);
    resolve(&judge);
    let severities: Vec<Severity> =
        judge.store.pending("ops", 9).unwrap().iter().map(|entry| entry.notification.severity).collect();
    assert_eq!(severities, [Severity::Critical, Severity::Info]);
}

#[test]
fn another_definition_keeps_the_state_and_judges_by_itself() {
    let with = |change: fn(&mut Condition)| {
        let mut rule = dead_letters();
        if let Trigger::Metric(condition) = &mut rule.trigger {
            change(condition);
        }
        rule
    };
    let longer = with(|condition| condition.period = MINUTE * 5);
    assert_eq!(told(&reloaded(dead_letters(), longer), "ops"), FIRED);
    let stricter = with(|condition| condition.threshold = 0.5);
    assert_eq!(told(&reloaded(dead_letters(), stricter), "ops"), FIRED);
    let laxer = with(|condition| condition.threshold = 100.0);
    assert_eq!(told(&reloaded(dead_letters(), laxer), "ops"), FIRED_AND_RESOLVED);
}

#[test]
fn growth_that_a_rule_begins_to_look_for_counts_from_what_was_told() {
    let growth = Growth { step: Step::By(1.0), gap: MINUTE };
    let judge = reloaded(dead_letters(), Rule { repeat_on: Some(growth), ..dead_letters() });
    read(&judge, "orders-dlq", minute(3), 2);
    judge.tick(minute(4)).unwrap();
    assert_eq!(told(&judge, "ops"), [Event::Firing, Event::Increased]);
}

#[test]
fn a_queue_that_is_not_selected_any_more_is_closed() {
    let mut other = dead_letters();
    other.selector.names = vec![crate::domain::rule::Glob::new("payments-*")];
    assert_eq!(told(&reloaded(dead_letters(), other), "ops"), [Event::Firing, Event::Closed]);
}

#[test]
fn a_queue_that_comes_back_begins_anew() {
    let (judge, target) = firing(vec![dead_letters()]);
    discover(&judge, &target, &["orders"], minute(3));
    judge.tick(minute(3)).unwrap();
    assert_eq!(told(&judge, "ops"), [Event::Firing, Event::Closed]);
    discover(&judge, &target, &["orders", "orders-dlq"], minute(4));
    judge.board.read_attributes(&queue_id("orders-dlq"), minute(4), depth(1), Some(Settings::default()));
    judge.tick(minute(5)).unwrap();
    assert_eq!(told(&judge, "ops"), [Event::Firing, Event::Closed, Event::Firing]);
}

#[test]
fn a_restart_goes_on_counting_where_it_was() {
    let growth = Growth { step: Step::By(1.0), gap: MINUTE };
    let rule = Rule { repeat_on: Some(growth), repeat: Some(MINUTE * 10), ..dead_letters() };
    let (before, _) = firing(vec![rule.clone()]);
    let (mut after, _) = judge(vec![rule]);
    after.store = before.store.clone();
    after.board.with_alarms_mut(|alarms| *alarms = before.store.alarms().unwrap());
    for n in 3..=5 {
        read(&after, "orders-dlq", minute(n), 1);
        after.tick(minute(n)).unwrap();
    }
    assert_eq!(told(&after, "ops"), FIRED, "unchanged is silent");
    read(&after, "orders-dlq", minute(6), 2);
    after.tick(minute(7)).unwrap();
    assert_eq!(told(&after, "ops"), [Event::Firing, Event::Increased]);
    after.tick(minute(17)).unwrap();
    assert_eq!(told(&after, "ops"), [Event::Firing, Event::Increased, Event::Repeated]);
}

#[test]
fn the_alarm_of_a_custom_metric_is_closed_when_the_metric_leaves_the_configuration() {
    let mut jobs = rule("jobs", Metric::MessagesSent, Statistic::Sum, 1, 1, Comparison::GreaterThan, 0.0);
    let condition = jobs.condition().unwrap().clone();
    jobs.trigger = Trigger::Metric(Condition { metric: MetricRef::Custom("jobs".into()), ..condition });
    let (judge, target) = judge(vec![jobs]);
    let id = CustomId { account: "123456789012".into(), region: "eu-west-1".into(), name: "jobs".into() };
    judge.board.place_customs(&target, vec![id.clone()]);
    let datapoints = vec![(minute(1), StatisticSet::single(1.0))];
    let window = Window { from: minute(1), until: minute(2), settled: minute(2), datapoints };
    judge.board.customs()[&id].read(minute(4), &window, false);
    judge.tick(minute(4)).unwrap();
    assert_eq!(told(&judge, "ops"), FIRED);
    judge.board.place_customs(&target, Vec::new());
    judge.tick(minute(5)).unwrap();
    let pending = judge.store.pending("ops", 9).unwrap();
    let last = &pending.last().unwrap().notification;
    assert_eq!((last.event, &last.alarm.subject), (Event::Closed, &Subject::Custom(id)));
}
