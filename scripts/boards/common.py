"""What the dashboards share: who they are, how they lead to each other and to sqswatch's page, and the words for 0 and 1."""

from . import grafana as g

OVERVIEW, QUEUE, DAEMON = "sqswatch-overview", "sqswatch-queue", "sqswatch-daemon"

NO_IS_GOOD = g.words({0: ("no", "green"), 1: ("yes", "red")})
YES_IS_GOOD = g.words({0: ("no", "red"), 1: ("yes", "green")})

# Shares of what must not be reached: of the retention, and of the messages in flight that SQS allows.
RETENTION, LIMIT = g.above(orange=0.5, red=0.9), g.above(orange=0.6, red=0.8)

# What every link between dashboards takes along.
KEPT = "${datasource:queryparam}&${sqswatch_url:queryparam}"


def sqswatch_url():
    """Where people reach sqswatch's page."""
    return g.textbox(
        "sqswatch_url", "sqswatch", "Address of sqswatch's page, without a slash at the end", "http://localhost:9434"
    )


def tags():
    """Any one of `discovery.tag_labels`, and its values. Without tag labels both are empty and select everything."""
    return [
        g.choice(
            "tag", "Tag", "One of discovery.tag_labels", "label_names(sqs_queue_info)", many=False, regex="/^tag_(.+)$/"
        ),
        g.choice(
            "tag_value",
            "Tag's value",
            "Queues with these values of the tag",
            'label_values(sqs_queue_info{account=~"$account", region=~"$region"}, tag_${tag})',
        ),
    ]


def rate():
    """The window of rates over CloudWatch's sums."""
    return g.custom(
        "rate",
        "Rate over",
        "CloudWatch's sums are read every five minutes by default, so a rate needs more than that",
        ["10m", "30m", "1h", "6h"],
    )


def head(own):
    """The links at the head of a dashboard: the other two, then sqswatch's own page."""
    boards = [
        (OVERVIEW, "Overview", "All queues"),
        (QUEUE, "Queue", "One queue"),
        (DAEMON, "Daemon", "sqswatch itself"),
    ]
    links = [g.page_link(title, f"/d/{uid}?{KEPT}", tooltip) for uid, title, tooltip in boards if uid != own]
    return [*links, g.page_link("sqswatch", "${sqswatch_url}/", "sqswatch's own page", external=True)]


def since_read(matchers):
    """How long ago each region was last read, by what was read: queries with their legends."""
    queries = {}
    for what, name in (("attributes", "counts"), ("cloudwatch", "CloudWatch"), ("discovery", "discovery")):
        last = f"min by (region, role_arn) (sqswatch_target_last_{what}_timestamp_seconds{{{matchers}}})"
        queries[f"time() - {last}"] = f"{{{{region}}}} {{{{role_arn}}}} {name}"
    return queries


def to_queue(account, region, queue):
    """The data links of a queue: its dashboard, and its page."""
    found = f"var-account={account}&var-region={region}&var-queue={queue}"
    return [
        g.link("Dashboard of the queue", f"/d/{QUEUE}?{KEPT}&{found}&${{__url_time_range}}"),
        g.link(
            "Page of the queue", f"${{sqswatch_url}}/queues/{queue}?region={region}&account={account}", new_tab=True
        ),
    ]


def to_alarm(name, parameters=""):
    """The data link of an alarm: its page."""
    return g.link("Page of the alarm", f"${{sqswatch_url}}/alarms/{name}{parameters}", new_tab=True)


# From a row of a table, and from a line of a plot.
FROM_ROW = to_queue("${__data.fields.account}", "${__data.fields.region}", "${__data.fields.queue}")
FROM_LINE = to_queue("${__field.labels.account}", "${__field.labels.region}", "${__field.labels.queue}")
