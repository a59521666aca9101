//! How silences and maintenance windows are shown.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::maintenance::{Span, Window};
use crate::domain::rule::Glob;
use crate::domain::silence::{Matchers, Phase, Silence, Silences};
use crate::domain::time::Timestamp;

/// The answer of `GET /api/v1/silences`.
#[derive(Debug, Serialize)]
pub struct SilenceList {
    /// Active ones first, then pending ones, then those that ended within a week, the latest first.
    pub silences: Vec<SilenceView>,
    /// The maintenance windows of the configuration, in its order.
    pub maintenance: Vec<MaintenanceView>,
}

/// Which alarms are meant: all that is there must match.
#[derive(Debug, Serialize)]
pub struct MatchersView {
    /// Globs over the alarm's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<String>,
    /// Globs over the queue's name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<String>,
    /// Labels with their exact values.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// There when every alarm is meant.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub all: bool,
}

/// One silence.
#[derive(Debug, Serialize)]
pub struct SilenceView {
    /// Names it.
    pub id: String,
    /// `active`, `pending` or `expired`.
    pub state: &'static str,
    /// Which alarms.
    #[serde(flatten)]
    pub matchers: MatchersView,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub author: String,
    /// From when on.
    pub starts: String,
    /// Until when.
    pub ends: String,
}

/// One maintenance window.
#[derive(Debug, Serialize)]
pub struct MaintenanceView {
    /// Its name in the configuration.
    pub name: String,
    /// Which alarms.
    #[serde(flatten)]
    pub matchers: MatchersView,
    /// When, as people say it.
    pub schedule: String,
    /// Whether it is open.
    pub active: bool,
    /// When it closes, if it is open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// When it opens next; absent for one that does not open again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<SpanView>,
}

/// From an instant until another.
#[derive(Debug, Serialize)]
pub struct SpanView {
    /// The first instant.
    pub from: String,
    /// The first instant after it.
    pub until: String,
}

impl SilenceList {
    /// All there is at `now`.
    pub fn of(silences: &Silences, now: Timestamp) -> Self {
        let mut shown: Vec<&Silence> = silences.recorded(now).collect();
        shown.sort_by_key(|silence| {
            let phase = silence.phase(now);
            let position = Phase::ALL.iter().position(|known| *known == phase);
            let order =
                if phase == Phase::Expired { -silence.ends.as_millis() } else { silence.ends.as_millis() };
            (position, order)
        });
        Self {
            silences: shown.into_iter().map(|silence| SilenceView::of(silence, now)).collect(),
            maintenance: silences.windows.iter().map(|window| MaintenanceView::of(window, now)).collect(),
        }
    }
}

impl SilenceView {
    /// The silence as it is at `now`.
    pub fn of(silence: &Silence, now: Timestamp) -> Self {
        Self {
            id: silence.id.to_string(),
            state: silence.phase(now).as_str(),
            matchers: (&silence.matchers).into(),
            reason: silence.reason.clone(),
            author: silence.author.clone(),
            starts: silence.starts.to_string(),
            ends: silence.ends.to_string(),
        }
    }
}

impl MaintenanceView {
    fn of(window: &Window, now: Timestamp) -> Self {
        let active = window.active(now);
        Self {
            name: window.name.to_string(),
            matchers: (&window.matchers).into(),
            schedule: window.schedule.to_string(),
            active: active.is_some(),
            until: active.map(|span| span.until.to_string()),
            next: window.next(now).map(SpanView::from),
        }
    }
}

impl From<Span> for SpanView {
    fn from(span: Span) -> Self {
        Self { from: span.from.to_string(), until: span.until.to_string() }
    }
}

impl From<&Matchers> for MatchersView {
    fn from(matchers: &Matchers) -> Self {
        let globs = |globs: &[Glob]| globs.iter().map(Glob::to_string).collect();
        Self {
            alarms: globs(&matchers.alarms),
            queues: globs(&matchers.queues),
            labels: matchers.labels.clone(),
            all: matchers.is_everything(),
        }
    }
}
