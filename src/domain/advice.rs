//! What is unwise about a queue's settings, as somebody who knows SQS would say it: what, why, and the command that mends it.
//!
//! Only what is known is judged: a setting or a rate that was not told gives no advice. The rules restate Amazon's pages in the
//! SQS developer guide (docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/): dead letters in
//! sqs-dead-letter-queues.html, visibility in sqs-visibility-timeout.html, polling in sqs-short-and-long-polling.html, encryption in
//! sqs-server-side-encryption.html, access in sqs-security-best-practices.html.

mod command;
mod dead_letters;
mod handling;
mod safety;
#[cfg(test)]
mod tests;

use std::fmt::Write;

use super::queue::{Queue, QueueId, Settings};
use super::rule::Severity;

/// One piece of advice.
#[derive(Clone, Debug, PartialEq)]
pub struct Advice {
    /// `Error` when messages are being lost or anybody can get at them, `Warning` when they will be once something goes wrong,
    /// `Info` when it costs money or time.
    pub severity: Severity,
    /// What is unwise, in a few words.
    pub what: String,
    /// What comes of it.
    pub why: String,
    /// What to do, in words, when a command alone would not tell.
    pub remedy: Option<&'static str>,
    /// The commands that mend it, for a POSIX shell; none where only a person can tell, or where a name is none that belongs into
    /// a shell.
    pub fix: Vec<String>,
}

/// What is known of the queue that a redrive policy names.
#[derive(Clone, Debug, PartialEq)]
pub enum DeadLetterQueue<'a> {
    /// There is no redrive policy.
    None,
    /// It is watched.
    Watched(&'a Queue),
    /// It exists and is not watched.
    Skipped,
    /// A complete listing did not have it.
    Missing,
    /// Whether it exists is not known.
    Unknown,
}

/// What was seen of a queue over the last hour; `None` is unknown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Observed {
    /// Messages received a minute, each receive of a message counted.
    pub received: Option<f64>,
    /// Messages deleted a minute.
    pub deleted: Option<f64>,
    /// Receives a minute that returned nothing.
    pub empty_receives: Option<f64>,
    /// Messages in flight.
    pub in_flight: Option<f64>,
}

/// A queue with what advice on it needs.
#[derive(Clone, Debug)]
pub struct Case<'a> {
    /// The queue; its settings were read.
    pub queue: &'a Queue,
    /// Where its dead letters go.
    pub dead_letter_queue: DeadLetterQueue<'a>,
    /// The watched queues whose dead letters arrive in it.
    pub sources: Vec<&'a Queue>,
    /// What was seen of it.
    pub observed: Observed,
}

impl Case<'_> {
    fn id(&self) -> &QueueId {
        &self.queue.id
    }

    fn settings(&self) -> &Settings {
        &self.queue.settings
    }

    /// Commands that set one attribute of this queue.
    fn set(&self, attribute: &str, value: &str) -> Vec<String> {
        command::set(self.queue, attribute, value).into_iter().collect()
    }
}

/// All advice on a queue, the worst first. None before its settings were read.
pub fn advise(case: &Case<'_>) -> Vec<Advice> {
    if *case.settings() == Settings::default() {
        return Vec::new();
    }
    let rooms = [dead_letters::advice(case), handling::advice(case), safety::advice(case)];
    let mut advice: Vec<Advice> = rooms.into_iter().flatten().collect();
    advice.sort_by_key(|advice| std::cmp::Reverse(advice.severity));
    advice
}

/// A length of time in its two largest units: `30 s`, `4 d`, `1 d 12 h`.
fn lasting(seconds: u64) -> String {
    const UNITS: [(u64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut text = String::new();
    let first = UNITS.iter().position(|(length, _)| seconds >= *length).unwrap_or(UNITS.len() - 1);
    for (length, unit) in UNITS.iter().skip(first).take(2) {
        let count = rest / length;
        rest %= length;
        if count > 0 || text.is_empty() {
            let gap = if text.is_empty() { "" } else { " " };
            let _ = write!(text, "{gap}{count} {unit}");
        }
    }
    text
}
