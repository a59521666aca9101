//! Whom an HTTPS destination trusts, and what it shows of itself. Read from files when the configuration is read.

#[cfg(test)]
pub mod fixture;

use std::fmt;
use std::time::Duration;

use rustls::pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, Error, KeyUsage};

use super::secret::Secret;
use crate::domain::time::Timestamp;

/// The `tls` section of a destination.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tls {
    /// The receiver's certificate must come from one of these; none means the system's authorities.
    pub authorities: Vec<CertificateDer<'static>>,
    /// What is shown to a receiver that asks.
    pub identity: Option<Identity>,
}

/// A client certificate with its key; they belong together.
#[derive(Clone, PartialEq)]
pub struct Identity {
    /// Our certificate, then those that it was signed by.
    pub chain: Vec<CertificateDer<'static>>,
    /// PEM, not encrypted.
    pub key: Secret,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Identity({} certificates)", self.chain.len())
    }
}

impl Tls {
    /// What can be read but will be refused by the other side at `now`: a certificate of ours that has expired, or
    /// authorities that all have. One line each; it may be right again once the clock is, so it is no fault.
    pub fn expired(&self, now: Timestamp) -> Vec<String> {
        let mut lines = Vec::new();
        let own = self.identity.as_ref().and_then(|identity| identity.chain.first());
        if let Some(at) = own.and_then(|certificate| expiry(certificate, now)) {
            lines.push(format!("tls.cert: the certificate expired at {at}"));
        }
        let ended: Vec<Timestamp> = self.authorities.iter().filter_map(|one| expiry(one, now)).collect();
        if let Some(last) = ended.iter().max()
            && ended.len() == self.authorities.len()
        {
            lines.push(format!("tls.ca: every certificate expired, the last at {last}"));
        }
        lines
    }
}

/// When a certificate that has expired by `now` did so. The verifier looks at that before it asks who signed it, so it can
/// be asked without knowing anybody.
fn expiry(certificate: &CertificateDer<'_>, now: Timestamp) -> Option<Timestamp> {
    let seconds = u64::try_from(now.as_secs()).ok()?;
    let now = UnixTime::since_unix_epoch(Duration::from_secs(seconds));
    let certificate = EndEntityCert::try_from(certificate).ok()?;
    match certificate.verify_for_usage(&[], &[], &[], now, KeyUsage::client_auth(), None, None) {
        Err(Error::CertExpired { not_after, .. }) => {
            Some(Timestamp::from_secs(i64::try_from(not_after.as_secs()).ok()?))
        }
        _ => None,
    }
}
