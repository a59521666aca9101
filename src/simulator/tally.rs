//! What happened to a queue since its last datapoints: the raw material of the `AWS/SQS` sums.

use super::metrics::Statistics;

/// Events since CloudWatch was last told.
#[derive(Debug, Default)]
pub struct Tally {
    /// Messages sent; a move to a dead-letter queue is no send.
    pub sent: u64,
    /// Messages received.
    pub received: u64,
    /// Messages deleted.
    pub deleted: u64,
    /// Receives that gave nothing.
    pub empty_receives: u64,
    /// FIFO: sends that were duplicates.
    pub deduplicated: u64,
    /// Sizes of the messages sent.
    pub sizes: Option<Statistics>,
}

impl Tally {
    /// Counts a message of `size` bytes.
    pub fn sent(&mut self, size: usize) {
        self.sent += 1;
        self.sizes.get_or_insert_with(Statistics::default).add(size as f64, 1.0);
    }

    /// Counts a ReceiveMessage that gave `messages`.
    pub fn received(&mut self, messages: usize) {
        self.received += messages as u64;
        self.empty_receives += u64::from(messages == 0);
    }

    /// Hands out what was counted and starts again from zero.
    pub fn take(&mut self) -> Tally {
        std::mem::take(self)
    }
}
