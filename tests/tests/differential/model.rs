//! A store of the test's own, which knows what every write does; and the same writes on the real ones.

use std::collections::BTreeSet;

use chatkeep_contract::Repo;
use chatkeep_domain::{
    Append, Content, MessageEdit, MessageId, Metadata, NewMessage, NewThread, OrgId, Position, Role, Scope,
    ThreadId, ThreadUpdate, UserId,
};
use proptest::sample::Index;
use uuid::Uuid;

use crate::common::at;
use crate::corpus::{Corpus, Message, Step, Text, metadata};

/// Where a corpus is, so that many share the stores: its organizations, the ids of its threads, and its second.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place(pub(crate) u32);

impl Place {
    pub(crate) fn org(self, number: usize) -> OrgId {
        OrgId::new(format!("c{}-{number}", self.0)).expect("an id")
    }

    pub(crate) fn thread(self, slot: usize) -> ThreadId {
        Uuid::from_u128(u128::from(self.0) << 16 | slot as u128).into()
    }

    pub(crate) fn moment(self, micros: i64) -> i64 {
        i64::from(self.0) * 1_000_000 + micros
    }
}

pub(crate) fn user(number: usize) -> UserId {
    UserId::new(["ada", "bob"][number]).expect("an id")
}

#[derive(Debug, Clone)]
pub(crate) struct StoredMessage {
    pub(crate) id: MessageId,
    pub(crate) position: Position,
    pub(crate) role: Role,
    pub(crate) sender: Option<usize>,
    pub(crate) at: i64,
    pub(crate) content: Content,
    pub(crate) plain: BTreeSet<&'static str>,
}

#[derive(Debug, Clone)]
pub(crate) struct StoredThread {
    pub(crate) org: usize,
    pub(crate) user: usize,
    pub(crate) slot: usize,
    pub(crate) name: Text,
    pub(crate) metadata: Metadata,
    pub(crate) at: i64,
    pub(crate) updated: i64,
    head: usize,
    pub(crate) messages: Vec<StoredMessage>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) place: Place,
    pub(crate) threads: Vec<StoredThread>,
}

impl Model {
    /// Writes the corpus to every store, and to the model.
    pub(crate) async fn write(place: Place, corpus: &Corpus, stores: &[(&'static str, Repo)]) -> Self {
        let mut model = Self { place, threads: Vec::new() };
        for thread in &corpus.threads {
            if model.threads.iter().any(|other| (other.org, other.slot) == (thread.org, thread.slot)) {
                continue;
            }
            let (org, moment) = (place.org(thread.org), at(place.moment(thread.at)));
            let new = NewThread::new(
                place.thread(thread.slot),
                org.clone(),
                user(thread.user),
                thread.name.written(),
                moment,
            )
            .with_metadata(metadata(thread.metadata));
            for (name, repo) in stores {
                let created = repo.create_thread(&Scope::org(org.clone()), new.clone()).await;
                assert_eq!(created.expect(name).id, new.id);
            }
            model.threads.push(StoredThread {
                org: thread.org,
                user: thread.user,
                slot: thread.slot,
                name: thread.name.clone(),
                metadata: metadata(thread.metadata),
                at: thread.at,
                updated: thread.at,
                head: 0,
                messages: Vec::new(),
            });
        }
        for step in &corpus.steps {
            model.step(step, stores).await;
        }
        model
    }

    async fn step(&mut self, step: &Step, stores: &[(&'static str, Repo)]) {
        let place = self.place;
        let (Step::Append(pick, _)
        | Step::Edit(pick, ..)
        | Step::Delete(pick, ..)
        | Step::Clear(pick, _)
        | Step::DeleteThread(pick)
        | Step::Update(pick, ..)) = step;
        if self.threads.is_empty() {
            return;
        }
        let number = pick.index(self.threads.len());
        let thread = &mut self.threads[number];
        let (scope, id) = (Scope::org(place.org(thread.org)), place.thread(thread.slot));
        match step {
            Step::Append(_, messages) => {
                let new = thread.append(place, messages);
                for (name, repo) in stores {
                    let appended = repo.append(&scope, id, Append::new(new.clone())).await.expect(name);
                    let expected = &thread.messages[thread.messages.len() - new.len()..];
                    let positions = appended.messages.iter().map(|message| message.position);
                    assert!(positions.eq(expected.iter().map(|message| message.position)), "{name}");
                }
            }
            Step::Edit(_, pick, edited) => {
                let Some(message) = picked(&mut thread.messages, *pick) else { return };
                thread.updated = thread.updated.max(edited.at);
                (message.content, message.plain) = (edited.content(), edited.plain());
                for (name, repo) in stores {
                    let edit = MessageEdit::new(message.content.clone(), at(place.moment(edited.at)));
                    repo.edit_message(&scope, id, message.id, edit).await.expect(name);
                }
            }
            Step::Delete(_, pick, moment) => {
                let Some(message) = picked(&mut thread.messages, *pick) else { return };
                let gone = message.id;
                thread.updated = thread.updated.max(*moment);
                thread.messages.retain(|message| message.id != gone);
                for (name, repo) in stores {
                    repo.delete_message(&scope, id, gone, at(place.moment(*moment)).into())
                        .await
                        .expect(name);
                }
            }
            Step::Clear(_, moment) => {
                // Clearing what is empty is no write.
                if !thread.messages.is_empty() {
                    thread.updated = thread.updated.max(*moment);
                }
                thread.messages.clear();
                for (name, repo) in stores {
                    repo.clear_messages(&scope, id, at(place.moment(*moment)).into()).await.expect(name);
                }
            }
            Step::DeleteThread(_) => {
                self.threads.remove(number);
                for (name, repo) in stores {
                    repo.delete_thread(&scope, id, None).await.expect(name);
                }
            }
            Step::Update(_, name, data, moment) => {
                let mut update = ThreadUpdate::new(at(place.moment(*moment)));
                thread.updated = thread.updated.max(*moment);
                if let Some(name) = name {
                    thread.name = name.clone();
                    update = update.name(name.written());
                }
                if let Some(number) = data {
                    thread.metadata = metadata(*number);
                    update = update.metadata(metadata(*number));
                }
                for (name, repo) in stores {
                    repo.update_thread(&scope, id, update.clone()).await.expect(name);
                }
            }
        }
    }
}

impl StoredThread {
    fn append(&mut self, place: Place, messages: &[Message]) -> Vec<NewMessage> {
        let mut new = Vec::new();
        for message in messages {
            self.head += 1;
            // Every thread numbers its own: ids repeat across threads.
            let id = Uuid::from_u128(u128::from(place.0) << 32 | self.head as u128).into();
            let position = Position::ZERO.advance(self.head).expect("a position");
            let content = message.content();
            let created = at(place.moment(message.at));
            let mut said = NewMessage::new(id, message.role, content.clone(), created);
            said.sender_id = message.sender.map(user);
            new.push(said);
            self.updated = self.updated.max(message.at);
            self.messages.push(StoredMessage {
                id,
                position,
                role: message.role,
                sender: message.sender,
                at: message.at,
                content,
                plain: message.plain(),
            });
        }
        new
    }
}

fn picked(messages: &mut [StoredMessage], pick: Index) -> Option<&mut StoredMessage> {
    let count = messages.len();
    (count > 0).then(|| &mut messages[pick.index(count)])
}
