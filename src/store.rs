//! stub
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::domain::alarm::AlarmKey;
use crate::domain::notification::Event;
use crate::domain::time::Timestamp;

/// stub
#[derive(Clone)]
pub struct Store(Arc<AtomicBool>);
/// stub
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// stub
    #[error("interrupted")]
    Interrupted,
}
/// stub
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owed {
    /// stub
    pub pending: u64,
    /// stub
    pub oldest: Option<Timestamp>,
    /// stub
    pub parked: u64,
}
/// stub
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// stub
    pub id: String,
    /// stub
    pub event: Event,
    /// stub
    pub alarm: AlarmKey,
    /// stub
    pub destination: String,
    /// stub
    pub at: Timestamp,
    /// stub
    pub attempts: u32,
    /// stub
    pub reason: Option<String>,
}
impl Store {
    /// stub
    pub fn memory() -> Self {
        Self(Arc::new(AtomicBool::new(true)))
    }
    /// stub
    pub fn is_writable(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
    /// stub
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || work(&store)).await.unwrap_or(Err(StoreError::Interrupted))
    }
    /// stub
    pub fn outbox_summary(&self) -> Result<BTreeMap<Arc<str>, Owed>, StoreError> {
        Ok(BTreeMap::new())
    }
    /// stub
    pub fn history(&self, _limit: usize) -> Result<Vec<Receipt>, StoreError> {
        Ok(Vec::new())
    }
}
