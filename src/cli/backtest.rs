//! `sqswatch backtest`: the alarms of a configuration over recorded datapoints.

mod last;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;

use crate::backtest::{self, Collector, Data, Expected, Material, Range, Report, Roster, Run};
use crate::config::Config;
use crate::domain::alarm::State;
use crate::domain::rule::Glob;
use crate::domain::time::Timestamp;

use super::{ConfigArgs, FAILED, USAGE};

/// The largest file of expectations that is read, in bytes.
const LARGEST_EXPECTATION: u64 = 64 << 20;

/// Arguments of `backtest`.
#[derive(Debug, Args)]
pub(super) struct BacktestArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Rows `time,queue,metric,value`, or the JSON of `aws cloudwatch get-metric-data`; `-` is standard input
    #[arg(short, long, value_name = "FILE", required_unless_present = "last", conflicts_with = "last")]
    data: Option<PathBuf>,
    /// What CloudWatch has of the last while, e.g. `7d`, of the queues that are there now; says the price first
    #[arg(long, value_name = "DURATION", value_parser = last::duration, conflicts_with_all = ["from", "to", "metric", "dead_letter_queue"])]
    last: Option<Duration>,
    /// Do not ask before CloudWatch is read
    #[arg(short, long, requires = "last")]
    yes: bool,
    /// The first instant to judge at; what is before it is history [default: when the first minute with a row ends]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    from: Option<Timestamp>,
    /// The last instant to judge at [default: when the last minute with a row ends]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    to: Option<Timestamp>,
    /// Every alarm's state before the first instant: OK, ALARM or INSUFFICIENT_DATA
    #[arg(long, value_name = "STATE", default_value = "INSUFFICIENT_DATA", value_parser = state)]
    initial_state: State,
    /// As JSON
    #[arg(long)]
    json: bool,
    /// The JSON of an earlier run: exit with 1 and the differences unless transitions and states are these
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// The metric of JSON whose labels are names of queues alone
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Queues that are dead-letter queues whatever their name; may be given several times
    #[arg(long, value_name = "GLOB")]
    dead_letter_queue: Vec<String>,
}

/// RFC 3339, e.g. `2026-01-02T03:04:00Z`.
fn instant(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "write RFC 3339 with an offset, e.g. `2026-01-02T03:04:00Z`".to_owned())
}

fn state(text: &str) -> Result<State, String> {
    text.parse().map_err(|_| "one of OK, ALARM, INSUFFICIENT_DATA".to_owned())
}

/// Runs the command: 2 for faults of the configuration, the data or the expectation, 1 when it is not met.
pub(super) async fn run(args: &BacktestArgs) -> u8 {
    backtest(args).await.unwrap_or_else(|(code, text)| {
        if !text.is_empty() {
            eprintln!("{}", text.trim_end());
        }
        code
    })
}

/// An exit code and what to say before.
type Refused = (u8, String);

/// What is judged.
struct Subject {
    data: Data,
    roster: Roster,
}

async fn backtest(args: &BacktestArgs) -> Result<u8, Refused> {
    let config = args.config.load().map_err(|code| (code, String::new()))?;
    let expected = args.expect.as_deref().map(expectation).transpose()?;
    let found = match (&args.data, args.last) {
        (None, Some(last)) => last::read(&config, last, args.yes).await?,
        (path, _) => Some(recorded(args, path.as_deref().unwrap_or(Path::new("-")), &config)?),
    };
    let Some((Subject { data, roster }, range)) = found else { return Ok(0) };
    let run = Run { range, initial: args.initial_state };
    let material = Material { data: &data, roster: &roster, customs: &config.custom_metrics };
    let report = backtest::run(&config.rules, material, &run);
    let assumption = roster.assumption(&config.rules);
    for note in data.notes.iter().chain(&assumption).chain(&report.notes) {
        eprintln!("note: {note}");
    }
    print(args, &report)?;
    Ok(expected.map_or(0, |expected| compare(&expected, &report)))
}

fn recorded(args: &BacktestArgs, path: &Path, config: &Config) -> Result<(Subject, Range), Refused> {
    let data = data(args, path, config)?;
    let globs: Vec<Glob> = args.dead_letter_queue.iter().map(|text| Glob::new(text)).collect();
    let (roster, range) = (Roster::assumed(&data, &globs), range(args, &data)?);
    Ok((Subject { data, roster }, range))
}

fn data(args: &BacktestArgs, path: &Path, config: &Config) -> Result<Data, Refused> {
    let collector = Collector::new(&config.custom_metrics);
    let metric = match &args.metric {
        Some(name) => {
            Some(collector.metric(name).map_err(|refusal| (USAGE, format!("error: --metric: {refusal}")))?)
        }
        None => backtest::fallback_metric(&config.rules),
    };
    let (input, source_name) = open(args, path)?;
    backtest::read(input, &source_name, collector.with_metric(metric))
        .map_err(|faults| (USAGE, faults.to_string()))
}

fn open(args: &BacktestArgs, path: &Path) -> Result<(Box<dyn BufRead>, String), Refused> {
    if path.as_os_str() != "-" {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| (USAGE, format!("{name}: cannot be read: {error}")))?;
        return Ok((Box::new(BufReader::with_capacity(1 << 16, file)), name));
    }
    if args.config.path().as_os_str() == "-" {
        let text = "error: configuration and data cannot both be standard input\n  hint: name a file for one of them";
        return Err((USAGE, text.to_owned()));
    }
    Ok((Box::new(BufReader::new(io::stdin())), "standard input".to_owned()))
}

fn range(args: &BacktestArgs, data: &Data) -> Result<Range, Refused> {
    let (first, last) = data.span().unwrap_or_default();
    let range = Range { from: args.from.unwrap_or(first), to: args.to.unwrap_or(last) };
    if range.from > range.to {
        let text = format!("error: nothing to judge: `{}` is after `{}`", range.from, range.to);
        return Err((
            USAGE,
            format!("{text}\n  hint: the data goes from {first} to {last}; see --from and --to"),
        ));
    }
    Ok(range)
}

fn expectation(path: &Path) -> Result<Expected, Refused> {
    let refuse = |error: String| (USAGE, format!("{}: {error}", path.display()));
    let mut text = String::new();
    let file = File::open(path).map_err(|error| refuse(format!("cannot be read: {error}")))?;
    file.take(LARGEST_EXPECTATION)
        .read_to_string(&mut text)
        .map_err(|error| refuse(format!("cannot be read: {error}")))?;
    Expected::read(&text).map_err(|error| {
        refuse(format!("{error}\n  hint: it is the JSON that `sqswatch backtest --json` prints"))
    })
}

/// Standard output may be closed early (`| head`): that is no failure.
fn print(args: &BacktestArgs, report: &Report) -> Result<(), Refused> {
    let text = if args.json { report.json() + "\n" } else { report.table() };
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err((FAILED, format!("error: cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

fn compare(expected: &Expected, report: &Report) -> u8 {
    let differences = expected.differences(report);
    if differences.is_empty() {
        return 0;
    }
    eprintln!("not as expected (- expected, + found):");
    for line in differences {
        eprintln!("{line}");
    }
    FAILED
}
