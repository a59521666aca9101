//! Each fault as the SDK reports it, and hostile requests.

use std::time::Duration;

use aws_sdk_sqs::config::http::HttpResponse;
use aws_sdk_sqs::error::SdkError;
use aws_sdk_sqs::operation::get_queue_attributes::{GetQueueAttributesError, GetQueueAttributesOutput};
use aws_sdk_sqs::types::QueueAttributeName;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Clients, simulator};
use crate::simulator::{Fault, FaultKind, Simulator};

type Outcome = Result<GetQueueAttributesOutput, SdkError<GetQueueAttributesError, HttpResponse>>;

async fn with_fault(simulator: &Simulator, clients: &Clients, kind: FaultKind) -> Outcome {
    simulator.control().inject(Fault { times: Some(1), ..Fault::new(kind) });
    let call = clients.sqs.get_queue_attributes().queue_url(simulator.control().queue_url("orders"));
    call.attribute_names(QueueAttributeName::All).send().await
}

#[tokio::test]
async fn error_answers_have_their_codes() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    simulator.control().create_queue("orders", &[], &[]);
    for (kind, code, status) in [
        (FaultKind::Throttle, Some("RequestThrottled"), 400),
        (FaultKind::ServerError, Some("InternalFailure"), 500),
        (FaultKind::Denied, Some("AccessDenied"), 403),
        (FaultKind::ExpiredCredentials, Some("ExpiredToken"), 403),
        (FaultKind::NoSuchQueue, Some("AWS.SimpleQueueService.NonExistentQueue"), 400),
    ] {
        let error = with_fault(&simulator, &clients, kind.clone()).await.unwrap_err();
        assert_eq!(error.raw_response().unwrap().status().as_u16(), status, "{kind:?}");
        assert_eq!(error.into_service_error().code(), code, "{kind:?}");
    }
    let error = with_fault(&simulator, &clients, FaultKind::DeniedXml).await.unwrap_err();
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    simulator.stop().await;
}

#[tokio::test]
async fn other_services_fail_in_their_own_words() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let fault = |service: &str| Fault { service: Some(service.into()), ..Fault::new(FaultKind::Throttle) };
    simulator.control().inject(fault("cloudwatch"));
    simulator.control().inject(Fault { service: Some("sns".into()), ..Fault::new(FaultKind::Denied) });
    let listed = clients.cloudwatch.list_metrics().send().await.unwrap_err().into_service_error();
    assert_eq!(listed.code(), Some("Throttling"));
    let published =
        clients.sns.publish().topic_arn("arn:aws:sns:us-east-1:123456789012:a").message("m").send().await;
    assert!(published.unwrap_err().into_service_error().is_authorization_error_exception());
    assert!(clients.sqs.list_queues().send().await.is_ok(), "SQS is left alone");
    simulator.control().clear_faults();
    assert!(clients.cloudwatch.list_metrics().send().await.is_ok());
    simulator.stop().await;
}

#[tokio::test]
async fn broken_answers_and_connections_are_seen_as_such() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    simulator.control().create_queue("orders", &[], &[]);
    let garbage = with_fault(&simulator, &clients, FaultKind::Garbage).await.unwrap_err();
    assert!(matches!(garbage, SdkError::ResponseError(_) | SdkError::ServiceError(_)), "{garbage:?}");
    let truncated = with_fault(&simulator, &clients, FaultKind::Truncated).await.unwrap_err();
    assert!(matches!(truncated, SdkError::ResponseError(_) | SdkError::ServiceError(_)), "{truncated:?}");
    let reset = with_fault(&simulator, &clients, FaultKind::ConnectionReset).await.unwrap_err();
    assert!(matches!(reset, SdkError::DispatchFailure(_)), "{reset:?}");
    let late = with_fault(&simulator, &clients, FaultKind::Latency(Duration::from_millis(1))).await;
    assert!(late.is_ok());
    simulator.stop().await;
}

#[tokio::test]
async fn attributes_can_be_nonsense_or_absent_and_pages_endless() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    simulator.control().create_queue("orders", &[], &[]);
    let name = QueueAttributeName::ApproximateNumberOfMessages;
    for value in [Some("-1".to_owned()), Some("many".to_owned()), None] {
        let kind = FaultKind::Attribute { name: name.as_str().into(), value: value.clone() };
        let attributes = with_fault(&simulator, &clients, kind).await.unwrap().attributes.unwrap();
        assert_eq!(attributes.get(&name), value.as_ref());
        assert!(attributes.contains_key(&QueueAttributeName::QueueArn));
    }
    simulator.control().inject(Fault::new(FaultKind::EndlessPages));
    let mut pages =
        clients.sqs.list_queues().max_results(10).into_paginator().stop_on_duplicate_token(false).send();
    for _ in 0..5 {
        assert_eq!(pages.next().await.unwrap().unwrap().queue_urls().len(), 1);
    }
    simulator.stop().await;
}

#[tokio::test]
async fn another_process_injects_over_http() {
    let simulator = simulator().await;
    let clients = Clients::of(&simulator);
    let injected =
        raw(&simulator, "POST", "/_simulator/faults", &[], br#"{"kind":"throttle","times":1}"#).await;
    assert!(injected.starts_with("HTTP/1.1 201"), "{injected}");
    assert!(clients.sqs.list_queues().send().await.is_err());
    assert!(clients.sqs.list_queues().send().await.is_ok());
    let refused = raw(&simulator, "POST", "/_simulator/faults", &[], br#"{"kind":"thunder"}"#).await;
    assert!(refused.starts_with("HTTP/1.1 400"), "{refused}");
    let counted = raw(&simulator, "GET", "/_simulator/requests", &[], b"").await;
    assert!(counted.ends_with(r#"{"sqs.ListQueues":2}"#), "{counted}");
    simulator.stop().await;
}

#[tokio::test]
async fn hostile_requests_get_a_400_and_the_next_one_an_answer() {
    let simulator = simulator().await;
    let sqs = ("x-amz-target", "AmazonSQS.SendMessage");
    let cbor = ("smithy-protocol", "rpc-v2-cbor");
    let metric_data = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
    let nested = [b'['; 100_000];
    let huge = br#"{"QueueUrl":"q","MaxNumberOfMessages":99999999999999999999}"#;
    let dates = br#"{"MetricDataQueries":[{"Id":"a","MetricStat":{"Metric":{"Namespace":"n","MetricName":"m"},"Period":60,"Stat":"Sum"}}],"StartTime":-1e300,"EndTime":1e300}"#;
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a [u8]);
    let cases: [Case<'_>; 9] = [
        ("/", &[sqs], b"{"),
        ("/", &[sqs], &nested),
        ("/", &[("x-amz-target", "AmazonSQS.ReceiveMessage")], huge),
        ("/", &[("x-amz-target", "AmazonSQS.Explode")], b"{}"),
        ("/", &[("x-amz-target", "GraniteServiceVersion20100801.GetMetricData")], dates),
        (metric_data, &[cbor], &[0xff, 0x00, 0x9f]),
        (metric_data, &[cbor], &[0x81; 5_000]),
        ("/", &[sqs, ("content-encoding", "gzip")], b"not gzip"),
        ("/", &[], b"Action=%ff&Version=2010-03-31"),
    ];
    for (path, headers, body) in cases {
        let answer = raw(&simulator, "POST", path, headers, body).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{path} {headers:?}: {answer}");
    }
    let clients = Clients::of(&simulator);
    assert!(clients.sqs.list_queues().send().await.is_ok());
    simulator.stop().await;
}

async fn raw(
    simulator: &Simulator,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> String {
    let address = simulator.endpoint_url().replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.unwrap();
    let length = body.len();
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {length}\r\n"
    );
    headers.iter().for_each(|(name, value)| head.push_str(&format!("{name}: {value}\r\n")));
    stream.write_all(format!("{head}\r\n").as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
