//! thin
use super::{Watch, trouble::Troubles};
use std::sync::Arc;
/// thin
#[derive(Debug)]
pub struct Metrics {
    watch: Watch,
    _troubles: Arc<Troubles>,
}
impl Metrics {
    /// thin
    pub fn new(watch: Watch, troubles: Arc<Troubles>) -> Self {
        Self { watch, _troubles: troubles }
    }
    /// thin
    pub async fn run(self, _changed: tokio::sync::watch::Receiver<()>) {
        self.watch.shutdown.cancelled().await
    }
}
