//! GET /notifications: what is owed to whom, what was given up, and what became of the latest.

mod asked;
mod lists;
mod outbox;

use maud::{Markup, html};

pub use asked::Asked;
use asked::Progress;

use super::humane::number;
use super::page::{Block, Page, Tab};
use crate::store::{Kept, Receipt, Store, StoreError, Wanted};
use crate::web::Web;
use outbox::Debts;

/// How many are on a page of their own, and how many of each where all are.
const LISTED: usize = 50;
const SOME: usize = 10;

/// What the page shows of the store.
struct Found {
    debts: Vec<Debts>,
    waiting: Vec<Kept>,
    parked: Vec<Kept>,
    receipts: Vec<Receipt>,
    /// What to ask as `after` for those that follow.
    next: Option<u64>,
}

/// The page.
pub fn page(web: &Web, asked: &Asked) -> Page {
    let found = match found(web, &web.store, asked) {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(%error, "notifications cannot be read for the page");
            let words = html! {
                h1.unseen { "Notifications" }
                p.notice { "The store cannot be read, so nothing is known of notifications. The log of the daemon says why." }
            };
            return Page::new(Tab::Notifications, "Notifications", vec![Block::whole("head", words)]);
        }
    };
    let parked: u64 = found.debts.iter().map(|debts| debts.owed.parked).sum();
    let title = if parked == 0 { "Notifications".to_owned() } else { format!("({parked}) Notifications") };
    let one_list = asked.progress().is_some();
    let blocks = vec![
        Block::whole("head", html! { h1.unseen { "Notifications" } (trouble(web)) }),
        Block::whole("outbox", outbox::table(&found.debts, asked)),
        Block::whole("filters", html! { @if !found.debts.is_empty() { (asked.form(&found.debts)) } }),
        Block::whole("parked", lists::parked(&found, asked, parked)),
        Block::whole("waiting", lists::waiting(&found, asked)),
        Block::whole("receipts", lists::receipts(&found, asked)),
        Block::whole("empty", html! { @if found.debts.is_empty() { (no_destination()) } }),
        Block::whole("next", html! { @if one_list { (pager(asked, found.next)) } }),
    ];
    Page::new(Tab::Notifications, title, blocks)
}

fn found(web: &Web, store: &Store, asked: &Asked) -> Result<Found, StoreError> {
    let debts = outbox::debts(web, store)?;
    let limit = if asked.progress().is_some() { LISTED } else { SOME };
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    // One more than is shown tells whether others follow.
    let wanted = Wanted {
        destination: some(&asked.destination),
        alarm: some(&asked.alarm),
        after: asked.after(),
        limit: limit + 1,
    };
    let mut found =
        Found { debts, waiting: Vec::new(), parked: Vec::new(), receipts: Vec::new(), next: None };
    match asked.progress() {
        Some(Progress::Pending) => found.waiting = store.waiting(&wanted)?,
        Some(Progress::Parked) => found.parked = store.parked(&wanted)?,
        Some(progress) => found.receipts = store.receipts(&wanted, |receipt| progress.fits(receipt))?,
        None => {
            found.parked = store.parked(&wanted)?;
            found.waiting = store.waiting(&wanted)?;
            found.receipts = store.receipts(&Wanted { limit: LISTED + 1, ..wanted }, |_| true)?;
        }
    }
    if asked.progress().is_some() {
        let kept = |kept: &[Kept]| (kept.len() > limit).then(|| kept[limit - 1].entry.sequence);
        let told = (found.receipts.len() > limit).then(|| found.receipts[limit - 1].number);
        found.next = kept(&found.waiting).or(kept(&found.parked)).or(told);
    }
    Ok(found)
}

/// What is in memory only, because the state file cannot be written.
fn trouble(web: &Web) -> Markup {
    let peril = web.store.peril().ok().flatten();
    html! {
        @if let Some(peril) = peril {
            p.notice {
                "The state file cannot be written (" (peril.why) "). A restart now would lose " (number(peril.undelivered as f64))
                " notifications and tell " (number(peril.settled as f64)) " again."
            }
        }
    }
}

fn no_destination() -> Markup {
    html! {
        p.nothing {
            "Nobody is told of anything: the configuration has no " code { "destinations" } ". With one, and "
            code { "notify" } " to name it, alarms reach people. " code { "sqswatch test-notify" } " tries it."
        }
    }
}

fn pager(asked: &Asked, next: Option<u64>) -> Markup {
    html! {
        @if next.is_some() || asked.after().is_some() {
            nav.pager aria-label="Pages of notifications" {
                @if asked.after().is_some() { a href=(asked.first_part().address()) data-soft { "From the start" } }
                @if let Some(next) = next { a rel="next" href=(asked.following(next).address()) data-soft { "After" } }
            }
        }
    }
}
