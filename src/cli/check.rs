//! `sqswatch check`: every fault of a configuration; with `--aws`, every permission the daemon needs, tried.

use clap::Args;

use crate::aws::clients::{Clients, TargetClients};
use crate::aws::cloudwatch::{Query, Span};
use crate::aws::failure::{Failure, Reason};
use crate::aws::sqs::{Listed, Wanted};
use crate::clock;
use crate::config::{Config, Destination};
use crate::domain::metric::Source;
use crate::domain::queue::QueueId;
use crate::domain::rule::{Condition, MetricRef, Rule, Statistic};
use crate::domain::time::MINUTE;
use crate::telemetry::Telemetry;

use super::{ConfigArgs, FAILED, fail};

/// Arguments of `check`.
#[derive(Debug, Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Also try each permission on AWS and name the IAM actions that are missing (a handful of requests a region)
    #[arg(long)]
    aws: bool,
}

/// Runs the command: 2 with any fault, 1 when AWS refuses something.
pub(super) async fn run(args: &CheckArgs) -> u8 {
    let config = match args.config.load() {
        Ok(config) => config,
        Err(code) => return code,
    };
    for (name, destination) in &config.destinations {
        for expired in destination.tls().into_iter().flat_map(|tls| tls.expired(clock::now())) {
            eprintln!("warning: destinations.{name}.{}.{expired}", destination.kind());
        }
    }
    let (alarms, destinations) = (config.rules.len(), config.destinations.len());
    println!("the configuration is valid: {alarms} alarm(s), {destinations} destination(s)");
    if args.aws { check_aws(&config).await } else { 0 }
}

async fn check_aws(config: &Config) -> u8 {
    let clients = match Clients::connect(&config.aws, config.poll.timeout, &Telemetry::new()).await {
        Ok(clients) => clients,
        Err(error) => return fail(&error),
    };
    let mut refused = 0;
    for target in clients.targets() {
        println!("\n{}", target.target);
        refused += Attempts::default().all(config, target).await;
    }
    for (name, destination) in &config.destinations {
        if let Destination::Sns(sns) = destination {
            println!(
                "\nsns:Publish on {} is not tried here: `sqswatch test-notify --to {name}` does",
                sns.topic_arn
            );
        }
    }
    if refused == 0 { 0 } else { FAILED }
}

/// The attempts on one target, printed as they are made.
#[derive(Default)]
struct Attempts {
    refused: usize,
}

impl Attempts {
    async fn all(mut self, config: &Config, target: &TargetClients) -> usize {
        let account = target.account().await;
        println!("  account     {}", account.as_deref().unwrap_or("not told by STS"));
        if let Some(queue) = self.find_queue(config, target).await {
            self.read_queue(config, target, &queue).await;
        }
        if asks_cloudwatch(config) {
            let failure = read_cloudwatch(target).await;
            self.say("cloudwatch:GetMetricData", failure.map_or(Ok(()), Err));
        }
        self.refused
    }

    /// The queue to try the rest on: the first that is listed or named.
    async fn find_queue(&mut self, config: &Config, target: &TargetClients) -> Option<Listed> {
        let found = match config.discovery.queues.first() {
            Some(name) => {
                let url = target.sqs.url(name).await;
                self.say("sqs:GetQueueUrl", url.as_ref().map(drop).map_err(Clone::clone));
                url.ok()
            }
            None => {
                let page = target.sqs.page(None).await;
                self.say("sqs:ListQueues", page.as_ref().map(drop).map_err(Clone::clone));
                page.ok().and_then(|(queues, _)| {
                    queues.into_iter().find(|queue| config.discovery.admits(&queue.name))
                })
            }
        };
        if found.is_none() {
            println!("  no queue to try the rest on");
        }
        found
    }

    async fn read_queue(&mut self, config: &Config, target: &TargetClients, queue: &Listed) {
        let account = queue.account.clone().unwrap_or_else(|| "".into());
        let id = QueueId::new(account, target.target.region.clone(), queue.name.clone());
        let attributes = target.sqs.attributes(&id, &queue.url, Wanted::All).await;
        self.say("sqs:GetQueueAttributes", attributes.map(drop));
        let tags_are_used = !config.discovery.tags.is_empty()
            || !config.discovery.tag_labels.is_empty()
            || config.rules.iter().any(|rule| !rule.selector.tags.is_empty());
        if tags_are_used {
            self.say("sqs:ListQueueTags", target.sqs.tags(&id, &queue.url).await.map(drop));
        }
    }

    fn say(&mut self, action: &str, outcome: Result<(), Failure>) {
        match outcome {
            Ok(()) => println!("  ok          {action}"),
            Err(failure) => {
                self.refused += 1;
                let word = if failure.reason == Reason::Denied { "denied" } else { "failed" };
                println!("  {word:<11} {action}: {}", failure.message);
                if let Some(hint) = failure.hint() {
                    println!("              hint: {hint}");
                }
            }
        }
    }
}

/// Whether the daemon would ask CloudWatch anything.
fn asks_cloudwatch(config: &Config) -> bool {
    let alarmed = |metric: &MetricRef| match metric {
        MetricRef::Queue(metric) => metric.row().source == Source::CloudWatch,
        MetricRef::Custom(_) => true,
        MetricRef::Math(_) => false,
    };
    !config.poll.metrics.is_empty()
        || !config.custom_metrics.is_empty()
        || config
            .rules
            .iter()
            .filter_map(Rule::condition)
            .flat_map(Condition::measured)
            .any(|(metric, _)| alarmed(metric))
}

async fn read_cloudwatch(target: &TargetClients) -> Option<Failure> {
    let until = clock::now().floor(MINUTE);
    let query = Query {
        namespace: "AWS/SQS".to_owned(),
        metric: "ApproximateAgeOfOldestMessage".to_owned(),
        dimensions: vec![("QueueName".to_owned(), "sqswatch-check".to_owned())],
        statistic: Statistic::Maximum,
        period: MINUTE,
    };
    target.cloudwatch.read(&[query], Span { from: until - MINUTE, until }).await.failures.pop()
}
