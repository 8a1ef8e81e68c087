//! Who is asking.

use serde::{Deserialize, Serialize};

use crate::id::{OrgId, UserId};

/// Who is asking: every call that touches data takes one. A thread outside the scope does not exist.
///
/// ```
/// use chatkeep_domain::{OrgId, Scope, UserId};
///
/// let (acme, ada, bob) = (OrgId::new("acme")?, UserId::new("ada")?, UserId::new("bob")?);
/// assert!(!Scope::user(acme.clone(), ada).contains(&acme, &bob));
/// assert!(Scope::org(acme.clone()).contains(&acme, &bob));
/// # Ok::<(), chatkeep_domain::InvalidArgument>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Scope(Kind);

#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    User { org_id: OrgId, user_id: UserId },
    Org { org_id: OrgId },
    Operator,
}

/// What a list is restricted to: `None` means any. Made by [`Scope::narrow`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct OwnerFilter {
    /// Only threads of this organization.
    pub org_id: Option<OrgId>,
    /// Only threads of this user.
    pub user_id: Option<UserId>,
}

impl OwnerFilter {
    /// Whether a thread of this owner passes.
    pub fn matches(&self, org: &OrgId, user: &UserId) -> bool {
        self.org_id.as_ref().is_none_or(|only| only == org)
            && self.user_id.as_ref().is_none_or(|only| only == user)
    }
}

impl Scope {
    /// One user of one organization: sees the threads that are this user's own.
    pub fn user(org: OrgId, user: UserId) -> Self {
        Self(Kind::User { org_id: org, user_id: user })
    }

    /// A whole organization: sees the threads of all its users.
    pub fn org(org: OrgId) -> Self {
        Self(Kind::Org { org_id: org })
    }

    /// Everything, across organizations: for migrations, retention and whole exports. The name is meant to stand out
    /// in review. List as the operator, but read and write each thread with the [`Scope::org`] of its organization:
    /// two organizations may use the same thread id, and stores find a thread faster if they know its organization.
    pub fn operator() -> Self {
        Self(Kind::Operator)
    }

    /// The organization, unless this is the operator.
    pub fn org_id(&self) -> Option<&OrgId> {
        match &self.0 {
            Kind::User { org_id, .. } | Kind::Org { org_id } => Some(org_id),
            Kind::Operator => None,
        }
    }

    /// The user, where the scope is one user's.
    pub fn user_id(&self) -> Option<&UserId> {
        match &self.0 {
            Kind::User { user_id, .. } => Some(user_id),
            Kind::Org { .. } | Kind::Operator => None,
        }
    }

    /// Whether a thread of this owner exists for the one who asks.
    pub fn contains(&self, org: &OrgId, user: &UserId) -> bool {
        self.org_id().is_none_or(|mine| mine == org) && self.user_id().is_none_or(|mine| mine == user)
    }

    /// The scope together with the filters of a list. `None` when nothing can be in both: the list is empty.
    pub fn narrow(&self, org: Option<&OrgId>, user: Option<&UserId>) -> Option<OwnerFilter> {
        fn clash<T: PartialEq>(mine: Option<&T>, asked: Option<&T>) -> bool {
            matches!((mine, asked), (Some(mine), Some(asked)) if mine != asked)
        }
        if clash(self.org_id(), org) || clash(self.user_id(), user) {
            return None;
        }
        Some(OwnerFilter {
            org_id: self.org_id().or(org).cloned(),
            user_id: self.user_id().or(user).cloned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> (OrgId, OrgId, UserId, UserId) {
        let org = |id| OrgId::new(id).unwrap();
        let user = |id| UserId::new(id).unwrap();
        (org("acme"), org("umbrella"), user("ada"), user("bob"))
    }

    #[test]
    fn narrow_never_widens() {
        let (acme, umbrella, ada, bob) = ids();
        let scope = Scope::user(acme.clone(), ada.clone());
        assert_eq!(scope.narrow(Some(&umbrella), None), None);
        assert_eq!(scope.narrow(None, Some(&bob)), None);
        let own = OwnerFilter { org_id: Some(acme), user_id: Some(ada) };
        assert_eq!(scope.narrow(None, None), Some(own));
        assert_eq!(Scope::operator().narrow(None, None), Some(OwnerFilter::default()));
    }

    #[test]
    fn a_scope_is_the_same_after_serde() {
        let (acme, _, ada, _) = ids();
        for scope in [Scope::user(acme.clone(), ada), Scope::org(acme), Scope::operator()] {
            let text = serde_json::to_string(&scope).unwrap();
            assert_eq!(serde_json::from_str::<Scope>(&text).unwrap(), scope, "{text}");
        }
    }

    #[test]
    fn the_operator_contains_everything() {
        let (acme, umbrella, ada, bob) = ids();
        assert!(Scope::operator().contains(&acme, &ada));
        assert!(!Scope::org(acme).contains(&umbrella, &bob));
    }
}
