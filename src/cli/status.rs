//! `sqswatch status`: one pass over every queue, printed worst first.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::app;
use crate::aws::clients::Identity;
use crate::board::{Board, Watched};
use crate::domain::metric::Metric;

use super::{ConfigArgs, fail};

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// How long to wait for every queue to answer
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    timeout: Duration,
}

/// One queue for programs: a public interface. What is not known is null.
#[derive(Debug, Serialize)]
struct Line {
    account: Arc<str>,
    region: Arc<str>,
    queue: Arc<str>,
    role: &'static str,
    visible: Option<f64>,
    in_flight: Option<f64>,
    delayed: Option<f64>,
    oldest_message_age_seconds: Option<f64>,
    dead_letter_queue: Option<Arc<str>>,
}

/// Runs the command. Queues that did not answer are named; that alone does not make it fail.
pub(super) async fn run(args: &StatusArgs) -> u8 {
    let config = match args.config.load() {
        Ok(config) => config,
        Err(code) => return code,
    };
    let survey = match app::survey(config, Identity::Chain, args.timeout).await {
        Ok(survey) => survey,
        Err(error) => return fail(&error),
    };
    let lines = lines(&survey.board);
    if args.json {
        // Plain structs of text and numbers always serialise.
        println!("{}", serde_json::to_string_pretty(&lines).unwrap_or_default());
    } else {
        print!("{}", table(&lines));
    }
    for trouble in troubles(&survey.board, survey.complete) {
        eprintln!("{trouble}");
    }
    u8::from(lines.is_empty() && !survey.complete)
}

/// Dead letters first, then the oldest message, then the deepest.
fn lines(board: &Board) -> Vec<Line> {
    let mut lines: Vec<Line> = board.queues().values().map(|watched| line(watched)).collect();
    let rank = |line: &Line| {
        let waiting = line.visible.unwrap_or(0.0) as u64;
        let dead = if line.role == "dead_letter" || line.role == "both" { waiting } else { 0 };
        Reverse((dead, line.oldest_message_age_seconds.unwrap_or(0.0) as u64, waiting))
    };
    lines.sort_by_key(|line| (rank(line), line.queue.clone()));
    lines
}

fn line(watched: &Watched) -> Line {
    let readings = watched.lock();
    Line {
        account: watched.id.account.clone(),
        region: watched.id.region.clone(),
        queue: watched.id.name.clone(),
        role: readings.queue.role.as_str(),
        visible: readings.value(Metric::MessagesVisible),
        in_flight: readings.value(Metric::MessagesInFlight),
        delayed: readings.value(Metric::MessagesDelayed),
        oldest_message_age_seconds: readings.value(Metric::OldestMessageAge),
        dead_letter_queue: readings.queue.dead_letter_queue().map(|id| id.name.clone()),
    }
}

fn table(lines: &[Line]) -> String {
    if lines.is_empty() {
        return "no queues\n".to_owned();
    }
    let width = lines.iter().map(|line| line.queue.len()).max().unwrap_or(0).max(5);
    let mut text = format!(
        "{:<width$}  {:<14} {:<11} {:>9} {:>9} {:>9} {:>10}\n",
        "QUEUE", "REGION", "ROLE", "VISIBLE", "IN FLIGHT", "DELAYED", "OLDEST"
    );
    for line in lines {
        text.push_str(&format!(
            "{:<width$}  {:<14} {:<11} {:>9} {:>9} {:>9} {:>10}\n",
            line.queue,
            line.region,
            line.role,
            number(line.visible),
            number(line.in_flight),
            number(line.delayed),
            line.oldest_message_age_seconds.map_or("?".to_owned(), age),
        ));
    }
    text
}

fn number(value: Option<f64>) -> String {
    value.map_or("?".to_owned(), |value| format!("{value}"))
}

fn age(seconds: f64) -> String {
    humantime::format_duration(Duration::from_secs(seconds.max(0.0) as u64)).to_string().replace(' ', "")
}

/// What was not read, and why.
fn troubles(board: &Board, complete: bool) -> Vec<String> {
    let mut troubles = Vec::new();
    for (target, health) in board.targets() {
        troubles.extend(health.troubles.values().map(|trouble| format!("{target}: {trouble}")));
        let unread = health.skipped.iter().filter(|(_, skip)| !matches!(skip.as_str(), "excluded" | "tags"));
        troubles
            .extend(unread.map(|(name, skip)| format!("{target}: `{name}` is not read: {}", skip.as_str())));
    }
    if !complete {
        troubles.push("not every queue answered in time\n  hint: give it longer with --timeout".to_owned());
    }
    troubles
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(queue: &str, role: &'static str, visible: f64, age: f64) -> Line {
        Line {
            account: "1".into(),
            region: "eu-west-1".into(),
            queue: queue.into(),
            role,
            visible: Some(visible),
            in_flight: None,
            delayed: Some(0.0),
            oldest_message_age_seconds: Some(age),
            dead_letter_queue: None,
        }
    }

    #[test]
    fn the_table_says_what_is_not_known_and_reads_ages() {
        let text = table(&[sample("orders-dlq", "dead_letter", 12_000.0, 3_725.0)]);
        assert!(text.contains("1h2m5s") && text.contains('?') && text.contains("12000"), "{text}");
    }
}
