//! The statements that are run often: each is a file that can be pasted into psql.

pub(crate) const APPEND: &str = include_str!("statements/append.sql");
pub(crate) const APPEND_SEVERAL: &str = include_str!("statements/append_several.sql");
pub(crate) const CLEAR: &str = include_str!("statements/clear.sql");
pub(crate) const DELETE: &str = include_str!("statements/delete.sql");
pub(crate) const EDIT: &str = include_str!("statements/edit.sql");
pub(crate) const EDITED: &str = include_str!("statements/edited.sql");
pub(crate) const FIND: &str = include_str!("statements/find.sql");
pub(crate) const FIND_SEVERAL: &str = include_str!("statements/find_several.sql");
pub(crate) const LIST_NEWEST: &str = include_str!("statements/list_newest.sql");
pub(crate) const LIST_OLDEST: &str = include_str!("statements/list_oldest.sql");
pub(crate) const LOCK: &str = include_str!("statements/lock.sql");
pub(crate) const MESSAGES_AT: &str = include_str!("statements/messages_at.sql");
pub(crate) const ORGANIZATIONS: &str = include_str!("statements/organizations.sql");
pub(crate) const THREAD: &str = include_str!("statements/thread.sql");
