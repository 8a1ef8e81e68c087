//! Searches that are copied out of a message: each finds the message that it is from.

use std::path::Path;

use chatkeep_contract::Repo;
use chatkeep_contract::fixture::search::searching;
use chatkeep_domain::{
    Append, MAX_PAGE_LEN, NewMessage, NewThread, OrgId, Role, Scope, SearchQuery, ThreadId, UserId,
};
use uuid::Uuid;

use crate::common::at;

/// A message, and what is searched for to find it.
struct Entry {
    text: String,
    searches: Vec<Search>,
}

struct Search {
    text: String,
    /// It stands in the message as it is; else it is what people type for it.
    is_copied: bool,
}

/// Reads `pasted.txt`: messages, each with its searches behind it, and an empty line between two. A search begins with
/// `> ` where it is copied, and with `~ ` where it is typed. Both may go on in further lines.
fn entries() -> Vec<Entry> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/pasted.txt");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text.trim_end().split("\n\n").map(entry).collect()
}

fn entry(block: &str) -> Entry {
    let mut entry = Entry { text: String::new(), searches: Vec::new() };
    for line in block.lines() {
        let copied = line.strip_prefix("> ");
        if let Some(search) = copied.or_else(|| line.strip_prefix("~ ")) {
            entry.searches.push(Search { text: search.to_owned(), is_copied: copied.is_some() });
            continue;
        }
        let text = entry.searches.last_mut().map_or(&mut entry.text, |search| &mut search.text);
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(line);
    }
    entry
}

const THREAD: u128 = 1;

/// Fails unless each search finds its message, and few others.
pub(crate) async fn find_what_they_are_from(repo: Repo) {
    let entries = entries();
    let org = OrgId::new("acme").expect("an id");
    let (scope, thread) = (Scope::org(org.clone()), ThreadId::from(Uuid::from_u128(THREAD)));
    let user = UserId::new("ada").expect("an id");
    repo.create_thread(&scope, NewThread::new(thread, org, user, "pasted", at(0)))
        .await
        .expect("a new thread");
    let message = |(number, entry): (u128, &Entry)| {
        NewMessage::new(Uuid::from_u128(number).into(), Role::User, entry.text.as_str(), at(1))
    };
    let messages = (1..).zip(&entries).map(message);
    repo.append(&scope, thread, Append::new(messages.collect::<Vec<_>>())).await.expect("messages");

    let (mut wrong, mut count) = (Vec::new(), 0);
    for entry in &entries {
        assert!(!entry.searches.is_empty(), "nobody looks for {:?}", entry.text);
        for Search { text, is_copied } in &entry.searches {
            count += 1;
            assert!(!is_copied || entry.text.contains(text), "{text:?} is not in {:?}", entry.text);
            let query = SearchQuery::new(text).limit(MAX_PAGE_LEN);
            let found = match searching(&repo).search_messages(&scope, &query).await {
                Ok(page) => page.items,
                Err(error) => {
                    wrong.push(format!("{text:?} is refused: {error}"));
                    continue;
                }
            };
            let is_found = found.iter().any(|hit| hit.message.content.as_text() == Some(&entry.text));
            if !is_found || found.len() > entries.len() / 4 {
                wrong.push(format!("{text:?} finds {} messages, its own: {is_found}", found.len()));
            }
        }
    }
    println!("{count} searches, {} messages", entries.len());
    assert!(count >= 200, "{count} searches");
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
}
