//! What a status means, and TLS with a private authority and a client certificate against a real server.

use reqwest::StatusCode;

use super::*;

#[test]
fn the_status_alone_decides() {
    let cases = [
        (200, "ok"),
        (299, "ok"),
        (301, "retry redirect"),
        (308, "retry redirect"),
        (400, "refused refused"),
        (401, "retry denied"),
        (403, "retry denied"),
        (404, "retry not_found"),
        (408, "retry timeout"),
        (410, "refused gone"),
        (413, "refused refused"),
        (422, "refused refused"),
        (425, "retry throttled"),
        (429, "retry throttled"),
        (500, "retry server_error"),
        (503, "retry server_error"),
        (599, "retry server_error"),
    ];
    for (status, expected) in cases {
        let text = match meaning(StatusCode::from_u16(status).unwrap(), None) {
            Outcome::Acknowledged => "ok".to_owned(),
            Outcome::Retry { reason, .. } => format!("retry {}", reason.as_str()),
            Outcome::Refused { reason } => format!("refused {}", reason.as_str()),
        };
        assert_eq!(text, expected, "{status}");
    }
}

mod tls {
    use std::collections::BTreeMap;

    use super::*;
    use crate::config::tls::fixture::{Authority, Issued};
    use crate::config::{self, Config, Destination};
    use crate::domain::outbox::Outcome;
    use crate::notify::fixture::server::Server;

    /// What the configuration makes of a `tls` section, through the files that it names.
    fn read(parts: &[(&str, &str)]) -> Tls {
        let folder = tempfile::tempdir().unwrap();
        let mut section = Vec::new();
        for (key, pem) in parts {
            let path = folder.path().join(key);
            std::fs::write(&path, pem).unwrap();
            section.push(format!("{key}: {{ file: {} }}", path.display()));
        }
        let text = format!(
            "destinations: {{ a: {{ webhook: {{ url: 'https://x', tls: {{ {} }} }} }} }}",
            section.join(", ")
        );
        let Config { destinations, .. } = config::parse(&text, "test.yaml", &|_| None).unwrap();
        let Destination::Webhook(webhook) = &destinations["a"] else { unreachable!() };
        webhook.tls.clone().unwrap()
    }

    async fn answer(client: &Client, server: &Server) -> Answer {
        attempt(client.post(&server.url).body("{}"), Duration::from_secs(20)).await
    }

    fn reason(answer: &Answer) -> Option<Reason> {
        match answer.outcome {
            Outcome::Retry { reason, .. } => Some(reason),
            _ => None,
        }
    }

    #[tokio::test]
    async fn a_private_authority_is_trusted_and_takes_the_place_of_the_system_s() {
        let (ours, other) = (Authority::create(), Authority::create());
        let server = Server::start(&ours.issue(&["localhost"]), None);
        let trusting = client_with(&read(&[("ca", &ours.pem())])).unwrap();
        assert_eq!(answer(&trusting, &server).await.outcome, Outcome::Acknowledged);
        let both = ours.pem() + &other.pem();
        let bundle = client_with(&read(&[("ca", &both)])).unwrap();
        assert_eq!(answer(&bundle, &server).await.outcome, Outcome::Acknowledged);
        for stranger in [http_client().unwrap(), client_with(&read(&[("ca", &other.pem())])).unwrap()] {
            let refused = answer(&stranger, &server).await;
            assert_eq!(reason(&refused), Some(Reason::Connection));
            assert!(refused.detail.contains("certificate"), "{}", refused.detail);
        }
        let elsewhere = Server::start(&ours.issue(&["example.com"]), None);
        assert_eq!(reason(&answer(&trusting, &elsewhere).await), Some(Reason::Connection));
        assert_eq!(server.served(), 2);
    }

    #[tokio::test]
    async fn a_receiver_that_asks_for_a_certificate_gets_ours() {
        let (authority, other) = (Authority::create(), Authority::create());
        let server = Server::start(&authority.issue(&["localhost"]), Some(&authority.pem()));
        let ca = authority.pem();
        let with = |issued: &Issued| {
            client_with(&read(&[("ca", &ca), ("cert", &issued.cert), ("key", &issued.key)])).unwrap()
        };
        let known = with(&authority.issue(&["client"]));
        assert_eq!(answer(&known, &server).await.outcome, Outcome::Acknowledged);
        let nobody = client_with(&read(&[("ca", &ca)])).unwrap();
        for stranger in [nobody, with(&other.issue(&["client"])), with(&authority.issue_expired())] {
            assert_eq!(reason(&answer(&stranger, &server).await), Some(Reason::Connection));
        }
        assert_eq!(server.served(), 1);
    }

    #[test]
    fn headers_that_are_none_are_found() {
        let bad: BTreeMap<String, Secret> = [("X".to_owned(), Secret::new("a\nb"))].into();
        assert!(headers(&bad).is_none());
    }
}
