//! What these cases are written with: damaged threads and messages, and what pages of them give.

use chatkeep_domain::{
    ChatMessage, Content, Cursor, MessageQuery, Page, SearchQuery, StoreError, ThreadQuery,
};
use serde_json::json;

use crate::damage::Row;
use crate::fixture::{Fixture, Talk, Tenant, at, numbered};

/// No JSON. An error must not show any of it.
pub(super) const NO_JSON: &str = r#"{"type": "text", "text": secret"#;

/// The least integer that 64 bits do not hold. Read as a float it would be another number without a word.
pub(super) const WIDE: &str = "18446744073709551616";

impl Fixture {
    pub(super) async fn damage_message(&self, message: &ChatMessage, tenant: &Tenant, json: &str) {
        let row = Row::Message(tenant.org.clone(), message.chat_thread_id, message.id);
        self.overwrite(&row, json).await;
    }

    /// A thread of numbered messages, each with `{"even": …}` as metadata, of which those at these positions are damaged.
    pub(super) async fn damaged(&self, count: usize, bad: &[usize]) -> (Talk, Vec<ChatMessage>) {
        self.damaged_for(&self.tenant(), count, bad).await
    }

    /// The same for this user.
    pub(crate) async fn damaged_for(
        &self,
        tenant: &Tenant,
        count: usize,
        bad: &[usize],
    ) -> (Talk, Vec<ChatMessage>) {
        let talk = tenant.talk().await;
        let mut messages = numbered(count);
        for (number, message) in (1..).zip(&mut messages) {
            let metadata = json!({"even": number % 2 == 0}).as_object().cloned();
            message.content =
                Content::text(format!("number {number}")).with_metadata(metadata.expect("an object"));
        }
        let stored = talk.say(messages).await;
        for number in bad {
            self.damage_message(&stored[number - 1], &talk.tenant, NO_JSON).await;
        }
        (talk, stored)
    }
}

/// What a page gave: the numbers of its items; or the place of the corrupt row that it would begin with.
#[derive(Debug, PartialEq)]
pub(super) enum Gave {
    Page(Vec<i64>),
    Corrupt,
}

pub(super) use Gave::{Corrupt, Page as Items};

/// Asks for page after page, behind corrupt rows too.
pub(super) async fn pages<T>(
    mut ask: impl AsyncFnMut(Option<Cursor>) -> Result<Page<T>, StoreError>,
    number: impl Fn(&T) -> i64,
) -> Vec<Gave> {
    let (mut gave, mut cursor) = (Vec::new(), None);
    // More than any case here has.
    while gave.len() < 20 {
        let next = match ask(cursor.take()).await {
            Ok(page) => {
                gave.push(Items(page.items.iter().map(&number).collect()));
                page.next
            }
            Err(StoreError::CorruptRow { behind, .. }) => {
                gave.push(Corrupt);
                behind
            }
            Err(other) => panic!("expected a page or a corrupt row, got {other:?}"),
        };
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    gave
}

pub(super) async fn message_pages(talk: &Talk, query: &MessageQuery) -> Vec<Gave> {
    let ask = async |cursor: Option<Cursor>| {
        let query = cursor.map_or_else(|| query.clone(), |cursor| query.clone().behind(cursor));
        talk.page(&query).await
    };
    pages(ask, |message| message.position.get()).await
}

pub(super) async fn hit_pages(tenant: &Tenant, query: &SearchQuery) -> Vec<Gave> {
    let ask = async |cursor: Option<Cursor>| {
        let query = cursor.map_or_else(|| query.clone(), |cursor| query.clone().behind(cursor));
        let page = tenant.search(&query).await?;
        Ok(Page::new(page.items, page.next))
    };
    pages(ask, |hit| hit.message.position.get()).await
}

/// Three threads, named by their numbers, the first the newest; the second cannot be decoded.
pub(super) async fn three_threads(fixture: &Fixture) -> Tenant {
    let ada = fixture.tenant();
    for number in 1..=3 {
        let new = with!(ada.new_thread(), name: number.to_string(), created_at: at(-number));
        let id = ada.create(new).await.expect("a thread is created").id;
        if number == 2 {
            fixture.overwrite(&Row::Thread(ada.org.clone(), id), NO_JSON).await;
        }
    }
    ada
}

pub(super) async fn thread_pages(tenant: &Tenant, query: &ThreadQuery) -> Vec<Gave> {
    let ask = async |cursor: Option<Cursor>| {
        let query = cursor.map_or_else(|| query.clone(), |cursor| query.clone().behind(cursor));
        tenant.list(&query).await
    };
    pages(ask, |thread| thread.name.parse().expect("a number")).await
}
