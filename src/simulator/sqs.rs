//! SQS: operations on queues. Those on messages are in `messages`.
//!
//! What is refused, and how, follows the SQS API reference. Operations that the simulator does not have answer
//! `UnknownOperationException`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::call::{Answer, Call};
use super::clock::{self, Millis};
use super::cloud::{Scope, no_such_queue, queue_of_arn};
use super::fault::FaultKind;
use super::queue::Queue;
use super::refusal::Refusal;
use super::settings::unknown_attribute;
use super::shared::{Shared, lock};

mod messages;

/// Queues on one page at most, and the number given when no MaxResults is.
const MAX_PAGE: usize = 1_000;
const PURGE_PAUSE: Millis = 60_000;

/// Attributes that are counted rather than set.
const COUNTED: [&str; 6] = [
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
    "CreatedTimestamp",
    "LastModifiedTimestamp",
    "QueueArn",
];

/// Answers one call; `fault` is one that changes the content of the answer.
pub async fn answer(shared: &Shared, call: &Call, fault: Option<&FaultKind>) -> Result<Answer, Refusal> {
    match call.operation.as_str() {
        "GetQueueAttributes" => get_queue_attributes(shared, call, fault),
        "ListQueues" => list_queues(shared, call, matches!(fault, Some(FaultKind::EndlessPages))),
        "CreateQueue" => create_queue(shared, call),
        "DeleteQueue" => delete_queue(shared, call),
        "GetQueueUrl" => get_queue_url(shared, call),
        "SetQueueAttributes" => set_queue_attributes(shared, call),
        "ListQueueTags" => list_queue_tags(shared, call),
        "TagQueue" => tag_queue(shared, call),
        "UntagQueue" => untag_queue(shared, call),
        "PurgeQueue" => purge_queue(shared, call),
        "ListDeadLetterSourceQueues" => list_dead_letter_source_queues(shared, call),
        _ => messages::answer(shared, call).await,
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByUrl {
    queue_url: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct CreateQueue {
    queue_name: String,
    #[serde(default)]
    attributes: BTreeMap<String, String>,
    #[serde(default, rename = "tags")]
    tags: BTreeMap<String, String>,
}

fn create_queue(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: CreateQueue = parse(call)?;
    let now = clock::now();
    let mut cloud = lock(&shared.cloud);
    cloud.create_queue(&call.caller, &input.queue_name, &input.attributes, now)?;
    cloud.queue(&call.caller, &input.queue_name)?.tags.extend(input.tags);
    Ok(Answer::Value(json!({"QueueUrl": shared.queue_url(&call.caller, &input.queue_name)})))
}

fn delete_queue(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let name = queue_name(call)?;
    let mut cloud = lock(&shared.cloud);
    cloud.realm(&call.caller).queues.remove(&name).ok_or_else(no_such_queue)?;
    Ok(Answer::Empty)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueUrl {
    queue_name: String,
    #[serde(rename = "QueueOwnerAWSAccountId")]
    owner: Option<String>,
}

fn get_queue_url(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: GetQueueUrl = parse(call)?;
    if input.owner.is_some_and(|owner| owner != call.caller.account) {
        return Err(access_denied(&input.queue_name));
    }
    if synthetic_index(shared, call, &input.queue_name).is_none() {
        lock(&shared.cloud).queue(&call.caller, &input.queue_name)?;
    }
    Ok(Answer::Value(json!({"QueueUrl": shared.queue_url(&call.caller, &input.queue_name)})))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Page {
    max_results: Option<i64>,
    next_token: Option<String>,
    #[serde(default)]
    queue_name_prefix: String,
    queue_url: Option<String>,
}

fn list_queues(shared: &Shared, call: &Call, endless: bool) -> Result<Answer, Refusal> {
    let input: Page = parse(call)?;
    let prefix = input.queue_name_prefix.as_str();
    let mut cloud = lock(&shared.cloud);
    let mut names: Vec<String> =
        cloud.realm(&call.caller).queues.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
    drop(cloud);
    if let Some(synthetic) = shared.synthetic.as_ref().filter(|_| call.caller == shared.home) {
        names.extend(synthetic.names().filter(|name| name.starts_with(prefix)));
        names.sort_unstable();
    }
    let (names, next) = page(names, &input)?;
    // Every name sorts behind `!`, so this token asks for the first page again.
    let next = if endless { Some(token_after("!")) } else { next };
    Ok(Answer::Value(urls(shared, &call.caller, "QueueUrls", &names, next)))
}

fn list_dead_letter_source_queues(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: Page = parse(call)?;
    let name = name_of_url(call, input.queue_url.as_deref().ok_or_else(|| Refusal::missing("QueueUrl"))?)?;
    let names = match synthetic_index(shared, call, &name) {
        Some(index) => shared.synthetic.iter().filter_map(|s| s.source_of(index)).collect(),
        None => sources(shared, call, &name)?,
    };
    let (names, next) = page(names, &input)?;
    Ok(Answer::Value(urls(shared, &call.caller, "queueUrls", &names, next)))
}

fn sources(shared: &Shared, call: &Call, name: &str) -> Result<Vec<String>, Refusal> {
    let mut cloud = lock(&shared.cloud);
    cloud.queue(&call.caller, name)?;
    let points_here = |queue: &Queue| {
        let redrive = queue.settings.redrive.as_ref();
        redrive.is_some_and(|redrive| queue_of_arn(&call.caller, &redrive.target_arn) == Some(name))
    };
    let queues = &cloud.realm(&call.caller).queues;
    Ok(queues.iter().filter(|(_, queue)| points_here(queue)).map(|(name, _)| name.clone()).collect())
}

fn urls(shared: &Shared, scope: &Scope, field: &str, names: &[String], next: Option<String>) -> Value {
    let urls: Vec<Value> = names.iter().map(|name| shared.queue_url(scope, name).into()).collect();
    let mut answer = Map::new();
    answer.insert(field.to_owned(), urls.into());
    if let Some(next) = next {
        answer.insert("NextToken".to_owned(), next.into());
    }
    Value::Object(answer)
}

/// One page of sorted `names`. Without MaxResults SQS gives the first 1,000 and no token, however many there are.
fn page(names: Vec<String>, input: &Page) -> Result<(Vec<String>, Option<String>), Refusal> {
    let size = match input.max_results {
        None => MAX_PAGE,
        Some(size) if (1..=MAX_PAGE as i64).contains(&size) => size as usize,
        Some(size) => {
            let message =
                format!("Value {size} for parameter MaxResults is invalid. Reason: must be 1 to 1000.");
            return Err(Refusal::invalid_value(message));
        }
    };
    let after = input.next_token.as_deref().map(read_token).transpose()?;
    let mut rest = names.into_iter().filter(|name| after.as_ref().is_none_or(|after| name > after));
    let page: Vec<String> = rest.by_ref().take(size).collect();
    let more = rest.next().is_some() && input.max_results.is_some();
    let next = page.last().filter(|_| more).map(|last| token_after(last));
    Ok((page, next))
}

fn token_after(name: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(name)
}

fn read_token(token: &str) -> Result<String, Refusal> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).ok();
    let name = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Refusal::invalid_value("Invalid or expired next token."))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GetQueueAttributes {
    queue_url: String,
    #[serde(default)]
    attribute_names: Vec<String>,
}

fn get_queue_attributes(shared: &Shared, call: &Call, fault: Option<&FaultKind>) -> Result<Answer, Refusal> {
    let input: GetQueueAttributes = parse(call)?;
    let name = name_of_url(call, &input.queue_url)?;
    let now = clock::now();
    let synthetic = synthetic_index(shared, call, &name).and_then(|index| {
        shared
            .synthetic
            .as_ref()
            .map(|synthetic| synthetic.attributes(index, &input.attribute_names, &shared.home, now))
    });
    let mut wanted = match synthetic {
        Some(text) if fault.is_none() => return Ok(Answer::Text(text)),
        Some(text) => serde_json::from_str::<Value>(&text).map_err(Refusal::unreadable)?["Attributes"].take(),
        None => {
            let mut cloud = lock(&shared.cloud);
            Value::Object(attributes(cloud.queue(&call.caller, &name)?, &input.attribute_names, now)?)
        }
    };
    if let (Some(FaultKind::Attribute { name, value }), Some(fields)) = (fault, wanted.as_object_mut()) {
        match value {
            Some(value) => drop(fields.insert(name.clone(), value.as_str().into())),
            None => drop(fields.remove(name)),
        }
    }
    match wanted.as_object().is_some_and(Map::is_empty) {
        true => Ok(Answer::Value(json!({}))),
        false => Ok(Answer::Value(json!({ "Attributes": wanted }))),
    }
}

fn attributes(queue: &mut Queue, names: &[String], now: Millis) -> Result<Map<String, Value>, Refusal> {
    queue.used_at = now;
    let all = names.iter().any(|name| name == "All");
    let asked = |name: &str| all || names.iter().any(|asked| asked == name);
    let counts = queue.counts(now);
    let counted = [
        counts.visible.to_string(),
        counts.in_flight.to_string(),
        counts.delayed.to_string(),
        (queue.created_at / 1_000).to_string(),
        (queue.modified_at / 1_000).to_string(),
        queue.arn.clone(),
    ];
    let entries = COUNTED.into_iter().zip(counted).chain(queue.settings.entries());
    let found = entries.filter(|(name, _)| asked(name)).map(|(name, value)| (name.to_owned(), value.into()));
    let known = |name: &&String| !KNOWN.contains(&name.as_str()) && !COUNTED.contains(&name.as_str());
    match names.iter().find(known) {
        Some(unknown) => Err(unknown_attribute(unknown)),
        None => Ok(found.collect()),
    }
}

/// Names that may be asked for, whether or not this queue has them.
const KNOWN: [&str; 16] = [
    "All",
    "VisibilityTimeout",
    "DelaySeconds",
    "MessageRetentionPeriod",
    "MaximumMessageSize",
    "ReceiveMessageWaitTimeSeconds",
    "RedrivePolicy",
    "RedriveAllowPolicy",
    "FifoQueue",
    "ContentBasedDeduplication",
    "DeduplicationScope",
    "FifoThroughputLimit",
    "Policy",
    "KmsMasterKeyId",
    "KmsDataKeyReusePeriodSeconds",
    "SqsManagedSseEnabled",
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SetQueueAttributes {
    queue_url: String,
    attributes: BTreeMap<String, String>,
}

fn set_queue_attributes(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: SetQueueAttributes = parse(call)?;
    let name = name_of_url(call, &input.queue_url)?;
    let mut cloud = lock(&shared.cloud);
    let queue = cloud.queue(&call.caller, &name)?;
    let mut settings = queue.settings.clone();
    input.attributes.iter().try_for_each(|(attribute, value)| settings.set(attribute, value))?;
    queue.settings = settings;
    queue.modified_at = clock::now();
    Ok(Answer::Empty)
}

fn list_queue_tags(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let name = queue_name(call)?;
    if let Some(index) = synthetic_index(shared, call, &name) {
        let tags = shared.synthetic.as_ref().map(|synthetic| synthetic.tags(index));
        return Ok(Answer::Value(json!({ "Tags": tags })));
    }
    let mut cloud = lock(&shared.cloud);
    let tags = &cloud.queue(&call.caller, &name)?.tags;
    // Without a tag AWS leaves the field out.
    Ok(Answer::Value(if tags.is_empty() { json!({}) } else { json!({ "Tags": tags }) }))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TagQueue {
    queue_url: String,
    tags: BTreeMap<String, String>,
}

fn tag_queue(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: TagQueue = parse(call)?;
    let name = name_of_url(call, &input.queue_url)?;
    lock(&shared.cloud).queue(&call.caller, &name)?.tags.extend(input.tags);
    Ok(Answer::Empty)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UntagQueue {
    queue_url: String,
    tag_keys: Vec<String>,
}

fn untag_queue(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: UntagQueue = parse(call)?;
    let name = name_of_url(call, &input.queue_url)?;
    lock(&shared.cloud).queue(&call.caller, &name)?.tags.retain(|key, _| !input.tag_keys.contains(key));
    Ok(Answer::Empty)
}

fn purge_queue(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let name = queue_name(call)?;
    let now = clock::now();
    let mut cloud = lock(&shared.cloud);
    let queue = cloud.queue(&call.caller, &name)?;
    if queue.purged_at.is_some_and(|purged_at| now - purged_at < PURGE_PAUSE) {
        let message = format!("Only one PurgeQueue operation on {name} is allowed every 60 seconds.");
        let code = "AWS.SimpleQueueService.PurgeQueueInProgress";
        return Err(Refusal::new("com.amazonaws.sqs#PurgeQueueInProgress", code, message).with_status(403));
    }
    queue.purge(now);
    Ok(Answer::Empty)
}

/// Reads the body of a call.
fn parse<T: DeserializeOwned>(call: &Call) -> Result<T, Refusal> {
    serde_json::from_slice(&call.body).map_err(Refusal::unreadable)
}

fn queue_name(call: &Call) -> Result<String, Refusal> {
    let input: ByUrl = parse(call)?;
    name_of_url(call, &input.queue_url)
}

/// The queue that a URL names; its account must be the caller's.
fn name_of_url(call: &Call, url: &str) -> Result<String, Refusal> {
    let mut segments = url.rsplit('/');
    let name = segments.next().unwrap_or_default();
    match segments.next() {
        Some(account) if account != call.caller.account => Err(access_denied(name)),
        _ => Ok(name.to_owned()),
    }
}

fn synthetic_index(shared: &Shared, call: &Call, name: &str) -> Option<usize> {
    shared.synthetic.as_ref().filter(|_| call.caller == shared.home)?.index_of(name)
}

fn access_denied(name: &str) -> Refusal {
    let message = format!("Access to the resource {name} is denied.");
    Refusal::new("com.amazonaws.sqs#AccessDeniedException", "AccessDenied", message).with_status(403)
}
