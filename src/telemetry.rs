//! The daemon's own metrics: calls to AWS, failures, dollars, lateness, reloads. All names start with `sqswatch_`.
//!
//! What can be told from the board or the store at a scrape (watched queues, outbox entries) is not kept here but
//! written at the scrape; see `web/own.rs`.

pub mod usage;

use std::time::Instant;

use prometheus::process_collector::ProcessCollector;
use prometheus::{Counter, CounterVec, Gauge, IntCounter, IntCounterVec, IntGauge, Opts, Registry};
use usage::Usage;

/// The daemon's own metrics. One for the life of the process.
#[derive(Debug, Clone)]
pub struct Telemetry {
    /// Where they, and those of the notifier, are registered.
    pub registry: Registry,
    /// Requests sent to AWS, each attempt counted, by `service`, `operation` and `region`.
    pub requests: IntCounterVec,
    /// Requests that failed, by `service`, `operation`, `region` and `reason`.
    pub failures: IntCounterVec,
    /// Requests that AWS throttled, by `service` and `region`.
    pub throttles: IntCounterVec,
    /// What the requests cost at list price, in US dollars, by `service`.
    pub dollars: CounterVec,
    /// Ticks that came late and were not made up for, by `worker`.
    pub late: IntCounterVec,
    /// Evaluations of alarms.
    pub evaluations: IntCounter,
    /// Changes of alarm states, by the state entered.
    pub transitions: IntCounterVec,
    /// Writes to the state file that failed.
    pub store_failures: IntCounter,
    /// Heartbeats that were acknowledged.
    pub heartbeats: IntCounter,
    /// When the latest one was, in Unix time.
    pub heartbeat_at: Gauge,
    /// Heartbeats that failed, by `reason`.
    pub heartbeat_failures: IntCounterVec,
    /// Whether the last reload was taken: 1 or 0.
    pub reload_ok: IntGauge,
    /// When a configuration was last taken, in Unix time.
    pub reload_at: Gauge,
    /// Reloads that were refused.
    pub reload_refused: Counter,
    /// What AWS was asked for lately.
    pub usage: Usage,
}

impl Telemetry {
    /// All metrics at zero, with their registry.
    pub fn new() -> Self {
        let registry = Registry::new();
        let telemetry = Self {
            requests: counters(
                &registry,
                "aws_requests_total",
                "Requests sent to AWS, every attempt counted.",
                &["service", "operation", "region"],
            ),
            failures: counters(
                &registry,
                "aws_failures_total",
                "Requests to AWS that failed, by reason.",
                &["service", "operation", "region", "reason"],
            ),
            throttles: counters(
                &registry,
                "aws_throttles_total",
                "Requests that AWS throttled.",
                &["service", "region"],
            ),
            dollars: register(
                &registry,
                CounterVec::new(
                    opts(
                        "aws_cost_dollars_total",
                        "Cost of the requests to AWS at list price, free tier not deducted.",
                    ),
                    &["service"],
                ),
            ),
            late: counters(
                &registry,
                "ticks_late_total",
                "Readings or evaluations that came late and were not made up for.",
                &["worker"],
            ),
            evaluations: register(
                &registry,
                IntCounter::with_opts(opts("alarm_evaluations_total", "Evaluations of alarms.")),
            ),
            transitions: counters(
                &registry,
                "alarm_transitions_total",
                "Changes of alarm states, by the state entered.",
                &["to"],
            ),
            store_failures: register(
                &registry,
                IntCounter::with_opts(opts("store_failures_total", "Writes to the state file that failed.")),
            ),
            heartbeats: register(
                &registry,
                IntCounter::with_opts(opts("heartbeat_sent_total", "Heartbeats that were acknowledged.")),
            ),
            heartbeat_at: register(
                &registry,
                Gauge::with_opts(opts(
                    "heartbeat_last_success_timestamp_seconds",
                    "When the latest heartbeat was acknowledged, in Unix time; 0 before the first.",
                )),
            ),
            heartbeat_failures: counters(
                &registry,
                "heartbeat_failures_total",
                "Heartbeats that were sent and not acknowledged, by reason.",
                &["reason"],
            ),
            reload_ok: register(
                &registry,
                IntGauge::with_opts(opts(
                    "config_last_reload_successful",
                    "Whether the last reload of the configuration was taken.",
                )),
            ),
            reload_at: register(
                &registry,
                Gauge::with_opts(opts(
                    "config_last_reload_success_timestamp_seconds",
                    "When a configuration was last taken, in Unix time.",
                )),
            ),
            reload_refused: register(
                &registry,
                Counter::with_opts(opts(
                    "config_reloads_refused_total",
                    "Reloads of the configuration that were refused.",
                )),
            ),
            usage: Usage::new(Instant::now()),
            registry,
        };
        // CPU, memory and open files of this process, under the names every Prometheus dashboard knows.
        let process = Box::new(ProcessCollector::for_self());
        telemetry.registry.register(process).expect("names used once");
        for state in crate::domain::alarm::State::ALL {
            telemetry.transitions.with_label_values(&[state.as_str()]);
        }
        for worker in ["discover", "attributes", "cloudwatch", "judge"] {
            telemetry.late.with_label_values(&[worker]);
        }
        for service in ["sqs", "cloudwatch", "sns"] {
            telemetry.dollars.with_label_values(&[service]);
        }
        telemetry
    }
}

impl Default for Telemetry {
    fn default() -> Self {
        Self::new()
    }
}

fn opts(name: &str, help: &str) -> Opts {
    Opts::new(name, help).namespace("sqswatch")
}

fn counters(registry: &Registry, name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    register(registry, IntCounterVec::new(opts(name, help), labels))
}

fn register<C: prometheus::core::Collector + Clone + 'static>(
    registry: &Registry,
    made: prometheus::Result<C>,
) -> C {
    // The names are constants of this file, each used once: neither step can fail, as the test below shows.
    let collector = made.expect("a valid metric definition");
    registry.register(Box::new(collector.clone())).expect("a name used once");
    collector
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_is_valid_and_known_label_values_start_at_zero() {
        let families = Telemetry::new().registry.gather();
        let names: Vec<&str> = families.iter().map(prometheus::proto::MetricFamily::name).collect();
        assert!(names.contains(&"sqswatch_alarm_transitions_total"));
        let ours = |name: &&str| name.starts_with("sqswatch_") || name.starts_with("process_");
        assert!(names.iter().all(ours), "{names:?}");
    }
}
