//! An alarm's condition: metric, statistic, period, N, M, range, comparison, threshold, missing data.
//!
//! The limits are CloudWatch's (PutMetricAlarm): a period is 10, 20, 30 or a multiple of 60 s; period x N is at most a day
//! when the period is below an hour, else a week; 1 <= M <= N.

use std::sync::Arc;
use std::time::Duration;

use super::alarms::Context;
use super::{custom, math};
use crate::config::reader::{Cursor, Section, quoted};
use crate::config::{builtin, suggest};
use crate::domain::metric::{CATALOGUE, Metric, Source};
use crate::domain::rule::{
    Comparison, Condition, LowSamples, MetricRef, MissingData, Published, RANGE_BEYOND_N, Statistic,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const WEEK: Duration = Duration::from_secs(604_800);
/// CloudWatch's name in lower case.
const LOW_SAMPLES: &str = "evaluate_low_sample_count_percentile";

/// Reads the condition of one alarm.
pub fn condition(section: &Section<'_>, context: &Context<'_>) -> Option<Condition> {
    let metric = match section.get("expression") {
        Some(expression) => math::read(section, &expression, context),
        None => {
            if let Some(cursor) = section.get("metrics") {
                cursor.refuse_with("stands without `expression`", "one metric alone is `metric: NAME`");
            }
            section.required("metric").and_then(|cursor| metric(&cursor, context.custom_metrics))
        }
    };
    let statistic = match &metric {
        Some(MetricRef::Math(_)) => Some(Statistic::Average),
        metric => chosen_statistic(section.get("statistic"), metric.as_ref(), context),
    };
    let period = match section.get("period") {
        Some(cursor) => period(&cursor),
        None => Some(default_period(metric.as_ref(), context)),
    };
    if let (Some(metric), Some(period), Some(cursor)) = (&metric, period, section.get("period")) {
        for metric in parts(metric) {
            if !period_fits(&cursor, metric, period, context) {
                break;
            }
        }
    }
    let counts = counts(section);
    if let (Some((n, _, range)), Some(period)) = (counts, period) {
        reach(section, period, n, range);
    }
    let comparison = section.required("comparison").and_then(|cursor| comparison(&cursor));
    let threshold = section.required("threshold").and_then(|cursor| cursor.number());
    let missing_data = section.get("treat_missing_data").and_then(|cursor| missing_data(&cursor));
    let low_samples = section.get(LOW_SAMPLES).and_then(|cursor| low_samples(&cursor, statistic));
    let (evaluation_periods, datapoints_to_alarm, evaluation_range) = counts?;
    Some(Condition {
        published: metric.as_ref().and_then(|metric| published(metric, context)),
        metric: metric?,
        statistic: statistic?,
        period: period?,
        evaluation_periods,
        datapoints_to_alarm,
        evaluation_range,
        comparison: comparison?,
        threshold: threshold?,
        missing_data: missing_data.unwrap_or_default(),
        low_samples: low_samples.unwrap_or_default(),
    })
}

/// Where CloudWatch has a custom metric.
fn published(metric: &MetricRef, context: &Context<'_>) -> Option<Arc<Published>> {
    let MetricRef::Custom(name) = metric else { return None };
    let (_, custom) = context.custom_metrics.iter().find(|(known, _)| known == name)?;
    let custom = custom.as_ref()?;
    Some(Arc::new(Published {
        namespace: custom.namespace.clone(),
        metric: custom.metric.clone(),
        dimensions: custom.dimensions.clone(),
    }))
}

/// The metrics that are looked at.
fn parts(metric: &MetricRef) -> Vec<&MetricRef> {
    match metric {
        MetricRef::Math(math) => math.inputs.iter().map(|input| &input.metric).collect(),
        one => vec![one],
    }
}

/// A metric by its name, of queues or custom.
pub fn metric(cursor: &Cursor<'_>, custom_metrics: &[custom::Named]) -> Option<MetricRef> {
    let text = cursor.text()?;
    if let Some((name, _)) = custom_metrics.iter().find(|(name, _)| &**name == text) {
        return Some(MetricRef::Custom(name.clone()));
    }
    match text.parse::<Metric>() {
        Ok(metric) if metric.row().source == Source::Settings => {
            let message = format!("{} is a setting of the queue, not a measurement", quoted(text));
            cursor.refuse_with(message, "alert on its series in Prometheus instead");
            None
        }
        Ok(metric) => Some(MetricRef::Queue(metric)),
        Err(_) => {
            let measured = CATALOGUE.iter().filter(|row| row.source != Source::Settings);
            let known = measured.flat_map(|row| [Some(row.name), row.cloudwatch]).flatten();
            let known = known.chain(custom_metrics.iter().map(|(name, _)| &**name));
            let hint = suggest::closest(text, known).map(|name| format!("did you mean `{name}`?"));
            let list = "`sqswatch metrics` lists them; one of your own needs an entry in `custom_metrics`";
            cursor.note(format!("{} is no metric", quoted(text)), hint.or_else(|| Some(list.to_owned())));
            None
        }
    }
}

/// The alarm's statistic, or the metric's own; and whether the metric's values can give it.
pub fn chosen_statistic(
    cursor: Option<Cursor<'_>>,
    metric: Option<&MetricRef>,
    context: &Context<'_>,
) -> Option<Statistic> {
    let chosen = cursor.as_ref().and_then(statistic);
    if cursor.is_some() && chosen.is_none() {
        return None;
    }
    match metric? {
        MetricRef::Queue(metric) => Some(chosen.unwrap_or(metric.row().statistic)),
        MetricRef::Custom(name) => {
            let (_, metric) = context.custom_metrics.iter().find(|(known, _)| known == name)?;
            let own = metric.as_ref()?.statistic;
            let chosen = chosen.unwrap_or(own);
            if chosen != own && [chosen, own].iter().any(|one| matches!(one, Statistic::Percentile(_))) {
                cursor?.refuse_with(
                    format!("`{chosen}` cannot be had: custom metric {} is read as `{own}`", quoted(name)),
                    "one percentile cannot be computed from another statistic; add a second custom metric",
                );
            }
            Some(chosen)
        }
        MetricRef::Math(_) => None,
    }
}

/// A statistic in CloudWatch's spelling or in lower case.
pub fn statistic(cursor: &Cursor<'_>) -> Option<Statistic> {
    const WORDS: [(&str, &str); 5] = [
        ("average", "Average"),
        ("sum", "Sum"),
        ("minimum", "Minimum"),
        ("maximum", "Maximum"),
        ("sample_count", "SampleCount"),
    ];
    let text = cursor.text()?;
    let word = WORDS.iter().find(|(ours, _)| *ours == text).map_or(text, |(_, theirs)| theirs);
    let statistic = word.parse().ok();
    if statistic.is_none() {
        let known = WORDS.map(|(_, word)| word);
        let hint = match suggest::closest(text, known) {
            Some(word) => format!("did you mean `{word}`?"),
            None => format!("known here: {}, or a percentile such as `p99.9`", suggest::listed(&known)),
        };
        cursor.refuse_with(format!("{} is no statistic", quoted(text)), hint);
    }
    statistic
}

fn period(cursor: &Cursor<'_>) -> Option<Duration> {
    let period = cursor.any_duration()?;
    let seconds = period.as_secs();
    let whole = period.subsec_nanos() == 0;
    if whole && (matches!(seconds, 10 | 20 | 30) || seconds > 0 && seconds % 60 == 0) {
        return Some(period);
    }
    let (below, above) = match seconds {
        0..10 => (10, 10),
        10..20 => (10, 20),
        20..30 => (20, 30),
        30..60 => (30, 60),
        _ => (seconds - seconds % 60, (seconds - seconds % 60).saturating_add(60)),
    };
    let [below, above] = [below, above].map(|bound| humantime::format_duration(Duration::from_secs(bound)));
    let hint = if seconds < 10 { format!("use `{above}`") } else { format!("use `{below}` or `{above}`") };
    cursor.refuse_with(format!("{} is no period: 10s, 20s, 30s or whole minutes", cursor.shown()), hint);
    None
}

/// A minute, unless polls are further apart than that.
fn default_period(metric: Option<&MetricRef>, context: &Context<'_>) -> Duration {
    let parts = metric.map(parts).unwrap_or_default();
    let polled =
        parts.into_iter().any(|metric| matches!(source(metric), Source::Attributes | Source::Derived));
    if polled { builtin::finest_period(context.attributes).max(MINUTE) } else { MINUTE }
}

fn source(metric: &MetricRef) -> Source {
    match metric {
        MetricRef::Queue(metric) => metric.row().source,
        MetricRef::Custom(_) | MetricRef::Math(_) => Source::CloudWatch,
    }
}

/// A period must not be finer than what the metric is made of: most datapoints would be missing.
/// Says whether it fits, so that one fault is enough for all metrics of an expression.
fn period_fits(cursor: &Cursor<'_>, metric: &MetricRef, period: Duration, context: &Context<'_>) -> bool {
    let shown = cursor.shown();
    let source = source(metric);
    if period < MINUTE && source != Source::Attributes {
        let finer = CATALOGUE.iter().filter(|row| row.source == Source::Attributes).map(|row| row.name);
        let finer: Vec<&str> = finer.collect();
        cursor.refuse_with(
            format!("{shown} is too short: this metric has one value a minute"),
            format!("use `1m`; shorter periods are for {}", suggest::listed(&finer)),
        );
    } else if period < context.attributes && matches!(source, Source::Attributes | Source::Derived) {
        let finest = humantime::format_duration(builtin::finest_period(context.attributes));
        cursor.refuse_with(
            format!("{shown} is shorter than `poll.attributes`: most datapoints would be missing"),
            format!("make it `{finest}` or more, or poll more often"),
        );
    } else if percentile(metric, context) && period != MINUTE {
        cursor.refuse_with(
            format!("{shown} is too long: percentiles of minutes do not add up to one of a longer period"),
            "use `1m`",
        );
    } else {
        return true;
    }
    false
}

fn percentile(metric: &MetricRef, context: &Context<'_>) -> bool {
    let MetricRef::Custom(name) = metric else { return false };
    let metric = context.custom_metrics.iter().find(|(known, _)| known == name);
    metric
        .and_then(|(_, metric)| metric.as_ref())
        .is_some_and(|metric| matches!(metric.statistic, Statistic::Percentile(_)))
}

/// N, M and the range of evaluation.
fn counts(section: &Section<'_>) -> Option<(u32, u32, u32)> {
    let count = |key, default| section.get(key).map_or(Some(default), |cursor| cursor.count(1..=8640));
    let n = count("evaluation_periods", 1);
    let m = count("datapoints_to_alarm", n.unwrap_or(1));
    let range = count("evaluation_range", n.unwrap_or(1).saturating_add(RANGE_BEYOND_N));
    let (n, m, range) = (n?, m?, range?);
    if let (Some(cursor), true) = (section.get("datapoints_to_alarm"), m > n) {
        let message = format!("`{m}` is more than the {n} datapoints of `evaluation_periods`");
        cursor.refuse_with(message, format!("M out of N: use 1 to {n}"));
    }
    if let (Some(cursor), true) = (section.get("evaluation_range"), range < n) {
        cursor
            .refuse_with(format!("`{range}` is less than `evaluation_periods`"), format!("use {n} or more"));
    }
    Some((n, m, range))
}

/// Refuses what looks further back than CloudWatch would.
fn reach(section: &Section<'_>, period: Duration, n: u32, range: u32) {
    let (most, limit) = most_periods(period);
    if n > most {
        let Some(cursor) = section.get("evaluation_periods").or_else(|| section.get("period")) else {
            return;
        };
        let reach = humantime::format_duration(period.saturating_mul(n));
        cursor.refuse_with(
            format!("period x evaluation_periods is `{reach}`: at most {limit}"),
            hint_for(most),
        );
    } else if let (Some(cursor), true) = (section.get("evaluation_range"), range > most + RANGE_BEYOND_N) {
        let reach = humantime::format_duration(period.saturating_mul(range));
        cursor
            .refuse_with(format!("period x evaluation_range is `{reach}`: at most {limit}"), hint_for(most));
    }
}

/// How many periods fit into the time CloudWatch looks back, and that time in words.
fn most_periods(period: Duration) -> (u32, &'static str) {
    let (reach, words) =
        if period < HOUR { (DAY, "a day, when the period is below an hour") } else { (WEEK, "a week") };
    (u32::try_from(reach.as_secs() / period.as_secs().max(1)).unwrap_or(u32::MAX), words)
}

fn hint_for(most: u32) -> String {
    if most == 0 {
        "use a shorter period".to_owned()
    } else {
        format!("with this period use {most} or fewer")
    }
}

fn comparison(cursor: &Cursor<'_>) -> Option<Comparison> {
    const ALL: [Comparison; 4] = [
        Comparison::GreaterThan,
        Comparison::GreaterThanOrEqual,
        Comparison::LessThan,
        Comparison::LessThanOrEqual,
    ];
    let text = cursor.text()?;
    let comparison = text.parse().ok();
    if comparison.is_none() {
        let hint = match text {
            "=>" | "≥" => Some("did you mean `>=`?".to_owned()),
            "=<" | "≤" => Some("did you mean `<=`?".to_owned()),
            _ => match suggest::closest(text, ALL.map(Comparison::as_cloudwatch)) {
                Some(word) => Some(format!("did you mean `{word}`?")),
                None => Some(format!("known here: {}", suggest::listed(&ALL.map(Comparison::as_symbol)))),
            },
        };
        cursor.note(format!("{} is no comparison", quoted(text)), hint);
    }
    comparison
}

fn missing_data(cursor: &Cursor<'_>) -> Option<MissingData> {
    const ALL: [MissingData; 4] =
        [MissingData::Missing, MissingData::Ignore, MissingData::Breaching, MissingData::NotBreaching];
    let text = cursor.text()?;
    if text == "not_breaching" {
        return Some(MissingData::NotBreaching);
    }
    cursor.word(&ALL.map(|mode| (mode.as_str(), mode)))
}

/// Only percentiles have too few samples; to evaluate is what all other statistics do anyway.
fn low_samples(cursor: &Cursor<'_>, statistic: Option<Statistic>) -> Option<LowSamples> {
    const ALL: [LowSamples; 2] = [LowSamples::Evaluate, LowSamples::Ignore];
    let word = cursor.word(&ALL.map(|word| (word.as_str(), word)))?;
    let other = statistic.filter(|statistic| !matches!(statistic, Statistic::Percentile(_)));
    if let (Some(statistic), LowSamples::Ignore) = (other, word) {
        let message = format!("has a meaning for percentiles only, and the statistic is `{statistic}`");
        cursor.refuse_with(message, "leave it out");
    }
    Some(word)
}
