//! Finds what was said, in all conversations at once, and reads a long one without holding it in memory.
//!
//! ```sh
//! cargo run --example search                       # in memory
//! cargo run --example search -- --db search.db     # in a SQLite file, which must be new
//! ```

use std::path::PathBuf;

use chatkeep::{
    DatabaseConfig, Error, MessageFilter, MessageInput, MessageQuery, Metadata, MetadataFilter, OrgId, Role,
    Scope, SearchHit, SearchOrder, SearchPage, SearchQuery, Snippet, StateManager, ThreadQuery, UserId,
};
use clap::Parser;

#[derive(Debug, Parser)]
#[command(about = "Finds what was said, in all conversations at once")]
struct Args {
    /// A SQLite file, instead of memory
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let database = Args::parse().db.map_or_else(DatabaseConfig::memory, DatabaseConfig::sqlite);
    let scope = Scope::user(OrgId::new("examples")?, UserId::new("search")?);
    let state = StateManager::connect(&database, scope).await?;
    talk(&state).await?;

    println!("# All the words, wherever they are; case and accents do not count. The newest first");
    show(&state.search("cafe OSLO").await?);

    println!("\n# A phrase or the beginning of a word, and without another word");
    show(&state.search(r#"("night train" OR alm*) -bergen"#).await?);

    println!("\n# By what the filters say, with words or without");
    let of_the_model = MessageFilter::new().role(Role::Assistant);
    show(&state.search(SearchQuery::new("opera").filter(of_the_model)).await?);
    let liked = MessageFilter::new().metadata(MetadataFilter::new("/rating", 5)?);
    show(&state.search(SearchQuery::default().filter(liked)).await?);

    println!("\n# The best first, page by page");
    let best = SearchQuery::new("café").order(SearchOrder::Relevance).limit(2);
    let first = state.search(best.clone()).await?;
    show(&first);
    if let Some(next) = first.next {
        println!("and more:");
        show(&state.search(best.behind(next)).await?);
    }

    println!("\n# Threads by name");
    let of_oslo = ThreadQuery::default().name_contains("oslo");
    for thread in state.list_threads(&of_oslo).await?.items {
        println!("{}", thread.name);
    }

    println!("\n# A long thread: read ahead, with no more than a page or two in memory");
    let chat = state.conversation(state.create_thread("Counting").await?.id);
    chat.add_messages((1..=5_000).map(|number| (Role::User, number.to_string()))).await?;
    let mut messages = chat.stream_messages(MessageQuery::first(100))?;
    let (mut count, mut sum) = (0, 0);
    while let Some(message) = messages.next().await {
        count += 1;
        sum += message?.content.to_plain_text().parse::<u64>().unwrap_or(0);
    }
    println!("{count} messages; the numbers in them make {sum}");
    state.close().await
}

async fn talk(state: &StateManager) -> Result<(), Error> {
    let chat = state.conversation(state.create_thread("Trip to Oslo").await?.id);
    let trip = [
        (Role::User, "Is there a night train from Bergen to Oslo?"),
        (Role::Assistant, "Yes, the night train leaves at 22:59."),
        (Role::User, "And a café near the opera in Oslo?"),
        (Role::Assistant, "The café in the opera opens at eight."),
    ];
    chat.add_messages(trip).await?;

    let chat = state.conversation(state.create_thread("Baking").await?.id);
    let rating = Metadata::from_iter([("rating".to_owned(), 5.into())]);
    let recipe = "Almonds, sugar and eggs; forty minutes in the oven.";
    let baking = [
        MessageInput::new(Role::User, "What is the cake that every café in Spain has?"),
        MessageInput::new(Role::Assistant, recipe).metadata(rating),
    ];
    chat.add_messages(baking).await?;
    Ok(())
}

fn show(page: &SearchPage) {
    for SearchHit { message, thread_name, snippet, .. } in &page.items {
        let place = format!("{thread_name} {}", message.position);
        println!("{place:<15} {:<10} {}", message.sender_role.as_str(), marked(snippet));
    }
}

/// The snippet with what was found in brackets.
fn marked(snippet: &Snippet) -> String {
    let mut marked = snippet.text.clone();
    for range in snippet.ranges.iter().rev() {
        marked.insert(range.end, ']');
        marked.insert(range.start, '[');
    }
    marked
}
