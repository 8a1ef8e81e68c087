//! The cases, in folders by what they are about, with a table in each.

pub(crate) mod branches;
pub(crate) mod corrupt_rows;
pub(crate) mod declined;
pub(crate) mod external_ids;
pub(crate) mod handles;
pub(crate) mod messages;
pub(crate) mod previews;
pub(crate) mod races;
pub(crate) mod search;
pub(crate) mod tenants;
pub(crate) mod threads;
pub(crate) mod versions;

use crate::case::Case;

/// Every case of the contract, folder by folder. No two have one name.
pub fn all() -> impl Iterator<Item = &'static Case> {
    let tables = [
        threads::CASES,
        messages::CASES,
        tenants::CASES,
        races::CASES,
        handles::CASES,
        search::CASES,
        corrupt_rows::CASES,
        versions::CASES,
        external_ids::CASES,
        previews::CASES,
        branches::CASES,
    ];
    tables.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::all;

    #[test]
    fn no_name_is_there_twice() {
        let names: HashSet<_> = all().map(|case| case.name).collect();
        assert_eq!(names.len(), all().count());
    }
}
