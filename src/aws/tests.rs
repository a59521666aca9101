//! The clients against the simulator: every way to fail has its own reason, and every answer is read to its end.

use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};

use super::clients::{AwsError, Clients, Identity, TargetClients};
use super::cloudwatch::{Query, Span};
use super::failure::{Failure, Reason};
use super::meter::Operation;
use super::sqs::{Listed, Listing, Wanted};
use crate::config::{Aws, TargetConfig};
use crate::domain::queue::{Depth, QueueId};
use crate::domain::rule::Statistic;
use crate::domain::time::{MINUTE, Timestamp};
use crate::simulator::{Fault, FaultKind, Options, SeriesStatus, Simulator};
use crate::telemetry::Telemetry;

const TIMEOUT: Duration = Duration::from_millis(500);

fn aws(endpoint: &str) -> Aws {
    let target = TargetConfig { regions: vec!["us-east-1".into()], ..TargetConfig::default() };
    Aws { endpoint_url: Some(endpoint.into()), targets: vec![target] }
}

async fn clients_as(identity: Identity, endpoint: &str, telemetry: &Telemetry) -> TargetClients {
    let clients = Clients::connect_as(identity, &aws(endpoint), TIMEOUT, telemetry).await.unwrap();
    clients.targets()[0].clone()
}

/// A simulator with a queue `orders`, and clients of it.
async fn simulator() -> (Simulator, TargetClients, Telemetry) {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.control().create_queue("orders", &[], &[]);
    let telemetry = Telemetry::new();
    let clients = clients_as(Identity::made_up(), &simulator.endpoint_url(), &telemetry).await;
    (simulator, clients, telemetry)
}

fn orders() -> QueueId {
    QueueId::new("123456789012", "us-east-1", "orders")
}

async fn read(simulator: &Simulator, clients: &TargetClients) -> Result<Depth, Failure> {
    let url = simulator.control().queue_url("orders");
    clients.sqs.attributes(&orders(), &url, Wanted::All).await.map(|answer| answer.depth)
}

fn failures(telemetry: &Telemetry, operation: &str, reason: Reason) -> u64 {
    let service = if operation == "GetMetricData" { "cloudwatch" } else { "sqs" };
    let labels = [service, operation, "us-east-1", reason.as_str()];
    telemetry.failures.with_label_values(&labels).get()
}

#[tokio::test]
async fn every_fault_has_its_reason_and_is_over_with_it() {
    let (simulator, clients, telemetry) = simulator().await;
    for (kind, reason) in [
        (FaultKind::Throttle, Reason::Throttled),
        (FaultKind::ServerError, Reason::ServerError),
        (FaultKind::Latency(TIMEOUT * 4), Reason::Timeout),
        (FaultKind::Garbage, Reason::BadAnswer),
        (FaultKind::Truncated, Reason::BadAnswer),
        (FaultKind::Denied, Reason::Denied),
        (FaultKind::DeniedXml, Reason::Denied),
        (FaultKind::ConnectionReset, Reason::Connection),
        (FaultKind::ExpiredCredentials, Reason::CredentialsExpired),
        (FaultKind::NoSuchQueue, Reason::NoSuchQueue),
    ] {
        let before = failures(&telemetry, "GetQueueAttributes", reason);
        simulator.control().inject(Fault { times: Some(1), ..Fault::new(kind.clone()) });
        let failure = read(&simulator, &clients).await.unwrap_err();
        assert_eq!(failure.reason, reason, "{kind:?}: {failure}");
        assert!(!failure.message.contains('\n') && failure.message.len() <= 800, "{failure}");
        assert_eq!(failures(&telemetry, "GetQueueAttributes", reason), before + 1, "{kind:?}");
        simulator.control().clear_faults();
        assert!(read(&simulator, &clients).await.is_ok(), "after {kind:?}");
    }
    let throttles = telemetry.throttles.with_label_values(&["sqs", "us-east-1"]).get();
    assert_eq!(throttles, 1);
}

#[tokio::test]
async fn a_denial_names_the_action_that_is_missing() {
    let (simulator, clients, _) = simulator().await;
    simulator.control().inject(Fault::new(FaultKind::DeniedXml));
    let failure = read(&simulator, &clients).await.unwrap_err();
    assert_eq!(failure.hint().unwrap(), "allow `sqs:GetQueueAttributes` in the identity's policy");
}

#[tokio::test]
async fn cloudwatch_fails_for_the_same_reasons() {
    let (simulator, clients, telemetry) = simulator().await;
    for (kind, reason) in [
        (FaultKind::Throttle, Reason::Throttled),
        (FaultKind::ServerError, Reason::ServerError),
        (FaultKind::Garbage, Reason::BadAnswer),
        (FaultKind::Denied, Reason::Denied),
        (FaultKind::ExpiredCredentials, Reason::CredentialsExpired),
    ] {
        simulator.control().inject(Fault { times: Some(1), ..Fault::new(kind.clone()) });
        let read = clients.cloudwatch.read(&[query("orders")], hour()).await;
        assert_eq!(read.failures[0].reason, reason, "{kind:?}");
        assert!(!read.answers[0].is_complete(), "{kind:?}");
        assert_eq!(failures(&telemetry, "GetMetricData", reason), 1);
    }
}

/// Has no credentials.
#[derive(Debug)]
struct Nobody;

impl ProvideCredentials for Nobody {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::not_loaded("nothing there")))
    }
}

#[tokio::test]
async fn nobody_listening_and_no_credentials_are_told_apart() {
    let telemetry = Telemetry::new();
    let clients = clients_as(Identity::made_up(), "http://127.0.0.1:1", &telemetry).await;
    let failure = clients.sqs.page(None).await.unwrap_err();
    assert_eq!(failure.reason, Reason::Connection, "{failure}");
    assert!(failure.message.to_lowercase().contains("refused"), "{failure}");

    let nobody = Identity::Given(SharedCredentialsProvider::new(Nobody));
    let clients = clients_as(nobody, "http://127.0.0.1:1", &telemetry).await;
    let failure = clients.sqs.page(None).await.unwrap_err();
    assert_eq!(failure.reason, Reason::CredentialsMissing, "{failure}");
    assert_eq!(telemetry.dollars.with_label_values(&["sqs"]).get(), 0.0, "nothing was answered");
}

#[tokio::test]
async fn a_role_that_may_not_be_assumed_is_said_to_be_so() {
    let simulator = Simulator::start(Options::default()).await.unwrap();
    simulator.control().inject(Fault { service: Some("sts".into()), ..Fault::new(FaultKind::Denied) });
    let role = TargetConfig {
        regions: vec!["us-east-1".into(), "eu-west-1".into()],
        role_arn: Some("arn:aws:iam::210987654321:role/sqswatch".into()),
        external_id: Some("x".into()),
    };
    let aws = Aws { endpoint_url: Some(simulator.endpoint_url()), targets: vec![role] };
    let clients = Clients::connect_as(Identity::made_up(), &aws, TIMEOUT, &Telemetry::new()).await.unwrap();
    assert_eq!(clients.targets().len(), 2);
    let failure = clients.targets()[0].sqs.page(None).await.unwrap_err();
    assert_eq!(failure.reason, Reason::Denied, "{failure}");
    assert!(failure.hint().unwrap().contains("`sts:AssumeRole`"), "{:?}", failure.hint());

    simulator.control().clear_faults();
    clients.targets()[0].sqs.page(None).await.unwrap();
    assert_eq!(clients.targets()[0].account().await.as_deref(), Some("210987654321"));
}

#[tokio::test]
async fn a_target_without_a_region_is_refused_with_its_place() {
    let error = AwsError::NoRegion { index: 1 };
    assert!(error.to_string().starts_with("no region is known for `aws.targets[1]`"), "{error}");
}

#[tokio::test]
async fn garbled_counts_are_unknown_and_counted_once_an_answer() {
    let (simulator, clients, telemetry) = simulator().await;
    simulator.control().set_counts("orders", 5, 6, 7);
    for value in [Some("many".to_owned()), Some("-3".to_owned()), None] {
        simulator.control().clear_faults();
        let name = "ApproximateNumberOfMessages".to_owned();
        simulator.control().inject(Fault::new(FaultKind::Attribute { name, value }));
        let depth = read(&simulator, &clients).await.unwrap();
        assert_eq!(depth, Depth { visible: None, in_flight: Some(6), delayed: Some(7) });
    }
    assert_eq!(failures(&telemetry, "GetQueueAttributes", Reason::BadAnswer), 3);
}

#[test]
fn a_listing_without_an_end_is_given_up() {
    let page = |n: usize| vec![Listed::from_url(&format!("http://h/123456789012/q{n}")).unwrap()];
    let mut repeating = Listing::default();
    assert_eq!(repeating.add(page(1), Some("a".into())), Ok(Some("a".into())));
    assert!(repeating.add(page(2), Some("a".into())).is_err(), "the same token again");

    let mut idle = Listing::default();
    let pages = (0..1000).take_while(|n| idle.add(page(0), Some(n.to_string())).is_ok()).count();
    assert_eq!(pages, 100, "the same queues again and again");

    let mut endless = Listing::default();
    let pages = (0..20_000).take_while(|n| endless.add(page(*n), Some(n.to_string())).is_ok()).count();
    assert_eq!(pages, 9_999);
    assert_eq!(endless.add(page(20_001), None), Ok(None), "the end came after all");
}

fn query(queue: &str) -> Query {
    Query {
        namespace: "AWS/SQS".into(),
        metric: "NumberOfMessagesSent".into(),
        dimensions: vec![("QueueName".into(), queue.into())],
        statistic: Statistic::Sum,
        period: MINUTE,
    }
}

fn hour() -> Span {
    let until = crate::clock::now().floor(MINUTE) - MINUTE * 5;
    Span { from: until - MINUTE * 60, until }
}

fn put(simulator: &Simulator, queue: &str, at: Timestamp, value: f64) {
    let dimensions = [("QueueName", queue)];
    simulator.control().put_datapoint("AWS/SQS", "NumberOfMessagesSent", &dimensions, at.as_secs(), value);
}

#[tokio::test]
async fn twelve_hundred_queries_are_three_requests_and_every_answer_finds_its_query() {
    let (simulator, clients, telemetry) = simulator().await;
    let span = hour();
    for n in [0, 499, 500, 1199] {
        put(&simulator, &format!("q{n}"), span.from + MINUTE * 3, f64::from(n));
    }
    let queries: Vec<Query> = (0..1200).map(|n| query(&format!("q{n}"))).collect();
    let read = clients.cloudwatch.read(&queries, span).await;
    assert_eq!(simulator.control().requests()["cloudwatch.GetMetricData"], 3);
    assert_eq!((read.answers.len(), read.answered, read.failures.len()), (1200, 3, 0));
    assert!(read.answers.iter().all(|answer| answer.is_complete()));
    for (n, answer) in read.answers.iter().enumerate() {
        let expected = [0, 499, 500, 1199].contains(&n).then_some((span.from + MINUTE * 3, n as f64));
        assert_eq!(answer.datapoints.iter().next().map(|(at, v)| (*at, *v)), expected, "query {n}");
    }
    let dollars = telemetry.dollars.with_label_values(&["cloudwatch"]).get();
    assert!((dollars - 0.012).abs() < 1e-9, "{dollars}");
}

#[tokio::test]
async fn long_windows_are_split_by_datapoints() {
    let (simulator, clients, _) = simulator().await;
    let until = hour().until;
    let queries: Vec<Query> = (0..100).map(|n| query(&format!("q{n}"))).collect();
    let read = clients.cloudwatch.read(&queries, Span { from: until - MINUTE * 60 * 24, until }).await;
    assert!(read.failures.is_empty(), "{:?}", read.failures);
    assert_eq!(
        simulator.control().requests()["cloudwatch.GetMetricData"],
        2,
        "70 queries of 1,440 minutes fit"
    );
}

#[tokio::test]
async fn what_is_partial_failed_or_forbidden_is_not_complete() {
    let (simulator, clients, _) = simulator().await;
    let span = hour();
    for minute in 0..4 {
        put(&simulator, "orders", span.from + MINUTE * minute, 1.0);
        put(&simulator, "others", span.from + MINUTE * minute, 1.0);
    }
    for (status, reason) in [
        (SeriesStatus::PartialData, Reason::ServerError),
        (SeriesStatus::InternalError, Reason::ServerError),
        (SeriesStatus::Forbidden, Reason::Denied),
    ] {
        simulator.control().clear_faults();
        let fault = Fault::new(FaultKind::CloudWatchStatus(status));
        simulator.control().inject(Fault { queue: Some("orders".into()), ..fault });
        let read = clients.cloudwatch.read(&[query("orders"), query("others")], span).await;
        assert_eq!(read.answers[0].lacking, Some(reason), "{status:?}");
        assert!(read.answers[1].is_complete() && read.answers[1].datapoints.len() == 4, "{status:?}");
    }
}

#[tokio::test]
async fn numbers_that_are_none_and_negative_counts_are_not_believed() {
    let (simulator, clients, _) = simulator().await;
    let span = hour();
    for (value, believed) in
        [(3.0, true), (0.0, true), (-1.0, false), (f64::NAN, false), (f64::INFINITY, false)]
    {
        let queue = format!("q{value}");
        put(&simulator, &queue, span.from, 1.0);
        put(&simulator, &queue, span.from + MINUTE, value);
        let read = clients.cloudwatch.read(&[query(&queue)], span).await;
        assert_eq!(read.answers[0].is_complete(), believed, "{value}: no part of such an answer counts");
    }
    let (service, at) = ([("Service", "orders")], span.from.as_secs());
    simulator.control().put_datapoint("Shop", "Balance", &service, at, -7.5);
    let dimensions = vec![("Service".into(), "orders".into())];
    let custom = Query { namespace: "Shop".into(), metric: "Balance".into(), dimensions, ..query("") };
    let read = clients.cloudwatch.read(&[custom], span).await;
    assert!(read.answers[0].is_complete(), "a custom metric may be negative");
    assert_eq!(read.answers[0].datapoints[&span.from], -7.5);
}

#[tokio::test]
async fn pages_without_an_end_are_given_up_and_believed_in_nothing() {
    let (simulator, clients, _) = simulator().await;
    simulator.control().inject(Fault::new(FaultKind::EndlessPages));
    let read = clients.cloudwatch.read(&[query("orders")], hour()).await;
    assert_eq!(read.failures[0].reason, Reason::BadAnswer);
    assert!(!read.answers[0].is_complete());
}

#[test]
fn codes_are_understood_with_and_without_a_namespace() {
    for (code, reason) in [
        ("com.amazonaws.sqs#QueueDoesNotExist", Some(Reason::NoSuchQueue)),
        ("AWS.SimpleQueueService.NonExistentQueue", Some(Reason::NoSuchQueue)),
        ("ThrottlingException", Some(Reason::Throttled)),
        ("KMS.ThrottlingException", Some(Reason::Throttled)),
        ("InvalidClientTokenId", Some(Reason::CredentialsInvalid)),
        ("SomethingElse", None),
    ] {
        assert_eq!(Reason::of_code(code), reason, "{code}");
    }
    let long = Failure::plain(Operation::ListQueues, Reason::Other, "a\r\nb\u{1b}".repeat(200));
    assert!(long.message.chars().count() <= 200 && !long.message.contains(char::is_control));
}
