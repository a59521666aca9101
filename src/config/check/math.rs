//! `expression` with its `metrics`: metric math of an alarm.

use std::sync::Arc;

use super::alarms::Context;
use super::condition::{chosen_statistic, metric};
use crate::config::keys;
use crate::config::reader::{Cursor, Section, quoted};
use crate::domain::math::{Input, MAX_INPUTS, Math};
use crate::domain::rule::MetricRef;

/// Reads the expression and what the names in it stand for.
pub fn read(section: &Section<'_>, expression: &Cursor<'_>, context: &Context<'_>) -> Option<MetricRef> {
    for (key, hint) in [
        ("metric", "name it in `metrics` and use that name in the expression"),
        ("statistic", "each of `metrics` has its own: `ID: { metric: NAME, statistic: Sum }`"),
    ] {
        if let Some(cursor) = section.get(key) {
            cursor.refuse_with("stands beside `expression`", hint);
        }
    }
    let entries = section.required("metrics").map(|cursor| inputs(&cursor, context));
    let text = expression.text()?;
    let inputs: Option<Vec<Input>> = entries?.into_iter().collect();
    match Math::parse(text, inputs?) {
        Ok(math) => Some(MetricRef::Math(Arc::new(math))),
        Err(faults) => {
            for fault in faults {
                let hint = (!fault.hint.is_empty()).then(|| fault.hint.clone());
                expression.note(fault.to_string(), hint);
            }
            None
        }
    }
}

fn inputs(cursor: &Cursor<'_>, context: &Context<'_>) -> Vec<Option<Input>> {
    let entries = cursor.entries();
    if entries.len() > MAX_INPUTS {
        let message = format!("has {} metrics; an expression can have {MAX_INPUTS}", entries.len());
        cursor.refuse_with(message, "CloudWatch allows no more either");
    }
    entries.into_iter().map(|(id, cursor)| input(id, &cursor, context)).collect()
}

fn input(id: &str, cursor: &Cursor<'_>, context: &Context<'_>) -> Option<Input> {
    let mut characters = id.chars();
    let is_id = characters.next().is_some_and(|c| c.is_ascii_lowercase())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '_')
        && id.len() <= 255;
    if !is_id {
        cursor.refuse_with(
            format!("{} is no name for a metric in an expression", quoted(id)),
            "a lower-case letter, then letters, digits and `_`",
        );
    }
    let (metric_cursor, statistic) = if cursor.is_mapping() {
        let section = cursor.section(&keys::INPUT);
        (section.required("metric")?, section.get("statistic"))
    } else {
        (cursor.clone(), None)
    };
    let metric = metric(&metric_cursor, context.custom_metrics)?;
    let statistic = chosen_statistic(statistic, Some(&metric), context)?;
    is_id.then(|| Input { id: id.into(), metric, statistic })
}
