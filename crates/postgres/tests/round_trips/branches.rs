//! The operations of branches, and what each takes: see `operations.rs`.

use chatkeep_domain::{
    Append, BranchId, BranchPoint, BranchRename, BranchRepository, Fork, MessageFilter, MessageQuery,
    MessageRepository, MessageSearch, NewBranch, NewThread, OrgId, Position, Removal, RequestId, Role, Scope,
    SearchQuery, StoreError, ThreadRepository, ThreadUpdate, next_message,
};
use chatkeep_postgres::PostgresRepository;
use uuid::Uuid;

use crate::common::{at, new_thread};
use crate::operations::{Operation, absent, messages, operation, thread};

/// The thread of a round that has branches, and its fork.
const TREE: u128 = 950;
const FORK: u128 = 951;

/// The messages of the main branch, and how many branches there are, each off the head of the one before it, with a message of its
/// own: so deep is the last one.
const MAIN: u32 = 100;
const DEPTH: u32 = 64;
const DEEPEST: BranchId = BranchId::new(DEPTH);

/// The branch that an operation creates.
const CREATED: BranchId = BranchId::new(DEPTH + 1);

/// An organization of their own: searches elsewhere do not meet their messages.
fn org() -> OrgId {
    OrgId::new("branching").expect("an id")
}

fn scope() -> Scope {
    Scope::org(org())
}

fn new(round: u128, number: u128) -> NewThread {
    let mut new = new_thread();
    (new.id, new.org_id) = (thread(round, number), org());
    new
}

pub(crate) async fn set_up_branches(store: &PostgresRepository, round: u128) {
    let new = new(round, TREE);
    store.create_thread(&scope(), new).await.expect("the thread is new");
    let said = Append::new(messages(round, 1_000..1_000 + u128::from(MAIN)));
    store.append(&scope(), thread(round, TREE), said).await.expect("an append");
    for number in 1..=DEPTH {
        let branch = create(store, round, number, MAIN + number - 1).await;
        assert_eq!(branch, BranchId::new(number));
        append(store, round, branch, 1_100 + u128::from(number), 1).await.expect("an append");
    }
}

/// One after the other: each leaves what the next ones need.
#[rustfmt::skip]
pub(crate) const BRANCHES: &[Operation] = &[
    operation("create_branch", (5, 5), |store, round| Box::pin(async move {
        assert_eq!(create(store, round, CREATED.get(), MAIN + DEPTH).await, CREATED);
    })),
    operation("create_branch that is there", (4, 4), |store, round| Box::pin(async move {
        assert_eq!(create(store, round, CREATED.get(), MAIN + DEPTH).await, CREATED);
    })),
    operation("list_branches", (1, 1), |store, round| Box::pin(async move {
        let branches = store.list_branches(&scope(), thread(round, TREE)).await.unwrap();
        assert_eq!(branches.len(), CREATED.get() as usize + 1);
    })),
    operation("rename_branch", (5, 5), |store, round| Box::pin(async move {
        let rename = BranchRename::new("a name", at(1));
        store.rename_branch(&scope(), thread(round, TREE), CREATED, rename).await.unwrap();
    })),
    operation("update_thread to another active branch", (5, 5), |store, round| Box::pin(async move {
        let update = ThreadUpdate::new(at(1)).active_branch(CREATED);
        store.update_thread(&scope(), thread(round, TREE), update).await.unwrap();
    })),
    operation("append of 1 to a branch", (1, 1), |store, round| Box::pin(async move {
        append(store, round, CREATED, 1_300, 1).await.unwrap();
    })),
    operation("append of 100 to a branch", (1, 1), |store, round| Box::pin(async move {
        append(store, round, CREATED, 1_301, 100).await.unwrap();
    })),
    operation("append to a branch that is stored", (5, 6), |store, round| Box::pin(async move {
        append(store, round, CREATED, 1_300, 1).await.unwrap();
    })),
    operation("append to an absent branch", (5, 5), |store, round| Box::pin(async move {
        absent(append(store, round, BranchId::new(9_999), 1_500, 1).await);
    })),
    operation("list_messages, the last 50 of a branch 64 deep", (1, 1), |store, round| Box::pin(async move {
        let query = MessageQuery::newest(50).branch(DEEPEST);
        let page = store.list_messages(&scope(), thread(round, TREE), &query).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (50, true));
    })),
    operation("list_messages by role of a branch", (1, 1), |store, round| Box::pin(async move {
        let query = MessageQuery::newest(50).branch(DEEPEST).filter(MessageFilter::new().role(Role::User));
        let page = store.list_messages(&scope(), thread(round, TREE), &query).await.unwrap();
        assert_eq!((page.items.len(), page.next.is_some()), (50, true));
    })),
    operation("list_messages of an absent branch", (1, 1), |store, round| Box::pin(async move {
        let query = MessageQuery::newest(50).branch(BranchId::new(9_999));
        absent(store.list_messages(&scope(), thread(round, TREE), &query).await);
    })),
    operation("stream_messages of a branch, three pages long", (2, 2), |store, round| Box::pin(async move {
        let scope = scope();
        let query = MessageQuery::first(50).branch(DEEPEST);
        let mut stream = store.stream_messages(&scope, thread(round, TREE), query);
        let mut count = 0;
        while let Some(message) = next_message(&mut stream).await {
            message.unwrap();
            count += 1;
        }
        assert_eq!(count, MAIN + DEPTH);
    })),
    // What the branch shows, and then what of it is found.
    operation("search_messages in a branch", (2, 2), |store, round| Box::pin(async move {
        let query = SearchQuery::new("said").thread(thread(round, TREE)).branch(DEEPEST).limit(20);
        assert_eq!(store.search_messages(&scope(), &query).await.unwrap().items.len(), 20);
    })),
    operation("search_messages in the main branch", (1, 1), |store, round| Box::pin(async move {
        let query = SearchQuery::new("said").thread(thread(round, TREE)).branch(BranchId::MAIN).limit(20);
        assert_eq!(store.search_messages(&scope(), &query).await.unwrap().items.len(), 20);
    })),
    operation("truncate_branch", (6, 6), |store, round| Box::pin(async move {
        let (branches, after) = (store, Position::new(i64::from(MAIN + DEPTH + 1)).unwrap());
        let removed =
            branches.truncate_branch(&scope(), thread(round, TREE), CREATED, after, Removal::new(at(2))).await;
        assert_eq!(removed.unwrap(), 100);
    })),
    operation("delete_branch", (7, 7), |store, round| Box::pin(async move {
        let removed = store.delete_branch(&scope(), thread(round, TREE), CREATED, Removal::new(at(2))).await;
        assert_eq!(removed.unwrap(), 1);
    })),
    operation("delete_branch that others show", (5, 5), |store, round| Box::pin(async move {
        let used = store.delete_branch(&scope(), thread(round, TREE), BranchId::new(7), Removal::new(at(2))).await;
        assert!(matches!(used, Err(StoreError::InUse { .. })), "{used:?}");
    })),
    // The looks at the fork and, in a transaction, at the thread and the branch; the thread's row, its messages, their number.
    operation("fork_thread", (8, 9), |store, round| Box::pin(fork(store, round))),
    operation("fork_thread that is there", (1, 1), |store, round| Box::pin(fork(store, round))),
];

async fn create(store: &PostgresRepository, round: u128, number: u32, through: u32) -> BranchId {
    let request = RequestId::from(Uuid::from_u128(u128::from(number)));
    let through = Position::new(i64::from(through)).expect("a position");
    let from = BranchPoint::new(BranchId::new(number - 1), through);
    let new = NewBranch::new(request, from, at(1));
    store.create_branch(&scope(), thread(round, TREE), new).await.expect("a branch").id
}

async fn append(
    store: &PostgresRepository,
    round: u128,
    branch: BranchId,
    first: u128,
    count: u128,
) -> Result<(), StoreError> {
    let append = Append::new(messages(round, first..first + count)).branch(branch);
    store.append(&scope(), thread(round, TREE), append).await.map(drop)
}

async fn fork(store: &PostgresRepository, round: u128) {
    let new = new(round, FORK);
    let through = Position::new(i64::from(MAIN + DEPTH)).expect("a position");
    let fork = Fork::new(new, BranchPoint::new(DEEPEST, through));
    let forked = store.fork_thread(&scope(), thread(round, TREE), fork).await.expect("a fork");
    assert_eq!(forked.head, through);
}
