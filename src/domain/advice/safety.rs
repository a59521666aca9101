//! Advice on who gets at messages, and on how soon they are deleted unread.

use super::{Advice, Case, command, lasting};
use crate::domain::rule::Severity;

/// An outage of consumers lasts longer than this, in seconds.
const SOON: u64 = 3600;
/// What a new queue has: four days.
const DEFAULT_RETENTION: &str = "345600";

pub(super) fn advice(case: &Case<'_>) -> Vec<Advice> {
    [public(case), unencrypted(case), soon_deleted(case)].into_iter().flatten().collect()
}

fn public(case: &Case<'_>) -> Option<Advice> {
    (case.settings().public == Some(true)).then(|| Advice {
        severity: Severity::Error,
        what: "Open to the world".into(),
        why: "A statement of its policy allows everybody, in any account, and has no condition.".into(),
        remedy: Some(
            "Name who may instead of \"*\", or add a condition such as aws:SourceArn or aws:PrincipalOrgID. This shows the policy:",
        ),
        fix: command::show_policy(case.queue).into_iter().collect(),
    })
}

fn unencrypted(case: &Case<'_>) -> Option<Advice> {
    (case.settings().encrypted == Some(false)).then(|| Advice {
        severity: Severity::Warning,
        what: "Not encrypted".into(),
        why: "Messages lie on disks as they were sent. SQS encrypts them with a key of its own at no charge and without a change to \
              consumers."
            .into(),
        remedy: None,
        fix: case.set("SqsManagedSseEnabled", "true"),
    })
}

fn soon_deleted(case: &Case<'_>) -> Option<Advice> {
    let kept = case.settings().retention_seconds.filter(|kept| *kept < SOON)?;
    Some(Advice {
        severity: Severity::Warning,
        what: format!("Messages are deleted after {}", lasting(kept)),
        why: "Consumers that stand still for that long lose messages, and nobody is told which.".into(),
        remedy: None,
        fix: case.set("MessageRetentionPeriod", DEFAULT_RETENTION),
    })
}
