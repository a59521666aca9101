//! Which plots a queue has, and what is drawn on each: its values, the thresholds of the alarms that look at them, and when these
//! were in ALARM.

use maud::html;

use super::alarms::{OwnAlarm, OwnAlarms};
use super::facts::Facts;
use super::past::Past;
use crate::domain::derived::IN_FLIGHT_LIMIT;
use crate::domain::metric::{Kind, Metric};
use crate::domain::queue::Queue;
use crate::domain::rule::{Condition, MetricRef, Statistic};
use crate::domain::time::MINUTE;
use crate::web::pages::condition::sign;
use crate::web::pages::page::Block;
use crate::web::pages::plot::{Mark, Plot, Series, Shape, Unit};

const MESSAGES: Unit = Unit::Count("messages");
/// The limit of messages in flight is drawn once so many are.
const CROWDED: f64 = IN_FLIGHT_LIMIT as f64 / 4.0;

/// One of the plots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Depth,
    Age,
    Throughput,
    DeadLetters,
}

/// All plots, each replaced alone when something on it changes.
pub fn block(facts: &Facts, alarms: &OwnAlarms, past: &Past) -> Block {
    let plots =
        [depth(facts, past), age(facts, past), throughput(past)].into_iter().chain(dead_letters(facts, past));
    let figures = plots.map(|(which, mut plot)| {
        judged(which, &mut plot, alarms, facts);
        (plot.key.to_owned(), plot.figure())
    });
    let note = past.note.as_deref();
    Block::list("plots", figures.collect(), |figures| {
        html! {
            div.plots data-items { (figures) }
            @if let Some(note) = note { p.note { (note) } }
        }
    })
}

fn plot(key: &'static str, title: &'static str, unit: Unit, past: &Past, series: Vec<Series>) -> Plot {
    Plot { key, title, unit, axis: past.axis, series, marks: Vec::new(), alarms: Vec::new() }
}

fn line(name: &'static str, past: &Past, metric: Metric) -> Series {
    Series::new(name, Shape::Line, past.values(metric))
}

fn depth(facts: &Facts, past: &Past) -> (Which, Plot) {
    let series = vec![
        line("waiting", past, Metric::MessagesVisible),
        line("in flight", past, Metric::MessagesInFlight),
        line("delayed", past, Metric::MessagesDelayed),
    ];
    let crowded =
        facts.in_flight.into_iter().chain(past.values(Metric::MessagesInFlight).into_iter().flatten());
    let mut plot = plot("depth", "Depth", MESSAGES, past, series);
    if crowded.fold(0.0, f64::max) >= CROWDED {
        plot.marks.push(limit("in flight at most", IN_FLIGHT_LIMIT as f64));
    }
    (Which::Depth, plot)
}

fn age(facts: &Facts, past: &Past) -> (Which, Plot) {
    let series = vec![line("oldest message", past, Metric::OldestMessageAge)];
    let mut plot = plot("age", "Age of the oldest message", Unit::Seconds, past, series);
    plot.marks
        .extend(facts.queue.settings.retention_seconds.map(|retention| limit("retention", retention as f64)));
    (Which::Age, plot)
}

fn throughput(past: &Past) -> (Which, Plot) {
    let series = vec![
        line("sent", past, Metric::MessagesSent),
        line("received", past, Metric::MessagesReceived),
        line("deleted", past, Metric::MessagesDeleted),
    ];
    (Which::Throughput, plot("throughput", "Throughput", Unit::Count("messages a minute"), past, series))
}

/// Of a source what its dead-letter queue holds and gets; of a dead-letter queue what it gets, as it shows its depth already.
fn dead_letters(facts: &Facts, past: &Past) -> Option<(Which, Plot)> {
    let arrived = |values| Series::new("arrived a minute", Shape::Bars, values);
    let (axis, series) = match &past.dead {
        Some((_, axis, _)) => {
            let held = Series::new("held", Shape::Line, past.dead_values(Metric::MessagesVisible));
            (*axis, vec![held, arrived(past.dead_values(Metric::DeadLetters))])
        }
        None if facts.queue.role.is_dead_letter() => {
            (past.axis, vec![arrived(past.values(Metric::DeadLetters))])
        }
        None => return None,
    };
    let plot = plot("dead-letters", "Dead letters", MESSAGES, past, series);
    Some((Which::DeadLetters, Plot { axis, ..plot }))
}

fn limit(name: &str, at: f64) -> Mark {
    Mark { name: name.to_owned(), sign: "", at, firing: false }
}

/// Puts onto a plot what alarms say of its metrics.
fn judged(which: Which, plot: &mut Plot, alarms: &OwnAlarms, facts: &Facts) {
    let own = alarms.own.iter().map(|one| (one, &facts.queue, false));
    let target = match &facts.target {
        super::facts::Target::Watched(queue) => queue,
        _ => &facts.queue,
    };
    let dead = alarms.dead.iter().map(|one| (one, target, true));
    for (alarm, queue, of_target) in own.chain(dead) {
        let Some(condition) = alarm.rule.condition() else { continue };
        let sights = condition.measured();
        let mut sights = sights
            .iter()
            .filter_map(|(metric, _)| sight(metric, of_target, facts))
            .filter(|sight| *sight == which);
        if sights.next().is_none() {
            continue;
        }
        plot.alarms.extend(&alarm.spans);
        plot.marks.extend(threshold(condition, queue).map(|at| mark(alarm, condition, at)));
    }
}

fn mark(alarm: &OwnAlarm, condition: &Condition, at: f64) -> Mark {
    Mark {
        name: alarm.rule.name.to_string(),
        sign: sign(condition.comparison),
        at,
        firing: alarm.is_firing(),
    }
}

/// On which plot a metric is seen. The dead-letter queue's own metrics are on the plot of dead letters.
fn sight(metric: &MetricRef, of_target: bool, facts: &Facts) -> Option<Which> {
    let MetricRef::Queue(metric) = metric else { return None };
    match metric {
        Metric::DeadLetters if of_target || facts.queue.role.is_dead_letter() => Some(Which::DeadLetters),
        Metric::MessagesVisible if of_target => Some(Which::DeadLetters),
        _ if of_target => None,
        Metric::MessagesVisible
        | Metric::MessagesInFlight
        | Metric::MessagesDelayed
        | Metric::Messages
        | Metric::InFlightRatio
        | Metric::DrainTime => Some(Which::Depth),
        Metric::OldestMessageAge | Metric::OldestMessageRetentionRatio => Some(Which::Age),
        Metric::MessagesSent
        | Metric::MessagesReceived
        | Metric::MessagesDeleted
        | Metric::ConsumersStalled => Some(Which::Throughput),
        _ => None,
    }
}

/// The threshold in the unit of the plot; `None` where values and threshold cannot be compared.
fn threshold(condition: &Condition, queue: &Queue) -> Option<f64> {
    let MetricRef::Queue(metric) = condition.metric else { return None };
    let threshold = condition.threshold;
    match metric {
        Metric::Messages | Metric::DrainTime | Metric::ConsumersStalled => None,
        Metric::InFlightRatio => Some(threshold * IN_FLIGHT_LIMIT as f64),
        Metric::OldestMessageRetentionRatio => {
            queue.settings.retention_seconds.map(|retention| threshold * retention as f64)
        }
        // What is plotted is a sum a minute.
        _ if metric.row().kind == Kind::Counter => {
            (condition.statistic == Statistic::Sum && condition.period == MINUTE).then_some(threshold)
        }
        _ => (!matches!(condition.statistic, Statistic::Sum | Statistic::SampleCount)).then_some(threshold),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::queue::{QueueId, Settings};
    use crate::domain::rule::Comparison;

    #[test]
    fn thresholds_are_drawn_where_values_can_be_held_against_them() {
        let mut queue = Queue::new(QueueId::new("1", "eu-west-1", "orders"), "http://q");
        let on = |metric, statistic, threshold| {
            Condition::new(MetricRef::Queue(metric), statistic, Comparison::GreaterThan, threshold)
        };
        let half = on(Metric::OldestMessageRetentionRatio, Statistic::Maximum, 0.5);
        assert_eq!(threshold(&half, &queue), None, "its retention is not known");
        queue.settings = Settings { retention_seconds: Some(1000), ..Settings::default() };
        for (condition, expected) in [
            (half, Some(500.0)),
            (on(Metric::InFlightRatio, Statistic::Maximum, 0.8), Some(96_000.0)),
            (on(Metric::MessagesVisible, Statistic::Percentile(99.0), 7.0), Some(7.0)),
            (on(Metric::MessagesVisible, Statistic::Sum, 7.0), None),
            (on(Metric::MessagesSent, Statistic::Sum, 7.0), Some(7.0)),
            (on(Metric::MessagesSent, Statistic::Average, 7.0), None),
            (Condition { period: MINUTE * 5, ..on(Metric::DeadLetters, Statistic::Sum, 1.0) }, None),
            (on(Metric::ConsumersStalled, Statistic::Minimum, 1.0), None),
        ] {
            assert_eq!(threshold(&condition, &queue), expected, "{condition:?}");
        }
    }
}
