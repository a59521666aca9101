//! Advice on where failing messages go, and how long they are kept there.

use super::{Advice, Case, DeadLetterQueue, command, lasting};
use crate::domain::queue::{QueueId, QueueKind, RedrivePolicy};
use crate::domain::rule::Severity;

/// The longest retention, in seconds.
const LONGEST: u64 = 1_209_600;
/// How often a message should be tried, as Amazon advises for functions that receive from a queue.
const TRIES: u32 = 5;
/// More receives than this hold up others without hope.
const HOPELESS: u32 = 100;

pub(super) fn advice(case: &Case<'_>) -> Vec<Advice> {
    let mut advice = Vec::new();
    match &case.settings().redrive {
        None => advice.extend(none(case)),
        Some(policy) => {
            advice.extend(target(case, &policy.dead_letter_queue));
            advice.extend(tries(case, policy));
            advice.extend(too_late(case, policy));
        }
    }
    advice.extend(kept_as_long(case));
    advice
}

/// A dead-letter queue needs none itself.
fn none(case: &Case<'_>) -> Option<Advice> {
    if case.queue.role.is_dead_letter() {
        return None;
    }
    let kept = case.settings().retention_seconds.map(lasting);
    let (stem, ending) = match case.id().name.strip_suffix(".fifo") {
        Some(stem) => (stem, ".fifo"),
        None => (&*case.id().name, ""),
    };
    // 80 characters are what SQS allows, the ending included.
    let stem: String = stem.chars().take(76 - ending.len()).collect();
    let name = QueueId { name: format!("{stem}-dlq{ending}").into(), ..case.id().clone() };
    let set = command::set(case.queue, "RedrivePolicy", &command::redrive(&name, TRIES));
    Some(Advice {
        severity: Severity::Warning,
        what: "No dead-letter queue".into(),
        why: format!(
            "A message that consumers cannot handle comes back again and again{}, and is then deleted without anybody hearing of it.",
            kept.map(|kept| format!(" for {kept}")).unwrap_or_default()
        ),
        remedy: None,
        fix: command::create(&name).zip(set).map(|(create, set)| vec![create, set]).unwrap_or_default(),
    })
}

fn target(case: &Case<'_>, target: &QueueId) -> Option<Advice> {
    let advice = |severity, what: &str, why: String, remedy| {
        Some(Advice { severity, what: what.into(), why, remedy: Some(remedy), fix: Vec::new() })
    };
    if target == case.id() {
        let why = "What fails is put back where it came from, and fails again.".to_owned();
        return advice(
            Severity::Error,
            "It is its own dead-letter queue",
            why,
            "Name another queue in its redrive policy.",
        );
    }
    match &case.dead_letter_queue {
        DeadLetterQueue::Missing => {
            let why = format!(
                "No queue named {} is in {}: failing messages cannot be set aside.",
                target.name, target.region
            );
            advice(
                Severity::Error,
                "Its dead-letter queue does not exist",
                why,
                "Create it, or name another.",
            )
        }
        DeadLetterQueue::Watched(queue) if queue.dead_letter_queue() == Some(case.id()) => {
            let why = format!(
                "{} sends what is received there too often back here: failing messages go round.",
                target.name
            );
            let remedy = "Take the redrive policy from the one that should keep dead letters.";
            advice(Severity::Error, "Dead letters go in a circle", why, remedy)
        }
        _ if case.queue.role.is_dead_letter() => {
            let why = format!(
                "Whoever looks at dead letters here receives them, and what is received too often moves on to {}.",
                target.name
            );
            let remedy =
                "Take its redrive policy away, so that dead letters stay until a person has dealt with them.";
            advice(Severity::Info, "A dead-letter queue with a dead-letter queue", why, remedy)
        }
        _ => None,
    }
}

fn tries(case: &Case<'_>, policy: &RedrivePolicy) -> Option<Advice> {
    let count = policy.max_receive_count;
    let fix = case.set("RedrivePolicy", &command::redrive(&policy.dead_letter_queue, TRIES));
    let (severity, what, why) = match count {
        1 => (
            Severity::Warning,
            "One try only".to_owned(),
            "A consumer that is stopped or slow once turns good messages into dead letters: maxReceiveCount is 1.".to_owned(),
        ),
        HOPELESS.. => (
            Severity::Info,
            format!("{count} tries"),
            format!("A message that always fails is handled {count} times before it is set aside, and holds up others as often."),
        ),
        _ => return None,
    };
    Some(Advice { severity, what, why, remedy: None, fix })
}

/// Each try hides the message for the visibility timeout unless the consumer gives it back.
fn too_late(case: &Case<'_>, policy: &RedrivePolicy) -> Option<Advice> {
    let settings = case.settings();
    let (hidden, kept) = (settings.visibility_timeout_seconds?, settings.retention_seconds?);
    let takes = hidden.saturating_mul(policy.max_receive_count.into());
    (takes >= kept).then(|| Advice {
        severity: Severity::Warning,
        what: "Failing messages expire before they are dead letters".into(),
        why: format!(
            "{} tries, {} apart by the visibility timeout, take {}, but a message is kept for {} only.",
            policy.max_receive_count,
            lasting(hidden),
            lasting(takes),
            lasting(kept)
        ),
        remedy: Some("Or lower maxReceiveCount or the visibility timeout."),
        fix: if takes < LONGEST {
            case.set("MessageRetentionPeriod", &LONGEST.to_string())
        } else {
            Vec::new()
        },
    })
}

/// In a standard queue a message keeps the time at which it was first sent, also when it moves; a FIFO queue starts anew.
fn kept_as_long(case: &Case<'_>) -> Vec<Advice> {
    if case.id().kind() == QueueKind::Fifo {
        return Vec::new();
    }
    let here = case.settings().retention_seconds;
    let target = match case.dead_letter_queue {
        DeadLetterQueue::Watched(queue) if queue.id != case.queue.id => Some((case.queue, queue)),
        _ => None,
    };
    // Of many sources the one that keeps messages longest says it all.
    let sources = case.sources.iter().filter(|source| source.id != case.queue.id);
    let source =
        sources.max_by_key(|source| source.settings.retention_seconds).map(|source| (*source, case.queue));
    let pairs = target.into_iter().chain(source);
    let short = pairs.filter_map(|(source, sink)| {
        let (kept, dead) = (source.settings.retention_seconds?, sink.settings.retention_seconds.or(here)?);
        (dead <= kept).then(|| Advice {
            severity: Severity::Warning,
            what: "Dead letters are kept no longer than messages".into(),
            why: format!(
                "{} keeps messages for {}, and {} deletes dead letters {} after they were first sent: what was old already when it failed is gone soon or at once.",
                source.id.name,
                lasting(kept),
                sink.id.name,
                lasting(dead)
            ),
            remedy: (kept >= LONGEST).then_some("No queue keeps messages for more than 14 days: shorten the retention of the source."),
            fix: if kept < LONGEST { command::set(sink, "MessageRetentionPeriod", &LONGEST.to_string()).into_iter().collect() } else { Vec::new() },
        })
    });
    short.collect()
}
