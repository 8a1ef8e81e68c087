//! Appends that are damaged before they are stored.

use chatkeep_domain::{Append, ChatMessage, ConversationRepository, Position, Scope, StoreError, ThreadId};

use super::{Fault, Faulty, GAP, lossy, rename};

impl<R: ConversationRepository> Faulty<R> {
    /// What is left of an append, where the fault is in what is handed on.
    pub(super) async fn damage(
        &self,
        scope: &Scope,
        thread: ThreadId,
        mut append: Append,
    ) -> Result<Append, StoreError> {
        let messages = append.messages.into_iter();
        append.messages = messages.map(|message| lossy::message(self.fault, message)).collect();
        match self.fault {
            Fault::DropsFromBatches => {
                let mut number = 0;
                append.messages.retain(|_| {
                    number += 1;
                    number % 3 != 0
                });
            }
            Fault::ReordersBatches => append.messages.sort_by_key(|message| message.id),
            Fault::StoresRetriesTwice => {
                let held = self.held(scope, thread, &append).await;
                rename(&mut append, held);
            }
            Fault::IgnoresExpectHead => append.expect_head = None,
            Fault::ComparesThenAppends | Fault::ForgetsWonRaces => {
                self.compare(scope, thread, append.expect_head).await?;
                append.expect_head = None;
            }
            _ => {}
        }
        Ok(append)
    }

    async fn compare(
        &self,
        scope: &Scope,
        thread: ThreadId,
        expected: Option<Position>,
    ) -> Result<(), StoreError> {
        let Some(expected) = expected else { return Ok(()) };
        let actual = self.inner.get_thread(scope, thread).await?.head;
        if actual != expected {
            return Err(StoreError::Conflict { expected, actual });
        }
        if self.has(Fault::ComparesThenAppends) {
            tokio::time::sleep(GAP).await;
        }
        Ok(())
    }
}

/// The answer to an append that was never stored.
pub(super) fn invented(thread: ThreadId, append: &Append) -> Vec<ChatMessage> {
    let numbered = (1..).zip(append.messages.iter().cloned());
    let answered = numbered.map(|(number, new)| ChatMessage {
        id: new.id,
        chat_thread_id: thread,
        position: Position::new(number).unwrap_or(Position::ZERO),
        sender_id: new.sender_id,
        sender_role: new.sender_role,
        content: new.content,
        created_at: new.created_at,
        updated_at: new.created_at,
    });
    answered.collect()
}
