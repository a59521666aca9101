//! Signatures by the Standard Webhooks specification 1.0.0: HMAC-SHA256 over `id.timestamp.body`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::secret::Secret;

/// The `webhook-signature` header: one `v1,<base64>` a key, so that a receiver can change keys without a gap.
pub fn sign(secrets: &[Secret], id: &str, unix_seconds: i64, body: &str) -> String {
    let signatures = secrets.iter().map(|secret| format!("v1,{}", one(secret, id, unix_seconds, body)));
    signatures.collect::<Vec<_>>().join(" ")
}

fn one(secret: &Secret, id: &str, unix_seconds: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).expect("HMAC takes a key of any length");
    mac.update(format!("{id}.{unix_seconds}.{body}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The key's bytes: what `whsec_` is followed by is base64; any other secret is used as it stands.
fn key(secret: &Secret) -> Vec<u8> {
    let text = secret.expose();
    let encoded = text.strip_prefix("whsec_").map(|encoded| STANDARD.decode(encoded));
    match encoded {
        Some(Ok(bytes)) => bytes,
        Some(Err(_)) | None => text.as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = r#"{"email":"test@example.com","username":"test_user"}"#;
    const ID: &str = "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk";

    #[test]
    fn the_specification_s_vector_holds() {
        let secret = Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD");
        assert_eq!(
            sign(&[secret], ID, 1_649_367_553, BODY),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }

    #[test]
    fn every_key_signs_and_a_plain_secret_is_taken_as_it_is() {
        let keys = [Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), Secret::new("plain words")];
        let signature = sign(&keys, ID, 1_649_367_553, BODY);
        let (first, second) = signature.split_once(' ').unwrap();
        assert_eq!(first, "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
        assert_eq!(second, sign(&keys[1..], ID, 1_649_367_553, BODY));
        assert_ne!(first, second);
    }
}
