//! Every key of the configuration, section by section: what is not listed here is refused, and what is listed here is
//! explained in docs/configuration.md (a test compares the two).

/// The keys of one section.
#[derive(Debug)]
pub struct Known {
    /// Where the section stands: empty for the top, `[]` for the items of a list, `NAME` for a name of the user's.
    pub path: &'static str,
    /// Its keys.
    pub keys: &'static [&'static str],
    /// Keys that are planned and not understood yet.
    pub planned: &'static [&'static str],
}

macro_rules! sections {
    ($($name:ident = $path:literal: [$($key:literal),*] $(planned [$($planned:literal),*])?;)*) => {
        $(pub const $name: Known =
            Known { path: $path, keys: &[$($key),*], planned: &[$($($planned),*)?] };)*
        const ALL: &[&Known] = &[$(&$name),*];
    };
}

#[rustfmt::skip]
sections! {
    TOP = "": ["aws", "discovery", "poll", "alarms", "maintenance", "custom_metrics", "destinations", "notify", "routes", "flapping", "outbox", "heartbeat", "web",
        "store", "log"];
    AWS = "aws": ["endpoint_url", "targets"];
    TARGET = "aws.targets[]": ["regions", "role_arn", "external_id"];
    DISCOVERY = "discovery": ["interval", "queues", "include", "exclude", "tags", "tag_labels"];
    POLL = "poll": ["attributes", "cloudwatch", "counters", "metrics", "settle", "reread", "concurrency", "timeout"]
        planned ["monthly_budget_usd"];
    ALARM = "alarms[]": ["name", "description", "queues", "metric", "expression", "metrics", "statistic", "period", "evaluation_periods",
        "datapoints_to_alarm", "evaluation_range", "comparison", "threshold", "treat_missing_data",
        "evaluate_low_sample_count_percentile", "severity", "notify", "repeat", "repeat_on", "flapping", "labels", "alarm_rule",
        "actions_suppressor", "actions_suppressor_wait_period",
        "actions_suppressor_extension_period"];
    SELECTOR = "alarms[].queues": ["role", "name", "tags", "kind", "region", "account"];
    REPEAT_ON = "alarms[].repeat_on": ["increase", "gap"];
    INPUT = "alarms[].metrics.ID": ["metric", "statistic"];
    MAINTENANCE = "maintenance[]": ["name", "alarms", "queues", "labels", "days", "start", "duration", "from", "until",
        "time_zone"];
    CUSTOM_METRIC = "custom_metrics[]": ["name", "namespace", "metric", "dimensions", "statistic", "region", "description"];
    DESTINATION = "destinations.NAME": ["sns", "webhook", "pagerduty", "slack", "teams", "alertmanager"];
    SNS = "destinations.NAME.sns": ["topic_arn", "role_arn"];
    OUTBOX = "outbox": ["give_up", "max_pending", "history"];
    HEARTBEAT = "heartbeat": ["url", "method", "interval", "timeout", "stuck_after"];
    PAGERDUTY = "destinations.NAME.pagerduty": ["routing_key", "url", "timeout", "client_url", "links"] planned ["group"];
    SLACK = "destinations.NAME.slack": ["url", "timeout", "mention", "group"];
    SLACK_MENTION = "destinations.NAME.slack.mention": ["info", "warning", "error", "critical"];
    SLACK_GROUP = "destinations.NAME.slack.group": ["by", "wait"];
    TEAMS = "destinations.NAME.teams": ["url", "timeout", "group"];
    TEAMS_GROUP = "destinations.NAME.teams.group": ["by", "wait"];
    ROUTE = "routes[]": ["alarms", "severity", "labels", "notify", "continue"];
    FLAPPING = "flapping": ["changes", "within"];
    WEBHOOK = "destinations.NAME.webhook": ["url", "secret", "secrets", "headers", "timeout", "format", "template",
        "content_type", "tls"];
    WEBHOOK_TLS = "destinations.NAME.webhook.tls": ["ca", "cert", "key"];
    ALERTMANAGER = "destinations.NAME.alertmanager": ["urls", "headers", "basic_auth", "bearer_token", "timeout", "resend",
        "tls"];
    BASIC_AUTH = "destinations.NAME.alertmanager.basic_auth": ["username", "password"];
    ALERTMANAGER_TLS = "destinations.NAME.alertmanager.tls": ["ca", "cert", "key"];
    WEB = "web": ["listen", "external_url", "token", "prometheus"];
    WEB_PROMETHEUS = "web.prometheus": ["url", "bearer_token", "timeout"];
    STORE = "store": ["path"];
    LOG = "log": ["format", "level"];
}

/// Every key with its path, e.g. `alarms[].period`.
pub fn all() -> impl Iterator<Item = String> {
    ALL.iter().flat_map(|section| {
        section.keys.iter().map(|key| match section.path {
            "" => (*key).to_owned(),
            path => format!("{path}.{key}"),
        })
    })
}
