//! One API call, read off the wire: which service and operation, in which protocol, by whom.
//!
//! Signatures are not checked, but the credential scope is believed: its region chooses the queues, and an access key
//! tells the account (see `account_of`).

use std::io::Read;

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde_json::Value;

use super::cloud::Scope;
use super::refusal::Refusal;

/// Largest body after decompression.
pub const MAX_BODY: usize = 16 * 1024 * 1024;
const CLOUDWATCH_TARGET: &str = "GraniteServiceVersion20100801";

/// How a call is encoded, and so its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0: SQS, and CloudWatch from older clients.
    Json,
    /// smithy's rpc-v2-cbor: CloudWatch.
    Cbor,
    /// Form in, XML out: SNS and STS.
    Query,
}

/// One API call.
#[derive(Debug)]
pub struct Call {
    /// Encoding.
    pub protocol: Protocol,
    /// `sqs`, `cloudwatch`, `sns` or `sts`.
    pub service: &'static str,
    /// E.g. `SendMessage`.
    pub operation: String,
    /// Account and region.
    pub caller: Scope,
    /// Access key, if the call is signed.
    pub access_key: Option<String>,
    /// The body, decompressed.
    pub body: Bytes,
}

/// An answer before it is encoded.
#[derive(Debug)]
pub enum Answer {
    /// No content.
    Empty,
    /// For JSON and CBOR.
    Value(Value),
    /// JSON that is written already.
    Text(String),
    /// The inside of an XML result.
    Xml(String),
}

impl Call {
    /// Reads a request; `home` is where callers are who do not say.
    pub fn read(parts: &Parts, body: Bytes, home: &Scope) -> Result<Self, Refusal> {
        let body = decompress(&parts.headers, body)?;
        let (protocol, service, operation) = address(parts, &body)?;
        if operation.is_empty()
            || operation.len() > 64
            || !operation.bytes().all(|byte| byte.is_ascii_alphanumeric())
        {
            return Err(Refusal::unknown_operation(&operation));
        }
        let credential = header(&parts.headers, "authorization").and_then(credential_of);
        let access_key = credential.map(|(access_key, _)| access_key.to_owned());
        let account = access_key.as_deref().and_then(account_of).unwrap_or(&home.account).to_owned();
        let region = credential.map_or(home.region.as_str(), |(_, region)| region).to_owned();
        let caller = Scope { account, region };
        Ok(Call { protocol, service, operation, caller, access_key, body })
    }

    /// The queue that an SQS call is about.
    pub fn queue(&self) -> Option<String> {
        if self.service != "sqs" {
            return None;
        }
        let input: Value = serde_json::from_slice(&self.body).ok()?;
        let url = input.get("QueueUrl").or_else(|| input.get("QueueName"))?.as_str()?;
        url.rsplit('/').next().map(str::to_owned)
    }
}

fn address(parts: &Parts, body: &[u8]) -> Result<(Protocol, &'static str, String), Refusal> {
    if header(&parts.headers, "smithy-protocol") == Some("rpc-v2-cbor") {
        let mut path = parts.uri.path().trim_start_matches('/').split('/');
        return match (path.next(), path.next(), path.next(), path.next()) {
            (Some("service"), Some(CLOUDWATCH_TARGET), Some("operation"), Some(operation)) => {
                Ok((Protocol::Cbor, "cloudwatch", operation.to_owned()))
            }
            _ => Err(Refusal::unknown_operation(parts.uri.path())),
        };
    }
    if let Some(target) = header(&parts.headers, "x-amz-target") {
        return match target.split_once('.') {
            Some(("AmazonSQS", operation)) => Ok((Protocol::Json, "sqs", operation.to_owned())),
            Some((CLOUDWATCH_TARGET, operation)) => Ok((Protocol::Json, "cloudwatch", operation.to_owned())),
            _ => Err(Refusal::unknown_operation(target)),
        };
    }
    let field = |wanted: &str| {
        form_urlencoded::parse(body).find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    let operation = field("Action").unwrap_or_default();
    match field("Version").as_deref() {
        Some("2010-03-31") => Ok((Protocol::Query, "sns", operation)),
        Some("2011-06-15") => Ok((Protocol::Query, "sts", operation)),
        _ => Err(Refusal::unknown_operation(&operation)),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Access key and region of `AWS4-HMAC-SHA256 Credential=KEY/20260102/us-east-1/sqs/aws4_request, ...`.
fn credential_of(authorization: &str) -> Option<(&str, &str)> {
    let (_, rest) = authorization.split_once("Credential=")?;
    let mut fields = rest.split([',', ' ']).next()?.split('/');
    let (access_key, _date, region) = (fields.next()?, fields.next()?, fields.next()?);
    Some((access_key, region)).filter(|(_, region)| !region.is_empty() && region.len() <= 32)
}

/// The account that an access key tells: one made by AssumeRole here (`ASIA` and the account), or an account number
/// itself, which LocalStack and moto read in the same way.
fn account_of(access_key: &str) -> Option<&str> {
    let digits = access_key.strip_prefix("ASIA").and_then(|rest| rest.get(..12)).unwrap_or(access_key);
    (digits.len() == 12 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Clients compress PutMetricData beyond 10 KiB.
fn decompress(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Refusal> {
    if header(headers, "content-encoding") != Some("gzip") {
        return Ok(body);
    }
    let mut plain = Vec::new();
    let limit = MAX_BODY as u64 + 1;
    flate2::read::GzDecoder::new(&*body).take(limit).read_to_end(&mut plain).map_err(Refusal::unreadable)?;
    if plain.len() > MAX_BODY {
        return Err(Refusal::unreadable("it is larger than 16 MiB when decompressed"));
    }
    Ok(plain.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_credential_tells_region_and_account() {
        let authorization = "AWS4-HMAC-SHA256 Credential=ASIA210987654321ABCD/20260102/eu-west-1/sqs/aws4_request, \
                             SignedHeaders=host, Signature=0";
        let (access_key, region) = credential_of(authorization).unwrap();
        assert_eq!((account_of(access_key), region), (Some("210987654321"), "eu-west-1"));
        assert_eq!(account_of("AKIAIOSFODNN7EXAMPLE"), None);
        assert_eq!(account_of("ASIAé"), None);
        assert_eq!(credential_of("Bearer x"), None);
    }
}
