//! Where a person who was told goes to look.

use crate::domain::alarm::Subject;
use crate::domain::notification::Notification;

/// What links are made of.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// The daemon's own page, without a slash at the end (`web.external_url`).
    pub external_url: Option<String>,
}

impl Links {
    /// The page of the daemon; empty when it has none that others can reach.
    pub fn home(&self) -> String {
        self.external_url.as_ref().map(|url| format!("{url}/")).unwrap_or_default()
    }

    /// Where to look at what `notification` is about: the daemon's page, else the queue in the AWS console; empty when there is
    /// neither.
    pub fn source(&self, notification: &Notification) -> String {
        if self.external_url.is_some() {
            return self.home();
        }
        let url = notification.queue.as_ref().map(|queue| &*queue.url);
        match (&notification.alarm.subject, url) {
            (Subject::Queue(id), Some(url)) => console(&id.region, url),
            _ => String::new(),
        }
    }
}

/// The queue in the AWS console, which has a domain of its own for each partition.
fn console(region: &str, queue_url: &str) -> String {
    let domain = match region {
        region if region.starts_with("cn-") => "amazonaws.cn",
        region if region.starts_with("us-gov-") => "amazonaws-us-gov.com",
        _ => "aws.amazon.com",
    };
    let queue: String = form_urlencoded::byte_serialize(queue_url.as_bytes()).collect();
    format!("https://{region}.console.{domain}/sqs/v3/home?region={region}#/queues/{queue}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notification::Event;
    use crate::domain::queue::QueueId;
    use crate::notify::fixture::notification;

    #[test]
    fn the_daemon_s_page_is_preferred_and_the_console_of_the_partition_comes_next() {
        let mut alarm = notification("dlq", Event::Firing, 0);
        let known = Links { external_url: Some("https://watch.example.com".into()) };
        assert_eq!(known.source(&alarm), "https://watch.example.com/");
        let unknown = Links::default();
        assert_eq!(
            unknown.source(&alarm),
            "https://us-east-1.console.aws.amazon.com/sqs/v3/home?region=us-east-1#/queues/\
             https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Forders-dlq"
        );
        for (region, domain) in [("cn-north-1", "amazonaws.cn"), ("us-gov-west-1", "amazonaws-us-gov.com")] {
            alarm.alarm.subject = Subject::Queue(QueueId::new("1", region, "q"));
            let start = format!("https://{region}.console.{domain}/sqs/");
            assert!(unknown.source(&alarm).starts_with(&start), "{}", unknown.source(&alarm));
        }
        alarm.queue = None;
        assert_eq!((unknown.source(&alarm), unknown.home()), (String::new(), String::new()));
    }
}
