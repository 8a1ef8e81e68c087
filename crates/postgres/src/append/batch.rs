//! An append as the statements take it.

use std::collections::HashMap;

use chatkeep_domain::{
    Append, Appended, ChatMessage, ContentKey, ExternalId, MessageId, NewMessage, OrgId, Position,
    StoreError, ThreadId, Timestamp, UserId, Version,
};
use sea_orm::Value;

use crate::connection::Connections;
use crate::row::branch_number;
use crate::sql::{Sql, numbers, texts, times, uuids};
use crate::statements::{APPEND, APPEND_BRANCH, APPEND_SEVERAL};
use crate::store::PostgresRepository;
use crate::target::Target;
use crate::words::{self, Owner, analyzer_version};

/// Messages for one thread.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) target: Target,
    pub(super) append: Append,
    /// Bytes of its contents' JSON.
    pub(super) size: usize,
}

/// Where a batch was written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Written {
    /// The position of its first message.
    pub(super) first: i64,
    /// The thread's version behind it.
    pub(super) version: i64,
}

impl Batch {
    /// What is not known yet, whatever is expected: the thread is locked.
    pub(super) fn without(&self, known: &HashMap<MessageId, ChatMessage>) -> Self {
        let missing = self.append.messages.iter().filter(|message| !known.contains_key(&message.id));
        let append = Append::new(missing.cloned()).branch(self.append.branch);
        Self { target: self.target.clone(), append, size: 0 }
    }

    /// The messages as they now are in the table.
    pub(super) fn stored(self, written: Written) -> Result<Appended, StoreError> {
        let (thread, branch, first) = (self.target.id, self.append.branch, Position::new(written.first)?);
        let at = |(index, message): (usize, NewMessage)| {
            let mut message = message.into_message(thread, first.advance(index)?);
            message.branch = branch;
            Ok(message)
        };
        let messages = self.append.messages.into_iter().enumerate().map(at);
        let messages = messages.collect::<Result<Vec<_>, StoreError>>()?;
        let head = messages.last().map_or(first, |last| last.position);
        Ok(Appended::new(messages, head, Version::new(written.version)?))
    }

    /// What the thread's `updated_at` rises to.
    fn latest(&self) -> Timestamp {
        self.append.messages.iter().map(|message| message.created_at).max().unwrap_or_default()
    }
}

/// The threads of several batches, each once.
pub(super) struct Threads<'a> {
    pub(super) wanted: Vec<Thread<'a>>,
    pub(super) places: Vec<Place>,
}

/// Where a batch comes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The number of its thread.
    pub(super) thread: usize,
    /// Behind how many other batches, and how many messages, of this statement it comes there.
    pub(super) batches: i64,
    pub(super) messages: i64,
}

pub(super) struct Thread<'a> {
    target: &'a Target,
    expected_head: Option<Position>,
    expected_version: Option<Version>,
    batches: i64,
    messages: i64,
    latest: Timestamp,
}

impl Threads<'_> {
    /// Where each batch was written, from where the first of its thread was, and the thread's version behind the last.
    pub(super) fn written(&self, threads: &[Option<Written>]) -> Vec<Option<Written>> {
        let written = |place: &Place| {
            let Written { first, version } = threads[place.thread]?;
            let behind = self.wanted[place.thread].batches - 1 - place.batches;
            Some(Written { first: first + place.messages, version: version - behind })
        };
        self.places.iter().map(written).collect()
    }
}

pub(super) fn threads<'a>(batches: &[&'a Batch]) -> Threads<'a> {
    let mut known: HashMap<(&OrgId, ThreadId), usize> = HashMap::new();
    let mut threads = Threads { wanted: Vec::new(), places: Vec::new() };
    for batch in batches {
        let target = &batch.target;
        let number = *known.entry((&target.org, target.id)).or_insert(threads.wanted.len());
        if number == threads.wanted.len() {
            threads.wanted.push(Thread {
                target,
                expected_head: batch.append.expect_head,
                expected_version: batch.append.expect_version,
                batches: 0,
                messages: 0,
                latest: batch.latest(),
            });
        }
        let thread = &mut threads.wanted[number];
        threads.places.push(Place { thread: number, batches: thread.batches, messages: thread.messages });
        thread.latest = thread.latest.max(batch.latest());
        thread.batches += 1;
        thread.messages += i64::try_from(batch.append.messages.len()).unwrap_or(i64::MAX);
    }
    threads
}

impl<C: Connections> PostgresRepository<C> {
    /// A message by itself is given as plain values, not as arrays of one: measured, 8 µs of the client's 40 for an append.
    pub(super) fn append_one(&self, batch: &Batch, message: &NewMessage) -> Result<Sql, StoreError> {
        let mut values = batch.target.values();
        values.extend([
            batch.append.expect_head.map(i64::from).into(),
            (*message.id.as_uuid()).into(),
            message.sender_id.as_ref().map(UserId::as_str).into(),
            message.sender_role.as_str().into(),
            self.sealed(&batch.target, message)?.into(),
            message.created_at.into(),
            self.is_indexed.then(|| self.vector(&batch.target, message)).into(),
            self.is_indexed.then(analyzer_version).into(),
            message.external_id.as_ref().map(ExternalId::as_str).into(),
            batch.append.expect_version.map(i64::from).into(),
        ]);
        Ok(Sql::constant(APPEND, values))
    }

    /// To a branch other than the main one.
    pub(super) fn append_to_branch(&self, batch: &Batch) -> Result<Sql, StoreError> {
        let Append { branch, expect_head, expect_version, messages, .. } = &batch.append;
        let sealed = messages.iter().map(|message| self.sealed(&batch.target, message));
        let sealed: Vec<String> = sealed.collect::<Result<_, _>>()?;
        let mut values = batch.target.values();
        values.extend([
            branch_number(*branch).into(),
            expect_head.map(i64::from).into(),
            expect_version.map(i64::from).into(),
            batch.latest().into(),
            uuids(messages.iter().map(|message| *message.id.as_uuid())),
            texts(messages.iter().map(|message| message.sender_id.as_ref().map_or("", UserId::as_str))),
            texts(messages.iter().map(|message| message.sender_role.as_str())),
            texts(sealed),
            times(messages.iter().map(|message| message.created_at)),
            texts(messages.iter().map(|message| self.vector_or_none(&batch.target, message))),
            texts(messages.iter().map(|message| message.external_id.as_ref().map_or("", ExternalId::as_str))),
            self.is_indexed.then(analyzer_version).into(),
        ]);
        Ok(Sql::constant(APPEND_BRANCH, values))
    }

    pub(super) fn append_several(
        &self,
        batches: &[&Batch],
        threads: &Threads<'_>,
    ) -> Result<Sql, StoreError> {
        let wanted = &threads.wanted;
        let mut values: Vec<Value> = vec![
            texts(wanted.iter().map(|thread| thread.target.org.as_str())),
            uuids(wanted.iter().map(|thread| *thread.target.id.as_uuid())),
            texts(wanted.iter().map(|thread| thread.target.user.as_ref().map_or("", UserId::as_str))),
            numbers(wanted.iter().map(|thread| thread.expected_head.map_or(-1, i64::from))),
            numbers(wanted.iter().map(|thread| thread.messages)),
            times(wanted.iter().map(|thread| thread.latest)),
        ];
        let placed: Vec<_> = batches
            .iter()
            .zip(&threads.places)
            .flat_map(|(batch, place)| {
                batch
                    .append
                    .messages
                    .iter()
                    .zip(place.messages..)
                    .map(move |(message, at)| (batch, place.thread, at, message))
            })
            .collect();
        let messages = || placed.iter().map(|(.., message)| *message);
        let sealed = placed.iter().map(|(batch, .., message)| self.sealed(&batch.target, message));
        let sealed: Vec<String> = sealed.collect::<Result<_, _>>()?;
        let vector = |(batch, .., message): &(&&Batch, usize, i64, &NewMessage)| {
            self.vector_or_none(&batch.target, message)
        };
        values.extend([
            numbers(placed.iter().map(|(_, number, ..)| i64::try_from(number + 1).unwrap_or(i64::MAX))),
            numbers(placed.iter().map(|(_, _, at, _)| *at)),
            uuids(messages().map(|message| *message.id.as_uuid())),
            texts(messages().map(|message| message.sender_id.as_ref().map_or("", UserId::as_str))),
            texts(messages().map(|message| message.sender_role.as_str())),
            texts(sealed),
            times(messages().map(|message| message.created_at)),
            texts(placed.iter().map(vector)),
            self.is_indexed.then(analyzer_version).into(),
            numbers(wanted.iter().map(|thread| thread.batches)),
            numbers(wanted.iter().map(|thread| thread.expected_version.map_or(-1, i64::from))),
            texts(messages().map(|message| message.external_id.as_ref().map_or("", ExternalId::as_str))),
        ]);
        Ok(Sql::constant(APPEND_SEVERAL, values))
    }

    fn sealed(&self, target: &Target, message: &NewMessage) -> Result<String, StoreError> {
        self.seal(&message.content, &ContentKey::new(&target.org, target.id, message.id))
    }

    fn vector_or_none(&self, target: &Target, message: &NewMessage) -> String {
        if self.is_indexed { self.vector(target, message) } else { String::new() }
    }

    fn vector(&self, target: &Target, message: &NewMessage) -> String {
        let owner = Owner {
            org: &target.org,
            thread: target.id,
            user: target.user.as_ref().map(UserId::as_str),
            sender: message.sender_id.as_ref(),
            role: message.sender_role,
        };
        words::vector(&owner, &self.codec.document(&message.content).unwrap_or_default())
    }
}
