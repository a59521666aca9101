//! A receiver with a mood of its own, which may also kill who calls it.

use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::receiver::read_request;

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    /// 200 at once.
    Steady,
    /// 200 after a while.
    Slow,
    /// Now and then 500, 429, nothing at all, or a broken connection.
    Moody,
}

/// When it kills the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assassin {
    Nobody,
    BeforeTheAnswer,
    AfterTheAnswer,
}

/// A notification that was answered with 200.
#[derive(Clone, Debug)]
pub struct Accepted {
    pub id: String,
    pub event: String,
    pub alarm: String,
    pub queue: String,
    pub arrived: Instant,
}

pub struct Receiver {
    pub name: String,
    pub url: String,
    desk: Arc<Desk>,
}

struct Desk {
    mood: Mutex<Mood>,
    hired: Mutex<(Assassin, u32)>,
    deed: Notify,
    random: Mutex<fastrand::Rng>,
    accepted: Mutex<Vec<Accepted>>,
    requests: Mutex<usize>,
}

impl Receiver {
    pub async fn start(name: &str, mood: Mood, random: fastrand::Rng) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let desk = Arc::new(Desk {
            mood: Mutex::new(mood),
            hired: Mutex::new((Assassin::Nobody, 0)),
            deed: Notify::new(),
            random: Mutex::new(random),
            accepted: Mutex::default(),
            requests: Mutex::default(),
        });
        let served = desk.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let desk = served.clone();
                tokio::spawn(async move { desk.serve(stream).await });
            }
        });
        Self { name: name.to_owned(), url, desk }
    }

    pub fn be(&self, mood: Mood) {
        *self.desk.mood.lock().unwrap() = mood;
    }

    /// Kills `pid` at the next request that is taken.
    pub fn hire(&self, assassin: Assassin, pid: u32) {
        *self.desk.hired.lock().unwrap() = (assassin, pid);
    }

    /// Until the daemon is killed, for so long at most.
    pub async fn wait_for_the_deed(&self, patience: Duration) {
        let _ = tokio::time::timeout(patience, self.desk.deed.notified()).await;
    }

    pub fn accepted(&self) -> Vec<Accepted> {
        self.desk.accepted.lock().unwrap().clone()
    }

    pub fn requests(&self) -> usize {
        *self.desk.requests.lock().unwrap()
    }
}

/// What it does with one request.
enum Act {
    Take,
    Answer(&'static str),
    Hang,
    Reset,
}

impl Desk {
    /// One request, one connection.
    async fn serve(&self, mut stream: TcpStream) -> Option<()> {
        let request = read_request(&mut stream).await?;
        let arrived = Instant::now();
        *self.requests.lock().unwrap() += 1;
        let act = self.act();
        if matches!(act, Act::Take) {
            self.kill_if_hired_for(Assassin::BeforeTheAnswer);
        }
        if *self.mood.lock().unwrap() == Mood::Slow {
            let pause = self.random.lock().unwrap().u64(..150);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        match act {
            Act::Take => {
                self.accept(&request.body, arrived);
                stream.write_all(answer("200 OK").as_bytes()).await.ok()?;
                self.kill_if_hired_for(Assassin::AfterTheAnswer);
            }
            Act::Answer(status) => stream.write_all(answer(status).as_bytes()).await.ok()?,
            Act::Hang => std::future::pending().await,
            Act::Reset => return None,
        }
        let _ = stream.shutdown().await;
        // Until the other side has closed, so that no reset overtakes the answer.
        let _ = stream.read(&mut [0; 16]).await;
        Some(())
    }

    fn act(&self) -> Act {
        if *self.mood.lock().unwrap() != Mood::Moody {
            return Act::Take;
        }
        match self.random.lock().unwrap().u32(..100) {
            0..2 => Act::Answer("500 Sorry"),
            2..4 => Act::Answer("429 Later"),
            4..5 => Act::Hang,
            5..7 => Act::Reset,
            _ => Act::Take,
        }
    }

    /// Noted before the answer goes out: whether it arrives is not for a receiver to know.
    fn accept(&self, body: &str, arrived: Instant) {
        let body: Value = serde_json::from_str(body).unwrap();
        let text = |path: &str| body.pointer(path).and_then(Value::as_str).unwrap().to_owned();
        self.accepted.lock().unwrap().push(Accepted {
            id: text("/id"),
            event: text("/event"),
            alarm: text("/alarm/name"),
            queue: text("/queue/name"),
            arrived,
        });
    }

    fn kill_if_hired_for(&self, moment: Assassin) {
        let mut hired = self.hired.lock().unwrap();
        if hired.0 != moment {
            return;
        }
        let pid = std::mem::replace(&mut *hired, (Assassin::Nobody, 0)).1;
        let killed = Command::new("kill").args(["-KILL", &pid.to_string()]).status();
        assert!(killed.is_ok_and(|status| status.success()), "cannot kill {pid}");
        self.deed.notify_one();
    }
}

fn answer(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
}
