//! `tls`: a private authority, and the certificate that a receiver asks for. What is read here can be used.

use rustls::RootCertStore;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};

use super::super::secrets;
use crate::config::keys::Known;
use crate::config::reader::{Cursor, Section};
use crate::config::tls::{Identity, Tls};

/// Reads `tls` of a destination.
pub fn read(destination: &Section<'_>, known: &Known) -> Option<Tls> {
    let cursor = destination.get("tls")?;
    let section = cursor.section(known);
    let authorities = section.get("ca").and_then(|cursor| authorities(&cursor)).unwrap_or_default();
    let identity = match (section.get("cert"), section.get("key")) {
        (Some(cert), Some(key)) => identity(&cert, &key),
        (Some(alone), None) => {
            alone.refuse_with("stands without `key`", "the receiver asks for proof that it is yours");
            None
        }
        (None, Some(alone)) => {
            alone.refuse("stands without `cert`");
            None
        }
        (None, None) => None,
    };
    Some(Tls { authorities, identity })
}

/// Those whom the receiver's certificate may come from.
fn authorities(cursor: &Cursor<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let certificates = certificates(cursor)?;
    let mut store = RootCertStore::empty();
    for (position, certificate) in certificates.iter().enumerate() {
        if let Err(error) = store.add(certificate.clone()) {
            cursor.refuse(format!("certificate {} of it cannot be used: {error}", position + 1));
            return None;
        }
    }
    Some(certificates)
}

fn identity(cert: &Cursor<'_>, key: &Cursor<'_>) -> Option<Identity> {
    let chain = certificates(cert);
    let secret = secrets::pem(key);
    let parsed = secret.as_ref().and_then(|secret| private_key(key, secret.expose()));
    let (chain, key_der) = (chain?, parsed?);
    match CertifiedKey::from_der(chain.clone(), key_der, &ring::default_provider()) {
        Ok(_) => Some(Identity { chain, key: secret? }),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let hint = "the certificate of the key comes first in `cert`, then those that it was signed by";
            key.refuse_with("is not the key of the first certificate in `cert`", hint);
            None
        }
        Err(Error::InvalidCertificate(error)) => {
            cert.refuse(format!("its first certificate cannot be used: {error}"));
            None
        }
        Err(_) => {
            key.refuse_with("is a key that cannot be used", "RSA from 2048 bits, P-256, P-384 or Ed25519");
            None
        }
    }
}

fn certificates(cursor: &Cursor<'_>) -> Option<Vec<CertificateDer<'static>>> {
    let text = secrets::pem(cursor)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text.expose().as_bytes()).collect();
    let hint = "PEM is wanted: `-----BEGIN CERTIFICATE-----` and so on";
    match read {
        Ok(certificates) if !certificates.is_empty() => return Some(certificates),
        Ok(_) => cursor.refuse_with("holds no certificate", hint),
        Err(_) => cursor.refuse_with("holds a broken certificate", hint),
    }
    None
}

/// The error of the parser is not shown: it may quote a piece of the key.
fn private_key(cursor: &Cursor<'_>, text: &str) -> Option<PrivateKeyDer<'static>> {
    let key = PrivateKeyDer::from_pem_slice(text.as_bytes()).ok();
    if key.is_none() {
        let hint = match text.contains("ENCRYPTED") {
            true => "an encrypted key cannot be read: `openssl pkey` decrypts it",
            false => "PEM is wanted: `-----BEGIN PRIVATE KEY-----` and so on",
        };
        cursor.refuse_with("holds no private key", hint);
    }
    key
}

#[cfg(test)]
mod tests;
