//! What is owed to each destination.

use std::sync::Arc;

use maud::{Markup, html};

use super::asked::{Asked, Progress};
use crate::domain::outbox::Entry;
use crate::store::{Owed, Store, StoreError};
use crate::web::Web;
use crate::web::pages::alarm::told;
use crate::web::pages::parts::{self, figure};

/// One destination.
pub struct Debts {
    /// Its name in the configuration.
    pub name: Arc<str>,
    /// The configuration's word for its kind; `None` when it left the configuration.
    kind: Option<&'static str>,
    /// How much is owed.
    pub owed: Owed,
    /// What is tried next.
    next: Option<Entry>,
}

/// Every destination, of the configuration or still in debt.
pub fn debts(web: &Web, store: &Store) -> Result<Vec<Debts>, StoreError> {
    let config = web.config.load();
    let of = |(name, owed): (Arc<str>, Owed)| {
        let next = if owed.pending == 0 { None } else { store.pending(&name, 1)?.pop() };
        let kind = config.destinations.get(&name).map(|destination| destination.kind());
        Ok(Debts { name, kind, owed, next })
    };
    web.owed(store)?.into_iter().map(of).collect()
}

/// One row each.
pub fn table(debts: &[Debts], asked: &Asked) -> Markup {
    html! {
        @if !debts.is_empty() {
            section aria-labelledby="owed" {
                h2.first #owed { "Destinations" }
                table.destinations {
                    thead { tr {
                        th scope="col" { "Destination" }
                        th.n scope="col" { "Waiting" }
                        th.n scope="col" { "Oldest" }
                        th.n scope="col" { "Given up" }
                        th scope="col" { "Next attempt" }
                        th scope="col" { "Latest answer" }
                    } }
                    tbody { @for one in debts { (row(one, asked)) } }
                }
            }
        }
    }
}

fn row(debts: &Debts, asked: &Asked) -> Markup {
    let Debts { name, kind, owed, next } = debts;
    let here = Asked { destination: name.to_string(), ..asked.first_part() };
    let failing = next.as_ref().is_some_and(|next| next.attempts > 0);
    html! {
        tr {
            th scope="row" {
                a href=(Asked { state: String::new(), ..here.clone() }.address()) data-soft { (name) }
                small.place { @match kind { Some(kind) => (kind), None => "left the configuration" } }
            }
            td.n data-label="Waiting" { a.plain .late[failing] href=(here.only(Progress::Pending).address()) data-soft { (figure(Some(owed.pending as f64))) } }
            td.n data-label="Oldest" {
                @match owed.oldest { Some(oldest) => (parts::lasting(oldest)), None => (parts::unknown("nothing waits")) }
            }
            td.n data-label="Given up" { a.plain .bad[owed.parked > 0] href=(here.only(Progress::Parked).address()) data-soft { (figure(Some(owed.parked as f64))) } }
            td data-label="Next attempt" {
                @match next { Some(next) => (told::next_attempt(next.attempts, next.not_before)), None => (parts::unknown("nothing waits")) }
            }
            td.why.wide data-label="Latest answer" {
                @match next.as_ref() {
                    Some(next) => (told::answer(next.answer.as_deref())),
                    None => (parts::unknown("nothing waits; the receipts below say what came back")),
                }
                @if owed.overflow.parked + owed.overflow.dropped > 0 {
                    " " span.late { "The outbox was full: " (owed.overflow.parked) " were given up at once and " (owed.overflow.dropped) " reminders dropped since the start." }
                }
            }
        }
    }
}
