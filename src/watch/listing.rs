//! Which queues there are: all of them, page by page, or those that the configuration names.
//!
//! Guaranteed: what is returned is complete. A page that fails is asked for again, and if it cannot be had there is no list.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::aws::failure::{Failure, Reason};
use crate::aws::meter::Operation;
use crate::aws::sqs::{Listed, Listing, Sqs};
use crate::board::Skip;
use crate::domain::backoff::Backoff;

/// How a single request of a listing is tried again.
const RETRIES: Backoff = Backoff { base: Duration::from_millis(200), cap: Duration::from_secs(5) };
const ATTEMPTS: u32 = 4;

/// The queues that were found, and why others that are named were not.
#[derive(Debug, Default)]
pub struct Found {
    /// The queues, each name once.
    pub queues: Vec<Listed>,
    /// The queues that the configuration names and that cannot be had.
    pub missing: BTreeMap<Arc<str>, Failure>,
}

impl Found {
    /// The skip that a failure to find a named queue is.
    pub fn skip(failure: &Failure) -> Skip {
        match failure.reason {
            Reason::NoSuchQueue => Skip::Gone,
            Reason::Denied => Skip::Denied,
            _ => Skip::Unreadable,
        }
    }
}

/// Every queue of the account and region.
pub async fn all(sqs: &Sqs) -> Result<Found, Failure> {
    let (mut listing, mut token) = (Listing::default(), None);
    loop {
        let (page, next) = patiently(|| sqs.page(token.clone())).await?;
        let next = listing.add(page, next).map_err(|why| sqs.unusable(Operation::ListQueues, &why))?;
        match next {
            Some(next) => token = Some(next),
            None => return Ok(Found { queues: listing.into_queues(), ..Found::default() }),
        }
    }
}

/// The queues of these names or URLs. A URL that was once found is known from then on; whether the queue behind it still
/// exists shows when it is read.
pub async fn named(
    sqs: &Sqs,
    names: &[String],
    known: &mut BTreeMap<String, Listed>,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    for name in names {
        if let Some(queue) = known.get(name) {
            found.queues.push(queue.clone());
            continue;
        }
        let queue = match Listed::from_url(name) {
            Some(queue) => Ok(queue),
            None => patiently(|| sqs.url(name)).await,
        };
        match queue {
            Ok(queue) => {
                known.insert(name.clone(), queue.clone());
                found.queues.push(queue);
            }
            Err(failure) if failure.reason.is_general() => return Err(failure),
            Err(failure) => {
                found.missing.insert(name.as_str().into(), failure);
            }
        }
    }
    found.queues.sort();
    found.queues.dedup_by(|a, b| a.name == b.name);
    Ok(found)
}

async fn patiently<T, F: Future<Output = Result<T, Failure>>>(
    mut ask: impl FnMut() -> F,
) -> Result<T, Failure> {
    let mut attempts = 0;
    loop {
        match ask().await {
            Err(failure) if failure.reason.is_transient() && attempts + 1 < ATTEMPTS => {
                tokio::time::sleep(RETRIES.delay(attempts, fastrand::f64(), failure.retry_after)).await;
                attempts += 1;
            }
            result => return result,
        }
    }
}
