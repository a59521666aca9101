//! The worker that knows which queues there are.
//!
//! Guaranteed: only a complete listing takes queues away; every listed queue is either watched or skipped for a reason; a
//! listing that fails leaves the picture as it was and is tried again soon.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tracing::{info, warn};

use super::Watch;
use super::globs::Globs;
use super::listing::{self, Found};
use super::tagging::{Known, Tagging};
use super::trouble::Troubles;
use crate::aws::failure::{Failure, Reason};
use crate::aws::meter::Operation;
use crate::aws::sqs::{Listed, Wanted};
use crate::board::Skip;
use crate::clock;
use crate::domain::backoff::Backoff;
use crate::domain::queue::{Queue, QueueId};

/// How soon a listing that failed is tried again.
const RETRIES: Backoff = Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(60) };
/// Queues whose tags are read between two looks at the whole.
const TAGS_AT_ONCE: usize = 100;

/// How many queues are asked for their account.
const ACCOUNT_ATTEMPTS: usize = 5;

/// The worker of one target.
#[derive(Debug)]
pub struct Discover {
    watch: Watch,
    troubles: Arc<Troubles>,
    changed: watch::Sender<()>,
    tagging: Tagging,
    globs: Globs,
    account: Option<Arc<str>>,
    /// In the mode of named queues, what was found.
    named: BTreeMap<String, Listed>,
    told_missing: BTreeSet<Arc<str>>,
}

/// Name by name, what a listing makes watched and what it does not.
#[derive(Debug, Default)]
struct Places {
    watched: Vec<Queue>,
    skipped: BTreeMap<Arc<str>, Skip>,
}

impl Discover {
    /// A worker that tells `changed` after every listing.
    pub fn new(watch: Watch, troubles: Arc<Troubles>, changed: watch::Sender<()>) -> Self {
        let tagging = Tagging::new(&watch.config);
        Self {
            watch,
            troubles,
            changed,
            tagging,
            globs: Globs::default(),
            account: None,
            named: BTreeMap::new(),
            told_missing: BTreeSet::new(),
        }
    }

    /// Works until shutdown.
    pub async fn run(mut self) {
        let interval = self.watch.config.discovery.interval;
        self.watch.board.update_target(self.watch.target(), |health| health.discovery_interval = interval);
        let shutdown = self.watch.shutdown.clone();
        let mut failures = 0;
        let work = async {
            loop {
                let began = Instant::now();
                let wait = match self.tick().await {
                    Ok(()) => {
                        failures = 0;
                        self.count_late(began.elapsed());
                        interval.mul_f64(0.9 + 0.2 * fastrand::f64()).saturating_sub(began.elapsed())
                    }
                    Err(failure) => {
                        self.troubles.failed("", &failure, clock::now());
                        failures += 1;
                        let wait =
                            RETRIES.delay(failures - 1, 0.5 + fastrand::f64() / 2.0, failure.retry_after);
                        wait.min(interval)
                    }
                };
                tokio::time::sleep(wait).await;
            }
        };
        shutdown.run_until_cancelled(work).await;
    }

    fn count_late(&self, took: Duration) {
        if took > self.watch.config.discovery.interval {
            self.watch.telemetry.late.with_label_values(&["discover"]).inc();
        }
    }

    /// One listing and what follows from it.
    async fn tick(&mut self) -> Result<(), Failure> {
        let found = self.list().await?;
        for operation in [Operation::ListQueues, Operation::GetQueueUrl] {
            self.troubles.succeeded(operation.name(), "", clock::now());
        }
        self.tell_missing(&found);
        let listed: BTreeSet<&str> = found.queues.iter().map(|queue| &*queue.name).collect();
        self.tagging.retain(|name| listed.contains(name));
        // What is about no queue has a colon in its name.
        self.troubles.retain(|name| listed.contains(name) || name.contains(':'), clock::now());
        let mut admitted = BTreeSet::new();
        self.announce(&found, &admitted);
        self.read_tags(&found, &admitted).await;
        self.probe(&found, &mut admitted).await;
        self.globs.check(&self.watch.config, &self.watch.board, self.watch.target());
        Ok(())
    }

    async fn list(&mut self) -> Result<Found, Failure> {
        let (sqs, names) = (&self.watch.clients.sqs, &self.watch.config.discovery.queues);
        let found = match names.is_empty() {
            true => listing::all(sqs).await?,
            false => listing::named(sqs, names, &mut self.named).await?,
        };
        if let Some(account) = found.queues.iter().find_map(|queue| queue.account.clone()) {
            self.account = Some(account);
        } else if self.account.is_none() {
            self.account = self.ask_account(&found.queues).await?;
        }
        Ok(found)
    }

    /// The account when no URL tells it. It is part of every queue's name here, so that a failure that passes is not taken for
    /// an answer: queues and their alarms must not be renamed later.
    async fn ask_account(&self, queues: &[Listed]) -> Result<Option<Arc<str>>, Failure> {
        for queue in queues.iter().take(ACCOUNT_ATTEMPTS) {
            match self.watch.clients.sqs.account(&queue.url).await {
                Ok(account) => return Ok(Some(account)),
                Err(failure) if failure.reason == Reason::BadAnswer => {}
                Err(failure) if failure.reason.is_general() || failure.reason.is_transient() => {
                    return Err(failure);
                }
                Err(_) => {}
            }
        }
        Ok(self.watch.clients.account().await)
    }

    /// A queue that the configuration names and that is not there is told of once.
    fn tell_missing(&mut self, found: &Found) {
        self.told_missing.retain(|name| found.missing.contains_key(name));
        for (name, failure) in &found.missing {
            if self.told_missing.insert(name.clone()) {
                let target = self.watch.target();
                warn!(%target, queue = &**name, hint = failure.hint(), "`discovery.queues`: {failure}");
            }
        }
    }

    /// Tells the board what is watched and what is not. Queues that could not be read stay out until they are `admitted`.
    fn announce(&self, found: &Found, admitted: &BTreeSet<Arc<str>>) {
        let (board, target) = (&self.watch.board, self.watch.target());
        let places = self.places(found, admitted);
        let (watched, skipped) = (places.watched.len(), places.skipped.len());
        // A queue that goes from watched to skipped is both for a moment and never neither, which would mean gone.
        board.update_target(target, |health| health.skipped.extend(places.skipped.clone()));
        let (new, gone) = board.discovered(target, places.watched);
        board.update_target(target, |health| {
            health.skipped = places.skipped;
            health.account.clone_from(&self.account);
            health.note_discovery(clock::now());
        });
        if !new.is_empty() || !gone.is_empty() {
            info!(%target, watched, skipped, new = new.len(), gone = gone.len(), "the set of queues changed");
        }
        self.changed.send_replace(());
    }

    fn places(&self, found: &Found, admitted: &BTreeSet<Arc<str>>) -> Places {
        let held = self.held();
        let mut places = Places::default();
        places
            .skipped
            .extend(found.missing.iter().map(|(name, failure)| (name.clone(), Found::skip(failure))));
        for listed in &found.queues {
            let place = self.place(listed).and_then(|queue| match held.get(&listed.name) {
                Some(skip) if !admitted.contains(&listed.name) => Err(*skip),
                _ => Ok(queue),
            });
            match place {
                Ok(queue) => places.watched.push(queue),
                Err(skip) => {
                    places.skipped.insert(listed.name.clone(), skip);
                }
            }
        }
        places
    }

    /// The queues that could not be read when they were.
    fn held(&self) -> BTreeMap<Arc<str>, Skip> {
        let health = self.watch.board.targets().remove(self.watch.target()).unwrap_or_default();
        let unread = |skip: &Skip| matches!(skip, Skip::Denied | Skip::Gone);
        health.skipped.into_iter().filter(|(_, skip)| unread(skip)).collect()
    }

    /// What the configuration says about one queue.
    fn place(&self, listed: &Listed) -> Result<Queue, Skip> {
        let discovery = &self.watch.config.discovery;
        if !discovery.admits(&listed.name) {
            return Err(Skip::Excluded);
        }
        let mut queue = self.queue(listed);
        let known = self.tagging.of(&listed.name);
        queue.tags = match known {
            Some(Known::Tags(tags)) => Some(tags.clone()),
            // After a reload, what the configuration before has read.
            _ => self.watch.board.queue(&queue.id).and_then(|watched| watched.lock().queue.tags.clone()),
        };
        match &queue.tags {
            _ if discovery.tags.is_empty() => Ok(queue),
            Some(tags) if discovery.tags.iter().any(|(key, value)| tags.get(key) != Some(value)) => {
                Err(Skip::Tags)
            }
            Some(_) => Ok(queue),
            None if known == Some(&Known::Denied) => Err(Skip::Denied),
            None => Err(Skip::Unreadable),
        }
    }

    fn queue(&self, listed: &Listed) -> Queue {
        let account = listed.account.clone().or_else(|| self.account.clone()).unwrap_or_else(|| "".into());
        Queue::new(
            QueueId::new(account, self.watch.target().region.clone(), listed.name.clone()),
            listed.url.clone(),
        )
    }

    /// Reads the tags that are due, and shows the whole again after each handful.
    async fn read_tags(&mut self, found: &Found, admitted: &BTreeSet<Arc<str>>) {
        let discovery = &self.watch.config.discovery;
        let candidates = found.queues.iter().filter(|queue| discovery.admits(&queue.name));
        let queues: Vec<Queue> = candidates.map(|listed| self.queue(listed)).collect();
        let due = self.tagging.due(queues.iter(), clock::now());
        for some in due.chunks(TAGS_AT_ONCE) {
            self.tagging.read(some, &self.watch, &self.troubles).await;
            self.announce(found, admitted);
        }
    }

    /// Tries the queues again that could not be read, before they are shown as watched.
    async fn probe(&self, found: &Found, admitted: &mut BTreeSet<Arc<str>>) {
        let held = self.held();
        let unread = found.queues.iter().filter(|listed| held.contains_key(&listed.name));
        for queue in unread.filter_map(|listed| self.place(listed).ok()) {
            let result = self.watch.clients.sqs.attributes(&queue.id, &queue.url, Wanted::Counts).await;
            let (api, name) = (Operation::GetQueueAttributes.name(), &queue.id.name);
            match result {
                Ok(_) => {
                    self.troubles.succeeded(api, name, clock::now());
                    admitted.insert(name.clone());
                }
                Err(failure) if failure.reason.is_general() => return,
                Err(_) => {}
            }
        }
        if !admitted.is_empty() {
            self.announce(found, admitted);
        }
    }
}
