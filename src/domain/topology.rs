//! stub
use super::queue::{QueueId, Role};
use std::collections::BTreeMap;
/// stub
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Place {
    /// stub
    pub role: Role,
    /// stub
    pub sources: Vec<QueueId>,
}
/// stub
pub fn places(_p: impl Iterator<Item = (QueueId, Option<QueueId>)>) -> BTreeMap<QueueId, Place> {
    BTreeMap::new()
}
