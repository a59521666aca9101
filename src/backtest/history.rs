//! Datapoints as CloudWatch still has them: what the alarms look at, of the queues that are there now, minute by minute.
//!
//! What to ask is planned first, so that its price can be said before anything is spent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::data::{Collector, Data};
use super::{Range, Roster, derived};
use crate::aws::clients::Clients;
use crate::aws::cloudwatch::{Answers, CloudWatch, Query, Span, queries_a_request};
use crate::aws::failure::Failure;
use crate::board::{Board, Target};
use crate::config::{Config, CustomMetric};
use crate::domain::backoff::Backoff;
use crate::domain::cost::Call;
use crate::domain::metric::{Kind, Metric};
use crate::domain::queue::Queue;
use crate::domain::rule::{Condition, MetricRef, Rule, Statistic};
use crate::domain::time::{MINUTE, Timestamp};

/// How long CloudWatch keeps the datapoints of minutes.
pub const LONGEST: Duration = Duration::from_secs(15 * 86_400);

const RETRIES: Backoff = Backoff { base: Duration::from_secs(1), cap: Duration::from_secs(20) };
const ATTEMPTS: u32 = 6;

/// What is to be read.
#[derive(Clone, Debug)]
pub struct History {
    /// The queues under the names the data will have them by.
    queues: BTreeMap<Arc<str>, Queue>,
    wanted: BTreeMap<Arc<Target>, Vec<Wanted>>,
    notes: Vec<String>,
}

/// One series.
#[derive(Clone, Debug)]
struct Wanted {
    /// The queue's name in the data; empty for a custom metric.
    queue: Arc<str>,
    metric: MetricRef,
    query: Query,
}

impl History {
    /// What the alarms of `config` look at on the queues that are on the board.
    pub fn plan(config: &Config, board: &Board) -> Self {
        let mut history = Self { queues: BTreeMap::new(), wanted: BTreeMap::new(), notes: Vec::new() };
        let known = board.queues();
        let names: Vec<&str> = known.keys().map(|id| &*id.name).collect();
        for watched in known.values() {
            let queue = watched.lock().queue.clone();
            let unique = names.iter().filter(|name| **name == &*queue.id.name).count() == 1;
            let label = if unique { queue.id.name.clone() } else { queue.id.to_string().into() };
            let wanted = of_queue(&config.rules, &label, &queue);
            history.wanted.entry(watched.target.clone()).or_default().extend(wanted);
            history.queues.insert(label, Queue::clone(&queue));
        }
        let targets: Vec<Arc<Target>> = board.targets().into_keys().collect();
        for custom in custom_metrics(config) {
            history.add_custom(custom, &targets);
        }
        history.note_what_differs(config);
        history
    }

    fn add_custom(&mut self, custom: &CustomMetric, targets: &[Arc<Target>]) {
        let here =
            |target: &&Arc<Target>| custom.region.as_deref().is_none_or(|region| region == &*target.region);
        let mut places = targets.iter().filter(here);
        let Some(target) = places.next() else { return };
        let dimensions = custom.dimensions.iter().map(|(name, value)| (name.clone(), value.clone()));
        let query = Query {
            namespace: custom.namespace.clone(),
            metric: custom.metric.clone(),
            dimensions: dimensions.collect(),
            statistic: custom.statistic,
            period: MINUTE,
        };
        let metric = MetricRef::Custom(custom.name.clone());
        self.wanted.entry(target.clone()).or_default().push(Wanted { queue: "".into(), metric, query });
        if places.next().is_some() {
            self.notes.push(format!("`{}` is read in {target} only: `region` says where else", custom.name));
        }
    }

    /// A minute's sum is one number: other statistics of it are not what the daemon would read. A percentile is one of sums.
    fn note_what_differs(&mut self, config: &Config) {
        for rule in &config.rules {
            let Some(condition) = rule.condition() else { continue };
            if condition.period < MINUTE {
                let name = &rule.name;
                self.notes
                    .push(format!("`{name}` looks at less than a minute, of which CloudWatch has one value"));
            }
            for (metric, statistic) in condition.measured() {
                let other = match metric {
                    MetricRef::Queue(metric) => {
                        metric.row().kind == Kind::Counter
                            && !matches!(statistic, Statistic::Sum | Statistic::Percentile(_))
                    }
                    MetricRef::Custom(name) => config
                        .custom_metrics
                        .iter()
                        .any(|custom| custom.name == *name && custom.statistic != statistic),
                    MetricRef::Math(_) => false,
                };
                if other {
                    let name = &rule.name;
                    self.notes.push(format!("`{name}` takes {statistic} of values that were read by minute"));
                }
            }
        }
    }

    /// How many metrics CloudWatch is asked for.
    pub fn queries(&self) -> usize {
        self.wanted.values().map(Vec::len).sum()
    }

    /// How many queues are known.
    pub fn queues(&self) -> usize {
        self.queues.len()
    }

    /// What asking costs, in dollars: a query costs the same whatever its time.
    pub fn dollars(&self) -> f64 {
        Call::MetricQueries(self.queries() as u64).dollars()
    }

    /// Reads all of it over `span`, telling `progress` how many queries are done.
    ///
    /// # Errors
    /// When CloudWatch refuses or fails time and again.
    pub async fn read(
        self,
        clients: &Clients,
        custom_metrics: &[CustomMetric],
        span: Span,
        mut progress: impl FnMut(usize),
    ) -> Result<(Data, Roster), Failure> {
        let mut collector = Collector::new(custom_metrics);
        self.notes.into_iter().for_each(|note| collector.note(note));
        let mut done = 0;
        for clients in clients.targets() {
            let wanted = self.wanted.get(&clients.target).map(Vec::as_slice).unwrap_or_default();
            let queries: Vec<Query> = wanted.iter().map(|wanted| wanted.query.clone()).collect();
            let size = queries_a_request(&queries, span);
            for (wanted, queries) in wanted.chunks(size).zip(queries.chunks(size)) {
                let answers = ask(&clients.cloudwatch, queries, span).await?;
                take(wanted, answers, &mut collector);
                done += wanted.len();
                progress(done);
            }
        }
        for (label, queue) in &self.queues {
            settle(label, queue, span.from, &mut collector);
        }
        Ok((collector.into_data(), Roster::found(self.queues)))
    }
}

/// The span that is read so that `rules` can be judged over `range`.
pub fn span(rules: &[Rule], range: Range) -> Span {
    let reach = rules.iter().filter_map(Rule::condition).map(Condition::reach).max().unwrap_or_default();
    let from = (range.from - reach).max(range.to - LONGEST);
    Span { from: from.floor(MINUTE), until: range.to.floor(MINUTE) }
}

/// The custom metrics that an alarm looks at.
fn custom_metrics(config: &Config) -> impl Iterator<Item = &CustomMetric> {
    let conditions = config.rules.iter().filter_map(Rule::condition);
    let names: BTreeSet<&Arc<str>> = conditions
        .flat_map(Condition::measured)
        .filter_map(|(metric, _)| match metric {
            MetricRef::Custom(name) => Some(name),
            MetricRef::Queue(_) | MetricRef::Math(_) => None,
        })
        .collect();
    config.custom_metrics.iter().filter(move |custom| names.contains(&custom.name))
}

/// What the alarms that select this queue look at, and what that is computed from.
fn of_queue(rules: &[Rule], label: &Arc<str>, queue: &Queue) -> Vec<Wanted> {
    let mut metrics = BTreeSet::new();
    for rule in rules.iter().filter(|rule| rule.judges_queues() && rule.selector.matches(queue)) {
        for (metric, _) in rule.condition().into_iter().flat_map(Condition::measured) {
            if let MetricRef::Queue(metric) = metric {
                metrics.extend(derived::parts(*metric));
            }
        }
    }
    let wanted = |metric: Metric| {
        let row = metric.row();
        let query = Query {
            namespace: "AWS/SQS".to_owned(),
            metric: row.cloudwatch.filter(|_| row.scope.has(queue))?.to_owned(),
            dimensions: vec![("QueueName".to_owned(), queue.id.name.to_string())],
            statistic: if row.kind == Kind::Counter { Statistic::Sum } else { Statistic::Maximum },
            period: MINUTE,
        };
        Some(Wanted { queue: label.clone(), metric: MetricRef::Queue(metric), query })
    };
    metrics.into_iter().filter_map(wanted).collect()
}

async fn ask(cloudwatch: &CloudWatch, queries: &[Query], span: Span) -> Result<Answers, Failure> {
    let mut attempt = 0;
    loop {
        let answers = cloudwatch.read(queries, span).await;
        let Some(failure) = answers.failures.first() else { return Ok(answers) };
        attempt += 1;
        if !failure.reason.is_transient() || attempt == ATTEMPTS {
            return Err(failure.clone());
        }
        tokio::time::sleep(RETRIES.delay(attempt, fastrand::f64(), failure.retry_after)).await;
    }
}

fn take(wanted: &[Wanted], answers: Answers, collector: &mut Collector) {
    for (wanted, answer) in wanted.iter().zip(answers.answers) {
        let of = if wanted.queue.is_empty() { "" } else { " of " };
        let (metric, queue) = (&wanted.query.metric, &wanted.queue);
        if let Some(reason) = answer.lacking {
            let why = reason.as_str();
            collector.note(format!(
                "{metric}{of}{queue} was not answered in full ({why}): what it lacks counts as missing"
            ));
        }
        let mut refused = None;
        for point in answer.datapoints {
            refused = refused.or(collector.row(queue, &wanted.metric, point).err());
        }
        if let Some(refusal) = refused {
            collector.note(format!("{metric}{of}{queue}: {refusal}"));
        }
    }
}

/// The settings that formulas need, as rows; they also make a queue known of which CloudWatch has nothing.
fn settle(label: &str, queue: &Queue, at: Timestamp, collector: &mut Collector) {
    if let Some(retention) = queue.settings.retention_seconds {
        // A number of seconds is finite and no queue that was found is without a name.
        let _ = collector.row(label, &MetricRef::Queue(Metric::Retention), (at, retention as f64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::domain::queue::{Depth, QueueId, RedrivePolicy, Settings};

    fn board(queues: &[(&str, &str)]) -> Board {
        let board = Board::default();
        for region in ["eu-west-1", "us-east-1"] {
            let target = Arc::new(Target { region: region.into(), role_arn: None });
            let here = queues.iter().filter(|(place, _)| *place == region);
            let found = here.map(|(_, name)| Queue::new(QueueId::new("1", region, *name), "http://q"));
            board.update_target(&target, |_| {});
            board.discovered(&target, found.collect());
        }
        for (region, name) in queues.iter().filter(|(_, name)| !name.ends_with("dlq")) {
            let id = QueueId::new("1", *region, *name);
            let dead = QueueId::new("1", *region, format!("{name}-dlq"));
            let redrive = Some(RedrivePolicy { dead_letter_queue: dead, max_receive_count: 3 });
            let settings = Settings { redrive, retention_seconds: Some(345_600), ..Settings::default() };
            board.read_attributes(&id, Timestamp::from_secs(60), Depth::default(), Some(settings));
        }
        board
    }

    fn asked(history: &History) -> Vec<String> {
        let of_target = |(target, wanted): (&Arc<Target>, &Vec<Wanted>)| {
            let line = |wanted: &Wanted| format!("{target} {} {}", wanted.queue, wanted.query.metric);
            wanted.iter().map(line).collect::<Vec<_>>()
        };
        history.wanted.iter().flat_map(of_target).collect()
    }

    #[test]
    fn only_what_alarms_look_at_is_asked_and_priced() {
        let config = config::parse("poll: {}", "test", &|_| None).unwrap();
        let board = board(&[("eu-west-1", "orders"), ("eu-west-1", "orders-dlq")]);
        let history = History::plan(&config, &board);
        let visible = "ApproximateNumberOfMessages";
        let expected = [
            format!("eu-west-1 orders {visible}Visible"),
            format!("eu-west-1 orders {visible}NotVisible"),
            "eu-west-1 orders ApproximateAgeOfOldestMessage".to_owned(),
            "eu-west-1 orders NumberOfMessagesDeleted".to_owned(),
            format!("eu-west-1 orders-dlq {visible}Visible"),
            format!("eu-west-1 orders-dlq {visible}NotVisible"),
            format!("eu-west-1 orders-dlq {visible}Delayed"),
            "eu-west-1 orders-dlq ApproximateAgeOfOldestMessage".to_owned(),
            "eu-west-1 orders-dlq NumberOfMessagesDeleted".to_owned(),
        ];
        assert_eq!(asked(&history), expected);
        assert!((history.dollars() - 9.0 * 0.01 / 1000.0).abs() < 1e-12);
    }

    #[test]
    fn a_name_in_two_regions_stands_for_two_queues_and_a_custom_metric_for_one_place() {
        let yaml = r#"
custom_metrics:
  - { name: latency, namespace: Shop, metric: Latency, statistic: Maximum }
  - { name: unused, namespace: Shop, metric: Unused, statistic: Maximum }
alarms:
  - { name: deep, metric: messages_visible, period: 10s, comparison: ">", threshold: 1, queues: { region: us-east-1 } }
  - { name: slow, metric: latency, comparison: ">", threshold: 1 }
"#;
        let config = config::parse(&yaml.replace("period: 10s", "period: 30s"), "test", &|_| None).unwrap();
        let history = History::plan(&config, &board(&[("eu-west-1", "mail"), ("us-east-1", "mail")]));
        let expected =
            ["eu-west-1  Latency", "us-east-1 1/us-east-1/mail ApproximateNumberOfMessagesVisible"];
        assert_eq!(asked(&history), expected);
        assert_eq!((history.queues(), history.queries()), (2, 2));
        assert!(
            history.notes[0].contains("in eu-west-1 only") && history.notes[1].contains("less than a minute")
        );
    }

    #[test]
    fn what_alarms_look_back_at_is_read_as_well() {
        let config = config::parse("poll: {}", "test", &|_| None).unwrap();
        let at = |minute: i64| Timestamp::from_secs(minute * 60);
        let found = span(&config.rules, Range { from: at(100_000), to: at(100_060) });
        assert_eq!((found.from, found.until), (at(100_000 - 15), at(100_060)));
        let found = span(&config.rules, Range { from: at(0), to: at(100_000) });
        assert_eq!(found.from, at(100_000 - 15 * 24 * 60));
    }
}
