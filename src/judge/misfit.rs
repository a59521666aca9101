//! Rules over a metric that some of their queues cannot have: said once, judged INSUFFICIENT_DATA.
//!
//! A FIFO metric on a standard queue is no error of one queue and no missing datapoint: no reading will ever come. So
//! `treat_missing_data` has no say, and the person who wrote the rule is told, one line a rule and configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::alarm::{State, Verdict};
use crate::domain::metric::{Metric, Scope};
use crate::domain::queue::{Queue, QueueId};
use crate::domain::rule::{Condition, MetricRef};

/// The queues of one rule that cannot have its metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Misfit {
    pub metric: Metric,
    pub queues: usize,
    /// One of them.
    pub example: QueueId,
}

/// The misfits of one round, by the rule's name.
#[derive(Debug, Default)]
pub(super) struct Misfits(BTreeMap<Arc<str>, Misfit>);

impl Misfits {
    /// The verdict on a queue that is certain not to have a metric of the condition's; `None` where it has them all, or may have.
    /// Whose dead letters arrive in it is certain only when the `whole` topology is known.
    pub(super) fn verdict(
        &mut self,
        rule: &Arc<str>,
        condition: &Condition,
        queue: &Queue,
        whole: bool,
    ) -> Option<Verdict> {
        let lacks = |metric: &MetricRef| match metric {
            MetricRef::Queue(metric) => {
                let certain = whole || metric.row().scope != Scope::DeadLetter;
                (certain && !metric.row().scope.has(queue)).then_some(*metric)
            }
            MetricRef::Custom(_) | MetricRef::Math(_) => None,
        };
        let metric = condition.measured().into_iter().find_map(|(metric, _)| lacks(metric))?;
        let misfit = Misfit { metric, queues: 0, example: queue.id.clone() };
        self.0.entry(rule.clone()).or_insert(misfit).queues += 1;
        let only = only(metric).unwrap_or_default();
        let reason = format!("Insufficient Data: only {only} have `{}`.", metric.name());
        Some(Verdict { state: State::InsufficientData, reason, value: None })
    }
}

/// The rules of which it was said, with their metric.
#[derive(Clone, Debug, Default)]
pub struct Said(Arc<Mutex<BTreeSet<Rule>>>);

type Rule = (Arc<str>, Metric);

impl Said {
    /// Logs what was not said yet.
    pub(super) fn say(&self, misfits: &Misfits) {
        for (rule, misfit) in self.unsaid(misfits) {
            tracing::warn!(
                alarm = %rule, metric = misfit.metric.name(), queues = misfit.queues, example = %misfit.example,
                hint = hint(misfit.metric).unwrap_or_default(),
                "the alarm selects queues that cannot have its metric: on them it stays INSUFFICIENT_DATA",
            );
        }
    }

    fn unsaid<'a>(&self, misfits: &'a Misfits) -> Vec<(&'a Arc<str>, &'a Misfit)> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        misfits.0.iter().filter(|(rule, misfit)| said.insert(((*rule).clone(), misfit.metric))).collect()
    }
}

fn only(metric: Metric) -> Option<&'static str> {
    match metric.row().scope {
        Scope::All => None,
        Scope::Fifo => Some("FIFO queues"),
        Scope::Fair => Some("standard queues"),
        Scope::DeadLetter => Some("dead-letter queues"),
    }
}

/// What would select the queues that have it.
fn hint(metric: Metric) -> Option<&'static str> {
    match metric.row().scope {
        Scope::All => None,
        Scope::Fifo => Some("add `kind: fifo` to the alarm's `queues`"),
        Scope::Fair => Some("add `kind: standard` to the alarm's `queues`"),
        Scope::DeadLetter => Some("add `role: dead_letter` to the alarm's `queues`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::Role;
    use crate::domain::rule::{Comparison, Statistic};

    fn condition(metric: Metric) -> Condition {
        Condition::new(MetricRef::Queue(metric), Statistic::Maximum, Comparison::GreaterThan, 0.0)
    }

    fn queue(name: &str, role: Role) -> Queue {
        Queue { role, ..Queue::new(QueueId::new("1", "eu-west-1", name), "http://q") }
    }

    #[test]
    fn what_a_queue_cannot_have_is_judged_insufficient_and_the_rest_is_left_to_its_data() {
        let (fifo, plain) = (queue("a.fifo", Role::Plain), queue("a", Role::Plain));
        let dead = queue("a-dlq", Role::DeadLetter);
        for (metric, queue, whole, misfits) in [
            (Metric::GroupsInFlight, &plain, false, true),
            (Metric::GroupsInFlight, &fifo, true, false),
            (Metric::NoisyGroups, &fifo, true, true),
            (Metric::NoisyGroups, &plain, true, false),
            (Metric::DeadLetters, &plain, true, true),
            (Metric::DeadLetters, &plain, false, false),
            (Metric::DeadLetters, &dead, true, false),
            (Metric::MessagesVisible, &plain, true, false),
        ] {
            let verdict = Misfits::default().verdict(&"r".into(), &condition(metric), queue, whole);
            let state = verdict.map(|verdict| verdict.state);
            assert_eq!(state, misfits.then_some(State::InsufficientData), "{metric:?} {}", queue.id.name);
        }
    }

    #[test]
    fn it_is_said_once_a_rule_however_many_queues_and_rounds_there_are() {
        let round = || {
            let mut misfits = Misfits::default();
            for (rule, name) in [("r", "a"), ("r", "b"), ("s", "a")] {
                misfits
                    .verdict(
                        &rule.into(),
                        &condition(Metric::GroupsInFlight),
                        &queue(name, Role::Plain),
                        true,
                    )
                    .unwrap();
            }
            misfits
        };
        let said = Said::default();
        let first = round();
        let told: Vec<(&str, usize, &str)> = said
            .unsaid(&first)
            .into_iter()
            .map(|(rule, misfit)| (&**rule, misfit.queues, &*misfit.example.name))
            .collect();
        assert_eq!(told, [("r", 2, "a"), ("s", 1, "a")]);
        assert!(said.unsaid(&round()).is_empty());
    }
}
