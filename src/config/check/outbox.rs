//! `outbox` and `heartbeat`: what is owed for how long, and who learns that it is paid.

use std::time::Duration;

use super::destinations::http;
use crate::config::reader::Section;
use crate::config::{Heartbeat, Outbox};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

/// Reads `outbox`.
pub fn outbox(section: &Section<'_>) -> Outbox {
    let usual = Outbox::default();
    let max_pending = section.get("max_pending").and_then(|cursor| cursor.count(100..=1_000_000));
    Outbox {
        give_up: section.duration("give_up", usual.give_up, &(MINUTE..=30 * DAY)),
        max_pending: max_pending.unwrap_or(usual.max_pending),
        history: section.duration("history", usual.history, &(HOUR..=90 * DAY)),
    }
}

/// Reads `heartbeat`.
pub fn heartbeat(section: &Section<'_>) -> Option<Heartbeat> {
    let words = [("GET", false), ("POST", true)];
    let url = section.required("url").and_then(|cursor| http::url(&cursor));
    let post = section.get("method").and_then(|cursor| cursor.word(&words)).unwrap_or(false);
    let interval = section.duration("interval", MINUTE, &(SECOND..=HOUR));
    let timeout = section.duration("timeout", 10 * SECOND, &(SECOND..=MINUTE));
    let stuck_after = section.duration("stuck_after", 15 * MINUTE, &(SECOND..=DAY));
    Some(Heartbeat { url: url?, post, interval, timeout, stuck_after })
}
