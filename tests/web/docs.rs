//! Every example of an answer in docs/http.md is what a server really says. `SQSWATCH_BLESS=1` writes them anew.

use serde_json::Value;
use sqswatch::board::Board;

use super::client::Server;
use super::{shop, world};

const GUIDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/http.md");

#[tokio::test]
async fn the_examples_in_the_guide_are_real() {
    let guide = std::fs::read_to_string(GUIDE).unwrap();
    let (seeing, blind) = (world::web(shop::shop(world::NOW)).0, world::web(Board::default()).0);
    let (seeing, blind) = (Server::start(seeing).await, Server::start(blind).await);
    let mut pieces = guide.split("<!-- GET ");
    let mut real = pieces.next().unwrap().to_owned();
    let mut examples = 0;
    for piece in pieces {
        let (path, rest) = piece.split_once(" -->\n```json\n").unwrap();
        let (_, rest) = rest.split_once("\n```").unwrap();
        let server = if path == "/readyz" { &blind } else { &seeing };
        let answer: Value = server.get(path).await.json();
        let json = serde_json::to_string_pretty(&answer).unwrap();
        real.push_str(&format!("<!-- GET {path} -->\n```json\n{json}\n```{rest}"));
        examples += 1;
    }
    assert!(examples >= 4);
    if std::env::var_os("SQSWATCH_BLESS").is_some() {
        return std::fs::write(GUIDE, &real).unwrap();
    }
    for (found, expected) in guide.lines().zip(real.lines()) {
        assert_eq!(found, expected, "run with SQSWATCH_BLESS=1 to write the examples anew");
    }
    assert_eq!(guide.len(), real.len());
}
