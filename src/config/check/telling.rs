//! `repeat`, `repeat_on` and `flapping`: what is told again while an alarm lasts, and what is not told one by one.

use std::time::Duration;

use crate::config::file::Value;
use crate::config::keys;
use crate::config::reader::{Cursor, Section, quoted};
use crate::domain::flapping::Rate;
use crate::domain::growth::{Growth, Step};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// Reads `repeat` of an alarm.
pub fn repeat(section: &Section<'_>) -> Option<Duration> {
    section.get("repeat").and_then(|cursor| cursor.duration(&(MINUTE..=30 * DAY)))
}

/// Reads `repeat_on` of an alarm: the word `increase`, or a mapping.
pub fn repeat_on(section: &Section<'_>) -> Option<Growth> {
    let cursor = section.get("repeat_on")?;
    let shortest = Growth { step: Step::By(1.0), gap: MINUTE };
    if matches!(cursor.value, Value::Text(_)) {
        return cursor.word(&[("increase", shortest)]);
    }
    let section = cursor.section(&keys::REPEAT_ON);
    let gap = section.duration("gap", shortest.gap, &(SECOND..=DAY));
    let step = match section.get("increase") {
        Some(cursor) => step(&cursor)?,
        None => shortest.step,
    };
    Some(Growth { step, gap })
}

/// A number in the metric's unit, or a percentage of what was told.
fn step(cursor: &Cursor<'_>) -> Option<Step> {
    let step = match cursor.value {
        Value::Text(text) => match text.strip_suffix('%').and_then(|number| number.trim().parse().ok()) {
            Some(percent) => Step::Percent(percent),
            None => {
                cursor.refuse_with(
                    format!("{} is no step", quoted(text)),
                    "write a number in the metric's unit, or a percentage such as `50%`",
                );
                return None;
            }
        },
        _ => Step::By(cursor.number()?),
    };
    let (Step::By(size) | Step::Percent(size)) = step;
    if !(size > 0.0 && size.is_finite()) {
        cursor.refuse("must be more than 0");
        return None;
    }
    Some(step)
}

/// Reads `flapping`, of an alarm or of all: a mapping, or the word `off`. `None` when there is nothing of it.
pub fn flapping(section: &Section<'_>) -> Option<Option<Rate>> {
    let cursor = section.get("flapping")?;
    if matches!(cursor.value, Value::Text(_)) {
        return cursor.word(&[("off", None)]);
    }
    let section = cursor.section(&keys::FLAPPING);
    let changes = section.get("changes").and_then(|cursor| cursor.count(1..=100)).unwrap_or(6);
    let within = section.duration("within", 10 * MINUTE, &(10 * SECOND..=DAY));
    Some(Some(Rate { changes, within }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse;
    use crate::domain::rule::Rule;

    fn alarm(rest: &str) -> Rule {
        let text = format!(
            "{}\nalarms: [{{ name: a, metric: messages_visible, comparison: '>', threshold: 1, {} }}]",
            "flapping: { within: 5m }", rest
        );
        parse(&text, "test.yaml", &|_| None).unwrap_or_else(|faults| panic!("{faults}")).rules.remove(0)
    }

    #[test]
    fn growth_has_a_short_form_and_takes_numbers_and_percentages() {
        let growth = |step, seconds| Some(Growth { step, gap: Duration::from_secs(seconds) });
        for (text, expected) in [
            ("", None),
            ("repeat_on: increase", growth(Step::By(1.0), 60)),
            ("repeat_on: {}", growth(Step::By(1.0), 60)),
            ("repeat_on: { increase: 10, gap: 5m }", growth(Step::By(10.0), 300)),
            ("repeat_on: { increase: 0.5 }", growth(Step::By(0.5), 60)),
            ("repeat_on: { increase: 50% }", growth(Step::Percent(50.0), 60)),
            ("repeat_on: { increase: '2.5 %' }", growth(Step::Percent(2.5), 60)),
        ] {
            assert_eq!(alarm(text).repeat_on, expected, "{text}");
        }
    }

    #[test]
    fn flapping_is_the_alarm_s_own_or_that_of_all() {
        let rate = |changes, minutes| Some(Rate { changes, within: MINUTE * minutes });
        assert_eq!(alarm("").flapping, rate(6, 5));
        assert_eq!(alarm("flapping: off").flapping, None);
        assert_eq!(alarm("flapping: { changes: 2 }").flapping, rate(2, 10));
        let rules = |text: &str| parse(text, "test.yaml", &|_| None).unwrap().rules;
        assert!(rules("{}").iter().all(|rule| rule.flapping.is_none()));
        assert!(rules("flapping: {}").iter().all(|rule| rule.flapping == rate(6, 10)), "the built-in ones");
    }
}
