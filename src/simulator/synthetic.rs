//! Many queues that exist only as a function of queue and time, for benches.
//!
//! Named `bench-00000` and up. In each ten, number 9 is the dead-letter queue of number 8, and numbers 5 to 7 are always
//! empty. Nothing is stored and nothing is locked, so that a bench measures the client and not this.

use std::collections::BTreeMap;
use std::fmt::{Display, Write};
use std::time::Duration;

use super::clock::{MINUTE, Millis};
use super::cloud::Scope;
use super::metrics::{SeriesKey, Statistics, Window};
use super::queue::Counts;

const PREFIX: &str = "bench-";
/// Counts change this often.
const STEP: Millis = 5_000;
/// What all of them are set to.
const SETTINGS: [(&str, &str); 8] = [
    ("CreatedTimestamp", "1767225600"),
    ("LastModifiedTimestamp", "1767225600"),
    ("VisibilityTimeout", "30"),
    ("MaximumMessageSize", "1048576"),
    ("MessageRetentionPeriod", "345600"),
    ("DelaySeconds", "0"),
    ("ReceiveMessageWaitTimeSeconds", "0"),
    ("SqsManagedSseEnabled", "true"),
];

/// The queues of one account and region.
#[derive(Debug)]
pub struct Synthetic {
    queues: usize,
    delay: Duration,
}

impl Synthetic {
    /// `queues` queues, whose CloudWatch datapoints are `delay` late.
    pub fn new(queues: usize, delay: Duration) -> Self {
        Synthetic { queues, delay }
    }

    /// Every name.
    pub fn names(&self) -> impl Iterator<Item = String> {
        (0..self.queues).map(name)
    }

    /// The number of the queue `name`, if it is one of these.
    pub fn index_of(&self, name: &str) -> Option<usize> {
        let digits = name.strip_prefix(PREFIX)?;
        let index = digits.parse().ok().filter(|index| *index < self.queues)?;
        (digits.len() >= 5 && !digits.starts_with('+')).then_some(index)
    }

    /// The queue whose dead letters `index` takes, if it is a dead-letter queue.
    pub fn source_of(&self, index: usize) -> Option<String> {
        is_dead_letter_queue(index).then(|| name(index - 1))
    }

    /// Tags of a queue.
    pub fn tags(&self, index: usize) -> BTreeMap<&'static str, &'static str> {
        const TEAMS: [&str; 4] = ["payments", "orders", "search", "platform"];
        BTreeMap::from([("team", TEAMS[index % TEAMS.len()]), ("environment", "bench")])
    }

    /// The answer of GetQueueAttributes, written by hand: only what is asked for, as AWS does, and no escaping, since
    /// nothing here needs it but the redrive policy.
    pub fn attributes(&self, index: usize, names: &[String], home: &Scope, now: Millis) -> String {
        let all = names.iter().any(|name| name == "All");
        let counts = counts(index, now);
        let mut answer = String::with_capacity(512);
        answer.push_str(r#"{"Attributes":{"#);
        let mut put = |name: &str, value: &dyn Display| {
            if all || names.iter().any(|asked| asked == name) {
                let comma = if answer.ends_with('{') { "" } else { "," };
                let _ = write!(answer, r#"{comma}"{name}":"{value}""#);
            }
        };
        put("ApproximateNumberOfMessages", &counts.visible);
        put("ApproximateNumberOfMessagesNotVisible", &counts.in_flight);
        put("ApproximateNumberOfMessagesDelayed", &counts.delayed);
        put("QueueArn", &format_args!("{}{PREFIX}{index:05}", home.arn("sqs", "")));
        SETTINGS.iter().for_each(|(name, value)| put(name, value));
        if index % 10 == 8 && index + 1 < self.queues {
            let target = home.arn("sqs", &name(index + 1));
            let policy =
                format_args!(r#"{{\"deadLetterTargetArn\":\"{target}\",\"maxReceiveCount\":\"5\"}}"#);
            put("RedrivePolicy", &policy);
        }
        answer.push_str("}}");
        answer
    }

    /// The minutes of a series of one of these queues, put together to periods; `None` for any other series.
    pub fn window(&self, key: &SeriesKey, window: Window, now: Millis) -> Option<Vec<(i64, Statistics)>> {
        let index = self.index_of(key.queue()?)?;
        let settled = (now - self.delay.as_millis() as Millis).div_euclid(MINUTE) * 60;
        let first = window.start.div_euclid(60) * 60;
        let mut periods: Vec<(i64, Statistics)> = Vec::new();
        // CloudWatch keeps minutes for 15 days; nobody needs more of them here than a day.
        for at in (first.max(settled - 86_400)..window.end.min(settled)).step_by(60) {
            let Some(statistics) = minute(&key.metric, index, at) else { continue };
            let start = window.start + (at - window.start).div_euclid(window.period) * window.period;
            match periods.last_mut() {
                Some((last, so_far)) if *last == start => so_far.merge(&statistics),
                _ => periods.push((start, statistics)),
            }
        }
        Some(periods)
    }
}

fn name(index: usize) -> String {
    format!("{PREFIX}{index:05}")
}

fn is_dead_letter_queue(index: usize) -> bool {
    index % 10 == 9
}

fn counts(index: usize, at: Millis) -> Counts {
    let noise = noise(index as u64, (at / STEP) as u64);
    match index % 10 {
        5..=7 => Counts::default(),
        9 => Counts { visible: u64::from(noise.is_multiple_of(8)) * (noise % 5), in_flight: 0, delayed: 0 },
        _ => Counts { visible: noise % 1_000, in_flight: (noise >> 16) % 50, delayed: (noise >> 32) % 10 },
    }
}

fn minute(metric: &str, index: usize, at: i64) -> Option<Statistics> {
    let counts = counts(index, at * 1_000);
    let noise = noise(index as u64, at as u64);
    let busy = counts != Counts::default();
    Some(match metric {
        "ApproximateNumberOfMessagesVisible" => Statistics::of(counts.visible as f64),
        "ApproximateNumberOfMessagesNotVisible" => Statistics::of(counts.in_flight as f64),
        "ApproximateNumberOfMessagesDelayed" => Statistics::of(counts.delayed as f64),
        "ApproximateAgeOfOldestMessage" => Statistics::of(if busy { (noise % 600) as f64 } else { 0.0 }),
        "NumberOfMessagesSent" | "NumberOfMessagesReceived" | "NumberOfMessagesDeleted" => {
            Statistics::of_events(if busy { noise % 600 } else { 0 })
        }
        "NumberOfEmptyReceives" => Statistics::of_events(3),
        "SentMessageSize" if busy => Statistics::of(256.0),
        _ => return None,
    })
}

/// A mix of two numbers that looks random (splitmix64).
fn noise(a: u64, b: u64) -> u64 {
    let mut mixed = a.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(b);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dead_letter_queues_and_sources_name_each_other() {
        let synthetic = Synthetic::new(20, Duration::ZERO);
        let home = Scope { account: "123456789012".into(), region: "us-east-1".into() };
        let answer: serde_json::Value =
            serde_json::from_str(&synthetic.attributes(8, &["All".into()], &home, 0)).unwrap();
        assert_eq!(answer["Attributes"].as_object().unwrap().len(), 4 + SETTINGS.len() + 1);
        let asked = ["QueueArn".into(), "DelaySeconds".into()];
        let two = r#"{"Attributes":{"QueueArn":"arn:aws:sqs:us-east-1:123456789012:bench-00000","DelaySeconds":"0"}}"#;
        assert_eq!(synthetic.attributes(0, &asked, &home, 0), two);
        let policy = answer["Attributes"]["RedrivePolicy"].as_str().unwrap();
        let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
        assert_eq!(policy["deadLetterTargetArn"], "arn:aws:sqs:us-east-1:123456789012:bench-00009");
        assert_eq!(synthetic.source_of(9).as_deref(), Some("bench-00008"));
        assert_eq!(synthetic.index_of("bench-00019"), Some(19));
        assert_eq!(synthetic.index_of("bench-00020"), None);
        assert_eq!(synthetic.index_of("bench-7"), None);
    }

    #[test]
    fn only_settled_minutes_are_seen() {
        let synthetic = Synthetic::new(1, Duration::from_secs(120));
        let key = SeriesKey::of_queue("bench-00000", "NumberOfMessagesSent");
        let window = Window { start: 0, end: 6_000, period: 60 };
        let minutes = synthetic.window(&key, window, 600_000).unwrap();
        assert_eq!(
            minutes.last().unwrap().0,
            420,
            "the minute from 420 s ended at 480 s, two minutes before 600 s"
        );
    }
}
