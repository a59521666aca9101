//! aws-sdk-cloudwatch.

use aws_sdk_cloudwatch::types::{
    Dimension, Metric, MetricDataQuery, MetricDatum, MetricStat, ScanBy, StatisticSet, StatusCode,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::{Clients, simulator};
use crate::simulator::{Fault, FaultKind, Options, SeriesStatus, Simulator, World};

const START: i64 = 1_767_322_800;

fn query(
    id: &str,
    namespace: &str,
    metric: &str,
    dimensions: &[(&str, &str)],
    stat: &str,
) -> MetricDataQuery {
    let dimensions =
        dimensions.iter().map(|(name, value)| Dimension::builder().name(*name).value(*value).build());
    let metric = Metric::builder().namespace(namespace).metric_name(metric);
    let metric = metric.set_dimensions(Some(dimensions.collect())).build();
    let stat = MetricStat::builder().metric(metric).period(60).stat(stat).build();
    MetricDataQuery::builder().id(id).metric_stat(stat).build()
}

fn depth(id: &str, queue: &str) -> MetricDataQuery {
    query(id, "AWS/SQS", "ApproximateNumberOfMessagesVisible", &[("QueueName", queue)], "Maximum")
}

fn put_depths(simulator: &Simulator, queue: &str, values: &[f64]) {
    for (minute, value) in values.iter().enumerate() {
        simulator.control().put_datapoint(
            "AWS/SQS",
            "ApproximateNumberOfMessagesVisible",
            &[("QueueName", queue)],
            START + minute as i64 * 60,
            *value,
        );
    }
}

#[tokio::test]
async fn datapoints_come_in_the_order_asked_for() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    put_depths(&simulator, "orders", &[1.0, 2.5, 3.0]);
    for (scan_by, expected) in
        [(ScanBy::TimestampAscending, [1.0, 2.5, 3.0]), (ScanBy::TimestampDescending, [3.0, 2.5, 1.0])]
    {
        let call = clients.cloudwatch.get_metric_data().metric_data_queries(depth("m1", "orders"));
        let call = call.start_time(DateTime::from_secs(START)).end_time(DateTime::from_secs(START + 180));
        let found = call.scan_by(scan_by.clone()).send().await.unwrap();
        let series = &found.metric_data_results()[0];
        assert_eq!(series.values(), expected);
        assert_eq!(series.status_code(), Some(&StatusCode::Complete));
        let first = if scan_by == ScanBy::TimestampAscending { START } else { START + 120 };
        assert_eq!(series.timestamps()[0], DateTime::from_secs(first));
    }
    simulator.stop().await;
}

#[tokio::test]
async fn pages_join_to_the_whole() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    put_depths(&simulator, "a", &[1.0, 2.0, 3.0]);
    put_depths(&simulator, "b", &[4.0, 5.0, 6.0]);
    let call = clients.cloudwatch.get_metric_data().max_datapoints(2).scan_by(ScanBy::TimestampAscending);
    let call = call.metric_data_queries(depth("a", "a")).metric_data_queries(depth("b", "b"));
    let call = call.start_time(DateTime::from_secs(START)).end_time(DateTime::from_secs(START + 3_600));
    let mut pages = call.into_paginator().send();
    let (mut values, mut partial) = (Vec::new(), 0);
    while let Some(page) = pages.next().await {
        for series in page.unwrap().metric_data_results() {
            values.extend_from_slice(series.values());
            partial += usize::from(series.status_code() == Some(&StatusCode::PartialData));
        }
    }
    assert_eq!(values, [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(partial, 2, "a series that goes on says so");
    simulator.stop().await;
}

#[tokio::test]
async fn limits_are_enforced() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let code = async |queries: Vec<MetricDataQuery>, token: Option<&str>| {
        let call = clients.cloudwatch.get_metric_data().set_metric_data_queries(Some(queries));
        let call = call.start_time(DateTime::from_secs(START)).end_time(DateTime::from_secs(START + 60));
        let sent = call.set_next_token(token.map(str::to_owned)).send().await;
        sent.err().map(|error| error.into_service_error().code().unwrap().to_owned())
    };
    let many = |count: usize| (0..count).map(|number| depth(&format!("m{number}"), "q")).collect::<Vec<_>>();
    assert_eq!(code(many(500), None).await, None);
    assert_eq!(code(many(501), None).await.as_deref(), Some("ValidationError"));
    assert_eq!(code(vec![depth("m", "a"), depth("m", "b")], None).await.as_deref(), Some("ValidationError"));
    assert_eq!(code(vec![depth("M", "a")], None).await.as_deref(), Some("ValidationError"));
    assert_eq!(code(many(1), Some("bm9uc2Vuc2U")).await.as_deref(), Some("InvalidNextToken"));
    simulator.stop().await;
}

#[tokio::test]
async fn a_series_can_be_forbidden_or_partial_while_others_are_complete() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    put_depths(&simulator, "a", &[1.0, 2.0]);
    put_depths(&simulator, "b", &[1.0, 2.0]);
    for (status, expected, values) in [
        (SeriesStatus::Forbidden, StatusCode::Forbidden, 0),
        (SeriesStatus::InternalError, StatusCode::InternalError, 0),
        (SeriesStatus::PartialData, StatusCode::PartialData, 1),
    ] {
        let kind = FaultKind::CloudWatchStatus(status);
        simulator.control().inject(Fault { queue: Some("a".into()), times: Some(1), ..Fault::new(kind) });
        let call = clients.cloudwatch.get_metric_data();
        let call = call.metric_data_queries(depth("a", "a")).metric_data_queries(depth("b", "b"));
        let call = call.start_time(DateTime::from_secs(START)).end_time(DateTime::from_secs(START + 120));
        let found = call.send().await.unwrap();
        let [a, b] = found.metric_data_results() else { panic!("{found:?}") };
        assert_eq!((a.status_code(), a.values().len()), (Some(&expected), values));
        assert_eq!((b.status_code(), b.values().len()), (Some(&StatusCode::Complete), 2));
    }
    simulator.stop().await;
}

#[tokio::test]
async fn custom_metrics_are_put_listed_and_read() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let dimension = Dimension::builder().name("Service").value("checkout").build();
    let at = DateTime::from_secs(START + 7);
    let datum = || MetricDatum::builder().dimensions(dimension.clone()).timestamp(at);
    let latency = datum().metric_name("ProcessingLatency");
    let latency = (1..=100).fold(latency, |latency, value| latency.values(f64::from(value)).counts(1.0));
    let set = StatisticSet::builder().sample_count(2.0).sum(30.0).minimum(10.0).maximum(20.0).build();
    let processed = datum().metric_name("MessagesProcessed");
    let put = clients.cloudwatch.put_metric_data().namespace("Shop").metric_data(latency.build());
    let put = put
        .metric_data(processed.clone().value(5.0).build())
        .metric_data(processed.statistic_values(set).build());
    // More data than this makes the SDK compress the body.
    let filler = (0..200).map(|number| datum().metric_name(format!("Filler{number}")).value(1.0).build());
    filler.fold(put, |put, datum| put.metric_data(datum)).send().await.unwrap();

    let listed =
        clients.cloudwatch.list_metrics().namespace("Shop").metric_name("MessagesProcessed").send().await;
    assert_eq!(listed.unwrap().metrics()[0].dimensions()[0].value(), Some("checkout"));
    let dimensions = [("Service", "checkout")];
    let call = clients.cloudwatch.get_metric_data();
    let call = call.metric_data_queries(query("p99", "Shop", "ProcessingLatency", &dimensions, "p99"));
    let call = call.metric_data_queries(query("sum", "Shop", "MessagesProcessed", &dimensions, "Sum"));
    let call = call.metric_data_queries(query("n", "Shop", "MessagesProcessed", &dimensions, "SampleCount"));
    let call = call.start_time(DateTime::from_secs(START)).end_time(DateTime::from_secs(START + 60));
    let found = call.send().await.unwrap();
    let values: Vec<f64> = found.metric_data_results().iter().map(|series| series.values()[0]).collect();
    assert_eq!(values, [99.0, 35.0, 3.0]);
    simulator.stop().await;
}

#[tokio::test]
async fn synthetic_queues_answer_as_others_do() {
    let options = Options { world: World::Synthetic { queues: 1_200 }, ..Options::default() };
    let simulator = Simulator::start(options).await.unwrap();
    let clients = Clients::of(&simulator);
    let mut pages = clients.sqs.list_queues().max_results(1_000).into_paginator().items().send();
    let mut urls = Vec::new();
    while let Some(url) = pages.next().await {
        urls.push(url.unwrap());
    }
    assert_eq!(urls.len(), 1_200);
    let call = clients.sqs.get_queue_attributes().queue_url(&urls[8]).attribute_names("All".into());
    let attributes = call.send().await.unwrap().attributes.unwrap();
    assert!(attributes[&"RedrivePolicy".into()].contains("bench-00009"), "{attributes:?}");
    let now = std::time::SystemTime::now();
    let call = clients.cloudwatch.get_metric_data().metric_data_queries(depth("m", "bench-00000"));
    let start = now - std::time::Duration::from_secs(600);
    let found = call.start_time(start.into()).end_time(now.into()).send().await.unwrap();
    let minutes = found.metric_data_results()[0].values().len();
    assert!((8..=9).contains(&minutes), "{minutes} settled minutes of ten");
    simulator.stop().await;
}
