"""The fleet: what is on fire, then the worst queues, then what flows through all of them.

Made for 10,000 queues: every query returns a sum, a count, or the few worst, and a plot has at most `POINTS` points. What is asked
once (numbers and tables) counts a queue once however many daemons report it, hence the `max by`; plots rely on there being one.
"""

from . import common
from . import grafana as g

ID = "account, region, queue"
CHOSEN = 'account=~"$account", region=~"$region", queue=~"$queue"'
TAGGED = 'tag_${tag}=~"$tag_value"'
DEAD, ALIVE = 'role=~"dead_letter|both"', 'role!="dead_letter"'
FIRING = f'sqs_alarm_state{{state="ALARM", {CHOSEN}}}'
ENDS = "account, region, queue, alarm, metric"
MINUTE = 60
# Each is a look at every queue: a plot of three hours has one every two minutes.
POINTS = 90


def chosen(metric, *labels, role=None, rate=None, at="", worst="max"):
    """One value for each chosen queue. `role` narrows them, `rate` is the unit of time of a rate, `at` pins the time."""
    series = f"{metric}{{{', '.join([*labels, CHOSEN])}}}"
    series = f"{rate} * rate({series}[$rate]{at})" if rate else f"{series}{at}"
    info = ", ".join([role, TAGGED] if role else [TAGGED])
    return f"{worst} by ({ID}) ({series}) and on ({ID}) sqs_queue_info{{{info}}}"


def top(count, metric, *labels, **how):
    """The highest now, as rows of a table."""
    return f"topk({count}, {chosen(metric, *labels, **how)})"


def lines_of_top(count, metric, *labels, worst="max", **how):
    """The history of those that are highest at the end: `topk` alone would take others at every step, and find them anew."""
    highest = top(count, metric, *labels, at=" @ end()", worst=worst, **how)
    series = f"{metric}{{{', '.join([*labels, CHOSEN])}}}"
    return {f"{worst} by ({ID}) ({series} and on ({ID}) {highest})": "{{queue}}"}


def together(series, by="", role=None):
    """All chosen queues added up at every step: without the `max by`, which costs as much again."""
    info = ", ".join([role, TAGGED] if role else [TAGGED])
    return f"sum {by}({series} and on ({ID}) sqs_queue_info{{{info}}})"


def fleet_plot(*what, **how):
    """A plot over all queues."""
    return g.timeseries(*what, **how) | {"maxDataPoints": POINTS}


def beside(metric, leaders, *labels, **how):
    """Another metric of the rows that `leaders` selected."""
    return f"{chosen(metric, *labels, **how)} and on ({ID}) {leaders}"


WAITING = ("sqs_queue_messages", 'state="visible"')
RATIO = "sqs_queue_oldest_message_retention_ratio"
PLACE = {"account": g.column("Account", "none"), "region": g.column("Region", "none")}
NAME = {"queue": g.column("Queue", "none", links=common.FROM_ROW)}


def on_fire():
    alarms = f"max by ({ENDS}) ({FIRING} == 1)"
    silenced = f"max by ({ENDS}) (sqs_alarm_silenced{{{CHOSEN}}}) and on ({ENDS}) ({FIRING} == 1)"
    dead = top(20, *WAITING, role=DEAD)
    arrived = f"sum by ({ID}) (increase(sqs_queue_dead_letters_total{{{CHOSEN}}}[1h])) and on ({ID}) {dead}"
    to_alarms = [g.link("Alarms on sqswatch's page", "${sqswatch_url}/alarms", new_tab=True)]
    return [
        g.stat(
            "Firing alarms",
            "Alarms that sqswatch judges to be in ALARM now, silenced ones too.",
            "none",
            f"sum(max by ({ENDS}) ({FIRING})) or vector(0)",
            steps=g.above(red=1),
            links=to_alarms,
        ),
        g.stat(
            "Dead letters",
            "Visible messages in all chosen dead-letter queues.",
            "short",
            f"sum({chosen(*WAITING, role=DEAD)}) or vector(0)",
            steps=g.above(orange=1),
        ),
        g.stat(
            "Oldest, of retention",
            "The highest age of an oldest message over its queue's retention: at 100 % SQS deletes messages.",
            "percentunit",
            f"max({chosen(RATIO)})",
            steps=common.RETENTION,
        ),
        g.stat(
            "Stalled queues",
            "Queues, dead-letter queues aside, where messages wait and none was deleted in the last settled minute.",
            "none",
            f"sum({chosen('sqs_queue_consumers_stalled', role=ALIVE)}) or vector(0)",
            steps=g.above(orange=1),
        ),
        g.stat(
            "In flight, of limit",
            "The highest share of the 120,000 messages that SQS lets a queue have in flight. At 100 % receives find nothing.",
            "percentunit",
            f"max({chosen('sqs_queue_in_flight_ratio')})",
            steps=common.LIMIT,
        ),
        g.stat(
            "Waiting",
            "Visible messages in all chosen queues, dead-letter queues aside.",
            "short",
            f"sum({chosen(*WAITING, role=ALIVE)}) or vector(0)",
        ),
        g.stat(
            "Pages late by",
            "Age of the oldest notification that no receiver has acknowledged yet, of any daemon. 0 is good.",
            "s",
            "max(sqswatch_outbox_oldest_age_seconds)",
            steps=g.above(orange=60, red=300),
            links=[g.link("Dashboard of the daemon", f"/d/{common.DAEMON}?{common.KEPT}&${{__url_time_range}}")],
        ),
        g.stat(
            "sqswatch sees all",
            "Whether every region was read within three intervals and the state file can be written (/readyz), for every daemon.",
            "none",
            "min(sqswatch_ready)",
            steps=g.below(1),
            mappings=common.YES_IS_GOOD,
        ),
        g.table(
            "Firing alarms",
            "What fires now, and where; composite alarms and those of custom metrics have no queue. At most 100.",
            [f"topk(100, {alarms})", f"topk(100, {silenced})"],
            {
                "alarm": g.column("Alarm", "none", links=[common.to_alarm("${__data.fields.alarm:percentencode}")]),
                **NAME,
                "metric": g.column("Custom metric", "none"),
                "Value #B": g.column(
                    "Silenced", "none", mappings=g.words({0: ("no", "text"), 1: ("silenced", "blue")})
                ),
                **PLACE,
                "Value #A": g.column("In ALARM", "none", mappings=g.words({1: ("ALARM", "red")})),
            },
        ),
        g.table(
            "Queues with dead letters",
            "The 20 dead-letter queues that hold most, and what arrived in the last hour. Arrivals go on: a consumer fails right now.",
            [f"{dead} > 0", f"{arrived}", beside("sqs_queue_oldest_message_age_seconds", dead)],
            {
                **NAME,
                "Value #A": g.column("Dead letters", steps=g.above(orange=1)),
                "Value #B": g.column("Arrived in 1 h", decimals=0, steps=g.above(red=1)),
                "Value #C": g.column("Oldest since the move", "s"),
                **PLACE,
            },
            sort="Dead letters",
        ),
    ]


def worst():
    oldest, deepest = top(20, RATIO), top(20, *WAITING, role=ALIVE)
    return [
        g.table(
            "Nearest to losing messages",
            "The 20 queues whose oldest message has used most of the retention. At 100 % SQS deletes it without a trace.",
            [
                oldest,
                beside("sqs_queue_oldest_message_age_seconds", oldest),
                beside("sqs_queue_retention_seconds", oldest),
            ],
            {
                **NAME,
                "Value #A": g.column("Of retention", "percentunit", steps=common.RETENTION),
                "Value #B": g.column("Oldest message", "s"),
                "Value #C": g.column("Retention", "s"),
                **PLACE,
            },
            size=(10, 10),
            sort="Of retention",
        ),
        g.table(
            "Deepest queues",
            "The 20 queues, dead-letter queues aside, where most messages wait. In and out a minute; a queue that does not shrink has no time until empty.",
            [
                deepest,
                beside("sqs_queue_oldest_message_age_seconds", deepest),
                beside("sqs_queue_messages_sent_total", deepest, rate=MINUTE),
                beside("sqs_queue_messages_deleted_total", deepest, rate=MINUTE),
                beside("sqs_queue_drain_seconds", deepest, worst="min"),
                beside("sqs_queue_in_flight_ratio", deepest),
                beside("sqs_queue_consumers_stalled", deepest, worst="min"),
            ],
            {
                **NAME,
                "Value #A": g.column("Waiting"),
                "Value #B": g.column("Oldest message", "s"),
                "Value #C": g.column("In a minute", "cpm"),
                "Value #D": g.column("Out a minute", "cpm"),
                "Value #E": g.column("Empty in", "s"),
                "Value #F": g.column("In flight, of limit", "percentunit", steps=common.LIMIT),
                "Value #G": g.column("Stalled", "none", mappings=common.NO_IS_GOOD),
                **PLACE,
            },
            size=(14, 10),
            sort="Waiting",
        ),
        fleet_plot(
            "Oldest message, of retention",
            "The ten queues that are worst at the end of the time range.",
            "percentunit",
            lines_of_top(10, RATIO),
            steps=common.RETENTION,
            links=common.FROM_LINE,
        ),
        fleet_plot(
            "Waiting",
            "Visible messages of the ten queues, dead-letter queues aside, that are deepest at the end of the time range.",
            "short",
            lines_of_top(10, *WAITING, role=ALIVE),
            links=common.FROM_LINE,
        ),
        fleet_plot(
            "Time until empty",
            "At the present net rate, of the ten queues with the longest at the end of the time range. A queue that does not shrink has none.",
            "s",
            lines_of_top(10, "sqs_queue_drain_seconds", worst="min"),
            steps=g.above(orange=3600, red=86400),
            links=common.FROM_LINE,
        ),
        fleet_plot(
            "In flight, of limit",
            "Of the 120,000 that SQS allows a queue: the ten highest at the end of the time range.",
            "percentunit",
            lines_of_top(10, "sqs_queue_in_flight_ratio"),
            steps=common.LIMIT,
            links=common.FROM_LINE,
        ),
        fleet_plot(
            "Dead letters waiting",
            "Of the ten dead-letter queues that hold most at the end of the time range.",
            "short",
            lines_of_top(10, *WAITING, role=DEAD),
            steps=g.above(orange=1),
            links=common.FROM_LINE,
        ),
        fleet_plot(
            "Stalled queues",
            "How many queues, dead-letter queues aside, have messages waiting and had none deleted in the last settled minute.",
            "none",
            {together(f"sqs_queue_consumers_stalled{{{CHOSEN}}}", by="by (region) ", role=ALIVE): "{{region}}"},
            steps=g.above(orange=1),
        ),
    ]


def flow():
    def a_minute(metric):
        return together(f"60 * rate({metric}{{{CHOSEN}}}[$rate])")

    states = together(f"sqs_queue_messages{{{CHOSEN}}}", by="by (state) ", role=ALIVE)
    arrivals = together(f"increase(sqs_queue_dead_letters_total{{{CHOSEN}}}[$__rate_interval])", by="by (region) ")
    bytes_sent = together(f"rate(sqs_queue_sent_bytes_total{{{CHOSEN}}}[$rate])")
    return [
        fleet_plot(
            "Messages in all queues",
            "All chosen queues together, dead-letter queues aside, by state.",
            "short",
            {states: "{{state}}"},
            stacked=True,
        ),
        fleet_plot(
            "In and out",
            "Sent, received and deleted a minute, all chosen queues together. Moves to a dead-letter queue are not sends; received well above deleted means retries.",
            "cpm",
            {
                a_minute("sqs_queue_messages_sent_total"): "sent",
                a_minute("sqs_queue_messages_received_total"): "received",
                a_minute("sqs_queue_messages_deleted_total"): "deleted",
            },
        ),
        fleet_plot(
            "Dead letters arriving",
            "Messages that moved to a dead-letter queue, by region; CloudWatch's NumberOfMessagesSent does not count these.",
            "short",
            {arrivals: "{{region}}"},
            bars=True,
            steps=g.above(orange=1),
        ),
        fleet_plot(
            "Alarms by state",
            "All alarms that sqswatch judges, whatever is chosen above.",
            "short",
            {"sum by (state) (sqswatch_alarms)": "{{state}}"},
            stacked=True,
        ),
        fleet_plot(
            "Empty receives",
            "Receives that found nothing, and are paid for, a minute: long polling makes them rare.",
            "cpm",
            {a_minute("sqs_queue_empty_receives_total"): "empty receives"},
        ),
        fleet_plot(
            "Bytes sent",
            "Of the messages sent, all chosen queues together.",
            "Bps",
            {bytes_sent: "sent"},
        ),
    ]


def trust():
    fresh = f"time() - min by (region, source) (sqs_queue_last_reading_timestamp_seconds{{{CHOSEN}}})"
    return [
        fleet_plot(
            "Age of the oldest reading",
            "How old the numbers on this page are at worst, by where they come from. Settings are read once a discovery.",
            "s",
            {fresh: "{{region}} {{source}}"},
            size=(6, 8),
            steps=g.above(orange=900),
        ),
        fleet_plot(
            "Since a region was last read",
            "A line that climbs is a region in the dark.",
            "s",
            common.since_read('region=~"$region"'),
            size=(6, 8),
            steps=g.above(orange=900),
        ),
        g.stat(
            "Discovered",
            "Queues that were found; always those watched plus those skipped.",
            "short",
            'sum(sqswatch_queues_discovered{region=~"$region"})',
            size=(3, 8),
        ),
        g.stat(
            "Watched",
            "Queues that are read.",
            "short",
            'sum(sqswatch_queues_watched{region=~"$region"})',
            size=(3, 8),
            steps=g.below(1),
        ),
        fleet_plot(
            "Skipped",
            "Queues that were found and are not watched, by reason. `denied` and `unreadable` need a person.",
            "short",
            {'sum by (region, reason) (sqswatch_queues_skipped{region=~"$region"}) > 0': "{{region}} {{reason}}"},
            size=(6, 8),
        ),
    ]


def dashboard():
    """dashboards/overview.json"""
    return g.dashboard(
        common.OVERVIEW,
        "sqswatch / Overview",
        "All queues of Amazon SQS: what is on fire, the worst queues, what flows, and how far it can be trusted.",
        variables=[
            g.datasource(),
            g.choice("account", "Account", "AWS accounts", "label_values(sqs_queue_info, account)"),
            g.choice("region", "Region", "AWS regions", 'label_values(sqs_queue_info{account=~"$account"}, region)'),
            *common.tags(),
            g.textbox(
                "queue", "Queue", "A regular expression over queue names: a list of 10,000 would help nobody", ".*"
            ),
            common.rate(),
            common.sqswatch_url(),
        ],
        links=[
            *common.head(common.OVERVIEW),
            g.page_link("Alarms", "${sqswatch_url}/alarms", "Alarms on sqswatch's page", external=True),
        ],
        refresh="1m",
        annotations=[
            g.annotation(
                "Alarms", "red", f"count by (alarm) ({FIRING} == 1)", "{{alarm}}", "in ALARM on at least one queue"
            )
        ],
        rows=[
            g.row("What is on fire", on_fire()),
            g.row("The worst queues", worst()),
            g.row("What flows", flow()),
            g.row("How far to trust this page", trust()),
        ],
    )
