//! Many users of several organizations in one store, and nobody sees what is another's.
//!
//! ```sh
//! cargo run --example multi_tenant
//! ```
//!
//! A program that serves many users opens the store once, and makes a `StateManager` for each request from the user
//! who was authenticated. After that there is nothing to check: another's thread does not exist.

use std::sync::Arc;

use chatkeep::{
    ConversationRepository, Error, IdGenerator as _, MemoryRepository, OrgId, Role, Scope, StateManager,
    ThreadId, ThreadQuery, UserId, UuidV7Generator,
};

#[tokio::main]
async fn main() -> Result<(), Error> {
    let store: Arc<dyn ConversationRepository> = Arc::new(MemoryRepository::new());
    let acme = OrgId::new("acme")?;
    let globex = OrgId::new("globex")?;
    let of = |scope: Scope| StateManager::new(Arc::clone(&store), scope);

    let ada = of(Scope::user(acme.clone(), UserId::new("ada")?));
    let bob = of(Scope::user(acme.clone(), UserId::new("bob")?));
    // An organization's users are its own: this is somebody else than the ada of acme.
    let namesake = of(Scope::user(globex, UserId::new("ada")?));

    let hers = ada.create_thread("Ada's plan").await?.id;
    ada.conversation(hers).add_message(Role::User, "Nobody else may read this.").await?;
    bob.create_thread("Bob's draft").await?;
    namesake.create_thread("The other Ada's notes").await?;

    println!("# What each sees");
    let everyone = Scope::org(acme.clone());
    // Everything, of all organizations: for exports and retention, never for a request of a user.
    let operator = of(Scope::operator());
    show("ada of acme", &ada).await?;
    show("bob of acme", &bob).await?;
    show("ada of globex", &namesake).await?;
    show("all of acme", &of(everyone.clone())).await?;
    show("operator", &operator).await?;
    // A filter narrows what the scope allows, and never widens it.
    let filtered =
        operator.list_threads(&ThreadQuery::default().org_id(acme).user_id(UserId::new("bob")?)).await?;
    println!("bob's of acme  {}", names(&filtered.items));

    println!("\n# What others get for ada's thread, and ada for one that never was");
    println!("{:14} get_thread  get_messages  add_message  rename     clear      delete", "");
    let never = UuidV7Generator.thread_id();
    for (who, state, thread) in
        [("bob of acme", &bob, hers), ("ada of globex", &namesake, hers), ("ada of acme", &ada, never)]
    {
        let [get, read, add, rename, clear, delete] = attempts(state, thread).await?;
        println!("{who:<14} {get:<11} {read:<13} {add:<12} {rename:<10} {clear:<10} {delete}");
    }
    let messages = ada.conversation(hers).get_messages().await?;
    println!("\nIt still says: {}", messages[0].content.to_plain_text());

    println!("\n# Who owns what an administrator makes");
    let admin = of(everyone);
    match admin.create_thread("Welcome").await {
        Err(error @ Error::NoOwner { .. }) => println!("refused: {error}"),
        other => println!("created: {:?}", other?.name),
    }
    admin.create_thread("Welcome").user(UserId::new("bob")?).await?;
    show("bob of acme", &bob).await
}

async fn show(who: &str, state: &StateManager) -> Result<(), Error> {
    println!("{who:<14} {}", names(&state.list_threads(&ThreadQuery::default()).await?.items));
    Ok(())
}

fn names(threads: &[chatkeep::ChatThread]) -> String {
    let names: Vec<&str> = threads.iter().map(|thread| thread.name.as_str()).collect();
    names.join(", ")
}

/// Every answer is the same: there is no such thread.
async fn attempts(state: &StateManager, thread: ThreadId) -> Result<[&'static str; 6], Error> {
    let chat = state.conversation(thread);
    Ok([
        there(state.get_thread(thread).await?.is_some()),
        answer(chat.get_messages().await)?,
        answer(chat.add_message(Role::User, "Hello?").await)?,
        answer(chat.rename("Mine").await)?,
        answer(chat.clear().await)?,
        there(chat.delete().await?),
    ])
}

fn answer<T>(outcome: Result<T, Error>) -> Result<&'static str, Error> {
    match outcome {
        Ok(_) => Ok(there(true)),
        Err(error) if error.is_not_found() => Ok(there(false)),
        Err(error) => Err(error),
    }
}

fn there(found: bool) -> &'static str {
    if found { "done" } else { "not found" }
}
