//! Advice on how messages are received: visibility timeout and polling, held against what was seen.

use super::{Advice, Case, command, lasting};
use crate::domain::cost::{FIFO_REQUEST, MONTH, STANDARD_REQUEST};
use crate::domain::queue::QueueKind;
use crate::domain::rule::Severity;

/// The longest visibility timeout, in seconds.
const LONGEST: u64 = 43_200;
/// Fewer receives a minute than this tell nothing about how messages are handled.
const ENOUGH: f64 = 1.0;
/// Receives a delete from which on messages come back.
const OFTEN: f64 = 1.5;
/// The share of the visibility timeout that messages are in flight when it, and not the consumer, ends their handling.
const NEARLY_ALL: f64 = 0.7;
/// A visibility timeout this many times what handling takes holds up what a consumer dropped.
const FAR_TOO_LONG: f64 = 50.0;
/// Empty receives a minute from which on they are worth a word: a consumer that polls every second makes 60.
const MANY_EMPTY: f64 = 20.0;
/// Dollars a month from which on they are worth more than that.
const DEAR: f64 = 5.0;

pub(super) fn advice(case: &Case<'_>) -> Vec<Advice> {
    [never_hidden(case), come_back(case), hidden_long(case), short_polling(case)]
        .into_iter()
        .flatten()
        .collect()
}

fn never_hidden(case: &Case<'_>) -> Option<Advice> {
    (case.settings().visibility_timeout_seconds == Some(0)).then(|| Advice {
        severity: Severity::Warning,
        what: "Received messages are not hidden".into(),
        why: "The visibility timeout is 0 s: while one consumer handles a message, the next one gets it as well.".into(),
        remedy: Some("Longer than handling a message takes; 30 s is what a new queue has."),
        fix: case.set("VisibilityTimeout", "30"),
    })
}

/// How long a received message stays in flight in the mean, in seconds: by Little's law the number in flight over the rate at
/// which they are received.
fn in_flight_seconds(case: &Case<'_>) -> Option<f64> {
    let received = case.observed.received.filter(|received| *received >= ENOUGH)?;
    let seconds = case.observed.in_flight? / (received / 60.0);
    seconds.is_finite().then_some(seconds)
}

fn come_back(case: &Case<'_>) -> Option<Advice> {
    let hidden = case.settings().visibility_timeout_seconds.filter(|hidden| *hidden > 0)?;
    let (received, deleted) = (case.observed.received?, case.observed.deleted?);
    let handled = in_flight_seconds(case)?;
    if received < deleted * OFTEN || handled < hidden as f64 * NEARLY_ALL {
        return None;
    }
    let longer = (hidden * 2).min(LONGEST);
    Some(Advice {
        severity: Severity::Warning,
        what: "Messages come back while they are handled".into(),
        why: format!(
            "In the last hour {} a minute were received and {} deleted, and a received one was in flight for about {}: the whole visibility \
             timeout of {}. Handling takes longer than that, or consumers stop without giving messages back.",
            rounded(received),
            rounded(deleted),
            lasting(two_digits(handled) as u64),
            lasting(hidden)
        ),
        remedy: Some("Six times what a consumer needs for one batch is a good measure."),
        fix: if longer > hidden { case.set("VisibilityTimeout", &longer.to_string()) } else { Vec::new() },
    })
}

fn hidden_long(case: &Case<'_>) -> Option<Advice> {
    let hidden = case.settings().visibility_timeout_seconds.filter(|hidden| *hidden >= 600)?;
    let handled = in_flight_seconds(case).filter(|handled| *handled * FAR_TOO_LONG < hidden as f64)?;
    let shorter = ((handled * 6.0).ceil() as u64).max(30);
    Some(Advice {
        severity: Severity::Info,
        what: "Dropped messages wait long".into(),
        why: format!(
            "In the last hour a received message was in flight for about {}, but one whose consumer dies is hidden for {} before it is tried \
             again.",
            lasting((two_digits(handled) as u64).max(1)),
            lasting(hidden)
        ),
        remedy: Some(
            "Six times what a consumer needs for one batch is a good measure; check what your slowest message takes first.",
        ),
        fix: case.set("VisibilityTimeout", &(two_digits(shorter as f64) as u64).to_string()),
    })
}

fn short_polling(case: &Case<'_>) -> Option<Advice> {
    let empty = case.observed.empty_receives.filter(|empty| *empty >= MANY_EMPTY)?;
    if case.settings().receive_wait_seconds != Some(0) {
        return None;
    }
    let price = if case.id().kind() == QueueKind::Fifo { FIFO_REQUEST } else { STANDARD_REQUEST };
    let dollars = empty * MONTH.as_secs_f64() / 60.0 * price;
    Some(Advice {
        severity: if dollars >= DEAR { Severity::Warning } else { Severity::Info },
        what: "Short polling".into(),
        why: format!(
            "Receives do not wait for a message, and {} a minute found none in the last hour: about ${} a month for nothing, and messages are \
             found later.",
            rounded(empty),
            money(dollars)
        ),
        remedy: Some("Consumers that set WaitTimeSeconds themselves have to be told as well."),
        fix: command::set(case.queue, "ReceiveMessageWaitTimeSeconds", "20").into_iter().collect(),
    })
}

/// To two digits, so that a page does not change with every minute.
fn two_digits(value: f64) -> f64 {
    if value <= 0.0 || !value.is_finite() {
        return 0.0;
    }
    let unit = 10f64.powf(value.log10().floor() - 1.0);
    if unit >= 1.0 { (value / unit).round() * unit } else { (value * 10.0).round() / 10.0 }
}

fn rounded(value: f64) -> String {
    let text = format!("{:.1}", two_digits(value));
    text.strip_suffix(".0").map_or_else(|| text.clone(), str::to_owned)
}

fn money(dollars: f64) -> String {
    if dollars < 10.0 {
        format!("{:.2}", (dollars * 10.0).round() / 10.0)
    } else {
        format!("{:.0}", two_digits(dollars))
    }
}
