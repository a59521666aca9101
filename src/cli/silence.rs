//! `sqswatch silence`: keeps alarms of a running daemon from telling anybody for a while.

mod table;

use std::time::Duration;

use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Value, json};

use super::USAGE;
use super::client::{Client, ClientError, DaemonArgs};

/// Arguments of `silence`.
#[derive(Debug, Args)]
pub(super) struct SilenceArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Silence alarms for a while; prints the silence's id
    ///
    /// All that is given must match; of several globs of one kind any may. Silenced alarms are judged and shown as ever; one that
    /// still fires at the end is told then.
    Add(AddArgs),
    /// List silences, recent ones included, and the maintenance windows of the configuration
    List(ListArgs),
    /// End a silence before its time
    End(EndArgs),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).multiple(true).args(["alarm", "queue", "label", "all"]))]
#[command(group = ArgGroup::new("end").required(true).args(["length", "until"]))]
struct AddArgs {
    /// Alarms by name, `*` and `?` as wildcards; may be repeated
    #[arg(long, value_name = "GLOB")]
    alarm: Vec<String>,
    /// Queues (or custom metrics) by name; may be repeated
    #[arg(long, value_name = "GLOB")]
    queue: Vec<String>,
    /// A label of the alarm, or its severity, account or region; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = label)]
    label: Vec<(String, String)>,
    /// Every alarm there is
    #[arg(long, conflicts_with_all = ["alarm", "queue", "label"])]
    all: bool,
    /// How long
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    length: Option<Duration>,
    /// Until when, as RFC 3339
    #[arg(long, value_name = "INSTANT")]
    until: Option<String>,
    /// From when on, as RFC 3339; from now without it
    #[arg(long, value_name = "INSTANT")]
    from: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who; without it the user of this shell
    #[arg(long, value_name = "NAME")]
    author: Option<String>,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Debug, Args)]
struct ListArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    daemon: DaemonArgs,
}

#[derive(Debug, Args)]
struct EndArgs {
    /// The silence's id, as `add` printed it and `list` shows it
    id: String,
    #[command(flatten)]
    daemon: DaemonArgs,
}

const PATH: &str = "/api/v1/silences";

fn label(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

/// Runs the command.
pub(super) async fn run(args: &SilenceArgs) -> u8 {
    let done = match &args.command {
        Command::Add(args) => {
            let Some(author) = args.author.clone().or_else(user) else {
                eprintln!("error: it is not known who asks\n  hint: say it with --author");
                return USAGE;
            };
            add(args, &author).await
        }
        Command::List(args) => list(args).await,
        Command::End(args) => end(args).await,
    };
    done.err().map_or(0, |error| error.report())
}

/// Whom the shell runs as.
fn user() -> Option<String> {
    let named = ["USER", "LOGNAME"].iter().find_map(|name| std::env::var(name).ok());
    named.filter(|name| !name.trim().is_empty())
}

async fn add(args: &AddArgs, author: &str) -> Result<(), ClientError> {
    let answer = Client::new(&args.daemon)?.post(PATH, &asked(args, author)).await?;
    // The id alone goes to standard output, so that a script can end what it began.
    println!("{}", table::text(&answer["silence"]["id"]));
    let (starts, ends) = (table::text(&answer["silence"]["starts"]), table::text(&answer["silence"]["ends"]));
    let since =
        if answer["silence"]["state"] == "pending" { format!("from {starts} ") } else { String::new() };
    let count = |key: &str| answer[key].as_u64().unwrap_or(0);
    let plural = if count("alarms") == 1 { "" } else { "s" };
    eprintln!("silenced {since}until {ends}: {} alarm{plural}, {} firing", count("alarms"), count("firing"));
    if count("alarms") == 0 {
        eprintln!("warning: no alarm that is there now matches");
    }
    Ok(())
}

/// The request's body: what was not given is left out.
fn asked(args: &AddArgs, author: &str) -> Value {
    let mut body = json!({ "reason": args.reason, "author": author });
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            body[key] = value;
        }
    };
    let list = |texts: &[String]| (!texts.is_empty()).then(|| json!(texts));
    set("alarms", list(&args.alarm));
    set("queues", list(&args.queue));
    let labels: serde_json::Map<String, Value> =
        args.label.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
    set("labels", (!labels.is_empty()).then(|| labels.into()));
    set("all", args.all.then_some(json!(true)));
    set("duration", args.length.map(|length| json!(humantime::format_duration(length).to_string())));
    set("ends", args.until.as_ref().map(|until| json!(until)));
    set("starts", args.from.as_ref().map(|from| json!(from)));
    body
}

async fn list(args: &ListArgs) -> Result<(), ClientError> {
    let answer = Client::new(&args.daemon)?.get(PATH).await?;
    if args.json {
        // What came as JSON always goes as JSON.
        println!("{}", serde_json::to_string_pretty(&answer).unwrap_or_default());
    } else {
        print!("{}", table::of(&answer));
    }
    Ok(())
}

async fn end(args: &EndArgs) -> Result<(), ClientError> {
    // Ids are plain words: whatever else is typed must not become another path.
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let id: String = args.id.trim().chars().map(plain).collect();
    let answer = Client::new(&args.daemon)?.delete(&format!("{PATH}/{id}")).await?;
    eprintln!("silence {} has ended", table::text(&answer["id"]));
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(subcommand)]
        command: Command,
    }

    fn parsed(line: &str) -> Result<Command, clap::Error> {
        Line::try_parse_from(format!("silence {line}").split(' ')).map(|line| line.command)
    }

    #[test]
    fn what_is_given_is_asked_and_nothing_else() {
        for (line, expected) in [
            ("--all --for 2h", json!({ "all": true, "duration": "2h" })),
            (
                "--alarm a --alarm b* --queue q --label team=x=y --until 2026-05-01T00:00:00Z",
                json!({ "alarms": ["a", "b*"], "queues": ["q"], "labels": { "team": "x=y" }, "ends": "2026-05-01T00:00:00Z" }),
            ),
            (
                "--label severity=info --for 90m --from x",
                json!({ "labels": { "severity": "info" }, "duration": "1h 30m", "starts": "x" }),
            ),
        ] {
            let Ok(Command::Add(args)) = parsed(&format!("add {line} --reason why")) else {
                panic!("{line}")
            };
            let mut body = asked(&args, "ana");
            for (key, value) in [("author", "ana"), ("reason", "why")] {
                assert_eq!(body.as_object_mut().unwrap().remove(key), Some(json!(value)));
            }
            assert_eq!(body, expected, "{line}");
        }
    }

    #[test]
    fn a_line_that_does_not_say_which_until_when_or_why_is_refused() {
        for line in [
            "add --for 2h --reason why",
            "add --all --reason why",
            "add --all --for 2h",
            "add --all --alarm a --for 2h --reason why",
            "add --all --for 2h --until x --reason why",
            "add --all --for 2 --reason why",
            "add --label team --for 2h --reason why",
            "end",
        ] {
            assert!(parsed(line).is_err(), "{line}");
        }
    }
}
