//! What the cases about search are written with.

use chatkeep_domain::{
    Content, MessageQuery, MetadataFilter, SearchHit, SearchOrder, SearchPage, SearchQuery, StoreError,
};
use serde_json::Value;

use crate::Repo;
use crate::fixture::{Talk, Tenant, message, texts};

/// The texts of hits, in their order.
pub(crate) fn said(hits: &[SearchHit]) -> Vec<&str> {
    hits.iter().map(|hit| hit.message.content.as_text().unwrap_or("not a text")).collect()
}

/// A filter on metadata.
pub(crate) fn tagged(path: &str, value: impl Into<Value>) -> MetadataFilter {
    MetadataFilter::new(path, value).expect("a filter")
}

/// A text with this metadata.
pub(crate) fn with_metadata(text: &str, metadata: &Value) -> Content {
    Content::text(text).with_metadata(metadata.as_object().cloned().expect("an object"))
}

/// A thread with a message for each metadata, with its number as text.
pub(crate) async fn tagged_messages(repo: &Repo, metadata: &[Value]) -> Talk {
    let talk = Tenant::new(repo).talk().await;
    let contents = metadata.iter().enumerate();
    talk.say(contents.map(|(number, metadata)| message(with_metadata(&number.to_string(), metadata)))).await;
    talk
}

/// Fails unless each path and value finds the messages of these numbers.
pub(crate) async fn assert_tagged(talk: &Talk, filters: &[(&str, Value, &str)]) {
    for (path, value, expected) in filters {
        let query = MessageQuery::default().metadata(tagged(path, value.clone()));
        assert_eq!(texts(&talk.read(&query).await).join(" "), *expected, "{path} = {value}");
    }
}

impl Tenant {
    /// A thread in which these were said, one after the other and all at `at(1)`.
    pub(crate) async fn says<C: Into<Content>>(&self, contents: impl IntoIterator<Item = C>) -> Talk {
        let talk = self.talk().await;
        talk.say(contents.into_iter().map(message)).await;
        talk
    }

    pub(crate) async fn search(&self, query: &SearchQuery) -> Result<SearchPage, StoreError> {
        self.repo.search_messages(&self.scope, query).await
    }

    /// The items of a page that works.
    pub(crate) async fn hits(&self, query: &SearchQuery) -> Vec<SearchHit> {
        self.search(query).await.unwrap_or_else(|error| panic!("{:?} is refused: {error}", query.text)).items
    }

    /// The texts that a search finds, in its order.
    pub(crate) async fn found(&self, query: &SearchQuery) -> String {
        said(&self.hits(query).await).join(" / ")
    }

    /// The same, for words alone, oldest first.
    pub(crate) async fn found_by(&self, text: &str) -> String {
        self.found(&SearchQuery::new(text).order(SearchOrder::Oldest)).await
    }

    /// Fails unless each text finds these, oldest first.
    pub(crate) async fn assert_finds(&self, searches: &[(&str, &str)]) {
        for (text, expected) in searches {
            assert_eq!(self.found_by(text).await, *expected, "found by {text:?}");
        }
    }

    /// Fails unless each of these texts finds just this.
    pub(crate) async fn assert_all_find(&self, texts: &[&str], expected: &str) {
        for text in texts {
            assert_eq!(self.found_by(text).await, expected, "found by {text:?}");
        }
    }

    /// Reads a search on to its end, doing something between the pages; gives the texts.
    pub(crate) async fn search_through(
        &self,
        mut query: SearchQuery,
        between: impl AsyncFn(usize),
    ) -> Vec<String> {
        let mut read = Vec::new();
        for number in 0..50 {
            let page = self.search(&query).await.expect("a page of a search");
            assert!(page.items.len() <= query.limit, "a page of {}", page.items.len());
            read.extend(said(&page.items).into_iter().map(str::to_owned));
            let Some(next) = page.next else { return read };
            between(number).await;
            query = query.behind(next);
        }
        panic!("the pages have no end: {} hits read", read.len());
    }
}
