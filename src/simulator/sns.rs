//! SNS: topics, subscriptions, Publish.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::call::{Answer, Call};
use super::clock::{self, Millis};
use super::cloud::{Cloud, Realm, Scope};
use super::form::Form;
use super::message::{Draft, MessageAttribute, uuid};
use super::refusal::Refusal;
use super::shared::{Shared, lock};
use super::topic::{Published, Subscription, Topic, invalid};
use super::wire::escape;

mod delivery;

const PAGE: usize = 100;
const DEDUPLICATION_WINDOW: Millis = 5 * 60_000;

/// Answers one call.
pub fn answer(shared: &Arc<Shared>, call: &Call) -> Result<Answer, Refusal> {
    let form = Form::read(&call.body);
    match call.operation.as_str() {
        "Publish" => publish(shared, call, &form),
        "CreateTopic" => create_topic(shared, call, &form),
        "DeleteTopic" => delete_topic(shared, call, &form),
        "ListTopics" => list_topics(shared, call, &form),
        "GetTopicAttributes" => get_topic_attributes(shared, call, &form),
        "SetTopicAttributes" => set_topic_attributes(shared, call, &form),
        "Subscribe" => subscribe(shared, call, &form),
        "Unsubscribe" => unsubscribe(shared, call, &form),
        "ListSubscriptionsByTopic" => list_subscriptions_by_topic(shared, call, &form),
        operation => Err(Refusal::unknown_operation(operation)),
    }
}

/// Creates a topic, or finds the one of that name.
pub fn create(realm: &mut Realm, scope: &Scope, name: &str, attributes: BTreeMap<String, String>) -> String {
    let arn = scope.arn("sns", name);
    let topic = || Topic { arn: arn.clone(), attributes, ..Topic::default() };
    realm.topics.entry(name.to_owned()).or_insert_with(topic).arn.clone()
}

fn create_topic(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let name = form.required("Name")?;
    let attributes = form.map("Attributes");
    let fifo = attributes.get("FifoTopic").is_some_and(|value| value == "true");
    let stem = if fifo { name.strip_suffix(".fifo") } else { Some(name) };
    let allowed = |character: char| character.is_ascii_alphanumeric() || character == '-' || character == '_';
    if !stem.is_some_and(|stem| !stem.is_empty() && stem.chars().all(allowed)) || name.len() > 256 {
        return Err(invalid("Topic Name"));
    }
    let arn = create(lock(&shared.cloud).realm(&call.caller), &call.caller, name, attributes);
    Ok(Answer::Xml(format!("<TopicArn>{arn}</TopicArn>")))
}

fn delete_topic(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let arn = form.required("TopicArn")?;
    lock(&shared.cloud).realm(&call.caller).topics.retain(|_, topic| topic.arn != arn);
    Ok(Answer::Empty)
}

fn list_topics(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let after = form.get("NextToken");
    let mut cloud = lock(&shared.cloud);
    let topics = &cloud.realm(&call.caller).topics;
    let mut rest = topics.iter().filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
    let page: Vec<_> = rest.by_ref().take(PAGE).collect();
    let member =
        |(_, topic): &(&String, &Topic)| format!("<member><TopicArn>{}</TopicArn></member>", topic.arn);
    let members: String = page.iter().map(member).collect();
    let next = page.last().filter(|_| rest.next().is_some());
    let next = next.map_or_else(String::new, |(name, _)| format!("<NextToken>{name}</NextToken>"));
    Ok(Answer::Xml(format!("<Topics>{members}</Topics>{next}")))
}

fn topic<'a>(cloud: &'a mut Cloud, call: &Call, arn: &str) -> Result<&'a mut Topic, Refusal> {
    let name = arn.strip_prefix("arn:aws:sns:").and_then(|rest| rest.splitn(3, ':').nth(2));
    let name = name.ok_or_else(|| invalid("TopicArn"))?;
    let found = cloud.realm(&call.caller).topics.get_mut(name).filter(|topic| topic.arn == arn);
    found
        .ok_or_else(|| Refusal::new("NotFoundException", "NotFound", "Topic does not exist").with_status(404))
}

fn get_topic_attributes(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let mut cloud = lock(&shared.cloud);
    let topic = topic(&mut cloud, call, form.required("TopicArn")?)?;
    let confirmed = topic.subscriptions.len();
    let mut attributes = topic.attributes.clone();
    attributes.insert("TopicArn".into(), topic.arn.clone());
    attributes.insert("Owner".into(), call.caller.account.clone());
    attributes.insert("SubscriptionsConfirmed".into(), confirmed.to_string());
    attributes.insert("SubscriptionsPending".into(), "0".into());
    attributes.insert("SubscriptionsDeleted".into(), "0".into());
    let entry = |(key, value): (&String, &String)| {
        format!("<entry><key>{}</key><value>{}</value></entry>", escape(key), escape(value))
    };
    let entries: String = attributes.iter().map(entry).collect();
    Ok(Answer::Xml(format!("<Attributes>{entries}</Attributes>")))
}

fn set_topic_attributes(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let mut cloud = lock(&shared.cloud);
    let topic = topic(&mut cloud, call, form.required("TopicArn")?)?;
    let name = form.required("AttributeName")?;
    let value = form.get("AttributeValue").unwrap_or_default();
    topic.attributes.insert(name.to_owned(), value.to_owned());
    Ok(Answer::Empty)
}

fn subscribe(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let protocol = form.required("Protocol")?;
    let endpoint = form.required("Endpoint")?;
    match protocol {
        "sqs" if queue_of(endpoint).is_none() => return Err(invalid("SQS endpoint ARN")),
        "http" => drop(delivery::loopback(endpoint)?),
        "sqs" | "email" | "email-json" => {}
        other => {
            let hint = "the simulator delivers to sqs, to http on loopback, and nowhere for email";
            return Err(invalid(&format!("Protocol `{other}`: {hint}")));
        }
    }
    let attributes = form.map("Attributes");
    let raw = attributes.get("RawMessageDelivery").is_some_and(|value| value == "true");
    let mut cloud = lock(&shared.cloud);
    let id = uuid(&mut cloud.random);
    let topic = topic(&mut cloud, call, form.required("TopicArn")?)?;
    let same = |known: &&Subscription| known.protocol == protocol && known.endpoint == endpoint;
    let arn = match topic.subscriptions.iter().find(same) {
        Some(known) => known.arn.clone(),
        None => {
            let arn = format!("{}:{id}", topic.arn);
            let (protocol, endpoint) = (protocol.to_owned(), endpoint.to_owned());
            topic.subscriptions.push(Subscription { arn: arn.clone(), protocol, endpoint, raw });
            arn
        }
    };
    Ok(Answer::Xml(format!("<SubscriptionArn>{arn}</SubscriptionArn>")))
}

fn unsubscribe(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let arn = form.required("SubscriptionArn")?;
    let mut cloud = lock(&shared.cloud);
    let topics = cloud.realm(&call.caller).topics.values_mut();
    topics.for_each(|topic| topic.subscriptions.retain(|subscription| subscription.arn != arn));
    Ok(Answer::Empty)
}

fn list_subscriptions_by_topic(shared: &Shared, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let from: usize = form.get("NextToken").map_or(Ok(0), str::parse).map_err(|_| invalid("NextToken"))?;
    let mut cloud = lock(&shared.cloud);
    let topic = topic(&mut cloud, call, form.required("TopicArn")?)?;
    let member = |subscription: &Subscription| {
        let Subscription { arn, protocol, endpoint, .. } = subscription;
        let (topic, owner, endpoint) = (&topic.arn, escape(&call.caller.account), escape(endpoint));
        format!(
            "<member><SubscriptionArn>{arn}</SubscriptionArn><Owner>{owner}</Owner><Protocol>{protocol}</Protocol>\
             <Endpoint>{endpoint}</Endpoint><TopicArn>{topic}</TopicArn></member>"
        )
    };
    let members: String = topic.subscriptions.iter().skip(from).take(PAGE).map(member).collect();
    let next = match topic.subscriptions.len() > from.saturating_add(PAGE) {
        true => format!("<NextToken>{}</NextToken>", from + PAGE),
        false => String::new(),
    };
    Ok(Answer::Xml(format!("<Subscriptions>{members}</Subscriptions>{next}")))
}

fn publish(shared: &Arc<Shared>, call: &Call, form: &Form) -> Result<Answer, Refusal> {
    let arn = form.get("TopicArn").or(form.get("TargetArn")).ok_or_else(|| invalid("TopicArn"))?;
    let now = clock::now();
    let mut cloud = lock(&shared.cloud);
    let message_id = uuid(&mut cloud.random);
    let topic = topic(&mut cloud, call, arn)?;
    let message = read_message(form, topic, message_id, now)?;
    message.check(topic.is_fifo())?;
    if let Some(first) = duplicate(topic, &message, now)? {
        return Ok(accepted(&first, topic));
    }
    topic.messages += 1;
    let answer = accepted(&message.message_id, topic);
    let subscriptions = topic.subscriptions.clone();
    for subscription in &subscriptions {
        deliver(shared, &mut cloud, subscription, &message, now);
    }
    drop(cloud);
    shared.record(message);
    Ok(answer)
}

fn accepted(message_id: &str, topic: &Topic) -> Answer {
    let sequence = match topic.is_fifo() {
        true => format!("<SequenceNumber>{:020}</SequenceNumber>", topic.messages),
        false => String::new(),
    };
    Answer::Xml(format!("<MessageId>{message_id}</MessageId>{sequence}"))
}

fn read_message(form: &Form, topic: &Topic, message_id: String, now: Millis) -> Result<Published, Refusal> {
    let owned = |name: &str| form.get(name).map(str::to_owned);
    Ok(Published {
        topic_arn: topic.arn.clone(),
        message_id,
        subject: owned("Subject"),
        message: owned("Message").unwrap_or_default(),
        message_structure: owned("MessageStructure"),
        message_group_id: owned("MessageGroupId"),
        message_deduplication_id: owned("MessageDeduplicationId"),
        attributes: message_attributes(form)?,
        at: now,
    })
}

fn message_attributes(form: &Form) -> Result<BTreeMap<String, MessageAttribute>, Refusal> {
    let mut attributes = BTreeMap::new();
    for number in 1.. {
        let field =
            |rest: &str| form.get(&format!("MessageAttributes.entry.{number}.{rest}")).map(str::to_owned);
        let Some(name) = field("Name") else { break };
        let data_type = field("Value.DataType").ok_or_else(|| invalid("MessageAttributes"))?;
        let (string_value, binary_value) = (field("Value.StringValue"), field("Value.BinaryValue"));
        attributes.insert(name, MessageAttribute { data_type, string_value, binary_value });
    }
    Ok(attributes)
}

/// FIFO: the id of the first message of the same deduplication id within five minutes.
fn duplicate(topic: &mut Topic, message: &Published, now: Millis) -> Result<Option<String>, Refusal> {
    if !topic.is_fifo() {
        return Ok(None);
    }
    let by_content = topic.attributes.get("ContentBasedDeduplication").is_some_and(|value| value == "true");
    let id = match &message.message_deduplication_id {
        Some(id) => id.clone(),
        None if by_content => super::message::md5_of(&message.message),
        None => {
            return Err(invalid(
                "The topic should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
            ));
        }
    };
    topic.deduplicated.retain(|_, (until, _)| *until > now);
    if let Some((_, first)) = topic.deduplicated.get(&id) {
        return Ok(Some(first.clone()));
    }
    topic.deduplicated.insert(id, (now + DEDUPLICATION_WINDOW, message.message_id.clone()));
    Ok(None)
}

fn deliver(
    shared: &Arc<Shared>,
    cloud: &mut Cloud,
    subscription: &Subscription,
    message: &Published,
    now: Millis,
) {
    match subscription.protocol.as_str() {
        "sqs" => {
            let Some((scope, queue)) = queue_of(&subscription.endpoint) else { return };
            let (body, attributes) = match subscription.raw {
                true => (message.text_for("sqs"), message.attributes.clone()),
                false => (message.envelope("sqs"), BTreeMap::new()),
            };
            let group = message.message_group_id.clone();
            let deduplication_id = message
                .message_deduplication_id
                .clone()
                .or(group.as_ref().map(|_| message.message_id.clone()));
            let draft = Draft { body, attributes, group, deduplication_id, ..Draft::default() };
            // As with AWS, a subscribed queue that is gone swallows the message.
            let _ = cloud.send(&scope, &queue, draft, now);
        }
        "http" => {
            let (endpoint, message) = (subscription.clone(), message.clone());
            shared.deliveries.spawn(delivery::deliver(endpoint, message));
        }
        _ => {}
    }
}

/// The scope and name of the queue with `arn`.
fn queue_of(arn: &str) -> Option<(Scope, String)> {
    let mut parts = arn.strip_prefix("arn:aws:sqs:")?.splitn(3, ':');
    let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    (!name.is_empty()).then(|| (Scope { account: account.into(), region: region.into() }, name.into()))
}
