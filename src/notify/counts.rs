//! The daemon's own counters about notifications.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

use crate::domain::notification::Event;
use crate::domain::outbox::Reason;

/// Counters of what was told and of what went wrong. Cheap to clone: all clones count together.
#[derive(Clone, Debug)]
pub struct Counts {
    acknowledged: IntCounterVec,
    failures: IntCounterVec,
    template_failures: IntCounterVec,
    replica_failures: IntCounterVec,
}

impl Counts {
    /// Makes the counters and registers them.
    ///
    /// # Errors
    /// The registry has counters of these names already.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let acknowledged = IntCounterVec::new(
            Opts::new("sqswatch_notifications_total", "Notifications that a destination acknowledged."),
            &["destination", "event"],
        )?;
        let failures = IntCounterVec::new(
            Opts::new(
                "sqswatch_notification_failures_total",
                "Attempts to notify that failed, whether they are repeated or given up.",
            ),
            &["destination", "reason"],
        )?;
        let template_failures = IntCounterVec::new(
            Opts::new(
                "sqswatch_template_failures_total",
                "Notifications whose template failed, so that the plain text was sent.",
            ),
            &["destination"],
        )?;
        let replica_failures = IntCounterVec::new(
            Opts::new(
                "sqswatch_alertmanager_replica_failures_total",
                "Requests that one replica of an Alertmanager did not take, whatever the others did.",
            ),
            &["destination", "reason"],
        )?;
        for family in [&acknowledged, &failures, &template_failures, &replica_failures] {
            registry.register(Box::new(family.clone()))?;
        }
        Ok(Self { acknowledged, failures, template_failures, replica_failures })
    }

    /// What counts the failed templates of `destination`.
    pub fn template_failures(&self, destination: &str) -> IntCounter {
        self.template_failures.with_label_values(&[destination])
    }

    /// What counts requests that a replica did not take, by destination and reason.
    pub fn replica_failures(&self) -> IntCounterVec {
        self.replica_failures.clone()
    }

    /// Makes every series of `destination`, at zero, so that a first failure is seen by `rate()`.
    pub fn expect(&self, destination: &str) {
        for event in Event::ALL {
            self.acknowledged.with_label_values(&[destination, event.as_str()]);
        }
        for reason in Reason::ALL {
            self.failures.with_label_values(&[destination, reason.as_str()]);
        }
    }

    /// One notification arrived.
    pub fn acknowledged(&self, destination: &str, event: Event) {
        self.acknowledged.with_label_values(&[destination, event.as_str()]).inc();
    }

    /// One attempt failed.
    pub fn failed(&self, destination: &str, reason: Reason) {
        self.failures.with_label_values(&[destination, reason.as_str()]).inc();
    }
}
