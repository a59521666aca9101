//! SQS, read only: listing queues, their attributes and their tags. There is no ReceiveMessage here and never will be.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_sqs::types::QueueAttributeName as Name;

use super::failure::{Failure, Reason};
use super::meter::{Meter, Operation};
use super::parse::{self, Parser};
use crate::domain::cost::Call;
use crate::domain::queue::{Depth, QueueId, QueueKind, Settings};

/// Queues a page; only with a bound does AWS page at all, and no more are allowed.
const PAGE: i32 = 1000;
/// Ten million queues; what goes on longer does not end.
const MAX_PAGES: usize = 10_000;
/// Pages without a queue that is new: a listing that only repeats itself does not end either.
const MAX_IDLE_PAGES: usize = 100;

/// Which attributes are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The three counts.
    Counts,
    /// All, settings included.
    All,
}

/// What GetQueueAttributes answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Attributes {
    /// The counts.
    pub depth: Depth,
    /// The settings, when all attributes were asked for and answered.
    pub settings: Option<Settings>,
}

/// A queue as a listing names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: Arc<str>,
    /// Its account, when the URL tells.
    pub account: Option<Arc<str>>,
    /// Its URL.
    pub url: Arc<str>,
}

impl Listed {
    /// Reads a queue's URL.
    pub fn from_url(url: &str) -> Option<Self> {
        let (account, name) = parse::url(url)?;
        Some(Self { name: name.into(), account: account.map(Into::into), url: url.into() })
    }
}

/// SQS in one region as one identity.
#[derive(Clone, Debug)]
pub struct Sqs {
    client: Client,
    meter: Meter,
}

impl Sqs {
    /// Takes the SDK's client.
    pub fn new(client: Client, meter: Meter) -> Self {
        Self { client, meter }
    }

    /// One page of the queues, and the token of the next.
    pub async fn page(&self, token: Option<String>) -> Result<(Vec<Listed>, Option<String>), Failure> {
        let request = self.client.list_queues().max_results(PAGE).set_next_token(token).send();
        let answer = self.request(Operation::ListQueues, Call::ListRequest, request).await?;
        let urls = answer.queue_urls.unwrap_or_default();
        let listed: Vec<Listed> = urls.iter().filter_map(|url| Listed::from_url(url)).collect();
        if listed.len() < urls.len() {
            self.meter.failed(Operation::ListQueues, Reason::BadAnswer);
        }
        Ok((listed, answer.next_token.filter(|token| !token.is_empty())))
    }

    /// The URL of the queue `name`.
    pub async fn url(&self, name: &str) -> Result<Listed, Failure> {
        let request = self.client.get_queue_url().queue_name(name).send();
        let answer = self
            .request(Operation::GetQueueUrl, Call::SqsRequest { fifo: name.ends_with(".fifo") }, request)
            .await?;
        let listed = answer.queue_url.as_deref().and_then(Listed::from_url);
        listed.ok_or_else(|| self.unusable(Operation::GetQueueUrl, "the answer holds no URL of a queue"))
    }

    /// The attributes of the queue `id`. Counts and settings that make no sense are unknown in it, and counted.
    pub async fn attributes(&self, id: &QueueId, url: &str, wanted: Wanted) -> Result<Attributes, Failure> {
        let names = match wanted {
            Wanted::All => vec![Name::All],
            Wanted::Counts => vec![
                Name::ApproximateNumberOfMessages,
                Name::ApproximateNumberOfMessagesNotVisible,
                Name::ApproximateNumberOfMessagesDelayed,
            ],
        };
        let request =
            self.client.get_queue_attributes().queue_url(url).set_attribute_names(Some(names)).send();
        let answer = self
            .request(Operation::GetQueueAttributes, Call::SqsRequest { fifo: is_fifo(id) }, request)
            .await?;
        let mut parser = Parser::new(answer.attributes.as_ref());
        let depth = parser.depth();
        // An answer without anything says nothing about settings: those known stay.
        let told = wanted == Wanted::All && answer.attributes.as_ref().is_some_and(|told| !told.is_empty());
        let settings = told.then(|| parser.settings(id));
        if parser.garbled {
            self.meter.failed(Operation::GetQueueAttributes, Reason::BadAnswer);
        }
        Ok(Attributes { depth, settings })
    }

    /// The account that owns the queue at `url`, told by its ARN.
    pub async fn account(&self, url: &str) -> Result<Arc<str>, Failure> {
        let request =
            self.client.get_queue_attributes().queue_url(url).attribute_names(Name::QueueArn).send();
        let answer = self
            .request(
                Operation::GetQueueAttributes,
                Call::SqsRequest { fifo: url.ends_with(".fifo") },
                request,
            )
            .await?;
        let arn = answer.attributes.as_ref().and_then(|attributes| attributes.get(&Name::QueueArn));
        let id = arn.and_then(|arn| QueueId::from_arn(arn));
        id.map(|id| id.account)
            .ok_or_else(|| self.unusable(Operation::GetQueueAttributes, "the answer holds no ARN of a queue"))
    }

    /// The tags of the queue `id`.
    pub async fn tags(&self, id: &QueueId, url: &str) -> Result<BTreeMap<String, String>, Failure> {
        let request = self.client.list_queue_tags().queue_url(url).send();
        let answer =
            self.request(Operation::ListQueueTags, Call::TagRequest { fifo: is_fifo(id) }, request).await?;
        Ok(answer.tags.unwrap_or_default().into_iter().collect())
    }

    async fn request<T, E>(
        &self,
        operation: Operation,
        call: Call,
        request: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, Failure>
    where
        E: std::error::Error + ProvideErrorMetadata + 'static,
    {
        self.meter.request(operation, Some(call), request).await
    }

    /// Counts an answer that came but is of no use, and says so.
    pub fn unusable(&self, operation: Operation, why: &str) -> Failure {
        self.meter.failed(operation, Reason::BadAnswer);
        Failure::plain(operation, Reason::BadAnswer, why)
    }
}

/// A listing in progress: pages are added until there is no next one, or it is clear that there is no end.
#[derive(Debug, Default)]
pub struct Listing {
    queues: BTreeMap<Arc<str>, Listed>,
    tokens: HashSet<String>,
    pages: usize,
    idle: usize,
}

impl Listing {
    /// Takes one page. The token of the next page to ask for, or none when the listing is complete; an error says that it
    /// never will be.
    pub fn add(&mut self, page: Vec<Listed>, next: Option<String>) -> Result<Option<String>, String> {
        let before = self.queues.len();
        self.queues.extend(page.into_iter().map(|queue| (queue.name.clone(), queue)));
        self.pages += 1;
        self.idle = if self.queues.len() > before { 0 } else { self.idle + 1 };
        let Some(token) = next else { return Ok(None) };
        let endless =
            !self.tokens.insert(token.clone()) || self.pages >= MAX_PAGES || self.idle >= MAX_IDLE_PAGES;
        if endless {
            return Err(format!(
                "the listing does not end: {} pages, {} queues",
                self.pages,
                self.queues.len()
            ));
        }
        Ok(Some(token))
    }

    /// The queues, each name once.
    pub fn into_queues(self) -> Vec<Listed> {
        self.queues.into_values().collect()
    }
}

fn is_fifo(id: &QueueId) -> bool {
    id.kind() == QueueKind::Fifo
}
