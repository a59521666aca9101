//! What is around every page: the head, the navigation, the search, the footer.

use maud::{DOCTYPE, Markup, html};

use super::assets::build;
use super::page::{Page, Tab};

/// The whole of `page`, which is at `address` (path and query).
pub fn shell(page: &Page, address: &str) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            (head(page))
            body {
                a.skip href="#live" { "Skip to content" }
                header.top {
                    a.brand href="/" { "sqswatch" }
                    nav aria-label="Pages" { @for (tab, path, name) in Tab::ALL {
                        a href=(path) aria-current=[(tab == page.tab).then_some("page")] { (name) }
                    } }
                    form role="search" action="/" {
                        label.unseen for="find" { "Find a queue" }
                        input #find type="search" name="q" placeholder="Find a queue" autocomplete="off" spellcheck="false";
                    }
                }
                p #offline role="status" hidden {}
                main #live tabindex="-1" data-view=[page.live.then_some(address)] data-version=(format!("{:x}", page.version())) data-build=(build()) {
                    (page.content())
                }
                (footer())
            }
        }
    }
}

fn head(page: &Page) -> Markup {
    let asset = |file: &str| format!("/assets/{file}?{}", build());
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            title { (page.title) }
            link rel="icon" href=(asset("icon.svg")) type="image/svg+xml";
            link rel="stylesheet" href=(asset("style.css"));
            link rel="stylesheet" href=(asset("queue.css"));
            @if page.live { noscript { meta http-equiv="refresh" content="15"; } }
            // Before anything is painted: times change their width once the script writes them.
            script src=(asset("page.js")) defer blocking="render" {}
            script src=(asset("plot.js")) defer {}
        }
    }
}

fn footer() -> Markup {
    html! {
        footer {
            a href="/metrics" { "Metrics" }
            a href="/api/v1/queues" { "Queues as JSON" }
            a href="/api/v1/alarms" { "Alarms as JSON" }
            a href="/readyz" { "Readiness" }
            span { "sqswatch " (env!("CARGO_PKG_VERSION")) }
        }
    }
}
