use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;

use crate::append::{Append, Appended, ThreadAppend};
use crate::error::{Again, Outcome, StoreError};
use crate::id::{MessageId, OrgId, ThreadId};
use crate::message::{ChatMessage, MessageEdit, MessageRevision};
use crate::message_query::MessageQuery;
use crate::page::Page;
use crate::position::Position;
use crate::removal::Removal;
use crate::repository::MessageRepository;
use crate::scope::Scope;
use crate::stream::MessageStream;
use crate::version::Version;

/// Takes every append but one, and notes the threads that it was asked to write to.
#[derive(Debug)]
struct Unwilling {
    refused: ThreadId,
    error: fn() -> StoreError,
    asked: Mutex<Vec<ThreadId>>,
}

#[async_trait]
impl MessageRepository for Unwilling {
    async fn append(&self, _: &Scope, thread: ThreadId, _: Append) -> Result<Appended, StoreError> {
        self.asked.lock().unwrap().push(thread);
        if thread == self.refused {
            Err((self.error)())
        } else {
            Ok(Appended::new(Vec::new(), Position::ZERO, Version::beginning(0)))
        }
    }
    async fn get_message(&self, _: &Scope, _: ThreadId, _: MessageId) -> Result<ChatMessage, StoreError> {
        unreachable!("only appends are made")
    }
    async fn list_messages(
        &self,
        _: &Scope,
        _: ThreadId,
        _: &MessageQuery,
    ) -> Result<Page<ChatMessage>, StoreError> {
        unreachable!("only appends are made")
    }
    async fn list_messages_unless(
        &self,
        _: &Scope,
        _: ThreadId,
        _: &MessageQuery,
        _: Version,
    ) -> Result<Option<Page<ChatMessage>>, StoreError> {
        unreachable!("only appends are made")
    }
    fn stream_messages<'a>(&'a self, _: &'a Scope, _: ThreadId, _: MessageQuery) -> MessageStream<'a> {
        unreachable!("only appends are made")
    }
    async fn edit_message(
        &self,
        _: &Scope,
        _: ThreadId,
        _: MessageId,
        _: MessageEdit,
    ) -> Result<ChatMessage, StoreError> {
        unreachable!("only appends are made")
    }
    async fn list_revisions(
        &self,
        _: &Scope,
        _: ThreadId,
        _: MessageId,
    ) -> Result<Vec<MessageRevision>, StoreError> {
        unreachable!("only appends are made")
    }
    async fn delete_message(
        &self,
        _: &Scope,
        _: ThreadId,
        _: MessageId,
        _: Removal,
    ) -> Result<(), StoreError> {
        unreachable!("only appends are made")
    }
    async fn clear_messages(&self, _: &Scope, _: ThreadId, _: Removal) -> Result<u64, StoreError> {
        unreachable!("only appends are made")
    }
}

/// What becomes of appends to two threads, the first of which is refused, in turn; and what the store was asked.
fn append_in_turn(error: fn() -> StoreError) -> (Vec<Result<Appended, StoreError>>, Vec<ThreadId>) {
    let [one, two] = threads();
    let store = Unwilling { refused: one, error, asked: Mutex::default() };
    let scope = Scope::org(OrgId::new("acme").unwrap());
    let appends = [one, two, one, two].map(|id| ThreadAppend::new(scope.clone(), id, Append::default()));
    let answers = {
        let mut call = pin!(store.append_each(appends.into()));
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(answers) => answers,
            Poll::Pending => panic!("nothing is waited for"),
        }
    };
    (answers, store.asked.into_inner().unwrap())
}

fn threads() -> [ThreadId; 2] {
    [1, 2].map(|number| ThreadId::from(uuid::Uuid::from_u128(number)))
}

#[test]
fn behind_an_unavailable_append_none_to_its_thread_is_tried() {
    let down = || StoreError::unavailable("toy", Outcome::Unknown, Again::No, "it is down", "a test");
    let (answers, asked) = append_in_turn(down);
    let [one, two] = threads();
    assert_eq!(asked, [one, two, two]);
    let [first, second, third, fourth] = <[_; 4]>::try_from(answers).unwrap();
    assert_eq!(first.unwrap_err().outcome(), Outcome::Unknown);
    let error = third.unwrap_err();
    assert_eq!((error.outcome(), error.is_transient()), (Outcome::NotDone, true), "{error:?}");
    assert!(second.is_ok() && fourth.is_ok());
}

#[test]
fn behind_another_error_the_next_append_is_tried() {
    let [one, two] = threads();
    let (answers, asked) = append_in_turn(|| StoreError::thread_not_found(threads()[0]));
    assert_eq!(asked, [one, two, one, two]);
    assert!(answers.iter().step_by(2).all(|answer| answer.as_ref().is_err_and(StoreError::is_not_found)));
}
