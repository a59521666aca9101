//! scratch
#[path = "../tests/web/world.rs"]
mod world;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
#[tokio::main]
async fn main() {
    let port = std::env::args().nth(1).unwrap();
    let board = match std::env::args().nth(2).as_deref() {
        Some("empty") => sqswatch::board::Board::default(),
        Some("large") => world::large(10_000),
        _ => world::small(),
    };
    let (web, _r) = world::web(board);
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await.unwrap();
    let t = CancellationToken::new();
    let c = t.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(600)).await;
        c.cancel()
    });
    sqswatch::web::serve(listener, web, t).await;
}
