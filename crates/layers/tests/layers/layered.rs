//! Which layers there are, in which order, and that they work together.

use std::sync::Arc;
use std::time::Duration;

use chatkeep_domain::{Again, Append, ConversationRepositoryExt as _, Outcome, StoreError};
use chatkeep_layers::{
    CoalescingConfig, DEFAULT_DEADLINE, DEFAULT_MAX_GROUP_LEN, DEFAULT_MAX_IN_FLIGHT, LayersConfig, layered,
};
use chatkeep_memory::MemoryRepository;

use crate::calls::{Talk, message};
use crate::scripted::{Scripted, Step};
use crate::spans::Spans;

/// The layers around a store in memory, from the caller inwards.
fn layers(config: &LayersConfig) -> Vec<&'static str> {
    let shown = format!("{:?}", layered(Arc::new(MemoryRepository::new()), config));
    let mut places: Vec<_> = ["Traced", "Retry", "Coalescing", "MemoryRepository"]
        .into_iter()
        .filter_map(|name| Some((shown.find(&format!("{name} {{"))?, name)))
        .collect();
    places.sort_unstable();
    places.into_iter().map(|(_, name)| name).collect()
}

#[test]
fn the_layers_are_those_of_the_configuration_in_their_order() {
    let config = LayersConfig::default();
    assert_eq!(layers(&config), ["Traced", "Retry", "MemoryRepository"]);
    let all = config.clone().coalescing(CoalescingConfig::default());
    assert_eq!(layers(&all), ["Traced", "Retry", "Coalescing", "MemoryRepository"]);
    assert_eq!(layers(&all.clone().tracing(false)), ["Retry", "Coalescing", "MemoryRepository"]);
    assert_eq!(layers(&all.clone().deadline(None)), ["Traced", "Coalescing", "MemoryRepository"]);
    assert_eq!(layers(&all.deadline(None).coalescing(None).tracing(false)), ["MemoryRepository"]);
}

#[test]
fn the_defaults_are_as_they_are_said_to_be() {
    let config = LayersConfig::default();
    assert_eq!((config.deadline, config.coalescing, config.tracing), (Some(DEFAULT_DEADLINE), None, true));
    let coalescing = CoalescingConfig::default();
    assert_eq!(coalescing.max_in_flight, DEFAULT_MAX_IN_FLIGHT);
    assert_eq!(coalescing.max_group_len, DEFAULT_MAX_GROUP_LEN);
}

fn refused() -> StoreError {
    StoreError::unavailable("scripted", Outcome::NotDone, Again::Soon, "the script says so", "a test")
}

#[tokio::test(start_paused = true)]
async fn a_call_with_all_its_attempts_is_in_one_span() {
    let spans = Spans::default();
    let _listening = tracing::subscriber::set_default(spans.clone());
    let scripted = Scripted::new([Step::Fail(refused()), Step::Fail(refused())]);
    let talk = Talk::begin(&scripted.memory).await;
    spans.take();
    let store = layered(Arc::clone(&scripted) as _, &LayersConfig::default());
    talk.call(&*store, "get_thread").await.unwrap();
    assert_eq!(scripted.calls().len(), 3);
    let noted = spans.take();
    assert_eq!(noted.iter().filter(|it| it.starts_with("db.")).count(), 1, "{noted:?}");
}

#[tokio::test(start_paused = true)]
async fn appends_that_failed_together_are_each_repeated_by_their_own_caller() {
    // The first append holds the one place for a while, and fails; then the group of the others does.
    let scripted = Scripted::new((0..4).map(|_| Step::Fail(refused())));
    let talk = Talk::begin(&scripted.memory).await;
    let others = [Talk::begin(&scripted.memory).await, Talk::begin(&scripted.memory).await];
    let config = LayersConfig::default().coalescing(CoalescingConfig::default().max_in_flight(1));
    let store = layered(Arc::clone(&scripted) as _, &config);
    let say = |talk: &Talk, text: &str| {
        let (store, talk, append) = (Arc::clone(&store), talk.clone(), Append::new([message(text)]));
        async move { store.append(&talk.scope, talk.thread, append).await }
    };
    let (one, two, three) = tokio::join!(say(&talk, "a"), say(&others[0], "b"), say(&others[1], "c"));
    for (answer, (talk, text)) in
        [one, two, three].into_iter().zip([(&talk, "a"), (&others[0], "b"), (&others[1], "c")])
    {
        let stored = answer.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let read = scripted.memory.last_messages(&talk.scope, talk.thread, 9).await.unwrap();
        assert_eq!(read[1..], stored.messages, "once");
        assert_eq!(stored.messages[0].content.as_text(), Some(text));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_whose_deadline_passes_leaves_the_queue() {
    let scripted = Scripted::new([Step::Hang]);
    let talk = Talk::begin(&scripted.memory).await;
    let coalescing = CoalescingConfig::default().max_in_flight(1);
    let config = LayersConfig::default().deadline(Duration::from_secs(5)).coalescing(coalescing);
    let store = layered(Arc::clone(&scripted) as _, &config);
    let say = |text: &str| store.append(&talk.scope, talk.thread, Append::new([message(text)]));
    let (hanging, waiting) = tokio::join!(say("hanging"), say("waiting"));
    for answer in [hanging, waiting] {
        let error = answer.unwrap_err();
        assert_eq!(error.outcome(), Outcome::Unknown, "{error:?}");
    }
    assert_eq!(scripted.calls(), ["append"], "the one that waited was never sent");
    assert_eq!(say("after").await.unwrap().messages.len(), 1, "the place is free");
}
