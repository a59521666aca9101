//! Where a person looks at a queue in a browser.

use crate::domain::alarm::Subject;
use crate::domain::notification::Notification;

/// The longest queue URL that is made a link; SQS's own have up to 200 bytes.
const LONGEST: usize = 500;

/// The queue's page in the SQS console; `None` for what is no queue of AWS's own, since another server has no such page.
pub fn console(notification: &Notification) -> Option<String> {
    let Subject::Queue(id) = &notification.alarm.subject else { return None };
    let address = Some(&notification.queue.as_ref()?.url).filter(|address| address.len() <= LONGEST)?;
    let host = reqwest::Url::parse(address).ok()?.host_str()?.to_owned();
    let is_aws = host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn");
    let region = &*id.region;
    if !is_aws || region.is_empty() || !region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
        return None;
    }
    let site = match region {
        _ if region.starts_with("cn-") => "console.amazonaws.cn",
        _ if region.starts_with("us-gov-") => "console.amazonaws-us-gov.com",
        _ => "console.aws.amazon.com",
    };
    let queue: String = form_urlencoded::byte_serialize(address.as_bytes()).collect();
    Some(format!("https://{region}.{site}/sqs/v3/home?region={region}#/queues/{queue}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::notification::Event;
    use crate::domain::queue::QueueId;
    use crate::notify::fixture::notification;

    fn of(region: &str, url: &str) -> Option<String> {
        let mut notification = notification("dlq", Event::Firing, 0);
        notification.alarm.subject = Subject::Queue(QueueId::new("123456789012", region, "q"));
        notification.queue.as_mut().unwrap().url = url.into();
        console(&notification)
    }

    #[test]
    fn each_partition_has_its_console_and_other_servers_have_none() {
        assert_eq!(
            of("eu-west-1", "https://sqs.eu-west-1.amazonaws.com/123456789012/q").as_deref(),
            Some(
                "https://eu-west-1.console.aws.amazon.com/sqs/v3/home?region=eu-west-1#/queues/https%3A%2F%2Fsqs.eu-west-1.amazonaws.com%2F123456789012%2Fq"
            )
        );
        let china = of("cn-north-1", "https://sqs.cn-north-1.amazonaws.com.cn/1/q").unwrap();
        assert!(china.starts_with("https://cn-north-1.console.amazonaws.cn/"), "{china}");
        let gov = of("us-gov-west-1", "https://sqs.us-gov-west-1.amazonaws.com/1/q").unwrap();
        assert!(gov.starts_with("https://us-gov-west-1.console.amazonaws-us-gov.com/"), "{gov}");
        for (region, url) in [
            ("us-east-1", "http://127.0.0.1:9324/1/q"),
            ("us-east-1", "http://amazonaws.com.example.com/1/q"),
            ("us-east-1", "no address"),
            ("", "https://queue.amazonaws.com/1/q"),
            ("x/../y", "https://queue.amazonaws.com/1/q"),
        ] {
            assert_eq!(of(region, url), None, "{region} {url}");
        }
        let mut without = notification("dlq", Event::Firing, 0);
        without.queue = None;
        assert_eq!(console(&without), None);
    }
}
