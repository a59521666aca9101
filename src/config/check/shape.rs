//! What AWS's names look like: regions, accounts, ARNs, queue names; and addresses.

use crate::config::reader::{Cursor, quoted};

/// A region's code. Servers that are not AWS (`own_server`) may call theirs anything.
pub fn region(cursor: &Cursor<'_>, own_server: bool) -> Option<String> {
    let text = cursor.text()?;
    let well_formed = if own_server { is_word(text) } else { is_region(text) };
    if !well_formed {
        cursor.refuse_with(format!("{} is no region", quoted(text)), "write its code, e.g. `eu-west-1`");
    }
    well_formed.then(|| text.to_owned())
}

/// The twelve digits of an account.
pub fn account(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    if !is_account(text) {
        cursor.refuse_with(
            format!("{} is no account", quoted(text)),
            "write its twelve digits in quotes, e.g. `\"123456789012\"`",
        );
    }
    is_account(text).then(|| text.to_owned())
}

/// The ARN of an IAM role.
pub fn role_arn(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let well_formed = arn(text, "iam").is_some_and(|[region, account, rest]| {
        region.is_empty()
            && is_account(account)
            && rest.strip_prefix("role/").is_some_and(|name| !name.is_empty() && name.chars().all(is_iam))
    });
    if !well_formed {
        let message = format!("{} is no ARN of a role", quoted(text));
        cursor.refuse_with(message, "it looks like `arn:aws:iam::123456789012:role/sqswatch`");
    }
    well_formed.then(|| text.to_owned())
}

/// The ARN of an SNS topic.
pub fn topic_arn(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let well_formed = arn(text, "sns").is_some_and(|[region, account, name]| {
        let name = name.strip_suffix(".fifo").unwrap_or(name);
        is_word(region) && is_account(account) && is_word(name) && name.len() <= 256
    });
    if !well_formed {
        let message = format!("{} is no ARN of an SNS topic", quoted(text));
        cursor.refuse_with(message, "it looks like `arn:aws:sns:eu-west-1:123456789012:alerts`");
    }
    well_formed.then(|| text.to_owned())
}

/// A queue's name: up to 80 letters, digits, `-` and `_`; `.fifo` at the end of a FIFO queue's (CreateQueue).
pub fn queue_name(cursor: &Cursor<'_>) -> Option<String> {
    let text = cursor.text()?;
    let well_formed = is_word(text.strip_suffix(".fifo").unwrap_or(text)) && text.len() <= 80;
    if !well_formed {
        let hint = match text {
            _ if text.contains(['*', '?']) => "globs belong to `discovery.include`",
            _ if text.contains([':', '/']) => "write the name alone, without address or ARN",
            _ => "a name has up to 80 letters, digits, `-` and `_`",
        };
        cursor.refuse_with(format!("{} is no queue name", quoted(text)), hint);
    }
    well_formed.then(|| text.to_owned())
}

/// Whether `text` is an HTTP address with a host.
pub fn address(text: &str) -> Option<reqwest::Url> {
    let url = reqwest::Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Region, account and the rest of an ARN of `service`.
fn arn<'a>(text: &'a str, service: &str) -> Option<[&'a str; 3]> {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let &["arn", partition, named, region, account, rest] = parts.as_slice() else { return None };
    let partition_known = partition == "aws" || partition.starts_with("aws-");
    (partition_known && is_word(partition) && named == service).then_some([region, account, rest])
}

/// `eu-west-1`, `us-gov-east-1`: at least two words, then a number.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let Some((number, words)) = words.split_last() else { return false };
    let of = |word: &str, test: fn(&char) -> bool| !word.is_empty() && word.chars().all(|c| test(&c));
    words.len() >= 2
        && of(number, char::is_ascii_digit)
        && words.iter().all(|word| of(word, char::is_ascii_lowercase))
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

fn is_iam(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+=,.@_-/".contains(c)
}
