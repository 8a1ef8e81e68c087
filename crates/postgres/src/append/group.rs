//! Which appends go together in one statement.

use std::collections::{HashMap, HashSet};

use chatkeep_domain::{OrgId, ThreadId, UserId};

use super::batch::Batch;

/// The most that one statement takes of several appends: enough that its own price is nothing to each, and little enough
/// that nobody waits long for the others. 64 appends a statement are within a tenth of 128, by measure.
const MAX_GROUP_LEN: usize = 1_000;
const MAX_GROUP_BYTES: usize = 4 * 1_024 * 1_024;

/// Appends with their places in the call.
pub(super) type Group = Vec<(usize, Batch)>;

/// Divides appends into groups that can go in one statement each, and those that have to go alone, after the groups:
/// those that expect something, append nothing or go to another branch than the main one, and those in whose way another
/// one to the same thread is, because it goes alone or is in another scope. So appends to one thread stay in their order.
pub(super) fn divide(waiting: Group) -> (Vec<Group>, Group) {
    let mut scopes: HashMap<(OrgId, ThreadId), Option<UserId>> = HashMap::new();
    let mut held_up: HashSet<(OrgId, ThreadId)> = HashSet::new();
    let (mut groups, mut alone): (Vec<Group>, Group) = (vec![Vec::new()], Vec::new());
    let (mut len, mut size) = (0, 0);
    for (place, batch) in waiting {
        let key = (batch.target.org.clone(), batch.target.id);
        let append = &batch.append;
        let is_plain = !append.expects() && !append.messages.is_empty() && append.branch.is_main();
        let is_in_scope = scopes.get(&key).is_none_or(|user| *user == batch.target.user);
        if !is_plain || !is_in_scope || held_up.contains(&key) {
            held_up.insert(key);
            alone.push((place, batch));
            continue;
        }
        scopes.insert(key, batch.target.user.clone());
        len += batch.append.messages.len();
        size += batch.size;
        if len > MAX_GROUP_LEN || size > MAX_GROUP_BYTES {
            (len, size) = (batch.append.messages.len(), batch.size);
            groups.push(Vec::new());
        }
        if let Some(group) = groups.last_mut() {
            group.push((place, batch));
        }
    }
    groups.retain(|group| !group.is_empty());
    (groups, alone)
}
