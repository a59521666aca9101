//! `poll`: how often what is read.

use std::time::Duration;

use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{Poll, suggest};
use crate::domain::metric::{CATALOGUE, Metric, Source};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// The CloudWatch metrics that are read when the user names none: everything of standard and FIFO queues. Those of fair
/// queues are left out, as no attribute tells which queues have them and each query is paid for.
const METRICS: [Metric; 8] = [
    Metric::OldestMessageAge,
    Metric::MessagesSent,
    Metric::MessagesReceived,
    Metric::MessagesDeleted,
    Metric::EmptyReceives,
    Metric::SentBytes,
    Metric::GroupsInFlight,
    Metric::DeduplicatedSent,
];

/// Reads the section.
pub fn read(section: &Section<'_>) -> Poll {
    let cloudwatch = minutes(section, "cloudwatch", MINUTE);
    let counters = minutes(section, "counters", (5 * MINUTE).max(cloudwatch));
    if let (Some(cursor), true) = (section.get("counters"), counters < cloudwatch) {
        cursor.refuse("is shorter than `poll.cloudwatch`");
    }
    Poll {
        attributes: section.duration("attributes", 15 * SECOND, &(SECOND..=HOUR)),
        cloudwatch,
        counters,
        metrics: match section.get("metrics") {
            Some(_) => section.distinct("metrics", metric),
            None => METRICS.to_vec(),
        },
        settle: section.duration("settle", 2 * MINUTE, &(MINUTE..=15 * MINUTE)),
        reread: section.duration("reread", 3 * MINUTE, &(Duration::ZERO..=HOUR)),
        concurrency: section.get("concurrency").and_then(|cursor| cursor.count(1..=256)).unwrap_or(16)
            as usize,
        timeout: section.duration("timeout", 10 * SECOND, &(SECOND..=MINUTE)),
    }
}

/// A whole number of minutes: CloudWatch has one datapoint a minute.
fn minutes(section: &Section<'_>, key: &str, default: Duration) -> Duration {
    let Some(cursor) = section.get(key) else { return default };
    match cursor.duration(&(MINUTE..=HOUR)) {
        Some(duration) if duration.as_nanos() % MINUTE.as_nanos() == 0 => duration,
        Some(_) => {
            let message = format!("{} is no whole number of minutes", cursor.shown());
            cursor.refuse_with(message, "SQS publishes once a minute");
            default
        }
        None => default,
    }
}

fn metric(cursor: &Cursor<'_>) -> Option<Metric> {
    let text = cursor.text()?;
    let of_cloudwatch = CATALOGUE.iter().filter(|row| row.source == Source::CloudWatch);
    match text.parse::<Metric>() {
        Ok(metric) if metric.row().source == Source::CloudWatch => return Some(metric),
        Ok(_) => cursor.refuse_with(
            format!("{} does not come from CloudWatch", quoted(text)),
            "only CloudWatch's are chosen here; the others are always there",
        ),
        Err(_) => {
            let known: Vec<&str> = of_cloudwatch.map(|row| row.name).collect();
            cursor.note(format!("{} is no metric", quoted(text)), suggest::hint(text, &known));
        }
    }
    None
}
