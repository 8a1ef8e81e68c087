//! A query and a message, both of any text, through the whole of a search.
#![no_main]

use chatkeep_domain::search::{SearchCandidate, SearchDocument, SearchPlan};
use chatkeep_domain::{
    ChatMessage, Content, MAX_SNIPPET_CHARS, MessageId, OrgId, Position, Role, SearchOrder, SearchQuery,
    SearchReading, Snippet, ThreadId,
};
use chrono::DateTime;
use libfuzzer_sys::fuzz_target;
use uuid::Uuid;

fuzz_target!(|bytes: &[u8]| {
    // The first byte says how long the query is, and the order.
    let Some((&first, rest)) = bytes.split_first() else { return };
    let (query, text) = rest.split_at(usize::from(first >> 1).min(rest.len()));
    let (query, text) = (String::from_utf8_lossy(query), String::from_utf8_lossy(text));
    let order = if first % 2 == 0 { SearchOrder::Newest } else { SearchOrder::Relevance };

    let query = SearchQuery::new(query).order(order);
    let content = Content::text(&*text);
    let mut plan = SearchPlan::new(&query).expect("no text of this length is an error");
    let has_words = plan.expr().is_some();
    let document = SearchDocument::of(&content);
    let (mut is_match, mut reads) = (false, Vec::new());
    while let Some(read) = plan.next_read() {
        assert!(read.limit > 0);
        assert!(!is_match, "fewer than were asked for: there are no more");
        is_match = plan.expr().is_none_or(|expr| expr.matches(&document));
        reads.push(plan.reading());
        plan.add([Ok(candidate(content.clone()))]);
    }
    // A search that can find nothing reads nothing; one that excludes in vain reads twice.
    assert!(reads.len() < 2 || reads == [SearchReading::Query, SearchReading::Text]);

    let page = plan.finish().expect("no row is corrupt");
    assert!(page.next.is_none());
    assert!(reads.last().is_none_or(|read| *read == page.reading));
    assert_eq!(page.items.len(), usize::from(is_match));
    for hit in page.items {
        assert_eq!(hit.score.is_some(), has_words && order == SearchOrder::Relevance);
        assert!(hit.score.is_none_or(|score| score > 0.0 && score.is_finite()));
        check(&hit.snippet, &text);
        let shows_words = !hit.snippet.ranges.is_empty();
        // What matches without a wanted word does so because of one that is not wanted.
        assert!(if has_words { shows_words || query.text.contains('-') } else { !shows_words });
    }
});

fn candidate(content: Content) -> SearchCandidate {
    let message = ChatMessage {
        id: MessageId::from(Uuid::nil()),
        chat_thread_id: ThreadId::from(Uuid::nil()),
        position: Position::ZERO,
        sender_id: None,
        sender_role: Role::User,
        content,
        created_at: DateTime::UNIX_EPOCH,
        updated_at: DateTime::UNIX_EPOCH,
    };
    let org_id = OrgId::new("acme").expect("a valid id");
    SearchCandidate { org_id, thread_name: String::new(), message }
}

fn check(snippet: &Snippet, text: &str) {
    assert!(text.contains(&snippet.text), "an excerpt");
    assert!(snippet.text.chars().count() <= MAX_SNIPPET_CHARS);
    for range in &snippet.ranges {
        assert!(
            snippet.text.get(range.clone()).is_some_and(|found| !found.is_empty()),
            "whole characters, not none"
        );
    }
    assert!(snippet.ranges.windows(2).all(|pair| pair[0].end < pair[1].start), "sorted and apart");
    assert_eq!(snippet.matches().count(), snippet.ranges.len());
    assert_eq!(snippet.highlight("", ""), snippet.text);
}
