//! What a composite alarm sees of its children, table by table.

use super::*;
use crate::domain::composite::{Composite, Scope, parse};
use crate::domain::metric::Metric;
use crate::domain::queue::{QueueId, Role};
use crate::domain::rule::{Comparison, Condition, MetricRef, RoleSelector, Statistic, Trigger};
use State::{Alarm as A, InsufficientData as I, Ok as O};

fn at(second: i64) -> Timestamp {
    Timestamp::from_secs(1_767_668_700 + second)
}

fn queue(name: &str) -> Queue {
    Queue::new(QueueId::new("1", "eu-west-1", name), "http://q")
}

fn on_queues(name: &str) -> Rule {
    let metric = MetricRef::Queue(Metric::MessagesVisible);
    Rule::on(name, Condition::new(metric, Statistic::Maximum, Comparison::GreaterThan, 0.0))
}

fn whole(name: &str) -> Rule {
    let expression = Expression::Constant(true);
    let composite = Composite { text: "TRUE".into(), expression, scope: Scope::Whole, suppressor: None };
    Rule::new(name, Trigger::Composite(composite))
}

fn member(state: State, second: i64) -> Member {
    Member { state, since: at(second), ended: None, is_open: false }
}

/// `dlq` with an alarm a queue, `?` for one that is open; and `deploying`, which has no queues.
fn standing(states: &[(&str, Option<State>)], deploying: State, may_grow: bool) -> Standing {
    let mut standing = Standing::default();
    standing.enter(&Rule { severity: Severity::Critical, ..on_queues("dlq") }, may_grow);
    standing.enter(&whole("deploying"), false);
    for ((name, state), second) in states.iter().zip(1..) {
        let key = AlarmKey { rule: "dlq".into(), subject: Subject::Queue(queue(name).id) };
        let open = Member { is_open: true, ..member(I, second) };
        standing.put(&key, state.map_or(open, |state| member(state, second)));
    }
    let key = AlarmKey { rule: "deploying".into(), subject: Subject::Composite("deploying".into()) };
    standing.put(&key, member(deploying, 0));
    standing
}

fn holds(view: &View<'_>, text: &str) -> Option<bool> {
    parse(text).expression.unwrap().holds(&|state, name| view.is(state, name))
}

#[test]
fn the_whole_of_a_child_is_its_worst_alarm() {
    // The alarms of the child, whether it may have more, and whether ALARM, OK and INSUFFICIENT_DATA hold.
    type Known = Option<bool>;
    const YES: Known = Some(true);
    const NO: Known = Some(false);
    type Case = (&'static [Option<State>], bool, [Known; 3]);
    let cases: [Case; 14] = [
        (&[Some(A)], false, [YES, NO, NO]),
        (&[Some(O)], false, [NO, YES, NO]),
        (&[Some(I)], false, [NO, NO, YES]),
        (&[Some(O), Some(A), Some(I)], false, [YES, NO, NO]),
        (&[Some(O), Some(I)], false, [NO, NO, YES]),
        (&[], false, [NO, NO, YES]),
        (&[None], false, [None, None, None]),
        (&[None, Some(O)], false, [None, None, None]),
        (&[None, Some(I)], false, [None, NO, None]),
        (&[None, Some(A)], false, [YES, NO, NO]),
        (&[], true, [None, None, None]),
        (&[Some(O)], true, [NO, None, None]),
        (&[Some(I)], true, [NO, NO, None]),
        (&[Some(A)], true, [YES, NO, NO]),
    ];
    for (states, may_grow, expected) in cases {
        let named: Vec<_> = ["a", "b", "c"].into_iter().zip(states.iter().copied()).collect();
        let standing = standing(&named, O, may_grow);
        let view = standing.view(None);
        assert_eq!([A, O, I].map(|state| view.is(state, "dlq")), expected, "{states:?} {may_grow}");
    }
}

#[test]
fn on_a_queue_a_child_that_judges_queues_counts_with_its_alarm_there() {
    let standing = standing(&[("a", Some(A)), ("b", Some(O)), ("c", None)], A, false);
    let on = |name: &str, text: &str| holds(&standing.view(Some(&queue(name))), text);
    assert_eq!(on("a", "ALARM(dlq) AND ALARM(deploying)"), Some(true));
    assert_eq!(on("b", "OK(dlq) AND ALARM(deploying)"), Some(true));
    assert_eq!(on("c", "ALARM(dlq) AND ALARM(deploying)"), None);
    assert_eq!(on("d", "INSUFFICIENT_DATA(dlq)"), Some(true), "it has none there");
}

#[test]
fn a_queue_that_a_child_may_turn_out_to_judge_is_open() {
    let mut standing = Standing::default();
    let mut rule = on_queues("dlq");
    rule.selector.role = Some(RoleSelector::NotDeadLetter);
    standing.enter(&rule, true);
    let on = |queue: &Queue| holds(&standing.view(Some(queue)), "INSUFFICIENT_DATA(dlq)");
    assert_eq!(on(&queue("a")), None);
    assert_eq!(on(&Queue { role: Role::DeadLetter, ..queue("b") }), Some(true), "it cannot");
}

fn reason(states: &[(&str, Option<State>)], deploying: State, text: &str, before: State) -> String {
    let standing = standing(states, deploying, false);
    standing.view(None).verdict(&parse(text).expression.unwrap(), before).unwrap().reason
}

#[test]
fn the_reason_names_the_change_and_what_counts() {
    let dlq = [("a", Some(A)), ("b", Some(O)), ("c", Some(A))];
    let cases = [
        (
            "ALARM(dlq) AND NOT ALARM(deploying)",
            "dlq on c transitioned to ALARM at Tuesday 06 January, 2026 03:05:03 UTC. \
             The alarm rule is true: dlq on 2 queues (a, c) in ALARM.",
        ),
        (
            "OK(deploying) OR ALARM(dlq) AND FALSE",
            "dlq on c transitioned to ALARM at Tuesday 06 January, 2026 03:05:03 UTC. \
             The alarm rule is true: deploying in OK.",
        ),
        (
            "AT_LEAST(1, NOT OK, (dlq, deploying))",
            "dlq on c transitioned to ALARM at Tuesday 06 January, 2026 03:05:03 UTC. \
             The alarm rule is true: dlq on 2 queues (a, c) not in OK.",
        ),
        ("TRUE", "The alarm rule is true."),
    ];
    for (text, expected) in cases {
        assert_eq!(reason(&dlq, O, text, O), expected, "{text}");
    }
    assert_eq!(reason(&dlq, O, "TRUE", A), "", "nothing changes");
    assert_eq!(
        reason(&dlq, A, "ALARM(dlq) AND NOT ALARM(deploying)", A),
        "dlq on c transitioned to ALARM at Tuesday 06 January, 2026 03:05:03 UTC. \
         The alarm rule is false: dlq on 2 queues (a, c) in ALARM."
    );
    assert_eq!(
        reason(&[("a", Some(O))], O, "ALARM(dlq) OR ALARM(deploying)", A),
        "dlq on a transitioned to OK at Tuesday 06 January, 2026 03:05:01 UTC. The alarm rule is false."
    );
    let many: Vec<String> = (0..9).map(|n| format!("q{n}")).collect();
    let many: Vec<_> = many.iter().map(|name| (name.as_str(), Some(A))).collect();
    assert!(reason(&many, O, "ALARM(dlq)", O).ends_with("on 9 queues (q0, q1, q2, q3, q4, ...) in ALARM."));
}

#[test]
fn the_children_are_those_as_asked_with_the_worst_first() {
    let standing =
        standing(&[("a", Some(O)), ("b", Some(A)), ("c", Some(I)), ("d", Some(A)), ("e", None)], A, false);
    let children = |view: View<'_>, text: &str| -> Vec<String> {
        let children = view.children(&parse(text).expression.unwrap());
        children.iter().map(|child| format!("{} {}", child.alarm.subject.name(), child.state)).collect()
    };
    let dlq = "ALARM(dlq) AND NOT OK(dlq) AND ALARM(deploying)";
    assert_eq!(
        children(standing.view(None), dlq),
        ["b ALARM", "d ALARM", "deploying ALARM", "c INSUFFICIENT_DATA"]
    );
    let b = queue("b");
    assert_eq!(children(standing.view(Some(&b)), dlq), ["b ALARM", "deploying ALARM"]);
    assert_eq!(children(standing.view(None), "NOT ALARM(deploying)"), [""; 0]);
}

#[test]
fn a_suppressor_is_active_while_any_alarm_of_it_is() {
    let mut standing = standing(&[("a", Some(O)), ("b", Some(A))], O, false);
    let key = AlarmKey { rule: "dlq".into(), subject: Subject::Queue(queue("c").id) };
    standing.put(&key, Member { ended: Some(at(9)), ..member(O, 9) });
    let seen = |queue: Option<&Queue>| standing.view(queue).suppressing("dlq");
    assert_eq!(seen(None), Suppressing { active: true, ended: Some(at(9)) });
    assert_eq!(seen(Some(&queue("a"))), Suppressing::default());
    assert_eq!(seen(Some(&queue("c"))), Suppressing { active: false, ended: Some(at(9)) });
}
