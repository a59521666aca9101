"""One queue: how it is now, its history, its alarms, its dead-letter queue, its settings."""

from . import common
from . import grafana as g

ONE = 'account="$account", region="$region", queue="$queue"'
NOW = "max by (account, region, queue)"
# The dead-letter queue of this queue, as a queue of its own.
TARGET = (
    "on (account, region, queue) max by (account, region, queue) (label_replace("
    f'sqs_queue_info{{{ONE}, dead_letter_queue!=""}}, "queue", "$1", "dead_letter_queue", "(.*)"))'
)
HERE = 'account="$account", region="$region"'


def of(metric, *labels, worst="max"):
    """The queue's value, whichever daemon tells it."""
    return f"{worst}({metric}{{{', '.join([*labels, ONE])}}})"


def a_minute(metric):
    """A counter's rate a minute."""
    return f"60 * max(rate({metric}{{{ONE}}}[$rate]))"


def state(name):
    return "state=" + g.quoted(name)


def now():
    dead = f'max(sqs_queue_messages{{state="visible", {HERE}}} and {TARGET})'
    return [
        g.stat(
            "Firing alarms",
            "Alarms on this queue that are in ALARM.",
            "none",
            f'sum(max by (alarm) (sqs_alarm_state{{state="ALARM", {ONE}}})) or vector(0)',
            steps=g.above(red=1),
            links=[g.link("Alarms on sqswatch's page", "${sqswatch_url}/alarms", new_tab=True)],
        ),
        g.stat(
            "Waiting",
            "Visible messages: they could be received now.",
            "short",
            of("sqs_queue_messages", state("visible")),
        ),
        g.stat(
            "In flight",
            "Messages received and neither deleted nor visible again.",
            "short",
            of("sqs_queue_messages", state("in_flight")),
        ),
        g.stat(
            "Oldest message",
            "Age of the oldest message, from CloudWatch, so about two minutes late.",
            "s",
            of("sqs_queue_oldest_message_age_seconds"),
        ),
        g.gauge(
            "Age, of retention",
            "Age of the oldest message over the retention: at 100 % SQS deletes it.",
            of("sqs_queue_oldest_message_retention_ratio"),
            steps=common.RETENTION,
        ),
        g.gauge(
            "In flight, of limit",
            "Of the 120,000 that SQS allows. At 100 % receives find nothing.",
            of("sqs_queue_in_flight_ratio"),
            steps=common.LIMIT,
        ),
        g.stat(
            "Empty in",
            "At the present net rate; without a value it does not shrink.",
            "s",
            of("sqs_queue_drain_seconds", worst="min"),
            steps=g.above(orange=3600, red=86400),
        ),
        g.stat(
            "Its dead letters",
            "Visible messages in the dead-letter queue of this queue; without a value it has none that is watched.",
            "short",
            dead,
            steps=g.above(orange=1),
        ),
    ]


def history():
    arrived = f"sum(increase(sqs_queue_dead_letters_total{{{HERE}}}[$__rate_interval]) and {TARGET})"
    received, deleted = (
        f"max(rate(sqs_queue_messages_{what}_total{{{ONE}}}[$rate]))" for what in ("received", "deleted")
    )
    return [
        g.timeseries(
            "Depth",
            "Messages by state; all of them together are the depth.",
            "short",
            {
                of("sqs_queue_messages", state("visible")): "visible",
                of("sqs_queue_messages", state("in_flight")): "in flight",
                of("sqs_queue_messages", state("delayed")): "delayed",
                of("sqs_queue_depth"): "depth",
            },
            size=(12, 9),
        ),
        g.timeseries(
            "Age of the oldest message",
            "From CloudWatch. In a dead-letter queue it counts from the move. The retention is where SQS deletes.",
            "s",
            {of("sqs_queue_oldest_message_age_seconds"): "age", of("sqs_queue_retention_seconds"): "retention"},
            size=(12, 9),
        ),
        g.timeseries(
            "In and out",
            "Sent, received and deleted a minute. Sent above deleted: too few consumers. Received well above deleted: failures.",
            "cpm",
            {
                a_minute("sqs_queue_messages_sent_total"): "sent",
                a_minute("sqs_queue_messages_received_total"): "received",
                a_minute("sqs_queue_messages_deleted_total"): "deleted",
            },
            size=(12, 9),
        ),
        g.timeseries(
            "Dead letters of this queue",
            "What waits in its dead-letter queue, and what arrives there, from every queue that shares it.",
            "short",
            {f'max(sqs_queue_messages{{state="visible", {HERE}}} and {TARGET})': "waiting", arrived: "arriving"},
            size=(12, 9),
            steps=g.above(orange=1),
        ),
        g.timeseries(
            "Dead letters in this queue",
            "Where it is a dead-letter queue itself: arrivals, those that were deleted unseen as well.",
            "short",
            {f"sum(increase(sqs_queue_dead_letters_total{{{ONE}}}[$__rate_interval]))": "arriving"},
            bars=True,
            steps=g.above(orange=1),
        ),
        g.timeseries(
            "Time until empty",
            "At the present net rate of decrease; no line while it does not shrink.",
            "s",
            {of("sqs_queue_drain_seconds", worst="min"): "empty in"},
            steps=g.above(orange=3600, red=86400),
        ),
        g.timeseries(
            "Shares of the limits",
            "In flight over 120,000, and age over retention: neither may reach 100 %.",
            "percentunit",
            {of("sqs_queue_in_flight_ratio"): "in flight", of("sqs_queue_oldest_message_retention_ratio"): "age"},
            steps=g.above(orange=0.5, red=0.9),
        ),
        g.timeseries(
            "Receives for each delete",
            "1 is perfect; 2 means that every message is tried twice: failures, or a visibility timeout shorter than the work.",
            "none",
            {f"{received} / ({deleted} > 0)": "receives"},
            steps=g.above(orange=2, red=5),
        ),
        g.timeseries(
            "Empty receives",
            "Receives a minute that found nothing, and are paid for. Long polling (a wait of up to 20 s) makes them rare.",
            "cpm",
            {a_minute("sqs_queue_empty_receives_total"): "empty receives"},
        ),
        g.timeseries(
            "Bytes sent",
            "Of the messages sent.",
            "Bps",
            {f"max(rate(sqs_queue_sent_bytes_total{{{ONE}}}[$rate]))": "sent"},
        ),
    ]


def alarms():
    states = "\n".join(
        [
            f'max by (alarm) (2 * sqs_alarm_state{{state="ALARM", {ONE}}})',
            f'+ on (alarm) max by (alarm) (sqs_alarm_state{{state="INSUFFICIENT_DATA", {ONE}}})',
        ]
    )
    return [
        g.spans(
            "Alarms",
            "The state of each alarm on this queue.",
            {states: "{{alarm}}"},
            mappings=g.words({0: ("OK", "green"), 1: ("INSUFFICIENT_DATA", "super-light-blue"), 2: ("ALARM", "red")}),
            size=(12, 8),
            links=[
                common.to_alarm(
                    "${__field.labels.alarm:percentencode}", "?queue=${queue}&region=${region}&account=${account}"
                )
            ],
        ),
        g.spans(
            "Stalled or silenced",
            "Whether messages wait and none is deleted, and which alarms a silence or maintenance window keeps from telling anybody.",
            {
                of("sqs_queue_consumers_stalled", worst="min"): "consumers stalled",
                f"max by (alarm) (sqs_alarm_silenced{{{ONE}}})": "{{alarm}} silenced",
            },
            mappings=g.words({0: ("no", "green"), 1: ("yes", "orange")}),
            size=(12, 8),
        ),
    ]


def family():
    sources = f'max by (account, region, queue) (sqs_queue_info{{{HERE}, dead_letter_queue="$queue"}})'
    return [
        g.table(
            "This queue",
            "Its kind and role, its dead-letter queue, and after how many receives a message goes there.",
            [
                f"max by (account, region, queue, kind, role, dead_letter_queue) (sqs_queue_info{{{ONE}}})",
                f"{NOW} (sqs_queue_max_receives{{{ONE}}})",
            ],
            {
                "queue": g.column("Queue", "none"),
                "kind": g.column("Kind", "none"),
                "role": g.column("Role", "none"),
                "dead_letter_queue": g.column(
                    "Dead-letter queue",
                    "none",
                    links=common.to_queue("${account}", "${region}", "${__data.fields.dead_letter_queue}"),
                ),
                "Value #B": g.column("After receives", "none"),
                "account": g.column("Account", "none"),
                "region": g.column("Region", "none"),
                "Value #A": g.column("Known", "none", mappings=g.words({1: ("yes", "text")})),
            },
            size=(12, 5),
        ),
        g.table(
            "Queues that fail into it",
            "If it is a dead-letter queue: whose, after how many receives, and what waits there. At most 100.",
            [
                f"topk(100, {sources})",
                f"topk(100, {NOW} (sqs_queue_max_receives{{{HERE}}}) and on (account, region, queue) {sources})",
                f'topk(100, {NOW} (sqs_queue_messages{{state="visible", {HERE}}}) and on (account, region, queue) {sources})',
            ],
            {
                "queue": g.column("Queue", "none", links=common.FROM_ROW),
                "Value #B": g.column("After receives", "none"),
                "Value #C": g.column("Waiting"),
                "account": g.column("Account", "none"),
                "region": g.column("Region", "none"),
                "Value #A": g.column("Known", "none", mappings=g.words({1: ("yes", "text")})),
            },
            size=(12, 5),
        ),
    ]


def settings():
    one = lambda title, description, unit, metric, **more: g.stat(title, description, unit, of(metric), **more)
    moment = lambda title, description, metric: g.stat(title, description, "dateTimeFromNow", f"1000 * {of(metric)}")
    return [
        one("Retention", "How long the queue keeps a message; 14 days at most.", "s", "sqs_queue_retention_seconds"),
        one(
            "Visibility timeout",
            "How long a received message stays hidden from other receives.",
            "s",
            "sqs_queue_visibility_timeout_seconds",
        ),
        one("Delay", "How long a new message stays hidden.", "s", "sqs_queue_delay_seconds"),
        one(
            "Receive wait",
            "How long a receive waits by default; 0 is short polling, which pays for empty receives.",
            "s",
            "sqs_queue_receive_wait_seconds",
            steps=(("orange", None), ("green", 1)),
        ),
        one("Largest message", "The largest message that it accepts.", "bytes", "sqs_queue_maximum_message_bytes"),
        one(
            "Encrypted",
            "Whether messages are encrypted at rest.",
            "none",
            "sqs_queue_encrypted",
            steps=g.below(1),
            mappings=common.YES_IS_GOOD,
        ),
        moment("Created", "When the queue was created.", "sqs_queue_created_timestamp_seconds"),
        moment("Settings changed", "When the settings last changed.", "sqs_queue_modified_timestamp_seconds"),
    ]


def groups():
    quiet = lambda name: of("sqs_queue_quiet_group_messages", state(name))
    return [
        g.timeseries(
            "Groups in flight",
            "FIFO queues: message groups with messages in flight. Each is a lane that waits for its consumer.",
            "short",
            {of("sqs_queue_groups_in_flight"): "groups"},
        ),
        g.timeseries(
            "Duplicates dropped",
            "FIFO queues: sends a minute that were dropped as duplicates.",
            "cpm",
            {a_minute("sqs_queue_deduplicated_messages_sent_total"): "duplicates"},
        ),
        g.timeseries(
            "Noisy groups",
            "Fair queues: message groups that take more than their share. Read only if `poll.metrics` names it.",
            "short",
            {of("sqs_queue_noisy_groups"): "groups"},
            steps=g.above(orange=1),
        ),
        g.timeseries(
            "Messages in quiet groups",
            "Fair queues: what waits outside noisy groups, by state.",
            "short",
            {quiet("visible"): "visible", quiet("in_flight"): "in flight", quiet("delayed"): "delayed"},
            size=(12, 8),
        ),
        g.timeseries(
            "Oldest message in quiet groups",
            "Fair queues: the wait of those who do not cause it.",
            "s",
            {of("sqs_queue_quiet_group_oldest_message_age_seconds"): "age"},
            size=(12, 8),
        ),
    ]


def trust():
    reading = f"time() - max by (source) (sqs_queue_last_reading_timestamp_seconds{{{ONE}}})"
    return [
        g.timeseries(
            "Age of the readings",
            "How old the numbers on this page are, by where they come from. Settings are read once a discovery.",
            "s",
            {reading: "{{source}}"},
            size=(24, 7),
            steps=g.above(orange=900),
        )
    ]


def dashboard():
    """dashboards/queue.json"""
    one = lambda name, label, description, query: g.choice(name, label, description, query, many=False)
    return g.dashboard(
        common.QUEUE,
        "sqswatch / Queue",
        "One queue of Amazon SQS: now, its history, its alarms, its dead letters, its settings.",
        variables=[
            g.datasource(),
            one("account", "Account", "AWS account", "label_values(sqs_queue_info, account)"),
            one("region", "Region", "AWS region", 'label_values(sqs_queue_info{account="$account"}, region)'),
            *common.tags(),
            one(
                "queue",
                "Queue",
                "One of the queues with this tag",
                'label_values(sqs_queue_info{account="$account", region="$region", tag_${tag}=~"$tag_value"}, queue)',
            ),
            common.rate(),
            common.sqswatch_url(),
        ],
        links=[
            *common.head(common.QUEUE),
            g.page_link(
                "Page of the queue",
                "${sqswatch_url}/queues/${queue}?region=${region}&account=${account}",
                "This queue on sqswatch's page",
                external=True,
            ),
        ],
        annotations=[
            g.annotation(
                "Alarms",
                "red",
                f'max by (alarm) (sqs_alarm_state{{state="ALARM", {ONE}}}) == 1',
                "{{alarm}}",
                "in ALARM",
            )
        ],
        rows=[
            g.row("Now", now()),
            g.row("History", history()),
            g.row("Alarms", alarms()),
            g.row("Dead-letter queues around it", family()),
            g.row("Settings", settings()),
            g.row("FIFO and fair queues", groups(), collapsed=True),
            g.row("How far to trust this page", trust(), collapsed=True),
        ],
    )
