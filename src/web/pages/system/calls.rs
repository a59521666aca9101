//! What AWS is asked for, how often, what fails, and what it costs at list price.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use maud::{Markup, html};

use crate::domain::cost::monthly;
use crate::telemetry::Telemetry;
use crate::telemetry::usage::{Recent, label, metrics};
use crate::web::pages::humane::{length, number};
use crate::web::pages::parts::{self, figure};

/// Over how long calls a second are told.
const CALLS: Duration = Duration::from_secs(5 * 60);
/// Over how long dollars a month are: some calls are made every few minutes only.
const MONEY: Duration = Duration::from_secs(3600);
/// Before so much time has passed a projection says more about the start than about a month.
const ENOUGH: Duration = Duration::from_secs(10 * 60);

type Operation = (String, String);

/// What was counted.
pub struct Usage {
    calls: Recent,
    money: Recent,
    /// Failures by service and operation, then by reason.
    failures: BTreeMap<Operation, BTreeMap<String, u64>>,
    throttles: u64,
    /// How long the process runs.
    pub uptime: Duration,
}

impl Usage {
    /// As it is now.
    pub fn of(telemetry: &Telemetry, now: Instant) -> Self {
        let mut failures: BTreeMap<Operation, BTreeMap<String, u64>> = BTreeMap::new();
        for counter in metrics(&telemetry.failures) {
            let count = counter.get_counter().get_value() as u64;
            if count > 0 {
                let operation = (label(&counter, "service"), label(&counter, "operation"));
                *failures.entry(operation).or_default().entry(label(&counter, "reason")).or_default() +=
                    count;
            }
        }
        let throttles = metrics(&telemetry.throttles)
            .iter()
            .map(|counter| counter.get_counter().get_value() as u64)
            .sum();
        let calls = telemetry.usage.recent(telemetry, CALLS, now);
        let money = telemetry.usage.recent(telemetry, MONEY, now);
        Self { uptime: calls.uptime, calls, money, failures, throttles }
    }

    fn a_second(&self) -> Option<f64> {
        let (grown, over) = self.calls.grown.as_ref()?;
        Some(grown.requests.values().sum::<u64>() as f64 / over.as_secs_f64())
    }

    /// Dollars a month at the present rate, and the time it is told from.
    fn a_month(&self) -> Option<(f64, Duration)> {
        let (grown, over) = self.money.grown.as_ref()?;
        Some((monthly(grown.dollars, *over)?, *over))
    }
}

/// The figures at the top.
pub fn totals(usage: &Usage) -> Markup {
    let all: u64 = usage.calls.totals.requests.values().sum();
    let failed: u64 = usage.failures.values().flat_map(BTreeMap::values).sum();
    let month = usage.a_month();
    html! {
        dl.totals {
            div {
                dt { "A month at this rate" }
                dd {
                    @match month {
                        Some((dollars, _)) => span title=(format!("{dollars:.4} US dollars")) { (money(dollars)) },
                        None => (parts::unknown("too short a time to tell from")),
                    }
                }
            }
            div { dt { "Spent since the start" } dd { span title=(format!("{} US dollars", usage.money.totals.dollars)) { (money(usage.money.totals.dollars)) } } }
            div { dt { "Calls a second" } dd { (rate(usage.a_second())) small { " " (figure(Some(all as f64))) " so far" } } }
            div { dt { "Failed calls" } dd .late[failed > 0] { (figure(Some(failed as f64))) @if usage.throttles > 0 { small { " " (number(usage.throttles as f64)) " throttled" } } } }
        }
        p.fresh {
            @match month {
                Some((_, over)) if over < ENOUGH => { "Told from the last " (minutes(over)) ": the start asks for more than the days after it" }
                Some((_, over)) => { "Told from the last " (minutes(over)) }
                None => "Just started",
            }
            ". List prices of us-east-1 without the free tier: an estimate to steer by, not a bill."
        }
    }
}

/// Whole minutes, so that the page stays as it is in between.
fn minutes(over: Duration) -> String {
    if over < Duration::from_secs(60) {
        "minute".to_owned()
    } else {
        length(over - Duration::from_secs(over.as_secs() % 60))
    }
}

/// `$12.40`, `$0.0031`.
fn money(dollars: f64) -> String {
    match dollars {
        0.0 => "$0".to_owned(),
        _ if dollars >= 1000.0 => format!("${}", number(dollars)),
        _ if dollars >= 0.1 => format!("${dollars:.2}"),
        _ if dollars >= 0.0001 => format!("${dollars:.4}"),
        _ => "< $0.0001".to_owned(),
    }
}

/// Calls a second, at two digits.
fn rate(a_second: Option<f64>) -> Markup {
    html! {
        @match a_second {
            Some(rate) if rate == 0.0 => "0",
            Some(rate) if rate < 0.01 => { span title=(format!("{rate:.2e} a second")) { "< 0.01" } }
            Some(rate) => { span title=(format!("{rate:.3} a second")) { (number(if rate < 1.0 { rate } else { (rate * 10.0).round() / 10.0 })) } }
            None => (parts::unknown("too short a time to tell from")),
        }
    }
}

/// One row an operation.
pub fn table(usage: &Usage) -> Markup {
    let requests = &usage.calls.totals.requests;
    let lately = |operation: &Operation| {
        let (grown, over) = usage.calls.grown.as_ref()?;
        Some(grown.requests.get(operation).copied().unwrap_or_default() as f64 / over.as_secs_f64())
    };
    html! {
        section aria-labelledby="calls" {
            h2 #calls { "Calls to AWS" }
            @if requests.is_empty() { p.note { "None was made yet." } } @else {
                table.calls {
                    thead { tr {
                        th scope="col" { "Operation" }
                        th.n scope="col" { "A second" }
                        th.n scope="col" { "So far" }
                        th.n scope="col" { "Failed" }
                        th scope="col" { "Why" }
                    } }
                    tbody { @for (operation, count) in requests {
                        tr {
                            th scope="row" { (operation.1) small.place { (operation.0) } }
                            td.n data-label="A second" { (rate(lately(operation))) }
                            td.n data-label="So far" { (figure(Some(*count as f64))) }
                            (failed(usage.failures.get(operation)))
                        }
                    } }
                }
            }
        }
    }
}

fn failed(reasons: Option<&BTreeMap<String, u64>>) -> Markup {
    let count: u64 = reasons.map_or(0, |reasons| reasons.values().sum());
    html! {
        td.n data-label="Failed" { span .late[count > 0] { (figure(Some(count as f64))) } }
        td.why.wide .bare[reasons.is_none()] data-label="Why" {
            @for (place, (reason, count)) in reasons.into_iter().flatten().enumerate() {
                @if place > 0 { ", " } (number(*count as f64)) " " (reason.replace('_', " "))
            }
            @if reasons.is_none() { span.fine { "none failed" } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_told_as_exactly_as_it_is_worth() {
        for (dollars, expected) in [
            (0.0, "$0"),
            (12.345, "$12.35"),
            (0.25, "$0.25"),
            (0.0031, "$0.0031"),
            (1e-7, "< $0.0001"),
            (12_345.0, "$12.3k"),
        ] {
            assert_eq!(money(dollars), expected);
        }
    }

    #[test]
    fn the_month_is_told_from_what_was_counted() {
        let telemetry = Telemetry::new();
        telemetry.requests.with_label_values(&["sqs", "ListQueues", "eu-west-1"]).inc_by(600);
        telemetry.dollars.with_label_values(&["sqs"]).inc_by(0.01);
        telemetry.failures.with_label_values(&["sqs", "ListQueues", "eu-west-1", "denied"]).inc_by(2);
        let usage = Usage::of(&telemetry, Instant::now() + Duration::from_secs(600));
        let html = totals(&usage).into_string();
        assert!(html.contains("$43.2"), "a cent in ten minutes: {html}");
        assert!(table(&usage).into_string().contains("2 denied"));
    }
}
