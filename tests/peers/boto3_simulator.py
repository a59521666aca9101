#!/usr/bin/env python3
"""Drives the simulator with boto3, as a stranger's client would.

usage: boto3_simulator.py ENDPOINT_URL     (an empty simulator: cargo run --example simulator -- 127.0.0.1:4566 empty)

Checks what boto3 gets back at each step and exits with 1 at the first mismatch. CloudWatch is asked in both of its
protocols, CBOR and JSON.
"""

import datetime
import hashlib
import json
import os
import sys

import boto3
from botocore.config import Config

KEYS = dict(aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="secret", region_name="us-east-1")


def client(service, endpoint):
    config = Config(retries={"max_attempts": 0})
    return boto3.client(service, endpoint_url=endpoint, config=config, **KEYS)


def same(what, found, expected):
    if found != expected:
        sys.exit(f"{what}: found {found!r}, expected {expected!r}")
    print(f"ok   {what}")


def refused(what, code, call, **arguments):
    try:
        call(**arguments)
    except call.__self__.exceptions.ClientError as error:
        same(what, error.response["Error"]["Code"], code)
        return error
    sys.exit(f"{what}: not refused, expected {code}")


def depth(sqs, url):
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return tuple(int(attributes[name]) for name in names)


def messages(sqs):
    url = sqs.create_queue(QueueName="boto3-orders", Attributes={"VisibilityTimeout": "0"}, tags={"team": "x"})["QueueUrl"]
    same("create_queue is idempotent", sqs.create_queue(QueueName="boto3-orders")["QueueUrl"], url)
    refused("create_queue with other attributes", "QueueAlreadyExists", sqs.create_queue,
            QueueName="boto3-orders", Attributes={"DelaySeconds": "9"})
    same("list_queue_tags", sqs.list_queue_tags(QueueUrl=url)["Tags"], {"team": "x"})
    attributes = {"colour": {"DataType": "String", "StringValue": "red"},
                  "raw": {"DataType": "Binary", "BinaryValue": b"\x00\xff"}}
    sent = sqs.send_message(QueueUrl=url, MessageBody="grüße", MessageAttributes=attributes)
    same("MD5OfMessageBody", sent["MD5OfMessageBody"], hashlib.md5("grüße".encode()).hexdigest())
    same("depth after a send", depth(sqs, url), (1, 0))
    received = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], MessageSystemAttributeNames=["All"],
                                   VisibilityTimeout=30)["Messages"][0]
    same("body", received["Body"], "grüße")
    same("binary attribute", received["MessageAttributes"]["raw"]["BinaryValue"], b"\x00\xff")
    same("MD5OfMessageAttributes", received["MD5OfMessageAttributes"], sent["MD5OfMessageAttributes"])
    same("receive count", received["Attributes"]["ApproximateReceiveCount"], "1")
    same("depth in flight", depth(sqs, url), (0, 1))
    sqs.delete_message(QueueUrl=url, ReceiptHandle=received["ReceiptHandle"])
    same("depth after a delete", depth(sqs, url), (0, 0))
    same("nothing is left", sqs.receive_message(QueueUrl=url).get("Messages"), None)
    refused("a handle that is none", "ReceiptHandleIsInvalid", sqs.delete_message, QueueUrl=url, ReceiptHandle="x")
    entries = [{"Id": str(number), "MessageBody": f"m{number}"} for number in range(10)]
    same("send_message_batch", len(sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]), 10)
    sqs.purge_queue(QueueUrl=url)
    same("depth after a purge", depth(sqs, url), (0, 0))
    refused("a second purge within a minute", "AWS.SimpleQueueService.PurgeQueueInProgress", sqs.purge_queue, QueueUrl=url)
    return url


def redrive(sqs, url):
    dead_letters = sqs.create_queue(QueueName="boto3-orders-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead_letters, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": policy})
    same("list_dead_letter_source_queues",
         sqs.list_dead_letter_source_queues(QueueUrl=dead_letters)["queueUrls"], [url])
    sqs.send_message(QueueUrl=url, MessageBody="poison")
    found = [len(sqs.receive_message(QueueUrl=url, VisibilityTimeout=0).get("Messages", [])) for _ in range(3)]
    same("receives until the message is dead", found, [1, 1, 0])
    same("depth of the dead-letter queue", depth(sqs, dead_letters), (1, 0))
    dead = sqs.receive_message(QueueUrl=dead_letters, MessageSystemAttributeNames=["All"])["Messages"][0]
    same("its source", dead["Attributes"]["DeadLetterQueueSourceArn"].rsplit(":", 1)[1], "boto3-orders")


def fifo(sqs):
    url = sqs.create_queue(QueueName="boto3-payments.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    send = lambda body, group: sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=group,
                                                MessageDeduplicationId=body)
    first = send("a1", "a")
    same("a duplicate has the first one's id", send("a1", "a")["MessageId"], first["MessageId"])
    send("a2", "a")
    send("b1", "b")
    take = lambda number: [m["Body"] for m in
                           sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=number).get("Messages", [])]
    same("first in line", take(1), ["a1"])
    same("a group waits for its message in flight", take(10), ["b1"])
    sqs.delete_queue(QueueUrl=url)
    error = refused("a deleted queue", "AWS.SimpleQueueService.NonExistentQueue", sqs.purge_queue, QueueUrl=url)
    same("the modelled exception", isinstance(error, sqs.exceptions.QueueDoesNotExist), True)


def listing(sqs):
    for number in range(5):
        sqs.create_queue(QueueName=f"boto3-page-{number}")
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix="boto3-page-", PaginationConfig={"PageSize": 2})
    same("pages of list_queues", [len(page.get("QueueUrls", [])) for page in pages], [2, 2, 1])


def metrics(cloudwatch, protocol):
    at = datetime.datetime(2026, 1, 2, 3, 4, tzinfo=datetime.timezone.utc)
    namespace, dimensions = f"Boto3/{protocol}", [{"Name": "Service", "Value": "checkout"}]
    datum = lambda **value: {"MetricName": "Latency", "Dimensions": dimensions, "Timestamp": at, **value}
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[
        datum(Value=1.0), datum(Values=[2.0, 3.0], Counts=[2, 1]),
        datum(StatisticValues={"SampleCount": 1, "Sum": 4.0, "Minimum": 4.0, "Maximum": 4.0})])
    # Beyond 10 KiB boto3 compresses the body.
    cloudwatch.put_metric_data(Namespace=namespace, MetricData=[
        {"MetricName": f"Filler{number}", "Dimensions": dimensions, "Value": 1.0} for number in range(300)])
    listed = cloudwatch.list_metrics(Namespace=namespace, MetricName="Latency")["Metrics"]
    same(f"list_metrics ({protocol})", [metric["Dimensions"] for metric in listed], [dimensions])

    def query(number, stat):
        metric = {"Namespace": namespace, "MetricName": "Latency", "Dimensions": dimensions}
        return {"Id": f"m{number}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}}

    window = {"StartTime": at, "EndTime": at + datetime.timedelta(minutes=1)}
    stats = ["Sum", "SampleCount", "Average", "Minimum", "Maximum", "p50"]
    queries = [query(number, stat) for number, stat in enumerate(stats)]
    found = cloudwatch.get_metric_data(MetricDataQueries=queries, **window)["MetricDataResults"]
    same(f"get_metric_data ({protocol})", [series["Values"] for series in found], [[12.0], [5.0], [2.4], [1.0], [4.0], [2.0]])
    same(f"its timestamps ({protocol})", {series["Timestamps"][0] for series in found}, {at})
    paginator = cloudwatch.get_paginator("get_metric_data")
    pages = list(paginator.paginate(MetricDataQueries=queries, PaginationConfig={"PageSize": 4}, **window))
    same(f"pages of get_metric_data ({protocol})", [len(page["MetricDataResults"]) for page in pages], [4, 2])
    statistics = cloudwatch.get_metric_statistics(Namespace=namespace, MetricName="Latency", Dimensions=dimensions,
                                                  Period=60, Statistics=["Sum"], **window)["Datapoints"]
    same(f"get_metric_statistics ({protocol})", [(p["Timestamp"], p["Sum"]) for p in statistics], [(at, 12.0)])
    refused(f"duplicate ids ({protocol})", "ValidationError", cloudwatch.get_metric_data,
            MetricDataQueries=[query(0, "Sum"), query(0, "Sum")], **window)
    refused(f"501 queries ({protocol})", "ValidationError", cloudwatch.get_metric_data,
            MetricDataQueries=[query(number, "Sum") for number in range(501)], **window)


def publishing(sqs, sns):
    inbox = sqs.create_queue(QueueName="boto3-inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=inbox, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topic = sns.create_topic(Name="boto3-alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    message = json.dumps({"default": "for machines", "email": "for people"})
    sns.publish(TopicArn=topic, Subject="ALARM: \"x\"", Message=message, MessageStructure="json")
    envelope = json.loads(sqs.receive_message(QueueUrl=inbox)["Messages"][0]["Body"])
    same("the envelope", (envelope["Subject"], envelope["Message"], envelope["TopicArn"]),
         ("ALARM: \"x\"", "for machines", topic))
    same("list_topics", topic in [entry["TopicArn"] for entry in sns.list_topics()["Topics"]], True)
    same("list_subscriptions_by_topic",
         [entry["Endpoint"] for entry in sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]], [arn])
    refused("a topic that is none", "NotFound", sns.publish, TopicArn=topic + "-none", Message="m")
    refused("a message that is too long", "InvalidParameter", sns.publish, TopicArn=topic, Message="x" * 262145)


def identity(sts):
    same("get_caller_identity", sts.get_caller_identity()["Account"], "123456789012")
    assumed = sts.assume_role(RoleArn="arn:aws:iam::210987654321:role/r", RoleSessionName="session")["Credentials"]
    same("the role's account can be told", assumed["AccessKeyId"][4:16], "210987654321")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    endpoint = sys.argv[1]
    sqs, sns, sts = (client(service, endpoint) for service in ("sqs", "sns", "sts"))
    redrive(sqs, messages(sqs))
    fifo(sqs)
    listing(sqs)
    metrics(client("cloudwatch", endpoint), "cbor")
    metrics(json_cloudwatch(endpoint), "json")
    publishing(sqs, sns)
    identity(sts)


def json_cloudwatch(endpoint):
    """CloudWatch as older versions of boto3 speak to it: the model's first protocol is taken away."""
    session = boto3.Session()
    loader = session._loader
    load = loader.load_service_model

    def without_cbor(service, kind, api_version=None):
        model = load(service, kind, api_version)
        if service == "cloudwatch" and kind == "service-2":
            model = json.loads(json.dumps(model))
            model["metadata"].update(protocol="json", protocols=["json"])
        return model

    loader.load_service_model = without_cbor
    return session.client("cloudwatch", endpoint_url=endpoint, config=Config(retries={"max_attempts": 0}), **KEYS)


if __name__ == "__main__":
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    main()
    print("all as expected")
