//! What is asked of a store that does not change.

use anyhow::{Result, ensure};
use chatkeep::{ChatThread, MessageQuery, Role, SearchQuery, StateManager, ThreadQuery};

use super::states;
use crate::corpus::{PAGE, WORD};
use crate::data::{TEXT, USERS, thread_id};
use crate::floor::{Floor, Pair};
use crate::load::corpus_scope;
use crate::measure::{Callers, Measured, On, Plan, Work, compare};

/// The messages and the threads that are read at a time.
const COUNT: usize = 50;

/// The messages that a stream reads at a time.
const STREAMED: usize = 500;

/// A question. One caller asks it over and over.
#[derive(Debug, Clone, Copy)]
pub(super) enum Ask {
    /// The newest messages of a thread.
    Newest,
    /// All messages of a thread, one by one.
    Stream { messages: usize },
    /// A user's newest threads.
    List,
    /// The messages with a word, of one organization after the other.
    Search { orgs: usize },
}

impl Ask {
    /// The organizations are visited in an order that is none.
    fn org(turn: usize, orgs: usize) -> usize {
        turn * 7 % orgs
    }
}

struct Ours {
    ask: Ask,
    states: Vec<StateManager>,
}

struct ByHand<F> {
    ask: Ask,
    floor: F,
}

pub(super) async fn compared<P: Pair>(pair: &P, ask: Ask, plan: Plan) -> Result<Measured> {
    let states = match ask {
        Ask::Search { orgs } => {
            let store = pair.ours(None).await?;
            let state = |org| Ok(StateManager::new(store.clone(), corpus_scope(org)?));
            (0..orgs).map(state).collect::<Result<_>>()?
        }
        _ => states(pair, None).await?,
    };
    let ours = Callers::new(Ours { ask, states }, 1, On::Tasks);
    let floor = Callers::new(ByHand { ask, floor: pair.floor(1).await? }, 1, P::Floor::ON);
    compare(plan, ours, floor).await
}

/// A user's newest threads, in each of which there is a message.
struct Lists {
    state: StateManager,
    query: ThreadQuery,
}

/// Lists with previews, against the same lists without.
pub(super) async fn previews<P: Pair>(pair: &P, threads: usize, plan: Plan) -> Result<Measured> {
    let state = states(pair, None).await?.swap_remove(0);
    for thread in (0..threads).step_by(USERS) {
        state.conversation(thread_id(thread)).add_message(Role::User, TEXT).await?;
    }
    let lists = |query| Callers::new(Lists { state: state.clone(), query }, 1, On::Tasks);
    let query = ThreadQuery::first(COUNT);
    compare(plan, lists(query.clone().with_preview()), lists(query)).await
}

impl Work for Lists {
    async fn step(&self, _: usize, _: usize) -> Result<usize> {
        let threads = self.state.list_threads(&self.query).await?.items;
        let last = |thread: &ChatThread| thread.preview.as_ref().is_some_and(|it| it.last_message.is_some());
        expect(threads.iter().filter(|thread| last(thread) == self.query.with_preview).count(), COUNT)
    }
}

impl Work for Ours {
    async fn step(&self, _: usize, turn: usize) -> Result<usize> {
        let state = &self.states[0];
        match self.ask {
            Ask::Newest => {
                let messages = state.conversation(thread_id(0)).get_messages().last(COUNT).await?;
                let text = |message: &chatkeep::ChatMessage| message.content.as_text().map_or(0, str::len);
                expect(messages.iter().map(text).sum(), COUNT * TEXT.len())
            }
            Ask::Stream { messages } => {
                let mut stream =
                    state.conversation(thread_id(0)).stream_messages(MessageQuery::first(STREAMED))?;
                let (mut count, mut bytes) = (0, 0);
                while let Some(message) = stream.next().await {
                    count += 1;
                    bytes += message?.content.as_text().map_or(0, str::len);
                }
                expect(bytes, messages * TEXT.len())?;
                Ok(count)
            }
            Ask::List => expect(state.list_threads(&ThreadQuery::first(COUNT)).await?.items.len(), COUNT),
            Ask::Search { orgs } => {
                let state = &self.states[Ask::org(turn, orgs)];
                expect(state.search(SearchQuery::new(WORD).limit(PAGE)).await?.items.len(), PAGE)
            }
        }
    }
}

impl<F: Floor> Work for ByHand<F> {
    async fn step(&self, _: usize, turn: usize) -> Result<usize> {
        match self.ask {
            Ask::Newest => expect(self.floor.newest(COUNT).await?, COUNT * TEXT.len()),
            Ask::Stream { messages } => {
                let (count, bytes) = self.floor.read_all().await?;
                expect(bytes, messages * TEXT.len())?;
                Ok(count)
            }
            Ask::List => expect(self.floor.list(COUNT).await?, COUNT),
            Ask::Search { orgs } => expect(self.floor.search(Ask::org(turn, orgs), PAGE).await?, PAGE),
        }
    }
}

/// One question, answered whole.
fn expect(got: usize, wanted: usize) -> Result<usize> {
    ensure!(got == wanted, "{got} were read, not {wanted}");
    Ok(1)
}
