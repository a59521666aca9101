//! Sets up the log: one line an event, to standard error, for machines or for people.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use crate::config::{Log, LogFormat};

/// What is always said of other crates: their debug output is dear (a DEBUG subscriber costs the SDK half again its CPU) and
/// can hold what must not be seen.
///
/// `aws_config` warns at every attempt to find credentials; the watchers say it once, with a hint.
const CAPPED: [(&str, &str); 7] = [
    ("aws_config", "error"),
    ("aws_runtime", "warn"),
    ("aws_sdk_sqs", "warn"),
    ("aws_sdk_cloudwatch", "warn"),
    ("aws_sdk_sns", "warn"),
    ("aws_smithy_runtime", "warn"),
    ("hyper", "warn"),
];

/// Installs the log for the process. A level that is no valid directive reads as `info`.
///
/// # Errors
/// When a log is installed already.
pub fn init(log: &Log) -> Result<(), TryInitError> {
    let builder = tracing_subscriber::fmt().with_env_filter(filter(&log.level)).with_writer(std::io::stderr);
    match log.format {
        // Without the module's name: `target` is the region and role a line is about.
        LogFormat::Json => builder
            .json()
            .flatten_event(true)
            .with_target(false)
            .with_current_span(false)
            .with_span_list(false)
            .finish()
            .try_init(),
        LogFormat::Text => builder.with_target(false).finish().try_init(),
    }
}

fn filter(level: &str) -> EnvFilter {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    CAPPED.iter().fold(filter, |filter, (krate, level)| match format!("{krate}={level}").parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_crates_are_capped_whatever_the_level_says() {
        let text = filter("debug,aws_sdk_sqs=trace").to_string();
        assert!(text.contains("aws_sdk_sqs=warn") && !text.contains("aws_sdk_sqs=trace"), "{text}");
        assert!(filter("!!").to_string().contains("info"));
    }
}
