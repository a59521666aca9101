//! stub
use super::time::Timestamp;
/// stub
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counter {
    total: f64,
}
impl Counter {
    /// stub
    pub fn observe(&mut self, _minute: Timestamp, sum: f64) {
        self.total += sum;
    }
    /// stub
    pub fn add(&mut self, v: f64) {
        self.total += v;
    }
    /// stub
    pub fn total(&self) -> f64 {
        self.total
    }
}
