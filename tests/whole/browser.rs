//! What somebody sees who looks: a real browser goes through the pages. Each scenario is a script of `tests/browser/` that has a
//! simulator of its own and starts the real program on it; scripts change the world, wait for the page to show it, and fail for
//! anything that must never be on a page (see `viewer.mjs`).

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sqswatch::simulator::{Options, Simulator, World};
use tokio::sync::Semaphore;

use crate::peer::peers;

/// Browsers at once: each one is busy with a core.
static TURNS: Semaphore = Semaphore::const_new(2);

/// Runs one script to its end.
async fn scenario(name: &'static str, world: World) {
    let _turn = TURNS.acquire().await.expect("it is never closed");
    let driver = peers().join("browser/node_modules/playwright-core");
    assert!(
        driver.exists(),
        "the browser's driver is missing\n  hint: run `scripts/peers.sh install browser`"
    );
    let simulator = Simulator::start(Options { world, ..Options::default() }).await.unwrap();
    let endpoint = simulator.endpoint_url();
    let run = move || command(name, &endpoint).output();
    let output = tokio::task::spawn_blocking(run).await.unwrap();
    let output = output
        .unwrap_or_else(|error| panic!("node: {error}\n  hint: run `scripts/peers.sh install browser`"));
    let said =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{name}: {}\n{said}", output.status);
    print!("{said}");
}

fn command(name: &str, endpoint: &str) -> Command {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("node");
    command
        .arg(root.join("tests/browser/run.mjs"))
        .arg(name)
        .env("SQSWATCH", env!("CARGO_BIN_EXE_sqswatch"))
        .env("SIMULATOR", endpoint)
        .env("PEERS", std::path::absolute(peers()).expect("there is a current folder"))
        .env("SCREENSHOTS", screenshots())
        .stdin(Stdio::null());
    command
}

/// Beside what cargo builds: they are looked at, and never part of a commit by themselves.
fn screenshots() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../screenshots");
    std::fs::create_dir_all(&folder).expect("the target folder is ours");
    folder.canonicalize().expect("it was just made")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_fills_live_and_nothing_jumps() {
    scenario("live", World::Empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_queues_are_sorted_filtered_searched_and_turned_over() {
    scenario("table", World::Synthetic { queues: 1000 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_queues_answer_to_typing() {
    scenario("large", World::Synthetic { queues: 10_000 }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_connection_is_said_and_regained_and_an_upgrade_reloads() {
    scenario("connection", World::Empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_fires_live_and_is_silenced_from_its_page() {
    scenario("alarms", World::Empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_is_reached_by_the_keyboard() {
    scenario("keyboard", World::Empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_script_pages_are_useful() {
    scenario("noscript", World::Empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_names_are_text() {
    scenario("hostile", World::Empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_suits_everybody_in_any_light_and_width() {
    scenario("pages", World::Empty).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plots_of_a_queue_are_read_and_looked_at_closer() {
    scenario("queue", World::Empty).await;
}
