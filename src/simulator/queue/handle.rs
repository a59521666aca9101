//! Receipt handles: which message, and by which of its receives.

use crate::simulator::refusal::Refusal;

/// The handle of the receive `nonce` of message `key`.
pub fn receipt_handle(key: u64, nonce: u32) -> String {
    format!("sqswatch-{key:016x}-{nonce:08x}")
}

/// Reads a handle; anything else is refused.
pub fn parse_handle(handle: &str) -> Result<(u64, u32), Refusal> {
    let parts = handle.strip_prefix("sqswatch-").and_then(|rest| rest.split_once('-'));
    let parsed = parts.and_then(|(key, nonce)| {
        Some((u64::from_str_radix(key, 16).ok()?, u32::from_str_radix(nonce, 16).ok()?))
    });
    parsed.ok_or_else(|| {
        let message = format!("The input receipt handle \"{handle}\" is not a valid receipt handle.");
        Refusal::new("com.amazonaws.sqs#ReceiptHandleIsInvalid", "ReceiptHandleIsInvalid", message)
    })
}
