//! Composite alarms over a real board: order, the whole and each queue, suppressors, restarts, and their ends.

use super::*;
use crate::domain::alarm::Alarm;
use crate::domain::composite::{Composite, Scope, Suppressor, parse};
use crate::domain::hold::Hold;
use crate::domain::notification::{Cause, Notification};

/// Messages on any queue.
fn waiting() -> Rule {
    rule("waiting", Metric::MessagesVisible, Statistic::Maximum, 1, 1, Comparison::GreaterThan, 0.0)
}

fn composite(name: &str, text: &str, scope: Scope) -> Rule {
    let expression = parse(text).expression.unwrap();
    let composite = Composite { text: text.into(), expression, scope, suppressor: None };
    Rule { notify: vec!["ops".into()], ..Rule::new(name, Trigger::Composite(composite)) }
}

fn suppressed(mut rule: Rule, by: &str, wait: u32, extension: u32) -> Rule {
    if let Trigger::Composite(composite) = &mut rule.trigger {
        let (wait, extension) = (MINUTE * wait, MINUTE * extension);
        composite.suppressor = Some(Suppressor { alarm: by.into(), wait, extension });
    }
    rule
}

fn quiet(rule: Rule) -> Rule {
    Rule { notify: Vec::new(), ..rule }
}

fn whole(judge: &Judge, name: &str) -> Option<Alarm> {
    let key = AlarmKey { rule: name.into(), subject: Subject::Composite(name.into()) };
    judge.board.with_alarms(|alarms| alarms.get(&key).cloned())
}

fn whole_state(judge: &Judge, name: &str) -> Option<State> {
    whole(judge, name).map(|alarm| alarm.state)
}

/// What was told, each as event and alarm.
fn told(judge: &Judge) -> Vec<String> {
    let pending = judge.store.pending("ops", 100).unwrap();
    let line =
        |notification: &Notification| format!("{} {}", notification.event.as_str(), notification.alarm);
    pending.iter().map(|entry| line(&entry.notification)).collect()
}

/// The same judge after a restart: alarms from the store, nothing discovered, nothing read.
fn restarted(before: &Judge, rules: Vec<Rule>) -> (Judge, Arc<Target>) {
    let board = Arc::new(Board::default());
    board.configure(rules, Duration::from_secs(15));
    board.with_alarms_mut(|alarms| *alarms = before.store.alarms().unwrap());
    let target = Arc::new(Target { region: "eu-west-1".into(), role_arn: None });
    board.retain_targets(&[target.clone()].into());
    (Judge { board, ..before.clone() }, target)
}

#[test]
fn a_composite_fires_and_resolves_in_the_round_in_which_its_children_do() {
    let rules = vec![
        composite("top", "ALARM(middle)", Scope::Whole),
        composite("middle", "ALARM(\"dead-letters\") AND OK(waiting)", Scope::Whole),
        quiet(dead_letters()),
        Rule { selector: only("orders"), ..quiet(waiting()) },
    ];
    let (judge, _) = judge(rules);
    read(&judge, "orders", minute(1), 0);
    read(&judge, "orders-dlq", minute(1), 2);
    judge.tick(minute(1)).unwrap();
    assert_eq!(whole_state(&judge, "top"), Some(State::Ok));
    judge.tick(minute(2)).unwrap();
    assert_eq!(told(&judge), ["firing middle", "firing top"]);
    read(&judge, "orders-dlq", minute(2), 0);
    judge.tick(minute(3)).unwrap();
    judge.tick(minute(3)).unwrap();
    assert_eq!(told(&judge)[2..], ["resolved middle", "resolved top"]);
}

fn only(name: &str) -> crate::domain::rule::Selector {
    let names = vec![crate::domain::rule::Glob::new(name)];
    crate::domain::rule::Selector { names, ..Default::default() }
}

#[test]
fn what_is_told_names_the_children_that_count() {
    let mut all = composite("any", "ALARM(waiting) AND NOT ALARM(\"dead-letters\")", Scope::Whole);
    all.repeat = Some(MINUTE);
    let other = Rule { selector: only("nothing"), ..quiet(dead_letters()) };
    let (judge, _) = judge(vec![quiet(waiting()), other, all]);
    read(&judge, "orders", minute(1), 1);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    judge.tick(minute(3)).unwrap();
    let pending = judge.store.pending("ops", 9).unwrap();
    let events: Vec<Event> = pending.iter().map(|entry| entry.notification.event).collect();
    assert_eq!(events, [Event::Firing, Event::Repeated]);
    for entry in &pending {
        let Cause::Composite { text, children } = &entry.notification.cause else { panic!() };
        assert_eq!(&**text, "ALARM(waiting) AND NOT ALARM(\"dead-letters\")");
        let children: Vec<String> =
            children.iter().map(|child| format!("{} {} {}", child.alarm, child.state, child.since)).collect();
        let since = minute(2);
        assert_eq!(
            children,
            [
                format!("waiting on 123456789012/eu-west-1/orders ALARM {since}"),
                format!("waiting on 123456789012/eu-west-1/orders-dlq ALARM {since}")
            ]
        );
    }
    let alarm = whole(&judge, "any").unwrap();
    assert_eq!(alarm.firing.as_deref(), Some(&*pending[0].notification), "what the end is told from");
    assert_eq!(
        alarm.reason,
        "waiting on orders transitioned to ALARM at Friday 15 January, 2027 08:02:00 UTC. \
         The alarm rule is true: waiting on 2 queues (orders, orders-dlq) in ALARM."
    );
}

#[test]
fn with_queues_there_is_one_for_each_and_it_looks_at_the_alarms_there() {
    let both = "ALARM(waiting) AND NOT ALARM(\"dead-letters\")";
    let (judge, target) =
        judge(vec![quiet(waiting()), quiet(dead_letters()), composite("each", both, Scope::EachQueue)]);
    read(&judge, "orders", minute(1), 1);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    assert_eq!(state(&judge, "each", "orders"), Some(State::Alarm));
    assert_eq!(state(&judge, "each", "orders-dlq"), Some(State::Ok));
    assert_eq!(told(&judge), ["firing each on 123456789012/eu-west-1/orders"]);
    discover(&judge, &target, &["orders-dlq"], minute(3));
    judge.tick(minute(3)).unwrap();
    assert_eq!(state(&judge, "each", "orders"), None);
    let told = told(&judge);
    assert_eq!(told[1], "closed each on 123456789012/eu-west-1/orders");
    assert_eq!(
        told[2], "firing each on 123456789012/eu-west-1/orders-dlq",
        "its source is gone, so is its alarm"
    );
}

#[test]
fn a_composite_over_the_whole_resolves_when_the_queue_of_its_child_is_gone() {
    let (judge, target) =
        judge(vec![quiet(dead_letters()), composite("any", "ALARM(\"dead-letters\")", Scope::Whole)]);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    discover(&judge, &target, &["orders"], minute(3));
    judge.tick(minute(3)).unwrap();
    assert_eq!(told(&judge), ["firing any", "resolved any"]);
}

#[test]
fn a_removed_composite_is_closed() {
    let (judge, _) =
        judge(vec![quiet(dead_letters()), composite("any", "ALARM(\"dead-letters\")", Scope::Whole)]);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    judge.board.configure(vec![quiet(dead_letters())], Duration::from_secs(15));
    judge.tick(minute(3)).unwrap();
    assert_eq!(told(&judge), ["firing any", "closed any"]);
    let Cause::Composite { children, .. } = &judge.store.pending("ops", 9).unwrap()[1].notification.cause
    else {
        panic!()
    };
    assert_eq!(children.len(), 1, "as they were when it fired");
}

#[test]
fn a_restart_keeps_every_state_until_the_children_are_known() {
    let rules = |child: &str| {
        let text = format!("ALARM({child})");
        let child = Rule { name: child.into(), ..quiet(waiting()) };
        vec![child, composite("any", &text, Scope::Whole), composite("each", &text, Scope::EachQueue)]
    };
    let (before, _) = judge(rules("waiting"));
    read(&before, "orders", minute(1), 1);
    read(&before, "orders-dlq", minute(1), 1);
    before.tick(minute(2)).unwrap();
    let fired = told(&before);
    assert_eq!(fired.len(), 3);
    for child in ["waiting", "renamed"] {
        let (after, target) = restarted(&before, rules(child));
        after.tick(minute(3)).unwrap();
        assert_eq!(whole_state(&after, "any"), Some(State::Alarm), "{child}: nothing is discovered");
        discover(&after, &target, &["orders", "orders-dlq"], minute(3));
        after.tick(minute(3)).unwrap();
        for queue in ["orders", "orders-dlq"] {
            let settings = Some(Settings::default());
            after.board.read_attributes(&queue_id(queue), minute(4), depth(0), settings);
        }
        after.tick(minute(4)).unwrap();
        assert_eq!(whole_state(&after, "any"), Some(State::Alarm), "{child}: no minute has closed");
        assert_eq!(state(&after, "each", "orders"), Some(State::Alarm), "{child}");
        assert_eq!(told(&after), fired, "{child}");
    }
    let (after, target) = restarted(&before, rules("renamed"));
    discover(&after, &target, &["orders", "orders-dlq"], minute(3));
    for queue in ["orders", "orders-dlq"] {
        after.board.read_attributes(&queue_id(queue), minute(4), depth(0), Some(Settings::default()));
    }
    for n in 4..8 {
        after.tick(minute(n)).unwrap();
    }
    assert_eq!(whole_state(&after, "any"), Some(State::Ok), "once they are");
    assert_eq!(state(&after, "each", "orders"), Some(State::Ok));
}

#[test]
fn a_new_queue_that_is_never_read_counts_in_the_end() {
    let (judge, target) =
        judge(vec![quiet(waiting()), composite("blind", "INSUFFICIENT_DATA(waiting)", Scope::Whole)]);
    for n in 0..10 {
        read(&judge, "orders", minute(n), 0);
        read(&judge, "orders-dlq", minute(n), 0);
        if n == 3 {
            discover(&judge, &target, &["orders", "orders-dlq", "late"], minute(n));
        }
        judge.tick(minute(n)).unwrap();
        let expected = if n < 9 { State::Ok } else { State::Alarm };
        if n > 1 {
            assert_eq!(whole_state(&judge, "blind"), Some(expected), "minute {n}");
        }
    }
}

/// `any` over dead letters, held back while `orders` has messages.
fn held_back(wait: u32, extension: u32) -> Vec<Rule> {
    let any = composite("any", "ALARM(\"dead-letters\")", Scope::Whole);
    let deploying = Rule { name: "deploying".into(), selector: only("orders"), ..quiet(waiting()) };
    vec![suppressed(any, "deploying", wait, extension), quiet(dead_letters()), deploying]
}

/// Dead letters and a deployment in each minute, as `(dead letters, deploying)`; what was told when.
fn play(judge: &Judge, from: i64, minutes: &[(u64, u64)]) -> Vec<(i64, Event)> {
    let mut when = Vec::new();
    for ((dead, deploying), n) in minutes.iter().zip(from..) {
        read(judge, "orders-dlq", minute(n), *dead);
        read(judge, "orders", minute(n), *deploying);
        let before = told(judge).len();
        judge.tick(minute(n + 1)).unwrap();
        let new = judge.store.pending("ops", 100).unwrap().split_off(before);
        when.extend(new.iter().map(|entry| (n, entry.notification.event)));
    }
    when
}

#[test]
fn a_suppressor_that_comes_within_the_wait_holds_until_its_extension_is_over() {
    let (judge, _) = judge(held_back(2, 3));
    let heard = play(&judge, 1, &[(1, 0), (1, 1), (1, 1), (1, 0), (1, 0), (1, 0), (1, 0)]);
    assert_eq!(heard, [(7, Event::Firing)]);
    let pending = judge.store.pending("ops", 9).unwrap();
    assert!(pending[0].notification.reason.ends_with("held back until now by the suppressor `deploying`."));
    let Cause::Composite { children, .. } = &pending[0].notification.cause else { panic!() };
    assert_eq!(children.len(), 1, "also when it is told later");
}

#[test]
fn it_is_told_when_the_wait_is_over_and_not_at_all_when_it_ends_before() {
    let (judge, _) = judge(held_back(2, 1));
    assert_eq!(play(&judge, 1, &[(1, 0)]), []);
    assert_eq!(whole(&judge, "any").unwrap().held, Some(Hold::Suppressor("deploying".into())), "it is shown");
    assert_eq!(play(&judge, 2, &[(0, 0), (0, 0), (1, 0), (1, 0)]), []);
    assert_eq!(play(&judge, 6, &[(1, 0), (1, 1), (0, 1)]), [(6, Event::Firing), (8, Event::Resolved)]);
}

#[test]
fn a_suppressor_goes_on_through_a_restart() {
    let rules = held_back(0, 5);
    let (before, _) = judge(rules.clone());
    assert_eq!(play(&before, 1, &[(1, 1), (1, 1), (1, 0)]), [], "the suppressor ends in minute 4");
    let (after, target) = restarted(&before, rules);
    after.tick(minute(5)).unwrap();
    discover(&after, &target, &["orders", "orders-dlq"], minute(6));
    for n in 6..9 {
        after.tick(minute(n)).unwrap();
        assert_eq!(told(&after), [""; 0], "minute {n}");
    }
    after.tick(minute(9)).unwrap();
    assert_eq!(told(&after), ["firing any"]);
}

#[test]
fn with_queues_a_suppressor_holds_on_its_own_queue() {
    let each = suppressed(composite("each", "ALARM(waiting)", Scope::EachQueue), "dead-letters", 0, 0);
    let (judge, _) = judge(vec![quiet(waiting()), quiet(dead_letters()), each]);
    read(&judge, "orders", minute(1), 1);
    read(&judge, "orders-dlq", minute(1), 1);
    judge.tick(minute(2)).unwrap();
    assert_eq!(told(&judge), ["firing each on 123456789012/eu-west-1/orders"]);
    assert_eq!(state(&judge, "each", "orders-dlq"), Some(State::Alarm), "judged all the same");
}
