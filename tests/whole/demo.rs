//! `sqswatch demo` keeps its word: an address to open, pages that arrive, an end by ctrl-c.

use reqwest::StatusCode;

use crate::daemon::{ANYBODY, command};
use crate::eventually::eventually;
use crate::peer::http;
use crate::process::Process;

#[tokio::test]
async fn the_demo_prints_its_address_shows_a_page_and_pages_somebody() {
    let mut command = command(ANYBODY);
    command.args(["demo", "--listen", "127.0.0.1:0", "--speed", "3"]);
    let mut demo = Process::start("sqswatch demo", &mut command, "cargo builds it with the tests");
    let address = eventually("the address is printed", async || {
        demo.check_alive()?;
        let address = demo.output().into_iter().find_map(|line| {
            line.trim().strip_prefix("http://").map(|rest| rest.trim_end_matches('/').to_owned())
        });
        address.ok_or_else(|| "not yet".to_owned())
    })
    .await;
    eventually("the page shows queues", async || {
        let answer =
            http().get(format!("http://{address}/")).send().await.map_err(|error| error.to_string())?;
        let (status, page) = (answer.status(), answer.text().await.map_err(|error| error.to_string())?);
        if status == StatusCode::OK && page.contains("orders-dlq") {
            Ok(())
        } else {
            Err(format!("{status}: {page}"))
        }
    })
    .await;
    eventually("somebody is paged", async || {
        demo.check_alive()?;
        let output = demo.output();
        if output.iter().any(|line| line.contains("ALARM")) { Ok(()) } else { Err(output.join("\n")) }
    })
    .await;
    demo.signal("INT");
    assert_eq!(demo.ended().await.code(), Some(0));
}
