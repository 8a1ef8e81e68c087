//! What a window shows changes nothing of what is durable.

use std::sync::Arc;

use chatkeep::{
    Content, ConversationHistory, MemoryRepository, Message, MessageId, OrgId, Role, Scope, StateManager,
    UserId,
};
use proptest::prelude::*;
use serde_json::json;

/// One add. Few ids and tools, so that they are used again, answered late, early, twice or never.
#[derive(Debug, Clone)]
enum Add {
    Said(Role),
    Call(u8),
    Parallel(Vec<u8>),
    /// The shape of Anthropic, which pairs by `tool_use_id` in the role user.
    Blocks(u8),
    Result(u8),
    ResultFor(u8),
    BlocksResult(u8),
    /// What was added before, so far back.
    Again(usize),
}

fn add() -> impl Strategy<Value = Add> {
    prop_oneof![
        3 => prop::sample::select(Role::ALL.to_vec()).prop_map(Add::Said),
        3 => (0..4_u8).prop_map(Add::Call),
        1 => prop::collection::vec(0..4_u8, 1..4).prop_map(Add::Parallel),
        1 => (0..4_u8).prop_map(Add::Blocks),
        4 => (0..2_u8).prop_map(Add::Result),
        2 => (0..4_u8).prop_map(Add::ResultFor),
        1 => (0..4_u8).prop_map(Add::BlocksResult),
        1 => (1..6_usize).prop_map(Add::Again),
    ]
}

fn id(number: u8) -> String {
    format!("call_{number}")
}

/// Two ids have one tool.
fn tool(number: u8) -> String {
    format!("tool_{}", number / 2)
}

fn call(number: u8) -> Content {
    Content::tool_call(id(number), tool(number), json!({}))
}

fn blocks(block: &serde_json::Value) -> Content {
    Content::from_value(json!({"type": "message", "content": [block]})).unwrap()
}

fn message_id(number: usize) -> MessageId {
    MessageId::from(uuid::Uuid::from_u128(number as u128))
}

/// Whether the add was refused.
async fn run(history: &mut ConversationHistory, add: &Add, number: usize) -> bool {
    let request = match add {
        Add::Said(role) => history.add_message(*role, "said"),
        Add::Call(number) => history.add_message(Role::Assistant, call(*number)),
        Add::Parallel(numbers) => {
            history.add_message(Role::Assistant, Content::parts(numbers.iter().copied().map(call)))
        }
        Add::Blocks(number) => {
            let block = json!({"type": "tool_use", "id": id(*number), "name": tool(*number), "input": {}});
            history.add_message(Role::Assistant, blocks(&block))
        }
        Add::Result(tool) => history.add_tool_result(format!("tool_{tool}"), number),
        Add::ResultFor(call) => history.add_tool_result_for(id(*call), tool(*call), number),
        Add::BlocksResult(number) => {
            let block = json!({"type": "tool_result", "tool_use_id": id(*number), "content": "done"});
            history.add_message(Role::User, blocks(&block))
        }
        Add::Again(back) => {
            let again = number.saturating_sub(*back);
            return history.add_message(Role::User, "said").id(message_id(again)).await.is_err();
        }
    };
    request.id(message_id(number)).await.is_err()
}

/// What is stored, which adds were refused, and what shows, before and after it is loaded.
async fn stored(
    adds: &[Add],
    most: Option<usize>,
    tokens: Option<usize>,
) -> (Vec<Message>, Vec<bool>, [Vec<Message>; 2]) {
    let scope = Scope::user(OrgId::new("acme").unwrap(), UserId::new("ada").unwrap());
    let state = StateManager::new(Arc::new(MemoryRepository::new()), scope);
    let chat = state.conversation(state.create_thread("x").await.unwrap().id);
    let builder = ConversationHistory::builder().conversation(chat.clone()).persist_to_db(true);
    let mut history = builder.max_messages(most).max_tokens(tokens).build().unwrap();
    let mut refused = Vec::new();
    for (number, add) in adds.iter().enumerate() {
        refused.push(run(&mut history, add, number).await);
    }
    let shown = history.get_messages(None);
    let messages = chat.get_messages().await.unwrap();
    history.load_from_db().await.unwrap();
    let shown = [shown, history.get_messages(None)];
    (messages.into_iter().map(Message::from).collect(), refused, shown)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_stored_does_not_depend_on_what_shows(
        adds in prop::collection::vec(add(), 0..40),
        most in prop::option::of(1..12_usize),
        tokens in prop::option::of(1..60_usize),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (narrow, refused, _) = runtime.block_on(stored(&adds, most, tokens));
        let (wide, refused_wide, [shown, loaded]) = runtime.block_on(stored(&adds, None, None));
        prop_assert_eq!(refused, refused_wide);
        prop_assert_eq!(narrow, wide);
        prop_assert_eq!(shown, loaded);
    }
}
