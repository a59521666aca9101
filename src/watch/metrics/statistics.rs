//! Which CloudWatch statistics a series needs, and their answers put together to one set a minute.

use std::collections::BTreeSet;

use crate::aws::cloudwatch::Answer;
use crate::domain::rule::Statistic;
use crate::domain::series::StatisticSet;
use crate::domain::time::Timestamp;

/// The statistics to ask for so that each of `wanted` can be told over any number of minutes. An average needs the sum and the
/// count; a percentile is CloudWatch's own word on each minute.
pub fn needed(wanted: impl IntoIterator<Item = Statistic>) -> Vec<Statistic> {
    let mut needed: Vec<Statistic> = Vec::new();
    for statistic in wanted {
        let parts = match statistic {
            Statistic::Average => &[Statistic::Sum, Statistic::SampleCount][..],
            ref other => std::slice::from_ref(other),
        };
        for part in parts {
            if !needed.contains(part) {
                needed.push(*part);
            }
        }
    }
    needed
}

/// One set for each minute of which anything was told; `None` unless every answer is complete. What was not asked for is
/// filled with what was, and nobody looks at it.
pub fn assemble(asked: &[Statistic], answers: &[Answer]) -> Option<Vec<(Timestamp, StatisticSet)>> {
    if answers.len() != asked.len() || !answers.iter().all(Answer::is_complete) {
        return None;
    }
    let minutes: BTreeSet<Timestamp> =
        answers.iter().flat_map(|answer| answer.datapoints.keys().copied()).collect();
    let sets = minutes.into_iter().filter_map(|minute| {
        let told = |wanted: fn(&Statistic) -> bool| {
            let index = asked.iter().position(wanted)?;
            answers[index].datapoints.get(&minute).copied()
        };
        let any = answers.iter().find_map(|answer| answer.datapoints.get(&minute).copied())?;
        let percentile = told(|statistic| matches!(statistic, Statistic::Percentile(_)));
        let set = StatisticSet {
            count: told(|statistic| *statistic == Statistic::SampleCount).unwrap_or(1.0),
            sum: told(|statistic| *statistic == Statistic::Sum).unwrap_or(any),
            minimum: told(|statistic| *statistic == Statistic::Minimum).unwrap_or(any),
            maximum: told(|statistic| *statistic == Statistic::Maximum).or(percentile).unwrap_or(any),
        };
        Some((minute, set))
    });
    Some(sets.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::failure::Reason;

    fn answer(values: &[(i64, f64)]) -> Answer {
        let datapoints =
            values.iter().map(|(minute, value)| (Timestamp::from_secs(minute * 60), *value)).collect();
        Answer { datapoints, lacking: None }
    }

    #[test]
    fn an_average_is_made_of_sum_and_count_and_nothing_is_asked_twice() {
        use Statistic::{Average, Maximum, Percentile, SampleCount, Sum};
        for (wanted, expected) in [
            (vec![Sum], vec![Sum]),
            (vec![Sum, Average, Sum], vec![Sum, SampleCount]),
            (vec![Maximum, Percentile(99.0)], vec![Maximum, Percentile(99.0)]),
            (vec![], vec![]),
        ] {
            assert_eq!(needed(wanted), expected);
        }
    }

    #[test]
    fn every_wanted_statistic_can_be_told_from_the_set() {
        use Statistic::{Average, Maximum, Minimum, Percentile, SampleCount, Sum};
        let asked = [Sum, SampleCount, Minimum, Maximum];
        let answers = [
            answer(&[(1, 12.0), (2, 5.0)]),
            answer(&[(1, 4.0), (2, 1.0)]),
            answer(&[(1, 1.0)]),
            answer(&[(1, 6.0)]),
        ];
        let sets = assemble(&asked, &answers).unwrap();
        let (_, first) = sets[0];
        let told = [Sum, SampleCount, Minimum, Maximum, Average].map(|statistic| first.get(statistic));
        assert_eq!(told, [12.0, 4.0, 1.0, 6.0, 3.0]);
        assert_eq!(sets.len(), 2);
        let percentile = Percentile(99.0);
        let sets = assemble(&[percentile], &[answer(&[(1, 250.0)])]).unwrap();
        assert_eq!(sets[0].1.get(percentile), 250.0);
    }

    #[test]
    fn a_part_of_the_answers_is_no_answer() {
        let half = Answer { lacking: Some(Reason::ServerError), ..answer(&[(1, 1.0)]) };
        assert_eq!(assemble(&[Statistic::Sum, Statistic::Maximum], &[answer(&[(1, 1.0)]), half]), None);
        assert_eq!(assemble(&[Statistic::Sum], &[]), None);
        assert_eq!(assemble(&[Statistic::Sum], &[answer(&[])]), Some(vec![]));
    }
}
