"""sqswatch itself: does it see, do its pages arrive, what does it ask of AWS, how is its process."""

from . import common
from . import grafana as g

OWN = 'job=~"$job", instance=~"$instance"'
BUILD = f"sqswatch_build_info{{{OWN}}}"


def own(metric, *labels):
    return f"{metric}{{{', '.join([*labels, OWN])}}}"


def increase(by, metric):
    """What was counted since the last point of a plot."""
    return f"sum by ({by}) (increase({own(metric)}[$__rate_interval]))"


def rate(by, metric):
    return f"sum by ({by}) (rate({own(metric)}[$__rate_interval]))"


def now():
    month = f"sum(rate({own('sqswatch_aws_cost_dollars_total')}[1h])) * 86400 * 30"
    return [
        g.stat(
            "Ready",
            "Whether every region was read within three intervals and the state file can be written (/readyz).",
            "none",
            f"min({own('sqswatch_ready')})",
            steps=g.below(1),
            mappings=common.YES_IS_GOOD,
        ),
        g.stat("Version", "Which sqswatch runs.", "none", {f"max by (version) ({BUILD})": "{{version}}"}, text=True),
        g.stat("Watched", "Queues that are read.", "short", f"sum({own('sqswatch_queues_watched')})", steps=g.below(1)),
        g.stat(
            "Pages late by",
            "Age of the oldest notification that is not acknowledged yet. 0 is good.",
            "s",
            f"max({own('sqswatch_outbox_oldest_age_seconds')})",
            steps=g.above(orange=60, red=300),
        ),
        g.stat(
            "Parked",
            "Notifications that were refused for good and wait for a person: `sqswatch outbox list`.",
            "short",
            f"sum({own('sqswatch_outbox_parked')})",
            steps=g.above(red=1),
        ),
        g.stat(
            "State in memory only",
            "Whether the state file cannot be written and sqswatch goes on in memory. Do not restart it then.",
            "none",
            f"max({own('sqswatch_store_in_memory')})",
            steps=g.above(red=1),
            mappings=common.NO_IS_GOOD,
        ),
        g.stat(
            "Dollars a month",
            "At the rate of the last hour and list prices, free tier not deducted.",
            "currencyUSD",
            month,
            steps=g.above(orange=80, red=100),
        ),
        g.stat(
            "Configuration taken",
            "Whether the last reload was taken; if not, an older configuration is in force.",
            "none",
            f"min({own('sqswatch_config_last_reload_successful')})",
            steps=g.below(1),
            mappings=common.YES_IS_GOOD,
        ),
    ]


def sight():
    return [
        g.timeseries(
            "Since a region was last read",
            "A line that climbs is a region, or a custom metric, in the dark.",
            "s",
            {
                **common.since_read(OWN),
                f"topk(10, time() - max by (region, metric) ({own('sqswatch_custom_metric_last_reading_timestamp_seconds')}))": "{{region}} {{metric}}",
            },
            steps=g.above(orange=900),
        ),
        g.timeseries(
            "Discovered, watched, skipped",
            "Discovered is always watched plus skipped. `denied` and `unreadable` need a person.",
            "short",
            {
                f"sum({own('sqswatch_queues_discovered')})": "discovered",
                f"sum({own('sqswatch_queues_watched')})": "watched",
                f"sum by (reason) ({own('sqswatch_queues_skipped')}) > 0": "skipped: {{reason}}",
            },
        ),
        g.timeseries(
            "Late",
            "Readings or evaluations that came late and were left out rather than made up for, a second.",
            "cps",
            {rate("worker", "sqswatch_ticks_late_total"): "{{worker}}"},
            steps=g.above(red=1),
        ),
    ]


def pages():
    return [
        g.timeseries(
            "Alarms by state",
            "All alarms that are judged, and those that change too often to be told.",
            "short",
            {
                f"sum by (state) ({own('sqswatch_alarms')})": "{{state}}",
                f"sum({own('sqswatch_alarms_flapping')})": "flapping",
            },
        ),
        g.timeseries(
            "Changes of state",
            "By the state entered.",
            "short",
            {f"{increase('to', 'sqswatch_alarm_transitions_total')} > 0": "to {{to}}"},
            bars=True,
            stacked=True,
        ),
        g.timeseries(
            "Evaluations",
            "Alarms judged a second.",
            "cps",
            {f"sum(rate({own('sqswatch_alarm_evaluations_total')}[$__rate_interval]))": "evaluations"},
        ),
        g.timeseries(
            "Told",
            "Notifications that a receiver has acknowledged.",
            "short",
            {f"{increase('destination, event', 'sqswatch_notifications_total')} > 0": "{{destination}} {{event}}"},
            bars=True,
            stacked=True,
        ),
        g.timeseries(
            "Failed attempts",
            "Attempts to notify that failed, of one replica of an Alertmanager, and templates that failed. Each attempt is repeated, or parked when refused for good.",
            "short",
            {
                f"{increase('destination, reason', 'sqswatch_notification_failures_total')} > 0": "{{destination}} {{reason}}",
                f"{increase('destination, reason', 'sqswatch_alertmanager_replica_failures_total')} > 0": "{{destination}} replica {{reason}}",
                f"{increase('destination', 'sqswatch_template_failures_total')} > 0": "{{destination}} template",
            },
            bars=True,
            steps=g.above(orange=1),
        ),
        g.timeseries(
            "Owed",
            "Notifications not yet acknowledged, those refused for good, and those that found the outbox full.",
            "short",
            {
                f"sum by (destination) ({own('sqswatch_outbox_entries')})": "{{destination}} owed",
                f"sum by (destination) ({own('sqswatch_outbox_parked')}) > 0": "{{destination}} parked",
                f"{increase('destination, action', 'sqswatch_outbox_overflow_total')} > 0": "{{destination}} overflow: {{action}}",
            },
        ),
        g.timeseries(
            "Pages late by",
            "Age of the oldest notification that is not acknowledged, by destination.",
            "s",
            {f"max by (destination) ({own('sqswatch_outbox_oldest_age_seconds')})": "{{destination}}"},
            steps=g.above(orange=60, red=300),
        ),
        g.timeseries(
            "Silences",
            "In force or to come, and the maintenance windows that are open.",
            "short",
            {
                f"max by (state) ({own('sqswatch_silences', 'state!=' + g.quoted('expired'))})": "silences {{state}}",
                f"max by (window) ({own('sqswatch_maintenance_active')})": "window {{window}}",
            },
        ),
        g.timeseries(
            "Heartbeat",
            "Beats to the dead man's switch, and those that failed. Silence means that sqswatch is blind, cannot write its state, or owes notifications for too long.",
            "short",
            {
                f"sum(increase({own('sqswatch_heartbeat_sent_total')}[5m]))": "beats in 5 min",
                f"sum by (reason) (increase({own('sqswatch_heartbeat_failures_total')}[5m])) > 0": "failed: {{reason}}",
            },
            size=(4, 8),
        ),
        g.stat(
            "Latest heartbeat",
            "When the dead man's switch last acknowledged one. Without a value none is configured, or none was.",
            "dateTimeFromNow",
            f"1000 * max({own('sqswatch_heartbeat_last_success_timestamp_seconds')} > 0)",
            size=(4, 8),
        ),
    ]


def aws():
    return [
        g.timeseries(
            "Requests",
            "Every attempt, a second.",
            "reqps",
            {rate("service, operation", "sqswatch_aws_requests_total"): "{{service}} {{operation}}"},
            stacked=True,
        ),
        g.timeseries(
            "Failures",
            "A second, by reason; the runbook of SqswatchAwsFailures says what each means.",
            "reqps",
            {
                f"{rate('operation, region, reason', 'sqswatch_aws_failures_total')} > 0": "{{operation}} {{region}} {{reason}}"
            },
        ),
        g.timeseries(
            "Throttled",
            "Requests that AWS throttled, a second; sqswatch slows down by itself.",
            "reqps",
            {rate("service, region", "sqswatch_aws_throttles_total"): "{{service}} {{region}}"},
        ),
        g.timeseries(
            "Dollars a month",
            "At the rate of an hour and list prices, free tier not deducted. The thresholds are those of SqswatchBudgetNearlySpent: edit both.",
            "currencyUSD",
            {f"sum by (service) (rate({own('sqswatch_aws_cost_dollars_total')}[1h])) * 86400 * 30": "{{service}}"},
            stacked=True,
            size=(16, 8),
            steps=g.above(orange=80, red=100),
        ),
        g.stat(
            "Spent in this time range",
            "List prices, free tier not deducted.",
            "currencyUSD",
            f"sum(increase({own('sqswatch_aws_cost_dollars_total')}[$__range]))",
            size=(8, 8),
        ),
    ]


def process():
    return [
        g.timeseries(
            "State file",
            "Writes that failed a second, whether sqswatch goes on in memory (1), and how many entries are in memory only: anything but 0 needs a person.",
            "short",
            {
                f"sum(rate({own('sqswatch_store_failures_total')}[$__rate_interval]))": "failures",
                f"max({own('sqswatch_store_in_memory')})": "in memory",
                f"sum by (what) ({own('sqswatch_store_at_risk')}) > 0": "at risk: {{what}}",
            },
            steps=g.above(red=1),
        ),
        g.timeseries(
            "CPU",
            "CPU time used, in cores: 100 % is one.",
            "percentunit",
            {
                f"rate({own('process_cpu_seconds_total')}[$__rate_interval]) and on (job, instance) {BUILD}": "{{instance}}"
            },
        ),
        g.timeseries(
            "Memory",
            "Resident memory of the process.",
            "bytes",
            {f"{own('process_resident_memory_bytes')} and on (job, instance) {BUILD}": "{{instance}}"},
        ),
        g.stat(
            "Configuration from",
            "When the present configuration was taken.",
            "dateTimeFromNow",
            f"1000 * max({own('sqswatch_config_last_reload_success_timestamp_seconds')})",
            size=(6, 4),
        ),
        g.stat(
            "Reloads refused",
            "In this time range, for a faulty file: `sqswatch check --config` tells every fault.",
            "short",
            f"sum(increase({own('sqswatch_config_reloads_refused_total')}[$__range]))",
            size=(6, 4),
            steps=g.above(orange=1),
            decimals=0,
        ),
        g.stat(
            "Running since",
            "When the process was started.",
            "dateTimeFromNow",
            f"1000 * max({own('process_start_time_seconds')} and on (job, instance) {BUILD})",
            size=(6, 4),
        ),
        g.stat(
            "Open files",
            "File descriptors in use.",
            "short",
            f"max({own('process_open_fds')} and on (job, instance) {BUILD})",
            size=(6, 4),
        ),
    ]


def dashboard():
    """dashboards/daemon.json"""
    return g.dashboard(
        common.DAEMON,
        "sqswatch / Daemon",
        "sqswatch itself: whether it sees, whether its pages arrive, what it asks of AWS, and how its process is.",
        variables=[
            g.datasource(),
            g.choice("job", "Job", "Scrape jobs of sqswatch", "label_values(sqswatch_build_info, job)"),
            g.choice("instance", "Instance", "Daemons", 'label_values(sqswatch_build_info{job=~"$job"}, instance)'),
            common.sqswatch_url(),
        ],
        links=[
            *common.head(common.DAEMON),
            g.page_link(
                "Notifications",
                "${sqswatch_url}/notifications",
                "What is owed, parked and told, on sqswatch's page",
                external=True,
            ),
            g.page_link(
                "System", "${sqswatch_url}/system", "Targets, calls and dollars on sqswatch's page", external=True
            ),
        ],
        annotations=[
            g.annotation(
                "Alarms",
                "red",
                'count by (alarm) (sqs_alarm_state{state="ALARM"} == 1)',
                "{{alarm}}",
                "in ALARM on at least one queue",
            ),
            g.annotation(
                "Not ready",
                "orange",
                f"{own('sqswatch_ready')} == bool 0",
                "not ready",
                "{{instance}} is blind or cannot write its state",
            ),
            g.annotation(
                "Restarts",
                "blue",
                f"changes({own('process_start_time_seconds')}[2m]) and on (job, instance) {BUILD}",
                "restart",
                "{{instance}}",
            ),
        ],
        rows=[
            g.row("Now", now()),
            g.row("Does it see?", sight()),
            g.row("Do pages arrive?", pages()),
            g.row("What it asks of AWS", aws()),
            g.row("State, configuration, process", process()),
        ],
    )
