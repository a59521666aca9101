//! One queue: what SQS promises about its messages.
//!
//! Pure: `now` is an argument, so visibility time-outs, delays, retention and deduplication can be tested without
//! waiting. A message is in exactly one of three places (visible, in flight, delayed); two more indexes order
//! all of them by expiry and by age, so that no question costs a walk over the messages.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::clock::Millis;
use super::message::{Draft, Message, md5_of, size_of_attributes, uuid};
use super::refusal::Refusal;
use super::settings::Settings;
use super::tally::Tally;
use handle::{parse_handle, receipt_handle};

mod fair;
mod handle;

/// Messages in flight beyond which ReceiveMessage is refused.
const MAX_IN_FLIGHT: usize = 120_000;
const DEDUPLICATION_WINDOW: Millis = 5 * 60_000;
/// Receives from which a standard queue puts a message at the back and leaves it out of the age.
const RECEIVES_BEFORE_THE_BACK: u32 = 3;

/// One queue.
#[derive(Debug)]
pub struct Queue {
    /// ARN.
    pub arn: String,
    /// Settings.
    pub settings: Settings,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// CreatedTimestamp.
    pub created_at: Millis,
    /// LastModifiedTimestamp.
    pub modified_at: Millis,
    /// Last call of any kind; CloudWatch stops six hours later.
    pub used_at: Millis,
    /// Last PurgeQueue.
    pub purged_at: Option<Millis>,
    /// What happened since CloudWatch was last told.
    pub tally: Tally,
    /// Counts that a test wants to see whatever the queue holds.
    pub counts_override: Option<Counts>,
    messages: BTreeMap<u64, Held>,
    visible: BTreeSet<(u64, u64)>,
    in_flight: BTreeSet<(Millis, u64)>,
    delayed: BTreeSet<(Millis, u64)>,
    expiry: BTreeSet<(Millis, u64)>,
    ages: BTreeSet<(Millis, u64)>,
    busy_groups: HashMap<String, u32>,
    /// A standard queue that was ever sent a message group is a fair queue.
    fair: bool,
    deduplicated: HashMap<String, (Millis, Accepted)>,
    last_key: u64,
    random: fastrand::Rng,
}

/// Approximate numbers of messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Ready to be received.
    pub visible: u64,
    /// Received, not yet deleted.
    pub in_flight: u64,
    /// Not yet visible.
    pub delayed: u64,
}

/// SQS's word that it has a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    /// The message's id.
    pub message_id: String,
    /// FIFO: its sequence number.
    pub sequence_number: Option<String>,
}

/// What one ReceiveMessage yields.
#[derive(Debug, Default)]
pub struct Receipt {
    /// Messages with their receipt handles.
    pub delivered: Vec<(Message, String)>,
    /// Messages received too often, to be moved to the dead-letter queue.
    pub dead: Vec<Message>,
}

#[derive(Debug)]
struct Held {
    message: Message,
    place: Place,
    /// Where it stands in line among the visible ones.
    rank: u64,
    aged_from: Millis,
    receives_here: u32,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Visible,
    InFlight { until: Millis, nonce: u32 },
    Delayed { until: Millis },
}

impl Queue {
    /// An empty queue; `seed` makes its ids repeatable.
    pub fn new(arn: String, settings: Settings, now: Millis, seed: u64) -> Self {
        Queue {
            arn,
            settings,
            tags: BTreeMap::new(),
            created_at: now,
            modified_at: now,
            used_at: now,
            purged_at: None,
            tally: Tally::default(),
            counts_override: None,
            messages: BTreeMap::new(),
            visible: BTreeSet::new(),
            in_flight: BTreeSet::new(),
            delayed: BTreeSet::new(),
            expiry: BTreeSet::new(),
            ages: BTreeSet::new(),
            busy_groups: HashMap::new(),
            fair: false,
            deduplicated: HashMap::new(),
            last_key: 0,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// SendMessage. A FIFO duplicate is accepted again with the first one's ids and not enqueued.
    pub fn send(&mut self, draft: Draft, now: Millis) -> Result<Accepted, Refusal> {
        self.settle(now);
        self.used_at = now;
        self.check(&draft)?;
        self.fair |= !self.settings.fifo && draft.group.is_some();
        let deduplication_key = self.deduplication_key(&draft);
        if let Some((_, first)) = deduplication_key.as_ref().and_then(|key| self.deduplicated.get(key)) {
            self.tally.deduplicated += 1;
            return Ok(first.clone());
        }
        let size = draft.body.len() + size_of_attributes(&draft.attributes);
        self.tally.sent(size);
        let delay = draft.delay.unwrap_or(self.settings.delay);
        let accepted = self.enqueue(draft, delay, now);
        if let Some(key) = deduplication_key {
            self.deduplicated.insert(key, (now + DEDUPLICATION_WINDOW, accepted.clone()));
        }
        Ok(accepted)
    }

    fn check(&self, draft: &Draft) -> Result<(), Refusal> {
        let size = draft.body.len() + size_of_attributes(&draft.attributes);
        let most = self.settings.maximum_message_size;
        if draft.body.is_empty() {
            return Err(Refusal::missing("MessageBody"));
        }
        if size > most as usize {
            let why = "One or more parameters are invalid. Reason: Message must be shorter than";
            return Err(Refusal::invalid_value(format!("{why} {most} bytes.")));
        }
        if draft.delay.is_some_and(|delay| delay > 900 || (self.settings.fifo && delay != 0)) {
            return Err(Refusal::invalid_value("Value for parameter DelaySeconds is invalid."));
        }
        if !self.settings.fifo {
            return Ok(());
        }
        if draft.group.is_none() {
            return Err(Refusal::missing("MessageGroupId"));
        }
        if draft.deduplication_id.is_none() && !self.settings.deduplicates_by_content() {
            let why = "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId \
                       provided explicitly";
            return Err(Refusal::invalid_value(why));
        }
        Ok(())
    }

    fn deduplication_key(&self, draft: &Draft) -> Option<String> {
        if !self.settings.fifo {
            return None;
        }
        let id = draft.deduplication_id.clone().unwrap_or_else(|| md5_of(&draft.body));
        let group = draft.group.as_deref().filter(|_| self.settings.deduplicates_by_group());
        Some(format!("{}\u{0}{id}", group.unwrap_or_default()))
    }

    fn enqueue(&mut self, draft: Draft, delay: u32, now: Millis) -> Accepted {
        let message = Message {
            id: uuid(&mut self.random),
            body: draft.body.into(),
            attributes: Arc::new(draft.attributes),
            trace_header: draft.trace_header,
            group: draft.group,
            deduplication_id: draft.deduplication_id,
            sequence_number: self.settings.fifo.then(|| format!("{:020}", self.last_key + 1)),
            sent_at: now,
            first_received_at: None,
            receive_count: 0,
            dead_letter_source: None,
        };
        let accepted =
            Accepted { message_id: message.id.clone(), sequence_number: message.sequence_number.clone() };
        let place = match delay {
            0 => Place::Visible,
            seconds => Place::Delayed { until: now + Millis::from(seconds) * 1_000 },
        };
        self.hold(message, place, now);
        accepted
    }

    fn hold(&mut self, message: Message, place: Place, aged_from: Millis) {
        self.last_key += 1;
        let key = self.last_key;
        self.expiry.insert((message.sent_at, key));
        self.ages.insert((aged_from, key));
        self.messages.insert(key, Held { message, place, rank: key, aged_from, receives_here: 0 });
        self.occupy(key, place);
    }

    /// Takes in a dead letter of the queue with ARN `source`. Its age counts from the move; a standard queue keeps the
    /// time of the first enqueueing (so retention goes on), a FIFO queue sets a new one.
    pub fn accept_dead_letter(&mut self, mut message: Message, source: &str, now: Millis) {
        if self.settings.fifo {
            message.sent_at = now;
            message.sequence_number = Some(format!("{:020}", self.last_key + 1));
        }
        message.dead_letter_source = Some(source.to_owned());
        self.hold(message, Place::Visible, now);
    }

    /// ReceiveMessage: up to `max` messages, hidden for `visibility` seconds (the queue's own without it). Messages
    /// that were received `dead_after` times already come back as dead instead.
    pub fn receive(
        &mut self,
        max: usize,
        visibility: Option<u32>,
        dead_after: Option<u32>,
        now: Millis,
    ) -> Result<Receipt, Refusal> {
        self.settle(now);
        self.used_at = now;
        if self.in_flight.len() >= MAX_IN_FLIGHT {
            let message = "Too many messages are in flight.";
            return Err(Refusal::new("com.amazonaws.sqs#OverLimit", "OverLimit", message).with_status(403));
        }
        let until = now + Millis::from(visibility.unwrap_or(self.settings.visibility_timeout)) * 1_000;
        let (chosen, dead) = self.choose(max, dead_after.unwrap_or(u32::MAX));
        let receipt = Receipt {
            delivered: chosen.into_iter().filter_map(|key| self.deliver(key, until, now)).collect(),
            dead: dead.into_iter().filter_map(|key| self.remove(key)).collect(),
        };
        self.tally.received(receipt.delivered.len());
        Ok(receipt)
    }

    /// The next keys in line, and those that are dead; a FIFO group with a message in flight waits as a whole.
    fn choose(&self, max: usize, dead_after: u32) -> (Vec<u64>, Vec<u64>) {
        let (mut chosen, mut dead) = (Vec::new(), Vec::new());
        for (_, key) in &self.visible {
            if chosen.len() >= max {
                break;
            }
            let Some(held) = self.messages.get(key) else { continue };
            let group = held.message.group.as_ref().filter(|_| self.settings.fifo);
            if group.is_some_and(|group| self.busy_groups.contains_key(group)) {
                continue;
            }
            if held.message.receive_count >= dead_after {
                dead.push(*key);
            } else {
                chosen.push(*key);
            }
        }
        (chosen, dead)
    }

    fn deliver(&mut self, key: u64, until: Millis, now: Millis) -> Option<(Message, String)> {
        let nonce = self.random.u32(..);
        let held = self.messages.get_mut(&key)?;
        held.message.receive_count += 1;
        held.receives_here += 1;
        held.message.first_received_at.get_or_insert(now);
        let message = held.message.clone();
        if !self.settings.fifo && held.receives_here >= RECEIVES_BEFORE_THE_BACK {
            self.ages.remove(&(held.aged_from, key));
        }
        self.put(key, Place::InFlight { until, nonce });
        Some((message, receipt_handle(key, nonce)))
    }

    /// DeleteMessage. An outdated handle of a known form deletes nothing and is no error, as in SQS.
    pub fn delete(&mut self, handle: &str, now: Millis) -> Result<(), Refusal> {
        self.settle(now);
        self.used_at = now;
        let (key, nonce) = parse_handle(handle)?;
        if self.holds(key, nonce) {
            self.remove(key);
            self.tally.deleted += 1;
        }
        Ok(())
    }

    /// ChangeMessageVisibility: the message becomes visible in `seconds`, at once with 0.
    pub fn change_visibility(&mut self, handle: &str, seconds: u32, now: Millis) -> Result<(), Refusal> {
        self.settle(now);
        self.used_at = now;
        let (key, nonce) = parse_handle(handle)?;
        if !self.holds(key, nonce) {
            let message = "The message referred to isn't in flight.";
            return Err(Refusal::new("com.amazonaws.sqs#MessageNotInflight", NOT_IN_FLIGHT, message));
        }
        match seconds {
            0 => self.put(key, Place::Visible),
            _ => self.put(key, Place::InFlight { until: now + Millis::from(seconds) * 1_000, nonce }),
        }
        Ok(())
    }

    fn holds(&self, key: u64, nonce: u32) -> bool {
        let place = self.messages.get(&key).map(|held| held.place);
        matches!(place, Some(Place::InFlight { nonce: current, .. }) if current == nonce)
    }

    /// PurgeQueue: forgets every message, in flight or not.
    pub fn purge(&mut self, now: Millis) {
        self.used_at = now;
        self.purged_at = Some(now);
        let keys: Vec<u64> = self.messages.keys().copied().collect();
        keys.into_iter().for_each(|key| drop(self.remove(key)));
    }

    /// The numbers that GetQueueAttributes shows.
    pub fn counts(&mut self, now: Millis) -> Counts {
        self.settle(now);
        self.counts_override.unwrap_or(Counts {
            visible: self.visible.len() as u64,
            in_flight: self.in_flight.len() as u64,
            delayed: self.delayed.len() as u64,
        })
    }

    /// Age of the oldest message that counts, in seconds; 0 for none, as CloudWatch has it.
    pub fn oldest_age(&mut self, now: Millis) -> f64 {
        self.settle(now);
        self.ages.first().map_or(0.0, |(from, _)| ((now - from) / 1_000) as f64)
    }

    /// Message groups with a message in flight.
    pub fn groups_in_flight(&self) -> usize {
        self.busy_groups.len()
    }

    /// Lets time pass: time-outs, delays and retention that are over by `now`.
    fn settle(&mut self, now: Millis) {
        while let Some((_, key)) = self.in_flight.first().copied().filter(|(until, _)| *until <= now) {
            self.put(key, Place::Visible);
        }
        while let Some((_, key)) = self.delayed.first().copied().filter(|(until, _)| *until <= now) {
            self.put(key, Place::Visible);
        }
        let oldest = now - Millis::from(self.settings.retention) * 1_000;
        while let Some((_, key)) = self.expiry.first().copied().filter(|(sent, _)| *sent <= oldest) {
            self.remove(key);
        }
        if self.settings.fifo {
            self.deduplicated.retain(|_, (until, _)| *until > now);
        }
    }

    fn put(&mut self, key: u64, place: Place) {
        self.vacate(key);
        if let Some(held) = self.messages.get_mut(&key) {
            held.place = place;
            if place == Place::Visible
                && !self.settings.fifo
                && held.receives_here >= RECEIVES_BEFORE_THE_BACK
            {
                self.last_key += 1;
                held.rank = self.last_key;
            }
        }
        self.occupy(key, place);
    }

    fn occupy(&mut self, key: u64, place: Place) {
        let Some(held) = self.messages.get(&key) else { return };
        match place {
            Place::Visible => self.visible.insert((held.rank, key)),
            Place::Delayed { until } => self.delayed.insert((until, key)),
            Place::InFlight { until, .. } => {
                if let Some(group) = &held.message.group {
                    *self.busy_groups.entry(group.clone()).or_default() += 1;
                }
                self.in_flight.insert((until, key))
            }
        };
    }

    fn vacate(&mut self, key: u64) {
        let Some(held) = self.messages.get(&key) else { return };
        match held.place {
            Place::Visible => self.visible.remove(&(held.rank, key)),
            Place::Delayed { until } => self.delayed.remove(&(until, key)),
            Place::InFlight { until, .. } => {
                if let Some(group) = &held.message.group
                    && let Some(busy) = self.busy_groups.get_mut(group)
                {
                    *busy -= 1;
                    if *busy == 0 {
                        self.busy_groups.remove(group);
                    }
                }
                self.in_flight.remove(&(until, key))
            }
        };
    }

    fn remove(&mut self, key: u64) -> Option<Message> {
        self.vacate(key);
        let held = self.messages.remove(&key)?;
        self.expiry.remove(&(held.message.sent_at, key));
        self.ages.remove(&(held.aged_from, key));
        Some(held.message)
    }
}

const NOT_IN_FLIGHT: &str = "AWS.SimpleQueueService.MessageNotInflight";

#[cfg(test)]
mod tests;
