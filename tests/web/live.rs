//! Pages that stay open: what they are told, and that many of them cost one.

use std::time::Duration;

use sqswatch::board::Board;
use sqswatch::clock;
use sqswatch::domain::time::MINUTE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::client::Server;
use super::{shop, world};

const PATIENCE: Duration = Duration::from_secs(30);

/// One open page.
struct Open {
    stream: TcpStream,
    read: String,
}

impl Open {
    async fn at(server: &Server, query: &str) -> Self {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let request = format!("GET /live?{query} HTTP/1.1\r\nhost: sqswatch\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        Self { stream, read: String::new() }
    }

    /// Reads until `words` came; all that was read up to then is given and forgotten.
    async fn until(&mut self, words: &str) -> String {
        let mut bytes = [0; 8192];
        let read = async {
            while !self.read.contains(words) {
                let count = self.stream.read(&mut bytes).await.unwrap();
                assert!(count > 0, "closed before `{words}`: {}", self.read);
                self.read.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        };
        timeout(PATIENCE, read).await.unwrap_or_else(|_| panic!("no `{words}` came"));
        std::mem::take(&mut self.read)
    }
}

fn version_of(html: &str) -> String {
    let (_, rest) = html.split_once("data-version=\"").unwrap();
    rest.split_once('"').unwrap().0.to_owned()
}

/// A page that was opened and is kept live from then on, with what it was told first; within one minute, as the lines of the
/// table move on with each.
async fn greeted(server: &Server) -> (Open, String) {
    loop {
        let minute = clock::now().floor(MINUTE);
        let version = version_of(&server.get("/").await.text());
        let mut open = Open::at(server, &format!("view=%2F&version={version}")).await;
        let greeting = open.until("event: beat").await;
        if clock::now().floor(MINUTE) == minute {
            return (open, greeting);
        }
    }
}

#[tokio::test]
async fn a_page_is_told_what_changed_and_only_that() {
    let (web, _reloads) = world::web(shop::shop(clock::now()));
    let board = web.board.clone();
    let server = Server::start(web).await;
    let (mut open, greeting) = greeted(&server).await;
    assert!(greeting.contains("text/event-stream") && greeting.contains("event: build"), "{greeting}");
    assert!(!greeting.contains("event: change"), "it shows all of that already: {greeting}");

    let queue = board.queues().keys().find(|id| &*id.name == "audit-events").cloned().unwrap();
    board.read_attributes(&queue, clock::now(), world::depth(4321, 0, 0), None);
    let told = open.until("4,321").await;
    assert!(told.contains("\"lists\":{\"queues\":") && told.matches("<tr").count() == 1, "{told}");
}

#[tokio::test]
async fn a_page_that_shows_something_else_is_told_everything() {
    let server = Server::start(world::web(shop::shop(clock::now())).0).await;
    for version in ["", "&version=1", "&version=nonsense"] {
        let told = Open::at(&server, &format!("view=%2F{version}")).await.until("\"title\"").await;
        assert!(told.contains("\"queues\":"), "{told}");
    }
}

#[tokio::test]
async fn what_is_no_page_is_refused_and_the_end_closes_pages() {
    let server = Server::start(world::web(Board::default()).0).await;
    for view in ["", "view=", "view=nothing", "view=%2Flive", "view=%2Fqueues", "view=http%3A%2F%2Fx%2Fy"] {
        let status = server.get(&format!("/live?{view}")).await.status;
        assert!(status == 404 || status == 400, "{view}: {status}");
    }
    let mut open = Open::at(&server, "view=%2Fsystem").await;
    open.until("event: build").await;
    server.shutdown.cancel();
    let mut rest = Vec::new();
    timeout(PATIENCE, open.stream.read_to_end(&mut rest)).await.unwrap().unwrap();
}
