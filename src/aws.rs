//! AWS as the rest of the house sees it: calls that return our own types or a [`failure::Failure`].
//!
//! These are the only rooms that know the SDK (with the notifier's for SNS). Every request goes through a [`meter::Meter`],
//! which counts and prices it; the SDK's own retries are off, so that no request is made unseen.

pub mod clients;
pub mod cloudwatch;
pub mod failure;
pub mod meter;
mod parse;
pub mod sqs;

#[cfg(test)]
mod tests;
