//! A disk that is full or read-only stops no page, is said aloud, and heals; a state file that is not ours is left alone.
//!
//! Where file systems may be mounted, a real one fills up and is read-only. Everywhere, the limit on the size of files
//! (which any process may lower and raise again) and permissions stand in: those tests run always.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use reqwest::StatusCode;
use sqswatch::simulator::Simulator;

use crate::daemon::{ANYBODY, Daemon, Home, run};
use crate::eventually::eventually;
use crate::receiver::{Act, Receiver};
use crate::shop::{self, DEAD_LETTERS};

/// Starts a program so that a file that may not grow is an error and not a signal.
const PATIENT: [&str; 4] = ["sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"];

/// A disk that can be made to be full.
enum Disk {
    /// Any file is as long as it may be.
    Limit,
    /// A small file system.
    Small(Mount),
}

impl Disk {
    /// Leaves no room for a write.
    fn fill(&self, daemon: &Daemon) {
        match self {
            Self::Limit => limit(daemon, "4096:"),
            Self::Small(mount) => {
                let mut ballast = fs::File::create(mount.0.join("ballast")).unwrap();
                while ballast.write_all(&[1; 1024]).is_ok() {}
            }
        }
    }

    /// Makes room again.
    fn free(&self, daemon: &Daemon) {
        match self {
            Self::Limit => limit(daemon, "unlimited:"),
            Self::Small(mount) => fs::remove_file(mount.0.join("ballast")).unwrap(),
        }
    }
}

fn limit(daemon: &Daemon, soft: &str) {
    let pid = daemon.pid().to_string();
    let done = command("prlimit", &["--pid", &pid, &format!("--fsize={soft}")]);
    assert!(done.status.success(), "{done:?}; prlimit is in util-linux");
}

fn command(program: &str, arguments: &[&str]) -> Output {
    Command::new(program).args(arguments).output().unwrap_or_else(|error| panic!("{program}: {error}"))
}

/// A file system in memory; it goes when this is dropped.
struct Mount(PathBuf);

impl Mount {
    /// Mounts one at `path`, if that is permitted here.
    fn try_at(path: &Path) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let place = path.to_str().unwrap();
        let done = command("mount", &["-t", "tmpfs", "-o", "size=4m,mode=0755", "tmpfs", place]);
        if !done.status.success() {
            println!("no file system can be mounted here, so that the stand-in is all there is: {done:?}");
            return None;
        }
        Some(Self(path.to_owned()))
    }

    fn remount(&self, how: &str) {
        let done = command("mount", &["-o", &format!("remount,{how}"), self.0.to_str().unwrap()]);
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = command("umount", &["--lazy", self.0.to_str().unwrap()]);
    }
}

/// A home whose state is in the folder `state`, with all that it takes to page `receiver`.
fn home(simulator: &Simulator, receiver: &Receiver) -> Home {
    let config = shop::config(simulator, &shop::paging(DEAD_LETTERS, receiver));
    let home = Home::new(&config.replace("{F}/state.redb", "{F}/state/state.redb"));
    fs::create_dir(home.folder().join("state")).unwrap();
    home
}

async fn until_in_memory(daemon: &Daemon) -> String {
    let body = daemon.until_status("/readyz", StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(body.contains("the state file cannot be written"), "{body}");
    until_metric(daemon, 1.0).await;
    body
}

async fn until_sound(daemon: &Daemon) {
    daemon.until_status("/readyz", StatusCode::OK).await;
    until_metric(daemon, 0.0).await;
}

async fn until_metric(daemon: &Daemon, in_memory: f64) {
    eventually("the metric says so too", async || {
        daemon.metrics().await?.expect("sqswatch_store_in_memory", &[], in_memory)
    })
    .await;
}

/// Pages before, while and after the disk is full; a kill after that finds all of it on record.
async fn a_full_disk(disk: Disk, home: Home, simulator: Simulator, receiver: Receiver) {
    let control = simulator.control();
    let daemon = Daemon::start_under(&PATIENT, home, ANYBODY).await;
    control.send("before-dlq", "m");
    shop::until_told(&receiver, &[("firing", "before-dlq")]).await;
    daemon.until_status("/readyz", StatusCode::OK).await;

    disk.fill(&daemon);
    control.send("during-dlq", "m");
    shop::until_told(&receiver, &[("firing", "before-dlq"), ("firing", "during-dlq")]).await;
    until_in_memory(&daemon).await;
    receiver.follow(vec![Act::Reset]);
    control.send("owed-dlq", "m");
    eventually("what is owed is said to be at risk", async || {
        let body = until_in_memory(&daemon).await;
        let said = body.contains("would lose 1 notifications") && body.contains("tell 1 again");
        if said { Ok(()) } else { Err(body) }
    })
    .await;
    let at_risk = async |count| {
        eventually("the metric follows", async || {
            let what = [("what", "undelivered")];
            daemon.metrics().await?.expect("sqswatch_store_at_risk", &what, count)
        })
        .await;
    };
    at_risk(1.0).await;
    assert!(!daemon.logged(&[("level", "ERROR")]).is_empty());

    disk.free(&daemon);
    until_sound(&daemon).await;
    at_risk(0.0).await;
    let home = daemon.kill().await;
    receiver.follow(vec![shop::taken()]);
    let daemon = Daemon::start_under(&PATIENT, home, ANYBODY).await;
    shop::until_owed(&daemon, 0).await;
    control.purge("during-dlq");
    let told = [("firing", "before-dlq"), ("firing", "during-dlq"), ("firing", "owed-dlq")];
    shop::until_told(&receiver, &[&told[..], &[("resolved", "during-dlq")]].concat()).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_full_disk_stops_no_page_and_loses_nothing_once_there_is_room() {
    let simulator = shop::open(&["before", "during", "owed"]).await;
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let home = home(&simulator, &receiver);
    a_full_disk(Disk::Limit, home, simulator, receiver).await;
}

#[tokio::test]
async fn so_does_a_small_file_system_that_is_full() {
    let simulator = shop::open(&["before", "during", "owed"]).await;
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let home = home(&simulator, &receiver);
    let disk = Mount::try_at(&home.folder().join("state")).map_or(Disk::Limit, Disk::Small);
    a_full_disk(disk, home, simulator, receiver).await;
}

/// A folder that may not be written.
enum Folder {
    /// By its permissions.
    Forbidden(PathBuf),
    /// By its file system.
    ReadOnly(Mount),
}

impl Folder {
    fn lock(&self) {
        match self {
            Self::Forbidden(path) => permit(path, 0o555, 0o444),
            Self::ReadOnly(mount) => mount.remount("ro"),
        }
    }

    fn unlock(&self) {
        match self {
            Self::Forbidden(path) => permit(path, 0o755, 0o644),
            Self::ReadOnly(mount) => mount.remount("rw"),
        }
    }
}

fn permit(folder: &Path, folders: u32, files: u32) {
    for entry in fs::read_dir(folder).unwrap() {
        fs::set_permissions(entry.unwrap().path(), fs::Permissions::from_mode(files)).unwrap();
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(folders)).unwrap();
}

/// Whoever runs this, permissions hold for the daemon: root gives up what lets it pass them by.
fn obedient() -> Vec<&'static str> {
    let is_root = command("id", &["-u"]).stdout.starts_with(b"0\n");
    if is_root { vec!["setpriv", "--bounding-set=-dac_override,-dac_read_search"] } else { Vec::new() }
}

/// A start where nothing can be written: with no file, and with one that owes something.
async fn a_read_only_folder(folder: Folder, home: Home, simulator: Simulator, receiver: Receiver) {
    let control = simulator.control();
    folder.lock();
    let daemon = Daemon::start_under(&obedient(), home, ANYBODY).await;
    control.send("first-dlq", "m");
    shop::until_told(&receiver, &[("firing", "first-dlq")]).await;
    until_in_memory(&daemon).await;
    folder.unlock();
    until_sound(&daemon).await;
    receiver.follow(vec![Act::Reset]);
    control.send("second-dlq", "m");
    shop::until_owed(&daemon, 1).await;
    let home = daemon.kill().await;

    folder.lock();
    let daemon = Daemon::start_under(&obedient(), home, ANYBODY).await;
    until_in_memory(&daemon).await;
    shop::until_owed(&daemon, 1).await;
    receiver.follow(vec![shop::taken()]);
    shop::until_told(&receiver, &[("firing", "first-dlq"), ("firing", "second-dlq")]).await;
    folder.unlock();
    until_sound(&daemon).await;
    let home = daemon.kill().await;
    let daemon = Daemon::start_under(&obedient(), home, ANYBODY).await;
    shop::until_owed(&daemon, 0).await;
    control.purge("first-dlq");
    let told = [("firing", "first-dlq"), ("firing", "second-dlq"), ("resolved", "first-dlq")];
    shop::until_told(&receiver, &told).await;
    daemon.stop().await;
}

#[tokio::test]
async fn a_start_in_a_folder_that_may_not_be_written_pages_all_the_same() {
    let simulator = shop::open(&["first", "second"]).await;
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let home = home(&simulator, &receiver);
    let folder = Folder::Forbidden(home.folder().join("state"));
    a_read_only_folder(folder, home, simulator, receiver).await;
}

#[tokio::test]
async fn so_does_a_start_on_a_read_only_file_system() {
    let simulator = shop::open(&["first", "second"]).await;
    let receiver = Receiver::start(vec![shop::taken()]).await;
    let home = home(&simulator, &receiver);
    let place = home.folder().join("state");
    let folder = Mount::try_at(&place).map_or(Folder::Forbidden(place), Folder::ReadOnly);
    a_read_only_folder(folder, home, simulator, receiver).await;
}

#[tokio::test]
async fn a_state_file_that_is_not_ours_is_refused_and_left_alone() {
    let simulator = shop::open(&["orders"]).await;
    let config = shop::config(&simulator, "");
    let daemon = Daemon::start(&config, ANYBODY).await;
    let file = daemon.home.folder().join("state.redb");
    let refused = |home: &Home, what: &str| {
        let path = home.config();
        let output = run(&["run", "--config", path.to_str().unwrap()], &path);
        let said =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        assert!(said.contains(what) && said.contains("hint: "), "{said}");
    };
    refused(&daemon.home, "in use by another process");
    let home = daemon.stop().await;
    let whole = fs::read(&file).unwrap();
    let torn = whole[..whole.len() / 2].to_vec();
    let foreign = b"shopping: milk\n".repeat(300);
    for content in [torn, foreign] {
        fs::write(&file, &content).unwrap();
        refused(&home, "damaged or not a sqswatch store");
        assert!(fs::read(&file).unwrap() == content, "a refused file was changed");
    }
}
