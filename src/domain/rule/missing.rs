//! What stands in for a datapoint that is not there, and for one that means little.

use std::str::FromStr;

use super::UnknownWord;

/// What a missing datapoint counts as (TreatMissingData).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MissingData {
    /// As nothing: with no datapoint at all the state is INSUFFICIENT_DATA.
    #[default]
    Missing,
    /// The present state stays.
    Ignore,
    /// As breaching the threshold.
    Breaching,
    /// As within the threshold.
    NotBreaching,
}

impl MissingData {
    /// CloudWatch's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Ignore => "ignore",
            Self::Breaching => "breaching",
            Self::NotBreaching => "notBreaching",
        }
    }
}

impl FromStr for MissingData {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Missing, Self::Ignore, Self::Breaching, Self::NotBreaching]
            .into_iter()
            .find(|mode| mode.as_str() == text)
            .ok_or(UnknownWord)
    }
}

/// What a percentile of too few samples to mean anything counts as (EvaluateLowSampleCountPercentile).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LowSamples {
    /// As any other.
    #[default]
    Evaluate,
    /// The present state stays.
    Ignore,
}

impl LowSamples {
    /// CloudWatch's spelling.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Evaluate => "evaluate",
            Self::Ignore => "ignore",
        }
    }
}

impl FromStr for LowSamples {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Evaluate, Self::Ignore].into_iter().find(|word| word.as_str() == text).ok_or(UnknownWord)
    }
}
