//! stub
use super::time::Timestamp;
/// stub
#[derive(Clone, Debug, Default)]
pub struct Growth {
    _l: u64,
}
impl Growth {
    /// stub
    pub fn observe(&mut self, _total: u64) -> u64 {
        0
    }
}
/// stub
#[derive(Clone, Debug, Default)]
pub struct Net {
    _l: u64,
}
impl Net {
    /// stub
    pub fn observe(&mut self, _at: Timestamp, _total: u64) -> Option<f64> {
        None
    }
}
/// stub
pub fn in_flight_ratio(n: u64) -> f64 {
    n as f64 / 120_000.0
}
/// stub
pub fn oldest_message_retention_ratio(age: f64, retention: u64) -> Option<f64> {
    Some(age / retention as f64)
}
/// stub
pub fn consumers_stalled(waiting: f64, deleted: f64) -> f64 {
    f64::from(u8::from(waiting > 0.0 && deleted == 0.0))
}
