//! Where a person who was told goes to look.

use super::text;
use crate::address;
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

    /// Where to look at what `notification` is about: the alarm's page here, else the queue in the AWS console; empty when there
    /// is neither.
    pub fn source(&self, notification: &Notification) -> String {
        self.page(notification).or_else(|| text::console(notification)).unwrap_or_default()
    }

    /// The alarm's page here, when others can reach it.
    pub fn page(&self, notification: &Notification) -> Option<String> {
        self.external_url.as_ref().map(|url| url.clone() + &address::alarm(&notification.alarm))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notification::Event;
    use crate::notify::fixture::notification;

    #[test]
    fn the_daemon_s_page_is_preferred_and_the_console_comes_next() {
        let mut alarm = notification("dlq", Event::Firing, 0);
        let known = Links { external_url: Some("https://watch.example.com".into()) };
        assert_eq!(
            known.source(&alarm),
            "https://watch.example.com/alarms/dlq?queue=orders-dlq&region=us-east-1&account=123456789012"
        );
        let unknown = Links::default();
        assert_eq!(
            unknown.source(&alarm),
            "https://us-east-1.console.aws.amazon.com/sqs/v3/home?region=us-east-1#/queues/\
             https%3A%2F%2Fsqs.us-east-1.amazonaws.com%2F123456789012%2Forders-dlq"
        );
        alarm.queue = None;
        assert_eq!((unknown.source(&alarm), unknown.home()), (String::new(), String::new()));
    }
}
