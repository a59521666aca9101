//! `alarm_rule` with its suppressor: composite alarms, and whether all that they look at is there.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::config::reader::{Cursor, Section, quoted};
use crate::config::suggest;
use crate::domain::composite::{self, Composite, Parsed, Reference, Scope, Suppressor};
use crate::domain::rule::{Rule, Trigger};

/// The keys of a metric alarm that mean nothing to a composite one.
const OF_METRICS: [&str; 11] = [
    "metric",
    "expression",
    "metrics",
    "statistic",
    "period",
    "evaluation_periods",
    "datapoints_to_alarm",
    "evaluation_range",
    "comparison",
    "threshold",
    "treat_missing_data",
];
const SUPPRESSOR: &str = "actions_suppressor";
const PERIODS: [&str; 2] = ["actions_suppressor_wait_period", "actions_suppressor_extension_period"];
/// What both periods are when the file does not say; CloudWatch demands them, its console fills this in.
const DEFAULT_PERIOD: Duration = Duration::from_secs(60);
const LONGEST_PERIOD: Duration = Duration::from_secs(86_400);
/// How many alarms are listed for somebody who named one that is not there.
const LISTED: usize = 10;

/// A composite alarm as far as it can be read by itself.
pub struct Draft<'a> {
    name: Option<Arc<str>>,
    alarm_rule: Cursor<'a>,
    text: Option<&'a str>,
    queues: Option<Cursor<'a>>,
    parsed: Option<Parsed>,
    suppressor: Option<(Suppressor, Cursor<'a>)>,
}

impl Draft<'_> {
    /// What makes the alarm fire, unless there is a fault in it.
    pub fn trigger(&self) -> Option<Trigger> {
        Some(Trigger::Composite(Composite {
            text: self.text?.trim().into(),
            expression: self.parsed.as_ref()?.expression.clone()?,
            scope: if self.queues.is_some() { Scope::EachQueue } else { Scope::Whole },
            suppressor: self.suppressor.as_ref().map(|(suppressor, _)| suppressor.clone()),
        }))
    }

    fn references(&self) -> &[Reference] {
        self.parsed.as_ref().map(|parsed| &*parsed.references).unwrap_or_default()
    }

    /// The names of what it looks at.
    fn links(&self) -> Vec<Arc<str>> {
        let children = self.references().iter().map(|reference| reference.name.clone());
        children.chain(self.suppressor.iter().map(|(suppressor, _)| suppressor.alarm.clone())).collect()
    }
}

/// Reads what a composite alarm has of its own.
pub fn read<'a>(section: &Section<'a>, alarm_rule: Cursor<'a>, name: Option<Arc<str>>) -> Draft<'a> {
    for cursor in OF_METRICS.iter().filter_map(|key| section.get(key)) {
        cursor.refuse_with(
            "stands beside `alarm_rule`",
            "an alarm looks at a metric or at other alarms, not at both",
        );
    }
    if let Some(cursor) = section.get("repeat_on") {
        cursor.refuse_with(
            "stands beside `alarm_rule`",
            "a composite alarm has no value that could rise; use `repeat`",
        );
    }
    let text = alarm_rule.text();
    let parsed = text.map(composite::parse);
    let suppressor = suppressor(section);
    Draft { name, alarm_rule, text, queues: section.get("queues"), parsed, suppressor }
}

fn suppressor<'a>(section: &Section<'a>) -> Option<(Suppressor, Cursor<'a>)> {
    let [wait, extension] =
        PERIODS.map(|key| section.duration(key, DEFAULT_PERIOD, &(Duration::ZERO..=LONGEST_PERIOD)));
    let Some(cursor) = section.get(SUPPRESSOR) else {
        for cursor in PERIODS.iter().filter_map(|key| section.get(key)) {
            cursor
                .refuse_with("has no meaning without `actions_suppressor`", "name the alarm that suppresses");
        }
        return None;
    };
    let alarm = cursor.text()?.into();
    Some((Suppressor { alarm, wait, extension }, cursor))
}

/// Refuses the keys of a suppressor in an alarm that is not composite.
pub fn refuse_alone(section: &Section<'_>) {
    for cursor in [SUPPRESSOR].iter().chain(&PERIODS).filter_map(|key| section.get(key)) {
        cursor.refuse_with("stands without `alarm_rule`", "only a composite alarm has a suppressor");
    }
}

/// Notes what is wrong with composite alarms among each other: `names`, sorted, are those of all alarms,
/// `rules` those without a fault.
pub fn check(drafts: &[Draft<'_>], names: &[&str], rules: &[Rule]) {
    let rules: HashMap<&str, &Rule> = rules.iter().map(|rule| (&*rule.name, rule)).collect();
    for draft in drafts {
        for (column, message, hint) in faults(draft, names) {
            draft.alarm_rule.note(format!("at character {column}: {message}"), hint);
        }
        if let Some((suppressor, cursor)) = &draft.suppressor
            && let Some((message, hint)) = unknown(&suppressor.alarm, names)
        {
            cursor.note(message, hint);
        }
        queues_have_a_meaning(draft, &rules);
    }
    let links: Vec<_> =
        drafts.iter().filter_map(|draft| Some((draft.name.clone()?, draft.links()))).collect();
    for cycle in composite::cycles(&links) {
        let first = drafts.iter().find(|draft| draft.name.as_ref() == cycle.0.first());
        if let Some(draft) = first {
            let message = format!("goes round in a circle: {}", quoted(&cycle.to_string()));
            draft.alarm_rule.refuse_with(
                message,
                "an alarm must not depend on itself, not by way of others or a suppressor either",
            );
        }
    }
}

/// All that is wrong with the text of a rule, in the order it stands; each unknown name once.
fn faults(draft: &Draft<'_>, names: &[&str]) -> Vec<(usize, String, Option<String>)> {
    let Some(parsed) = &draft.parsed else { return Vec::new() };
    let syntax = parsed.faults.iter().map(|fault| (fault.column, fault.message.clone(), fault.hint.clone()));
    let mut faults: Vec<_> = syntax.collect();
    let mut seen = BTreeSet::new();
    for reference in parsed.references.iter().filter(|reference| seen.insert(&reference.name)) {
        faults
            .extend(unknown(&reference.name, names).map(|(message, hint)| (reference.column, message, hint)));
    }
    faults.sort_by_key(|(column, ..)| *column);
    faults
}

/// What is wrong with a name that is no alarm's.
fn unknown(name: &str, names: &[&str]) -> Option<(String, Option<String>)> {
    if names.binary_search(&name).is_ok() {
        return None;
    }
    let hint = match suggest::closest(name, names.iter().copied()) {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None if name.starts_with("arn:") => Some("use the alarm's name in this file".to_owned()),
        None => (names.len() <= LISTED).then(|| format!("known here: {}", suggest::listed(names))),
    };
    Some((format!("{} is no alarm", quoted(name)), hint))
}

/// An alarm for each queue that looks at nothing of that queue would be the same alarm many times.
fn queues_have_a_meaning(draft: &Draft<'_>, rules: &HashMap<&str, &Rule>) {
    let Some(queues) = draft.queues.as_ref().filter(|_| draft.parsed.is_some()) else { return };
    let child = |reference: &Reference| rules.get(&*reference.name).copied();
    let children: Option<Vec<&Rule>> = draft.references().iter().map(child).collect();
    if children.is_some_and(|children| !children.iter().any(|rule| rule.judges_queues())) {
        queues.refuse_with("has no meaning here: no alarm that the rule names judges queues", "leave it out");
    }
}
