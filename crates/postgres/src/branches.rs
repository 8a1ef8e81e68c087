//! Branches.

use async_trait::async_trait;
use chatkeep_domain::{
    BoxError, Branch, BranchId, BranchPoint, BranchRename, BranchRepository, ChatThread, Entity, Expected,
    Fork, NewBranch, Path, Position, Removal, RequestId, Scope, Segment, StoreError, ThreadId, Timestamp,
    Version,
};
use sea_orm::{ConnectionTrait, QueryResult, TransactionSession as _};
use uuid::Uuid;

use crate::connection::Connections;
use crate::error::Failure;
use crate::removals::What;
use crate::row;
use crate::sql::Sql;
use crate::statements::{BRANCH, BRANCH_REQUESTED, BRANCHES, CREATE_BRANCH, RENAME_BRANCH, THREAD};
use crate::store::PostgresRepository;
use crate::target::{LockedThread, Target};

/// The number of a branch's columns, as the statements give them.
const WIDTH: usize = 10;

/// A branch's row, its columns from this one on; `None` where there is none.
fn read(row: &QueryResult, first: usize, thread: ThreadId) -> Result<Option<Branch>, StoreError> {
    let decode = |number: i32| -> Result<Branch, BoxError> {
        let value = first + 1;
        let request: Uuid = row::value(row, value)?;
        let (head, from): (i64, i32) = (row::value(row, value + 1)?, row::value(row, value + 2)?);
        let created_at = row::moment(row, value + 4)?;
        let path = path(row, value + 6)?;
        let mut branch = Branch::new(row::branch_id(number)?, thread, path, Position::new(head)?, created_at);
        branch.request = Some(RequestId::from(request));
        branch.from =
            Some(BranchPoint::new(row::branch_id(from)?, Position::new(row::value(row, value + 3)?)?));
        branch.name = row::value(row, value + 5)?;
        Ok(branch)
    };
    let corrupt = |id: &str, error| StoreError::corrupt_row(Entity::Branch, id, error);
    let number: Option<i32> = row::value(row, first).map_err(|error| corrupt("of unknown id", error))?;
    number.map(|number| decode(number).map_err(|error| corrupt(&number.to_string(), error))).transpose()
}

fn path(row: &QueryResult, first: usize) -> Result<Path, BoxError> {
    let branches: Vec<i32> = row::value(row, first)?;
    let (after, through): (Vec<i64>, Vec<i64>) = (row::value(row, first + 1)?, row::value(row, first + 2)?);
    if branches.len() != after.len() || branches.len() != through.len() {
        return Err("the arrays of the path are not of one length".into());
    }
    let segments = branches.into_iter().zip(after.into_iter().zip(through));
    let segment = |(branch, (after, through))| -> Result<Segment, BoxError> {
        let through = (through < i64::MAX).then(|| Position::new(through)).transpose()?;
        Ok(Segment::new(row::branch_id(branch)?, Position::new(after)?, through))
    };
    Ok(Path::from_segments(segments.map(segment).collect::<Result<_, _>>()?)?)
}

impl<C: Connections> PostgresRepository<C> {
    /// What a branch shows. That of the main one is known, whether or not the thread is there.
    pub(crate) async fn path(&self, target: &Target, branch: BranchId) -> Result<Path, Failure> {
        if branch.is_main() { Ok(Path::main()) } else { Ok(self.read_path(target, branch).await?.0) }
    }

    /// What a branch shows, and the thread's version.
    pub(crate) async fn read_path(
        &self,
        target: &Target,
        branch: BranchId,
    ) -> Result<(Path, Version), Failure> {
        if branch.is_main() {
            return Ok((Path::main(), self.read_version(target).await?));
        }
        let mut values = target.values();
        values.push(row::branch_number(branch).into());
        let row = Sql::constant(BRANCH, values).row(&self.connections).await?;
        let row = row.ok_or_else(|| target.not_found())?;
        let version = Version::new(row::value(&row, WIDTH)?).map_err(StoreError::from)?;
        let found = read(&row, 0, target.id)?.ok_or_else(|| StoreError::branch_not_found(branch))?;
        Ok((found.path, version))
    }

    /// A thread and a branch of it, within a transaction that reads one state.
    pub(crate) async fn read_with_branch(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        branch: BranchId,
    ) -> Result<(ChatThread, Branch), Failure> {
        let row = Sql::constant(THREAD, target.values()).row(on).await?;
        let thread = row::thread(&row.ok_or_else(|| target.not_found())?)?;
        if branch.is_main() {
            let main = Branch::main(&thread);
            return Ok((thread, main));
        }
        let branch = self.read_other_branch(on, target, branch).await?;
        Ok((thread, branch))
    }

    /// A branch of a thread that is locked.
    pub(crate) async fn read_branch(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        locked: &LockedThread,
        branch: BranchId,
    ) -> Result<Branch, Failure> {
        if branch.is_main() {
            return Ok(locked.main(target.id));
        }
        self.read_other_branch(on, target, branch).await
    }

    async fn read_other_branch(
        &self,
        on: &impl ConnectionTrait,
        target: &Target,
        branch: BranchId,
    ) -> Result<Branch, Failure> {
        let mut values = target.values();
        values.push(row::branch_number(branch).into());
        let row = Sql::constant(BRANCH, values).row(on).await?.ok_or_else(|| target.not_found())?;
        Ok(read(&row, 0, target.id)?.ok_or_else(|| StoreError::branch_not_found(branch))?)
    }

    async fn try_create_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        new: NewBranch,
    ) -> Result<Branch, Failure> {
        let target = self.target(scope, thread).await?;
        let transaction = self.connections.begin().await?;
        let locked = self.lock_thread(&transaction, &target).await?;
        let (request, from) = (new.request, new.from.branch);
        let mut values = target.key();
        values.extend([(*request.as_uuid()).into(), row::branch_number(from).into()]);
        let (mut parent, mut count) = (from.is_main().then(|| locked.main(thread)), 0);
        for row in Sql::constant(BRANCH_REQUESTED, values).rows(&transaction).await? {
            count = usize::try_from(row::value::<i64>(&row, WIDTH)?).map_err(BoxError::from)?;
            match read(&row, 0, thread)? {
                Some(branch) if branch.request == Some(request) => return Ok(branch),
                Some(branch) => parent = Some(branch),
                None => {}
            }
        }
        let parent = parent.ok_or_else(|| StoreError::branch_not_found(from))?;
        let (id, at) = (row::branch_id(locked.next_branch)?, new.at);
        let branch = new.into_branch(&parent, id, locked.allotted()?, (count + 1, locked.version))?;
        insert(&transaction, &target, &branch, from, at).await?;
        transaction.commit().await?;
        Ok(branch)
    }

    async fn try_list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>, Failure> {
        let target = self.target(scope, thread).await?;
        let rows = Sql::constant(BRANCHES, target.values()).rows(&self.connections).await?;
        let first = rows.first().ok_or_else(|| target.not_found())?;
        let head = Position::new(row::value(first, 0)?).map_err(StoreError::from)?;
        let main = Branch::new(BranchId::MAIN, thread, Path::main(), head, row::moment(first, 1)?);
        let mut branches = vec![main];
        for row in &rows {
            branches.extend(read(row, 2, thread)?);
        }
        Ok(branches)
    }

    async fn try_rename_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        id: BranchId,
        rename: &BranchRename,
    ) -> Result<Branch, Failure> {
        let target = self.target(scope, thread).await?;
        let transaction = self.connections.begin().await?;
        let locked = self.lock_thread(&transaction, &target).await?;
        id.require_other().map_err(StoreError::from)?;
        let mut branch = self.read_branch(&transaction, &target, &locked, id).await?;
        if branch.name == rename.name {
            return Ok(branch);
        }
        StoreError::unless_expected(Expected::Version, rename.expect_version, locked.version)?;
        branch.name.clone_from(&rename.name);
        let mut values = target.key();
        values.extend([row::branch_number(id).into(), rename.name.as_str().into(), rename.at.into()]);
        Sql::constant(RENAME_BRANCH, values).execute(&transaction).await?;
        transaction.commit().await?;
        Ok(branch)
    }
}

async fn insert(
    on: &impl ConnectionTrait,
    target: &Target,
    branch: &Branch,
    from: BranchId,
    at: Timestamp,
) -> Result<(), Failure> {
    let mut values = target.key();
    values.extend([
        row::branch_number(branch.id).into(),
        branch.request.map(|request| *request.as_uuid()).into(),
        branch.head.get().into(),
        row::branch_number(from).into(),
        at.into(),
        branch.name.as_str().into(),
    ]);
    values.extend(row::path_values(branch.path.segments()));
    Sql::constant(CREATE_BRANCH, values).execute(on).await?;
    Ok(())
}

#[async_trait]
impl<C: Connections> BranchRepository for PostgresRepository<C> {
    async fn create_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        new: NewBranch,
    ) -> Result<Branch, StoreError> {
        new.validate()?;
        self.writes(self.try_create_branch(scope, thread, new)).await
    }

    async fn list_branches(&self, scope: &Scope, thread: ThreadId) -> Result<Vec<Branch>, StoreError> {
        self.reads(self.try_list_branches(scope, thread)).await
    }

    async fn rename_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        rename: BranchRename,
    ) -> Result<Branch, StoreError> {
        rename.validate()?;
        self.writes(self.try_rename_branch(scope, thread, branch, &rename)).await
    }

    async fn delete_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        removal.validate()?;
        self.remove(scope, thread, What::Branch(branch), removal).await
    }

    async fn truncate_branch(
        &self,
        scope: &Scope,
        thread: ThreadId,
        branch: BranchId,
        after: Position,
        removal: Removal,
    ) -> Result<u64, StoreError> {
        removal.validate()?;
        self.remove(scope, thread, What::Behind(branch, after), removal).await
    }

    /// In one transaction that reads one state of the thread: others go on meanwhile, and see nothing of the fork.
    async fn fork_thread(
        &self,
        scope: &Scope,
        thread: ThreadId,
        fork: Fork,
    ) -> Result<ChatThread, StoreError> {
        fork.validate(scope)?;
        self.writes(self.try_fork(scope, thread, &fork)).await
    }
}
