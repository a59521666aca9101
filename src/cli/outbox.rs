//! `sqswatch outbox`: what a running daemon owes, what it gave up, and doing something about the latter by hand.

use std::fmt::Write;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::USAGE;
use super::client::{Client, ClientError, DaemonArgs};

const PATH: &str = "/api/v1/notifications";

/// Arguments of `outbox`.
#[derive(Debug, Args)]
pub(super) struct OutboxArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List notifications: those given up, unless others are asked for
    List(ListArgs),
    /// Send again what was given up, as the same notification with the same id
    ///
    /// What is not so any more stays where it is: a firing whose alarm has ended since, an end whose alarm fires anew.
    Resend(WhichArgs),
    /// Drop what was given up
    Drop(WhichArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Which
    #[arg(long, value_enum, default_value_t = State::Parked)]
    state: State,
    /// Only those of this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Only those of this alarm
    #[arg(long, value_name = "NAME")]
    alarm: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100)]
    limit: u16,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum State {
    /// Owed, and tried until it arrives
    Pending,
    /// Given up, and kept for a person
    Parked,
    /// Acknowledged
    Delivered,
}

#[derive(Debug, Args)]
struct WhichArgs {
    /// The destination
    destination: String,
    /// The notification's number, as `list` shows it
    #[arg(required_unless_present = "all")]
    number: Option<u64>,
    /// All that was given up there
    #[arg(long, conflicts_with = "number")]
    all: bool,
    #[command(flatten)]
    daemon: DaemonArgs,
}

/// Runs the command.
pub(super) async fn run(args: &OutboxArgs) -> u8 {
    let done = match &args.command {
        Command::List(args) => list(args).await,
        Command::Resend(args) | Command::Drop(args) if !is_name(&args.destination) => {
            eprintln!("error: `{}` is no name of a destination", args.destination);
            return USAGE;
        }
        Command::Resend(args) => resend(args).await,
        Command::Drop(args) => drop_parked(args).await,
    };
    done.err().map_or(0, |error| error.report())
}

/// What the configuration allows; so it needs no escaping in a path either.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

async fn list(args: &ListArgs) -> Result<(), ClientError> {
    let state = match args.state {
        State::Pending => "pending",
        State::Parked => "parked",
        State::Delivered => "delivered",
    };
    let mut query = form_urlencoded::Serializer::new(format!("{PATH}?"));
    query.append_pair("state", state).append_pair("limit", &args.limit.to_string());
    for (key, value) in [("destination", &args.destination), ("alarm", &args.alarm)] {
        if let Some(value) = value {
            query.append_pair(key, value);
        }
    }
    let answer = Client::new(&args.daemon)?.get(&query.finish()).await?;
    if args.json {
        println!("{answer:#}");
        return Ok(());
    }
    let rows = answer["notifications"].as_array().or(answer["recent"].as_array());
    let rows = rows.map(Vec::as_slice).unwrap_or_default();
    print!("{}", table(rows));
    if !answer["next"].is_null() {
        eprintln!("there are more: ask for them with --limit, up to 1000");
    }
    Ok(())
}

async fn resend(args: &WhichArgs) -> Result<(), ClientError> {
    let path = format!("{}/resend", path(args));
    let answer = Client::new(&args.daemon)?.post(&path, &json!({})).await?;
    println!("{} are on their way", text(&answer["resent"]));
    if answer["outdated"].as_u64().unwrap_or(0) > 0 {
        eprintln!("{} stay: their alarms have moved on since", text(&answer["outdated"]));
    }
    Ok(())
}

async fn drop_parked(args: &WhichArgs) -> Result<(), ClientError> {
    let answer = Client::new(&args.daemon)?.delete(&path(args)).await?;
    println!("{} are dropped", text(&answer["dropped"]));
    Ok(())
}

fn path(args: &WhichArgs) -> String {
    let number = args.number.map(|number| format!("/{number}")).unwrap_or_default();
    format!("{PATH}/{}{number}", args.destination)
}

fn table(rows: &[Value]) -> String {
    if rows.is_empty() {
        return "none\n".to_owned();
    }
    let width = |key: &str| rows.iter().map(|row| text(&row[key]).chars().count()).max().unwrap_or(0).max(11);
    let (to, what) = (width("destination"), width("headline"));
    let mut lines = format!(
        "{:>8}  {:<to$}  {:<20}  {:>8}  {:<what$}  WHY\n",
        "NUMBER", "DESTINATION", "OWED SINCE", "ATTEMPTS", "WHAT"
    );
    for row in rows {
        let since: String = text(&row["owed_at"]).chars().take(19).collect();
        let why: Vec<String> =
            ["reason", "answer"].iter().map(|key| text(&row[*key])).filter(|text| text != "-").collect();
        let _ = writeln!(
            lines,
            "{:>8}  {:<to$}  {:<20}  {:>8}  {:<what$}  {}",
            text(&row["sequence"]),
            text(&row["destination"]),
            since,
            text(&row["attempts"]),
            text(&row["headline"]),
            why.join(": ")
        );
    }
    lines
}

/// A value for people: control characters must not reach the terminal.
fn text(value: &Value) -> String {
    let text = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_names_each_notification_and_why_it_was_given_up() {
        let row = json!({
            "sequence": 17, "destination": "ops", "headline": "ALARM: dlq on orders\u{1b}[2J", "attempts": 3,
            "owed_at": "2026-01-02T03:04:05.123Z", "reason": "refused", "answer": "HTTP 422"
        });
        let table = table(&[row, json!({ "destination": "chat" })]);
        for word in ["17", "ops", "2026-01-02T03:04:05 ", "refused: HTTP 422", "chat"] {
            assert!(table.contains(word), "{word} in\n{table}");
        }
        assert!(!table.contains('\u{1b}'));
    }

    #[test]
    fn names_of_destinations_are_those_of_the_configuration() {
        assert!(is_name("on-call_2.eu"));
        for wrong in ["", "a/b", "a b", "../x", "a?b"] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
