//! The addresses of the daemon's pages: the only place that writes links, so that names with any character in them lead somewhere.
//! Pages link to each other by them, notifications lead here behind `web.external_url`.

use form_urlencoded::Serializer;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use crate::domain::alarm::{AlarmKey, Subject};
use crate::domain::queue::QueueId;

/// What a path may show as it is.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The page of one queue.
pub fn queue(id: &QueueId) -> String {
    let place = [("region", &*id.region), ("account", &*id.account)];
    with_query(&format!("/queues/{}", utf8_percent_encode(&id.name, SEGMENT)), place)
}

/// The page of one alarm.
pub fn alarm(key: &AlarmKey) -> String {
    let rule = rule(&key.rule);
    match &key.subject {
        Subject::Queue(id) => {
            with_query(&rule, [("queue", &*id.name), ("region", &*id.region), ("account", &*id.account)])
        }
        Subject::Custom(id) => {
            with_query(&rule, [("metric", &*id.name), ("region", &*id.region), ("account", &*id.account)])
        }
        Subject::Composite(_) => rule,
    }
}

/// The page of all alarms of one rule.
pub fn rule(name: &str) -> String {
    format!("/alarms/{}", utf8_percent_encode(name, SEGMENT))
}

/// The form that silences one alarm.
pub fn silence(key: &AlarmKey) -> String {
    let subject = match &key.subject {
        Subject::Queue(_) => vec![("queue", &**key.subject.name()), ("region", key.subject.region())],
        Subject::Custom(_) => vec![("region", key.subject.region())],
        Subject::Composite(_) => vec![],
    };
    with_query("/silence", [("alarm", &*key.rule)].into_iter().chain(subject))
}

/// The form that silences whatever is written there.
pub fn silence_anything() -> &'static str {
    "/silence"
}

/// The form that ends a silence.
pub fn silence_end(id: &str) -> String {
    format!("/silence/{}", utf8_percent_encode(id, SEGMENT))
}

/// The form that sends again or drops what was given up at a destination: one of it, or all.
pub fn parked(destination: &str, sequence: Option<u64>) -> String {
    let sequence = sequence.map(|sequence| sequence.to_string()).unwrap_or_default();
    with_query("/parked", [("destination", destination), ("sequence", &sequence)])
}

/// `path` with those of `parameters` that have a value.
pub fn with_query<'a>(path: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut query = Serializer::new(String::new());
    query.extend_pairs(parameters.into_iter().filter(|(_, value)| !value.is_empty()));
    match query.finish() {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

/// A segment of a path as it was meant; what is not UTF-8 is replaced, and so leads nowhere.
pub fn decoded(segment: &str) -> String {
    percent_decode_str(segment).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_leads_back_to_itself() {
        for name in ["orders.fifo", "a b+c", "100%", "../..", "x/y?z#w", "\"><script>", "مرحبا🎉"] {
            let address = queue(&QueueId::new("1", "eu-west-1", name));
            let path = address.strip_suffix("?region=eu-west-1&account=1").unwrap();
            let segment = path.strip_prefix("/queues/").unwrap();
            assert!(!segment.contains(['/', '?', '#', '"', '<', ' ']), "{segment}");
            assert_eq!(decoded(segment), name);
        }
        assert_eq!(decoded("%ff"), "\u{fffd}");
    }

    #[test]
    fn an_alarm_names_its_subject() {
        let queue = Subject::Queue(QueueId::new("1", "eu-west-1", "a&b"));
        let key = |subject| AlarmKey { rule: "too old?".into(), subject };
        assert_eq!(alarm(&key(queue.clone())), "/alarms/too%20old%3F?queue=a%26b&region=eu-west-1&account=1");
        assert_eq!(alarm(&key(Subject::Composite("x".into()))), "/alarms/too%20old%3F");
        assert_eq!(silence(&key(queue)), "/silence?alarm=too+old%3F&queue=a%26b&region=eu-west-1");
    }
}
