//! The statements whose text is always the same: each is a file that can be pasted into psql.

pub(crate) const APPEND: &str = include_str!("statements/append.sql");
pub(crate) const APPEND_BRANCH: &str = include_str!("statements/append_branch.sql");
pub(crate) const APPEND_SEVERAL: &str = include_str!("statements/append_several.sql");
pub(crate) const BRANCH: &str = include_str!("statements/branch.sql");
pub(crate) const BRANCHES: &str = include_str!("statements/branches.sql");
pub(crate) const BRANCH_REQUESTED: &str = include_str!("statements/branch_requested.sql");
pub(crate) const COPY: &str = include_str!("statements/copy.sql");
pub(crate) const CREATE_BRANCH: &str = include_str!("statements/create_branch.sql");
pub(crate) const DELETE: &str = include_str!("statements/delete.sql");
pub(crate) const DELETE_BRANCH: &str = include_str!("statements/delete_branch.sql");
pub(crate) const DELETE_REVISIONS: &str = include_str!("statements/delete_revisions.sql");
pub(crate) const EDIT: &str = include_str!("statements/edit.sql");
pub(crate) const EDITED: &str = include_str!("statements/edited.sql");
pub(crate) const FIND: &str = include_str!("statements/find.sql");
pub(crate) const FIND_SEVERAL: &str = include_str!("statements/find_several.sql");
pub(crate) const LIST_NEWEST: &str = include_str!("statements/list_newest.sql");
pub(crate) const LIST_OLDEST: &str = include_str!("statements/list_oldest.sql");
pub(crate) const LIST_PATH_NEWEST: &str = include_str!("statements/list_path_newest.sql");
pub(crate) const LIST_PATH_OLDEST: &str = include_str!("statements/list_path_oldest.sql");
pub(crate) const LOCK: &str = include_str!("statements/lock.sql");
pub(crate) const MESSAGES_AT: &str = include_str!("statements/messages_at.sql");
pub(crate) const ORGANIZATIONS: &str = include_str!("statements/organizations.sql");
pub(crate) const REMOVE: &str = include_str!("statements/remove.sql");
pub(crate) const RENAME_BRANCH: &str = include_str!("statements/rename_branch.sql");
pub(crate) const THREAD: &str = include_str!("statements/thread.sql");
pub(crate) const USED_BY: &str = include_str!("statements/used_by.sql");
