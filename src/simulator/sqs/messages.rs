//! SQS: operations on messages.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use super::{name_of_url, parse};
use crate::simulator::call::{Answer, Call};
use crate::simulator::clock;
use crate::simulator::message::{Draft, Message, MessageAttribute, md5_of, md5_of_attributes};
use crate::simulator::refusal::Refusal;
use crate::simulator::shared::{Shared, lock};

/// How often a waiting ReceiveMessage looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(25);
const MAX_BATCH: usize = 10;
/// A batch is refused as a whole beyond this.
const MAX_BATCH_BYTES: usize = 1_048_576;

/// Answers one call on messages.
pub async fn answer(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    match call.operation.as_str() {
        "SendMessage" => send_message(shared, call),
        "SendMessageBatch" => send_message_batch(shared, call),
        "ReceiveMessage" => receive_message(shared, call).await,
        "DeleteMessage" => delete_message(shared, call),
        "DeleteMessageBatch" => delete_message_batch(shared, call),
        "ChangeMessageVisibility" => change_message_visibility(shared, call),
        "ChangeMessageVisibilityBatch" => change_message_visibility_batch(shared, call),
        operation => Err(Refusal::unknown_operation(operation)),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    queue_url: String,
    #[serde(flatten)]
    entry: SendEntry,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEntry {
    #[serde(default)]
    id: String,
    message_body: String,
    delay_seconds: Option<u32>,
    #[serde(default)]
    message_attributes: BTreeMap<String, MessageAttribute>,
    #[serde(default)]
    message_system_attributes: BTreeMap<String, MessageAttribute>,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

fn send_message(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: Send = parse(call)?;
    let name = name_of_url(call, &input.queue_url)?;
    Ok(Answer::Value(Value::Object(send(shared, call, &name, input.entry)?)))
}

fn send(shared: &Shared, call: &Call, name: &str, entry: SendEntry) -> Result<Map<String, Value>, Refusal> {
    let mut answer = Map::new();
    answer.insert("MD5OfMessageBody".into(), md5_of(&entry.message_body).into());
    if !entry.message_attributes.is_empty() {
        let digest = md5_of_attributes(&entry.message_attributes)?;
        answer.insert("MD5OfMessageAttributes".into(), digest.into());
    }
    if !entry.message_system_attributes.is_empty() {
        let digest = md5_of_attributes(&entry.message_system_attributes)?;
        answer.insert("MD5OfMessageSystemAttributes".into(), digest.into());
    }
    let mut system_attributes = entry.message_system_attributes;
    let draft = Draft {
        body: entry.message_body,
        attributes: entry.message_attributes,
        trace_header: system_attributes.remove("AWSTraceHeader").and_then(|header| header.string_value),
        delay: entry.delay_seconds,
        group: entry.message_group_id,
        deduplication_id: entry.message_deduplication_id,
    };
    let accepted = lock(&shared.cloud).send(&call.caller, name, draft, clock::now())?;
    answer.insert("MessageId".into(), accepted.message_id.into());
    if let Some(sequence_number) = accepted.sequence_number {
        answer.insert("SequenceNumber".into(), sequence_number.into());
    }
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Batch<T> {
    queue_url: String,
    #[serde(default = "Vec::new")]
    entries: Vec<T>,
}

fn send_message_batch(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: Batch<SendEntry> = parse(call)?;
    let bytes: usize = input.entries.iter().map(|entry| entry.message_body.len()).sum();
    if bytes > MAX_BATCH_BYTES {
        return Err(batch_refusal(
            "BatchRequestTooLong",
            format!("Batch requests cannot be longer than 1048576 bytes. You have sent {bytes} bytes."),
        ));
    }
    batch(call, input, |entry| entry.id.clone(), |name, entry| send(shared, call, name, entry))
}

/// Does each entry of a batch on its own; the answer tells which of them failed.
fn batch<T>(
    call: &Call,
    input: Batch<T>,
    id_of: impl Fn(&T) -> String,
    mut act: impl FnMut(&str, T) -> Result<Map<String, Value>, Refusal>,
) -> Result<Answer, Refusal> {
    let name = name_of_url(call, &input.queue_url)?;
    check_batch(&input.entries.iter().map(&id_of).collect::<Vec<_>>())?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in input.entries {
        let id = id_of(&entry);
        match act(&name, entry) {
            Ok(mut done) => {
                done.insert("Id".into(), id.into());
                successful.push(Value::Object(done));
            }
            Err(refusal) if refusal.code.ends_with("NonExistentQueue") => return Err(refusal),
            Err(refusal) => failed.push(json!({
                "Id": id, "Code": refusal.code, "Message": refusal.message, "SenderFault": refusal.status < 500,
            })),
        }
    }
    Ok(Answer::Value(json!({"Successful": successful, "Failed": failed})))
}

fn check_batch(ids: &[String]) -> Result<(), Refusal> {
    if ids.is_empty() {
        return Err(batch_refusal(
            "EmptyBatchRequest",
            "There should be at least one entry in the request.".into(),
        ));
    }
    if ids.len() > MAX_BATCH {
        let message =
            format!("Maximum number of entries per request are {MAX_BATCH}. You have sent {}.", ids.len());
        return Err(batch_refusal("TooManyEntriesInBatchRequest", message));
    }
    let mut seen = HashSet::new();
    match ids.iter().find(|id| !seen.insert(id.as_str())) {
        Some(id) => Err(batch_refusal("BatchEntryIdsNotDistinct", format!("Id {id} repeated."))),
        None => Ok(()),
    }
}

fn batch_refusal(name: &str, message: String) -> Refusal {
    let (shape, code) = match name {
        "EmptyBatchRequest" => {
            ("com.amazonaws.sqs#EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest")
        }
        "TooManyEntriesInBatchRequest" => (
            "com.amazonaws.sqs#TooManyEntriesInBatchRequest",
            "AWS.SimpleQueueService.TooManyEntriesInBatchRequest",
        ),
        "BatchRequestTooLong" => {
            ("com.amazonaws.sqs#BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong")
        }
        _ => {
            ("com.amazonaws.sqs#BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct")
        }
    };
    Refusal::new(shape, code, message)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    queue_url: String,
    max_number_of_messages: Option<i64>,
    visibility_timeout: Option<i64>,
    wait_time_seconds: Option<i64>,
    #[serde(default)]
    attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
}

async fn receive_message(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: Receive = parse(call)?;
    let name = name_of_url(call, &input.queue_url)?;
    let max = in_range("MaxNumberOfMessages", input.max_number_of_messages, 1, 10)?.unwrap_or(1) as usize;
    let visibility = in_range("VisibilityTimeout", input.visibility_timeout, 0, 43_200)?;
    let default_wait = lock(&shared.cloud).queue(&call.caller, &name)?.settings.receive_wait;
    let wait = in_range("WaitTimeSeconds", input.wait_time_seconds, 0, 20)?.unwrap_or(default_wait);
    let deadline = Instant::now() + Duration::from_secs(wait.into());
    loop {
        let last_look = Instant::now() >= deadline;
        let receipt = receive(shared, call, &name, max, visibility, last_look)?;
        if last_look || !receipt.is_empty() {
            let wanted = Wanted::of(&input);
            let messages: Vec<Value> =
                receipt.iter().map(|(message, handle)| wanted.show(message, handle)).collect();
            return Ok(Answer::Value(if messages.is_empty() {
                json!({})
            } else {
                json!({ "Messages": messages })
            }));
        }
        sleep(LOOK_AGAIN).await;
    }
}

/// One look at the queue; only the last one of a wait counts as an empty receive.
fn receive(
    shared: &Shared,
    call: &Call,
    name: &str,
    max: usize,
    visibility: Option<u32>,
    last_look: bool,
) -> Result<Vec<(Message, String)>, Refusal> {
    let mut cloud = lock(&shared.cloud);
    let receipt = cloud.receive(&call.caller, name, max, visibility, clock::now())?;
    if receipt.delivered.is_empty() && !last_look {
        let tally = &mut cloud.queue(&call.caller, name)?.tally;
        tally.empty_receives = tally.empty_receives.saturating_sub(1);
    }
    Ok(receipt.delivered)
}

fn in_range(name: &str, value: Option<i64>, least: i64, most: i64) -> Result<Option<u32>, Refusal> {
    let Some(value) = value else { return Ok(None) };
    if (least..=most).contains(&value) {
        return Ok(Some(value as u32));
    }
    let why = format!("must be between {least} and {most}, if provided.");
    Err(Refusal::invalid_value(format!("Value {value} for parameter {name} is invalid. Reason: {why}")))
}

/// Which attributes a receiver wants to see.
struct Wanted<'a> {
    system: Vec<&'a str>,
    own: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn of(input: &'a Receive) -> Self {
        let system = input.attribute_names.iter().chain(&input.message_system_attribute_names);
        Wanted {
            system: system.map(String::as_str).collect(),
            own: input.message_attribute_names.iter().map(String::as_str).collect(),
        }
    }

    fn show(&self, message: &Message, handle: &str) -> Value {
        let mut shown = json!({
            "MessageId": message.id, "ReceiptHandle": handle,
            "MD5OfBody": md5_of(&message.body), "Body": &*message.body,
        });
        let system = self.system(message);
        if !system.is_empty() {
            shown["Attributes"] = Value::Object(system);
        }
        let own: BTreeMap<String, MessageAttribute> = message
            .attributes
            .iter()
            .filter(|(name, _)| self.wants_own(name))
            .map(|(name, attribute)| (name.clone(), attribute.clone()))
            .collect();
        if !own.is_empty() {
            shown["MD5OfMessageAttributes"] = md5_of_attributes(&own).unwrap_or_default().into();
            shown["MessageAttributes"] = json!(own);
        }
        shown
    }

    fn system(&self, message: &Message) -> Map<String, Value> {
        let all = [
            ("SenderId", Some("AIDASQSWATCHSIMULATOR".to_owned())),
            ("SentTimestamp", Some(message.sent_at.to_string())),
            ("ApproximateReceiveCount", Some(message.receive_count.to_string())),
            ("ApproximateFirstReceiveTimestamp", message.first_received_at.map(|at| at.to_string())),
            ("MessageGroupId", message.group.clone()),
            ("MessageDeduplicationId", message.deduplication_id.clone()),
            ("SequenceNumber", message.sequence_number.clone()),
            ("AWSTraceHeader", message.trace_header.clone()),
            ("DeadLetterQueueSourceArn", message.dead_letter_source.clone()),
        ];
        let wanted = |name: &str| self.system.iter().any(|wanted| *wanted == "All" || *wanted == name);
        let present = all.into_iter().filter(|(name, _)| wanted(name));
        present.filter_map(|(name, value)| Some((name.to_owned(), value?.into()))).collect()
    }

    fn wants_own(&self, name: &str) -> bool {
        self.own.iter().any(|wanted| {
            let prefix = wanted.strip_suffix(".*").or_else(|| wanted.strip_suffix('*'));
            *wanted == "All" || *wanted == name || prefix.is_some_and(|prefix| name.starts_with(prefix))
        })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HandleEntry {
    #[serde(default)]
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<i64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ByHandle {
    queue_url: String,
    #[serde(flatten)]
    entry: HandleEntry,
}

fn delete_message(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: ByHandle = parse(call)?;
    delete(shared, call, &name_of_url(call, &input.queue_url)?, &input.entry)?;
    Ok(Answer::Empty)
}

fn delete_message_batch(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: Batch<HandleEntry> = parse(call)?;
    batch(call, input, |entry| entry.id.clone(), |name, entry| delete(shared, call, name, &entry))
}

fn delete(
    shared: &Shared,
    call: &Call,
    name: &str,
    entry: &HandleEntry,
) -> Result<Map<String, Value>, Refusal> {
    let mut cloud = lock(&shared.cloud);
    cloud.queue(&call.caller, name)?.delete(&entry.receipt_handle, clock::now())?;
    Ok(Map::new())
}

fn change_message_visibility(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: ByHandle = parse(call)?;
    change_visibility(shared, call, &name_of_url(call, &input.queue_url)?, &input.entry)?;
    Ok(Answer::Empty)
}

fn change_message_visibility_batch(shared: &Shared, call: &Call) -> Result<Answer, Refusal> {
    let input: Batch<HandleEntry> = parse(call)?;
    batch(call, input, |entry| entry.id.clone(), |name, entry| change_visibility(shared, call, name, &entry))
}

fn change_visibility(
    shared: &Shared,
    call: &Call,
    name: &str,
    entry: &HandleEntry,
) -> Result<Map<String, Value>, Refusal> {
    let seconds = in_range("VisibilityTimeout", entry.visibility_timeout, 0, 43_200)?
        .ok_or_else(|| Refusal::missing("VisibilityTimeout"))?;
    let mut cloud = lock(&shared.cloud);
    cloud.queue(&call.caller, name)?.change_visibility(&entry.receipt_handle, seconds, clock::now())?;
    Ok(Map::new())
}
