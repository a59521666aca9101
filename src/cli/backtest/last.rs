//! `--last`: the datapoints that CloudWatch still has, after its price was said.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use super::{Refused, Subject};
use crate::app;
use crate::aws::clients::{Clients, Identity};
use crate::backtest::{Data, History, LONGEST, Range, Roster, span};
use crate::cli::{FAILED, chain};
use crate::clock;
use crate::config::Config;
use crate::domain::time::MINUTE;
use crate::telemetry::Telemetry;

/// How long queues may take to answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// What CloudWatch has of the last while, and the range that it is judged over. Nothing when the person says no.
pub(super) async fn read(
    config: &Config,
    last: Duration,
    yes: bool,
) -> Result<Option<(Subject, Range)>, Refused> {
    let failed = |error: &dyn std::error::Error| (FAILED, format!("error: {}", chain(error)));
    let mut quiet = config.clone();
    quiet.poll.metrics.clear();
    let survey = app::survey(quiet, Identity::Chain, PATIENCE).await.map_err(|error| failed(&error))?;
    if !survey.complete {
        let troubles = survey.board.targets();
        let troubles = troubles.values().flat_map(|health| health.troubles.values());
        let why: String = troubles.map(|trouble| format!("\n  {trouble}")).collect();
        return Err((FAILED, format!("error: not every queue could be read{why}")));
    }
    let history = History::plan(config, &survey.board);
    eprintln!(
        "{} metric queries of CloudWatch for {} queues: ${:.4}",
        history.queries(),
        history.queues(),
        history.dollars()
    );
    if !yes && !agreed() {
        return Ok(None);
    }
    let to = (clock::now() - config.poll.settle).floor(MINUTE);
    let range = Range { from: to - last, to };
    let clients = Clients::connect(&config.aws, config.poll.timeout, &Telemetry::new()).await;
    let clients = clients.map_err(|error| failed(&error))?;
    let bar = Bar::new(history.queries());
    let done =
        history.read(&clients, &config.custom_metrics, span(&config.rules, range), |done| bar.show(done));
    let (data, roster): (Data, Roster) = done.await.map_err(|failure| failed(&failure))?;
    Ok(Some((Subject { data, roster }, range)))
}

/// How long back, within what CloudWatch keeps.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let last = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if (MINUTE..=LONGEST).contains(&last) {
        return Ok(last);
    }
    Err("1m to 15d: CloudWatch keeps the datapoints of minutes for 15 days".to_owned())
}

/// Asks on a terminal; without one nobody could answer, and what it costs was said.
fn agreed() -> bool {
    if !io::stdin().is_terminal() {
        return true;
    }
    eprint!("go on? [y/N] ");
    let mut answer = String::new();
    let read = io::stdin().lock().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes")
}

/// A line that grows, on a terminal; else nothing.
struct Bar {
    all: usize,
    shown: bool,
}

impl Bar {
    const WIDTH: usize = 30;

    fn new(all: usize) -> Self {
        Self { all, shown: io::stderr().is_terminal() }
    }

    fn show(&self, done: usize) {
        if !self.shown {
            return;
        }
        let end = if done == self.all { "\n" } else { "" };
        let mut terminal = io::stderr();
        // A terminal that is gone is no reason to stop.
        let _ = write!(terminal, "\r{}{end}", self.line(done)).and_then(|()| terminal.flush());
    }

    fn line(&self, done: usize) -> String {
        let filled = done * Self::WIDTH / self.all.max(1);
        format!(
            "reading [{:<width$}] {done} of {} metrics",
            "#".repeat(filled),
            self.all,
            width = Self::WIDTH
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_to_its_end() {
        let bar = Bar { all: 40, shown: false };
        assert_eq!(bar.line(20), format!("reading [{}{}] 20 of 40 metrics", "#".repeat(15), " ".repeat(15)));
        assert!(bar.line(40).contains(&"#".repeat(30)));
        assert!(Bar { all: 0, shown: false }.line(0).contains("0 of 0"));
    }

    #[test]
    fn no_more_is_asked_for_than_cloudwatch_keeps() {
        assert_eq!(duration("7d"), Ok(Duration::from_secs(7 * 86_400)));
        for wrong in ["", "7", "1s", "16d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
