//! What cases are written with: the subject of a case, its users and its threads.
//!
//! A case is given a [`Fixture`]: the store under test. From that it makes a [`Tenant`], a user of an organization that no
//! other case knows, and from the tenant a [`Talk`], a thread:
//!
//! ```
//! use chatkeep_contract::fixture::{Fixture, message, texts};
//!
//! async fn a_batch_keeps_its_order(fixture: Fixture) {
//!     let talk = fixture.tenant().talk().await;
//!     talk.say([message("first"), message("second")]).await;
//!     assert_eq!(texts(&talk.all().await), ["first", "second"]);
//! }
//! ```

pub mod branches;
pub mod search;

mod talk;
mod tenant;
mod values;

use std::fmt;
use std::sync::Arc;

use chatkeep_domain::ConversationRepository;

pub use self::talk::Talk;
pub use self::tenant::Tenant;
pub use self::values::{
    answers_to_each, append_each, at, ids, message, message_id, numbered, positions, say_each, texts,
    thread_id,
};
use crate::damage::{Damage, Row};

/// A store, as every case takes it.
pub type Repo = Arc<dyn ConversationRepository>;

/// The subject of a case: a store, and what else the case may need to test it.
#[derive(Clone)]
#[non_exhaustive]
pub struct Fixture {
    /// The store.
    pub repo: Repo,
    /// A second handle on the same storage, with connections of its own, as another process would have. It is the same as
    /// `repo` where the storage has one handle only.
    pub other: Repo,
    damage: Option<Arc<dyn Damage>>,
}

impl Fixture {
    /// A store with one handle.
    pub fn new(repo: Repo) -> Self {
        Self { other: Arc::clone(&repo), repo, damage: None }
    }

    /// With a second handle on the same storage.
    #[must_use]
    pub fn with_other(self, other: Repo) -> Self {
        Self { other, ..self }
    }

    /// With what damages the rows of the store, for a suite [with damage](crate::Suite::with_damage).
    #[must_use]
    pub fn with_damage(self, damage: impl Damage + 'static) -> Self {
        Self { damage: Some(Arc::new(damage)), ..self }
    }

    /// With a decorator around each of the two handles, as two processes would have.
    #[must_use]
    pub fn decorated(self, decorate: impl Fn(Repo) -> Repo) -> Self {
        Self { repo: decorate(self.repo), other: decorate(self.other), ..self }
    }

    /// A user of an organization that no other case knows.
    pub fn tenant(&self) -> Tenant {
        Tenant::new(&self.repo)
    }

    pub(crate) fn damage(&self) -> Option<Arc<dyn Damage>> {
        self.damage.clone()
    }

    /// Damages a row behind the store's back, as [`Damage::overwrite`] says.
    ///
    /// # Panics
    /// When the fixture was made without [damage](Self::with_damage). Only a case that needs
    /// [`Capability::CorruptRows`](crate::Capability::CorruptRows) may call this.
    pub async fn overwrite(&self, row: &Row, json: &str) {
        let damage = self.damage.as_ref().expect("a suite with damage makes fixtures that have it");
        damage.overwrite(row, json).await;
    }
}

impl From<Repo> for Fixture {
    fn from(repo: Repo) -> Self {
        Self::new(repo)
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Fixture");
        debug.field("repo", &self.repo).field("other", &self.other).field("damage", &self.damage.is_some());
        debug.finish()
    }
}
