//! Who has which messages: unequal organizations with unequal threads and texts, the same in each run.

use chatkeep::{MessageInput, Metadata, OrgId, Role, Scope, ThreadId, UserId};

use crate::corpus::{Random, org};
use crate::data::{thread_id, user};

pub(super) const ORGS: usize = 200;

/// The organization that has half of all messages.
pub(super) const LARGE: usize = 0;

/// The one that has [`TINY_MESSAGES`].
pub(super) const TINY: usize = ORGS - 1;

pub(super) const TINY_MESSAGES: usize = 20;

/// The ranks of a word that about a quarter of the messages have, and of one that 4 of 1,000 have.
pub(super) const COMMON: u64 = 20;
pub(super) const MIDDLING: u64 = 2_000;

/// One message in so many is long.
const LONG_EVERY: u64 = 500;
const LONG_BYTES: usize = 20_000;

/// What the metadata of each fourth message says of its topic.
pub(super) const TOPIC: &str = "billing";

#[derive(Debug, Clone, Copy)]
pub(super) struct Thread {
    number: usize,
    org: usize,
    user: usize,
    pub(super) messages: usize,
}

/// All threads. The first one has a quarter of all messages.
pub(super) fn threads(messages: usize) -> Vec<Thread> {
    let mut threads = vec![Thread { number: 0, org: LARGE, user: 0, messages: messages / 4 }];
    let mut random = Random::new(messages, 1);
    for (org, of_org) in of_orgs(messages).into_iter().enumerate() {
        let users = (1 + of_org / 1_000).min(500) as u64;
        let mut left = if org == LARGE { of_org - messages / 4 } else { of_org };
        while left > 0 {
            let messages = thread_len(&mut random).min(left);
            let user = usize::try_from(random.below(users)).unwrap_or_default();
            threads.push(Thread { number: threads.len(), org, user, messages });
            left -= messages;
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

    pub(super) fn is_in(&self, org: usize) -> bool {
        self.org == org
    }

    pub(super) fn scope(&self) -> anyhow::Result<Scope> {
        Ok(Scope::user(OrgId::new(org(self.org))?, UserId::new(user(self.user))?))
    }

    pub(super) fn name(&self) -> String {
        let mut random = Random::new(self.number, usize::MAX);
        (0..4).map(|_| random.word()).collect::<Vec<_>>().join(" ")
    }

    /// A question and its answer in turn. Each second one has metadata.
    pub(super) fn message(&self, position: usize) -> MessageInput {
        let role = if position.is_multiple_of(2) { Role::Assistant } else { Role::User };
        let message = MessageInput::new(role, text(role, &mut Random::new(self.number, position)));
        let topic = match position % 4 {
            0 => TOPIC,
            2 => "sales",
            _ => return message,
        };
        message.metadata(Metadata::from_iter([("topic".to_owned(), topic.into())]))
    }
}

/// Some 400 bytes in the mean: questions are short, answers long, and a few very long.
fn text(role: Role, random: &mut Random) -> String {
    let words = match role {
        Role::User => 3 + random.below(20),
        _ => 30 + random.below(200),
    };
    let mut text = random.word();
    if random.below(LONG_EVERY) == 0 {
        while text.len() < LONG_BYTES {
            text.push(' ');
            text.push_str(&random.word());
        }
        return text;
    }
    for _ in 1..words {
        text.push(' ');
        text.push_str(&random.word());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::word;

    #[test]
    fn organizations_and_threads_are_unequal() {
        let threads = threads(200_000);
        let of = |org| {
            threads.iter().filter(|thread| thread.is_in(org)).map(|thread| thread.messages).sum::<usize>()
        };
        assert_eq!((of(LARGE), threads[0].messages, of(TINY)), (100_000, 50_000, TINY_MESSAGES));
        assert!(of(1) > 10 * of(100) && of(TINY - 1) > 0);
        let all: usize = (0..ORGS).map(of).sum();
        assert!((199_000..=200_000).contains(&all), "{all}");
    }

    #[test]
    fn texts_are_as_long_and_words_as_frequent_as_is_said() {
        let thread = threads(2_000)[0];
        let texts: Vec<_> = (1..=10_000)
            .map(|position| {
                let role = if position % 2 == 0 { Role::Assistant } else { Role::User };
                text(role, &mut Random::new(thread.number, position))
            })
            .collect();
        let mean = texts.iter().map(String::len).sum::<usize>() / texts.len();
        assert!((350..450).contains(&mean), "{mean}");
        let with = |rank| {
            let wanted = word(rank);
            texts.iter().filter(|text| text.split(' ').any(|word| word == wanted)).count()
        };
        assert!((2_000..3_000).contains(&with(COMMON)), "{}", with(COMMON));
        assert!((20..80).contains(&with(MIDDLING)), "{}", with(MIDDLING));
    }
}
