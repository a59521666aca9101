//! What a `tls` section may hold, and what it is told when it does not.

use crate::config::secret::Secret;
use crate::config::tls::fixture::{Authority, Issued};
use crate::config::{self, Config, Faults};
use crate::domain::time::Timestamp;

/// A destination with these keys, each from a variable.
fn parse(keys: &[(&str, &str)]) -> Result<Config, Faults> {
    let section: Vec<String> = keys.iter().map(|(key, _)| format!("{key}: {{ env: {key} }}")).collect();
    let section = section.join(", ");
    let text =
        format!("destinations: {{ a: {{ alertmanager: {{ urls: 'https://x', tls: {{ {section} }} }} }} }}");
    let variable = |name: &str| keys.iter().find(|(key, _)| *key == name).map(|(_, pem)| (*pem).to_owned());
    config::parse(&text, "test.yaml", &variable)
}

fn fault(keys: &[(&str, &str)]) -> String {
    parse(keys).expect_err("there is a fault").to_string()
}

#[test]
fn what_belongs_together_is_taken_and_no_key_is_ever_shown() {
    let authority = Authority::create();
    let Issued { cert, key } = authority.issue(&["client"]);
    let chain = cert.clone() + &authority.pem();
    let keys = [("ca", &*authority.pem()), ("cert", &*chain), ("key", &*key)];
    let config = parse(&keys).unwrap();
    let tls = config.destinations["a"].tls().unwrap();
    let identity = tls.identity.as_ref().unwrap();
    assert_eq!((tls.authorities.len(), identity.chain.len()), (1, 2));
    assert_eq!(identity.key, Secret::new(key.as_str()));
    let shown = format!("{config:?}");
    assert!(!key.lines().any(|line| !line.starts_with("---") && shown.contains(line)), "{shown}");
}

#[test]
fn what_cannot_be_used_is_told_at_its_key() {
    let authority = Authority::create();
    let (one, other) = (authority.issue(&["one"]), authority.issue(&["other"]));
    let broken = one.cert.replace("MII", "!!!");
    let cases: [(&[(&str, &str)], &str); 7] = [
        (&[("ca", "no PEM")], "tls.ca: holds no certificate"),
        (&[("ca", &one.key)], "tls.ca: holds no certificate"),
        (&[("ca", &broken)], "tls.ca: holds a broken certificate"),
        (&[("cert", &one.cert), ("key", &other.key)], "tls.key: is not the key of the first certificate"),
        (&[("cert", &one.cert), ("key", &one.cert)], "tls.key: holds no private key"),
        (&[("cert", &one.cert)], "tls.cert: stands without `key`"),
        (&[("key", &one.key)], "tls.key: stands without `cert`"),
    ];
    for (keys, expected) in cases {
        let fault = fault(keys);
        assert!(
            fault.starts_with("test.yaml:1: destinations.a.alertmanager.") && fault.contains(expected),
            "{fault}"
        );
        assert!(!fault.contains(one.key.lines().nth(1).unwrap()), "{fault}");
    }
}

#[test]
fn what_has_expired_is_a_warning() {
    let authority = Authority::create();
    let Issued { cert, key } = authority.issue_expired();
    let config = parse(&[("ca", &authority.pem()), ("cert", &cert), ("key", &key)]).unwrap();
    let tls = config.destinations["a"].tls().unwrap();
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    assert_eq!(tls.expired(at("2019-06-01T00:00:00Z")), Vec::<String>::new());
    let expected = ["tls.cert: the certificate expired at 2020-01-01T00:00:00Z"];
    assert_eq!(tls.expired(at("2026-01-01T00:00:00Z")), expected);
    let both = [expected[0], "tls.ca: every certificate expired, the last at 4096-01-01T00:00:00Z"];
    assert_eq!(tls.expired(at("5000-01-01T00:00:00Z")), both);
}
