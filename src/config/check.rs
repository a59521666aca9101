//! Turns what the user wrote into the checked [`Config`], or into all of its faults at once.
//!
//! One file of check/ a part of the configuration. A default stands where its key is read, and in docs/configuration.md,
//! which a test holds against it.

mod alarms;
mod aws;
mod composite;
mod condition;
mod custom;
mod destinations;
mod discovery;
mod instants;
mod maintenance;
mod matchers;
mod math;
mod outbox;
mod poll;
mod routes;
mod secrets;
mod server;
mod shape;
mod silence;
mod telling;
#[cfg(test)]
mod tests;

use std::io::Read;
use std::path::Path;

use super::fault::{Fault, Faults};
use super::reader::{Cursor, Report};
use super::{Config, builtin, file, keys};
use crate::domain::rule::Rule;
pub use silence::{WantedSilence, silence};

/// Reads and checks a configuration text. `source_name` is what faults call it, `environment` looks up `{ env: X }`.
///
/// # Errors
/// Every fault of the text, or the first one when it is no YAML.
pub fn parse(
    text: &str,
    source_name: &str,
    environment: &dyn Fn(&str) -> Option<String>,
) -> Result<Config, Faults> {
    let tree = file::read(text).map_err(|fault| Faults::new(source_name, vec![fault]))?;
    let report = Report::new(environment);
    let config = checked(&Cursor::root(&tree, &report));
    report.finish(source_name, config)
}

/// Reads and checks a file, or standard input when `path` is `-`, with the process's environment.
///
/// # Errors
/// As [`parse`], and when the file cannot be read, is larger than 10 MB or no UTF-8 text.
pub fn load(path: &Path) -> Result<Config, Faults> {
    let stdin = path.as_os_str() == "-";
    let source_name = if stdin { "standard input".to_owned() } else { path.display().to_string() };
    let text = read(path, stdin).map_err(|fault| Faults::new(&source_name, vec![fault]))?;
    parse(&text, &source_name, &|name| std::env::var(name).ok())
}

fn read(path: &Path, stdin: bool) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let limit = file::MAX_BYTES as u64 + 1;
    let done = if stdin {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes))
    };
    done.map_err(|error| Fault::of_file(format!("cannot be read: {error}")))?;
    text(bytes)
}

/// The bytes as a text; a file over the limit is told so whatever its bytes are.
fn text(bytes: Vec<u8>) -> Result<String, Fault> {
    if bytes.len() > file::MAX_BYTES {
        return Err(file::too_large());
    }
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes().iter().take(good).filter(|byte| **byte == b'\n').count();
        let fault = Fault::of_file("is no UTF-8 text").hint("save it as UTF-8; is it the right file?");
        Fault { line: Some(line), ..fault }
    })
}

fn checked(root: &Cursor<'_>) -> Config {
    let top = root.section(&keys::TOP);
    let aws = aws::read(&top.section("aws", &keys::AWS));
    let poll = poll::read(&top.section("poll", &keys::POLL));
    let own_server = aws.endpoint_url.is_some();
    let custom_metrics = custom::read(&top, own_server);
    let (destinations, names) = destinations::read(&top);
    let routing = routes::Routing::read(&top, &names);
    let flapping = telling::flapping(&top).flatten();
    let rules = match top.get("alarms") {
        Some(alarms) => {
            let context = alarms::Context {
                own_server,
                attributes: poll.attributes,
                custom_metrics: &custom_metrics,
                destinations: &names,
                routing: &routing,
                flapping,
            };
            alarms::read(&alarms, &context)
        }
        None => {
            let told = |rule| Rule { notify: routing.of(&rule), flapping, ..rule };
            builtin::rules(poll.attributes).into_iter().map(told).collect()
        }
    };
    let maintenance = maintenance::read(&top, &rules);
    Config {
        discovery: discovery::read(&top.section("discovery", &keys::DISCOVERY)),
        rules,
        maintenance,
        custom_metrics: custom_metrics.into_iter().filter_map(|(_, metric)| metric).collect(),
        destinations,
        outbox: outbox::outbox(&top.section("outbox", &keys::OUTBOX)),
        heartbeat: top
            .get("heartbeat")
            .and_then(|cursor| outbox::heartbeat(&cursor.section(&keys::HEARTBEAT))),
        web: server::web(&top.section("web", &keys::WEB)),
        store: server::store(&top.section("store", &keys::STORE)),
        log: server::log(&top.section("log", &keys::LOG)),
        aws,
        poll,
    }
}
