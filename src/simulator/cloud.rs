//! The state of the whole simulated AWS: accounts and regions, each with its queues, metrics and topics.
//!
//! One mutex guards it and is never held over an await. Everything takes `now`, so the living world can live an hour
//! in a moment.

use std::collections::BTreeMap;

use super::clock::Millis;
use super::message::Draft;
use super::metrics::Metrics;
use super::queue::{Accepted, Queue, Receipt};
use super::refusal::Refusal;
use super::settings::Settings;
use super::topic::Topic;

/// An account and a region: what one set of queues belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scope {
    /// 12 digits.
    pub account: String,
    /// E.g. `us-east-1`.
    pub region: String,
}

impl Scope {
    /// ARN of `resource` of `service` here.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.account)
    }
}

/// What one account has in one region.
#[derive(Debug, Default)]
pub struct Realm {
    /// Queues by name.
    pub queues: BTreeMap<String, Queue>,
    /// CloudWatch.
    pub metrics: Metrics,
    /// Topics by name.
    pub topics: BTreeMap<String, Topic>,
}

/// All of it.
#[derive(Debug)]
pub struct Cloud {
    realms: BTreeMap<Scope, Realm>,
    /// ARNs of assumed roles by access key.
    pub sessions: BTreeMap<String, String>,
    /// Source of every id.
    pub random: fastrand::Rng,
}

impl Cloud {
    /// Nothing yet.
    pub fn new(seed: u64) -> Self {
        Cloud { realms: BTreeMap::new(), sessions: BTreeMap::new(), random: fastrand::Rng::with_seed(seed) }
    }

    /// What `scope` has; a scope that was never used has nothing.
    pub fn realm(&mut self, scope: &Scope) -> &mut Realm {
        self.realms.entry(scope.clone()).or_default()
    }

    /// Every realm.
    pub fn realms(&mut self) -> impl Iterator<Item = &mut Realm> {
        self.realms.values_mut()
    }

    /// The queue `name` of `scope`, or SQS's refusal.
    pub fn queue(&mut self, scope: &Scope, name: &str) -> Result<&mut Queue, Refusal> {
        self.realms.get_mut(scope).and_then(|realm| realm.queues.get_mut(name)).ok_or_else(no_such_queue)
    }

    /// Creates a queue; one of that name and the same attributes is left as it is.
    pub fn create_queue(
        &mut self,
        scope: &Scope,
        name: &str,
        attributes: &BTreeMap<String, String>,
        now: Millis,
    ) -> Result<(), Refusal> {
        let fifo = attributes.get("FifoQueue").is_some_and(|value| value == "true");
        check_name(name, fifo)?;
        let mut settings = match self.queue(scope, name) {
            Ok(queue) => queue.settings.clone(),
            Err(_) => Settings::new(fifo),
        };
        attributes.iter().try_for_each(|(attribute, value)| settings.set(attribute, value))?;
        let seed = self.random.u64(..);
        if let Ok(queue) = self.queue(scope, name) {
            return if queue.settings == settings { Ok(()) } else { Err(name_exists(name)) };
        }
        let queue = Queue::new(scope.arn("sqs", name), settings, now, seed);
        self.realm(scope).queues.insert(name.to_owned(), queue);
        Ok(())
    }

    /// Sends one message.
    pub fn send(
        &mut self,
        scope: &Scope,
        name: &str,
        draft: Draft,
        now: Millis,
    ) -> Result<Accepted, Refusal> {
        self.queue(scope, name)?.send(draft, now)
    }

    /// Receives messages, and moves those that were received too often to the dead-letter queue. While that queue does
    /// not exist, messages stay where they are.
    pub fn receive(
        &mut self,
        scope: &Scope,
        name: &str,
        max: usize,
        visibility: Option<u32>,
        now: Millis,
    ) -> Result<Receipt, Refusal> {
        let redrive = self.queue(scope, name)?.settings.redrive.clone();
        let target = redrive.as_ref().and_then(|redrive| {
            let target = queue_of_arn(scope, &redrive.target_arn)?;
            self.queue(scope, target).is_ok().then(|| (target.to_owned(), redrive.max_receive_count))
        });
        let source = self.queue(scope, name)?;
        let dead_after = target.as_ref().map(|(_, max_receive_count)| *max_receive_count);
        let mut receipt = source.receive(max, visibility, dead_after, now)?;
        let source_arn = source.arn.clone();
        if let Some((target, _)) = target {
            let target = self.queue(scope, &target)?;
            receipt.dead.drain(..).for_each(|message| target.accept_dead_letter(message, &source_arn, now));
        }
        Ok(receipt)
    }
}

/// The name of the queue with `arn`, if it is one of `scope`.
pub fn queue_of_arn<'a>(scope: &Scope, arn: &'a str) -> Option<&'a str> {
    arn.strip_prefix(&scope.arn("sqs", ""))
}

/// SQS's refusal of a queue that does not exist.
pub fn no_such_queue() -> Refusal {
    let message = "The specified queue does not exist.";
    Refusal::new("com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue", message)
}

fn name_exists(name: &str) -> Refusal {
    let message =
        format!("A queue already exists with the same name `{name}` and a different value for an attribute");
    Refusal::new("com.amazonaws.sqs#QueueNameExists", "QueueAlreadyExists", message)
}

fn check_name(name: &str, fifo: bool) -> Result<(), Refusal> {
    let stem = if fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if stem.is_some_and(|stem| !stem.is_empty() && stem.chars().all(allowed)) && name.len() <= 80 {
        return Ok(());
    }
    let suffix = if fifo { " and end in .fifo" } else { "" };
    let rule = "Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length";
    Err(Refusal::invalid_value(format!("The name of a queue {rule}{suffix}")))
}
