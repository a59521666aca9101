//! The health of the daemon itself: judge, store, heartbeat, configuration, version.

use std::time::Duration;

use maud::{Markup, html};

use crate::domain::time::Timestamp;
use crate::store::Peril;
use crate::telemetry::usage::{label, metrics};
use crate::web::Web;
use crate::web::pages::humane::{length, number};
use crate::web::pages::parts::{self, figure};

/// What the daemon says of itself.
pub fn facts(web: &Web, uptime: Duration, now: Timestamp) -> Markup {
    let started = (now - uptime).floor(Duration::from_secs(10));
    html! {
        section aria-labelledby="daemon" {
            h2 #daemon { "The daemon" }
            dl.terms {
                div { dt { "Version" } dd { (env!("CARGO_PKG_VERSION")) } }
                div { dt { "Runs" } dd { "for " (parts::lasting(started)) } }
                div { dt { "Configuration" } dd { (configuration(web)) } }
                div { dt { "State file" } dd { (store(web)) } }
                div { dt { "Alarms" } dd { (judge(web)) } }
                div { dt { "Late work" } dd { (late(web)) } }
                div { dt { "Heartbeat" } dd { (heartbeat(web)) } }
                div { dt { "Changes over HTTP" } dd {
                    @if web.config.load().web.token.is_some() { "with " code { "web.token" } } @else { "none: " code { "web.token" } " is not configured" }
                } }
            }
        }
    }
}

fn configuration(web: &Web) -> Markup {
    let telemetry = &web.telemetry;
    let (taken, refused) = (telemetry.reload_at.get(), telemetry.reload_refused.get());
    html! {
        @if taken > 0.0 { "taken " (parts::ago(instant(taken))) }
        @if telemetry.reload_ok.get() == 0 && taken > 0.0 {
            " · " span.bad { "the last reload was refused" } ": the log says why, and the one before goes on"
        } @else if refused > 0.0 { " · " (number(refused)) " reloads were refused since the start" }
    }
}

fn instant(seconds: f64) -> Timestamp {
    Timestamp::from_secs(seconds as i64)
}

fn store(web: &Web) -> Markup {
    let failures = web.telemetry.store_failures.get();
    html! {
        @match (web.store.peril(), &web.config.load().store.path) {
            (Err(_), _) => span.bad { "cannot be read; the log says why" },
            (Ok(Some(Peril { why, undelivered, settled, changes })), _) => {
                span.bad { "cannot be written" } " (" (why) "): a restart now would lose " (number(undelivered as f64))
                " notifications, tell " (number(settled as f64)) " again and forget " (number(changes as f64)) " changes"
            }
            (Ok(None), Some(path)) => { "takes writes: " code { (path.display()) } }
            (Ok(None), None) => "in memory: nothing is kept when the daemon ends",
        }
        @if failures > 0 { " · " span.late { (number(failures as f64)) " writes failed since the start" } }
    }
}

fn judge(web: &Web) -> Markup {
    let changes: f64 =
        metrics(&web.telemetry.transitions).iter().map(|counter| counter.get_counter().get_value()).sum();
    let alarms = web.board.with_alarms(|alarms| alarms.len());
    html! {
        (figure(Some(alarms as f64))) " by " (figure(Some(web.board.rules().len() as f64))) " rules, judged every 5 s; "
        (figure(Some(changes))) " changes of state since the start · " a href="/alarms" { "All alarms" }
    }
}

fn late(web: &Web) -> Markup {
    let late: Vec<(String, f64)> = metrics(&web.telemetry.late)
        .iter()
        .map(|counter| (label(counter, "worker"), counter.get_counter().get_value()))
        .filter(|(_, count)| *count > 0.0)
        .collect();
    html! {
        @if late.is_empty() { "none since the start" }
        @for (place, (worker, count)) in late.iter().enumerate() {
            @if place > 0 { ", " } span.late { (worker) " " (number(*count)) " times" }
        }
    }
}

fn heartbeat(web: &Web) -> Markup {
    let telemetry = &web.telemetry;
    let at = telemetry.heartbeat_at.get();
    let failed: f64 =
        metrics(&telemetry.heartbeat_failures).iter().map(|counter| counter.get_counter().get_value()).sum();
    html! {
        @match &web.config.load().heartbeat {
            None => { "none: " code { "heartbeat" } " in the configuration calls a dead man's switch while all is well" }
            Some(heartbeat) => {
                "every " (length(heartbeat.interval)) ", "
                @if at > 0.0 { "last acknowledged " (parts::ago(instant(at))) } @else { span.late { "not acknowledged yet" } }
                @if failed > 0.0 { " · " span.late { (number(failed)) " failed since the start" } }
            }
        }
    }
}

/// Where to read on.
pub fn links() -> Markup {
    html! {
        section aria-labelledby="more" {
            h2 #more { "For programs" }
            ul.choices {
                li { a href="/metrics" { "/metrics" } " for Prometheus" }
                li { a href="/readyz" { "/readyz" } " and " a href="/healthz" { "/healthz" } " for probes" }
                li { a href="/api/v1/queues" { "/api/v1/queues" } ", " a href="/api/v1/alarms" { "/api/v1/alarms" } ", "
                    a href="/api/v1/notifications" { "/api/v1/notifications" } ", " a href="/api/v1/silences" { "/api/v1/silences" } " as JSON" }
                li { "docs/http.md, docs/metrics.md and docs/operations.md in the source explain each of them" }
            }
        }
    }
}
