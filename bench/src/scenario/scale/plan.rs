//! Who has which messages: unequal organizations with unequal threads, the same in each run.

use chatkeep::{OrgId, Scope, ThreadId, UserId};

use crate::corpus::{Random, org};
use crate::data::{thread_id, user};

pub(super) const ORGS: usize = 200;

/// The organization that has half of all messages.
pub(super) const LARGE: usize = 0;

/// The one that has [`TINY_MESSAGES`].
pub(super) const TINY: usize = ORGS - 1;

pub(super) const TINY_MESSAGES: usize = 20;

/// How many threads of the large organization are small, and their messages. Operations by id in the long thread are compared with
/// the same in these.
pub(super) const SMALL_THREADS: usize = 10;
pub(super) const SMALL: usize = 50;

#[derive(Debug, Clone, Copy)]
pub(super) struct Thread {
    pub(super) number: usize,
    pub(super) org: usize,
    pub(super) user: usize,
    pub(super) messages: usize,
    /// Whether it is the first of its organization.
    pub(super) is_first: bool,
}

/// All threads. The first one has a quarter of all messages, and the next ones are the small ones.
pub(super) fn threads(messages: usize) -> Vec<Thread> {
    let long = Thread { number: 0, org: LARGE, user: 0, messages: messages / 4, is_first: true };
    let small = |number| Thread { number, messages: SMALL, is_first: false, ..long };
    let mut threads: Vec<_> = std::iter::once(long).chain((1..=SMALL_THREADS).map(small)).collect();
    let mut random = Random::new(messages, 1);
    for (org, of_org) in of_orgs(messages).into_iter().enumerate() {
        let users = (1 + of_org / 1_000).min(500) as u64;
        let (mut left, mut is_first) = (of_org, org != LARGE);
        if org == LARGE {
            left = of_org.saturating_sub(long.messages + SMALL_THREADS * SMALL);
        }
        while left > 0 {
            let messages = thread_len(&mut random).min(left);
            let user = usize::try_from(random.below(users)).unwrap_or_default();
            threads.push(Thread { number: threads.len(), org, user, messages, is_first });
            (left, is_first) = (left - messages, false);
        }
    }
    threads
}

/// From 4 to 511: each doubling is as likely as another.
fn thread_len(random: &mut Random) -> usize {
    let least = 4 << random.below(7);
    usize::try_from(least + random.below(least)).unwrap_or_default()
}

/// The messages of each organization: of those between the largest and the smallest, the n-th has an n-th of the first's.
fn of_orgs(messages: usize) -> Vec<usize> {
    let mut of_orgs = vec![0; ORGS];
    (of_orgs[LARGE], of_orgs[TINY]) = (messages / 2, TINY_MESSAGES);
    let rest = messages - messages / 2 - TINY_MESSAGES;
    let weight = |rank: usize| 1_000_000 / rank;
    let weights: usize = (1..TINY).map(weight).sum();
    for (rank, of_org) in of_orgs.iter_mut().enumerate().take(TINY).skip(1) {
        *of_org = (rest * weight(rank) / weights).max(1);
    }
    of_orgs
}

pub(super) fn scope_of(number: usize) -> anyhow::Result<Scope> {
    Ok(Scope::org(OrgId::new(org(number))?))
}

impl Thread {
    pub(super) fn id(&self) -> ThreadId {
        thread_id(self.number)
    }

    /// Whether it is the one with a quarter of all messages.
    pub(super) fn is_long(&self) -> bool {
        self.number == 0
    }

    pub(super) fn is_small(&self) -> bool {
        (1..=SMALL_THREADS).contains(&self.number)
    }

    pub(super) fn is_in(&self, org: usize) -> bool {
        self.org == org
    }

    pub(super) fn org_name(&self) -> String {
        org(self.org)
    }

    pub(super) fn scope(&self) -> anyhow::Result<Scope> {
        Ok(Scope::user(OrgId::new(self.org_name())?, UserId::new(user(self.user))?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn organizations_and_threads_are_unequal() {
        let threads = threads(200_000);
        let of = |org| {
            threads.iter().filter(|thread| thread.is_in(org)).map(|thread| thread.messages).sum::<usize>()
        };
        assert_eq!((of(LARGE), threads[0].messages, of(TINY)), (100_000, 50_000, TINY_MESSAGES));
        assert!(threads.iter().filter(|thread| thread.is_small()).all(|thread| thread.messages == SMALL));
        assert_eq!(threads.iter().filter(|thread| thread.is_first).count(), ORGS);
        assert!(of(1) > 10 * of(100) && of(TINY - 1) > 0);
        let all: usize = (0..ORGS).map(of).sum();
        assert!((199_000..=200_000).contains(&all), "{all}");
    }
}
