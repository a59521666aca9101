//! In which order rules must be judged, and the circles in which composite alarms look at each other.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use crate::domain::rule::{Rule, Trigger};

/// Composite alarms that look at each other in a circle: each at the next, the last at the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cycle(pub Vec<Arc<str>>);

impl fmt::Display for Cycle {
    /// `a -> b -> a`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|name| write!(f, "{name} -> "))?;
        self.0.first().map_or(Ok(()), |first| f.write_str(first))
    }
}

/// The circles among composite alarms; `links` gives what each looks at. Every alarm that is in a circle is in one that is
/// returned; a circle that shares all its links with others may be left out.
pub fn cycles(links: &[(Arc<str>, Vec<Arc<str>>)]) -> Vec<Cycle> {
    walk(links).1
}

/// The rules as they can be judged one after the other: metric alarms first, then each composite alarm after all that it looks at.
/// Nothing else changes its place. Within a circle, which the configuration refuses, the order is some order.
pub fn in_order(rules: Vec<Rule>) -> Vec<Rule> {
    let (composites, mut ordered): (Vec<Rule>, Vec<Rule>) =
        rules.into_iter().partition(|rule| matches!(rule.trigger, Trigger::Composite(_)));
    let link = |rule: &Rule| {
        let Trigger::Composite(composite) = &rule.trigger else { return (rule.name.clone(), Vec::new()) };
        (rule.name.clone(), composite.looks_at().into_iter().cloned().collect())
    };
    let links: Vec<_> = composites.iter().map(link).collect();
    let mut composites: Vec<Option<Rule>> = composites.into_iter().map(Some).collect();
    ordered.extend(walk(&links).0.into_iter().filter_map(|position| composites[position].take()));
    ordered
}

/// How far the walk has come with one alarm.
#[derive(Clone, Copy, PartialEq)]
enum Mark {
    Unseen,
    OnPath,
    Done,
}

/// Goes depth first, without recursion since a file can hold thousands in a chain: positions with what is looked at first, and
/// the circles that were met.
fn walk(links: &[(Arc<str>, Vec<Arc<str>>)]) -> (Vec<usize>, Vec<Cycle>) {
    let positions: HashMap<&str, usize> =
        links.iter().enumerate().map(|(position, (name, _))| (&**name, position)).collect();
    let mut marks = vec![Mark::Unseen; links.len()];
    let (mut order, mut cycles) = (Vec::new(), Vec::new());
    for start in 0..links.len() {
        if marks[start] != Mark::Unseen {
            continue;
        }
        marks[start] = Mark::OnPath;
        let mut path = vec![(start, 0)];
        while let Some((at, next)) = path.last_mut() {
            let Some(child) = links[*at].1.get(*next) else {
                marks[*at] = Mark::Done;
                order.push(*at);
                path.pop();
                continue;
            };
            *next += 1;
            let Some(&child) = positions.get(&**child) else { continue };
            match marks[child] {
                Mark::Unseen => {
                    marks[child] = Mark::OnPath;
                    path.push((child, 0));
                }
                Mark::OnPath => {
                    let circle =
                        path.iter().map(|(position, _)| *position).skip_while(|position| *position != child);
                    let cycle = Cycle(circle.map(|position| links[position].0.clone()).collect());
                    if !cycles.contains(&cycle) {
                        cycles.push(cycle);
                    }
                }
                Mark::Done => {}
            }
        }
    }
    (order, cycles)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::composite::{Composite, Scope, parse};
    use crate::domain::metric::Metric;
    use crate::domain::rule::{Comparison, Condition, MetricRef, Statistic};

    fn circles(links: &[(&str, &[&str])]) -> Vec<String> {
        let links: Vec<(Arc<str>, Vec<Arc<str>>)> = links
            .iter()
            .map(|(name, to)| ((*name).into(), to.iter().map(|name| (*name).into()).collect()))
            .collect();
        cycles(&links).iter().map(Cycle::to_string).collect()
    }

    #[test]
    fn every_circle_is_named_in_full() {
        assert_eq!(circles(&[("a", &["a"])]), ["a -> a"]);
        assert_eq!(circles(&[("a", &["b"]), ("b", &["c", "x"]), ("c", &["b"])]), ["b -> c -> b"]);
        assert_eq!(circles(&[("a", &["b", "b"]), ("b", &["a"]), ("c", &["c"])]), ["a -> b -> a", "c -> c"]);
        let diamond: &[(&str, &[&str])] = &[("a", &["b", "c"]), ("b", &["d"]), ("c", &["d"]), ("d", &[])];
        assert_eq!(circles(diamond), [""; 0]);
    }

    #[test]
    fn thousands_in_a_chain_are_walked() {
        let name = |n: usize| Arc::from(n.to_string());
        let mut links: Vec<(Arc<str>, Vec<Arc<str>>)> =
            (0..50_000).map(|n| (name(n), vec![name(n + 1)])).collect();
        assert_eq!(cycles(&links), []);
        links[49_999].1 = vec![name(0)];
        assert_eq!(cycles(&links)[0].0.len(), 50_000);
    }

    #[test]
    fn each_comes_after_what_it_looks_at() {
        let composite = |name: &str, text: &str| {
            let expression = parse(text).expression.unwrap();
            let composite =
                Composite { text: text.into(), expression, scope: Scope::Whole, suppressor: None };
            Rule::new(name, Trigger::Composite(composite))
        };
        let metric = MetricRef::Queue(Metric::MessagesVisible);
        let condition = Condition::new(metric, Statistic::Maximum, Comparison::GreaterThan, 0.0);
        let rules = vec![
            composite("top", "ALARM(middle) OR ALARM(b)"),
            Rule::on("a", condition.clone()),
            composite("other", "ALARM(a)"),
            composite("middle", "NOT ALARM(low)"),
            Rule::on("b", condition),
            composite("low", "ALARM(a)"),
        ];
        let names: Vec<_> = in_order(rules).iter().map(|rule| rule.name.to_string()).collect();
        assert_eq!(names, ["a", "b", "low", "middle", "top", "other"]);
    }
}
