//! What the messages say, the same in each run.

use chatkeep::{MessageInput, Metadata, Role, UserId};

use super::plan::{LARGE, Thread};
use crate::corpus::{Random, word};
use crate::data::user;

/// The ranks of a word that about a quarter of the messages have, and of one that 4 of 1,000 have.
pub(super) const COMMON: u64 = 20;
pub(super) const MIDDLING: u64 = 2_000;

/// The ranks of two words, each of which one message in 30 has by chance. Each 50th message of the large organization has
/// them side by side.
const PHRASE: [u64; 2] = [200, 201];
const PHRASE_EVERY: usize = 50;

/// A word that each 10th organization has in one message, and a word that none has. The language has neither.
pub(super) const RARE: &str = "zephyr";
const RARE_EVERY: usize = 10;
pub(super) const ABSENT: &str = "quixotic";

/// What the metadata of each fourth message says of its topic.
pub(super) const TOPIC: &str = "billing";

/// The priority of each 100th message, and of 20 messages of the large organization: 10 of the long thread, and one of each
/// small one.
pub(super) const HIGH: &str = "high";
pub(super) const URGENT: &str = "urgent";
const HIGH_EVERY: usize = 100;
const URGENT_OF_LONG: usize = 10;

/// Who sent 5 messages of the long thread.
pub(super) const GUEST: &str = "guest";
const OF_GUEST: usize = 5;

/// One message in so many is long.
const LONG_EVERY: u64 = 500;
const LONG_BYTES: usize = 20_000;

/// The two words as they are searched.
pub(super) fn phrase() -> String {
    PHRASE.map(word).join(" ")
}

impl Thread {
    pub(super) fn name(&self) -> String {
        let mut random = Random::new(self.number, usize::MAX);
        (0..4).map(|_| random.word()).collect::<Vec<_>>().join(" ")
    }

    /// A question and its answer in turn. Questions have a sender, answers have metadata.
    pub(super) fn message(&self, position: usize) -> MessageInput {
        let is_answer = position.is_multiple_of(2);
        let role = if is_answer { Role::Assistant } else { Role::User };
        let message = MessageInput::new(role, self.text(role, position));
        if is_answer {
            return message.metadata(self.metadata(position));
        }
        let sender = if self.is_of_guest(position) { GUEST.to_owned() } else { user(self.user) };
        message.sender(UserId::new(sender).expect("a short id"))
    }

    fn text(&self, role: Role, position: usize) -> String {
        let mut text = text(role, &mut Random::new(self.number, position));
        let mut add = |words: &str| {
            text.push(' ');
            text.push_str(words);
        };
        if self.is_in(LARGE) && (self.number + position).is_multiple_of(PHRASE_EVERY) {
            add(&phrase());
        }
        if self.is_first && position == 1 && self.org.is_multiple_of(RARE_EVERY) {
            add(RARE);
        }
        if self.is_of_guest(position) {
            add(&word(COMMON));
        }
        text
    }

    fn metadata(&self, position: usize) -> Metadata {
        let topic = if position.is_multiple_of(4) { TOPIC } else { "sales" };
        let priority = match position {
            _ if self.is_urgent(position) => URGENT,
            _ if position.is_multiple_of(HIGH_EVERY) => HIGH,
            _ => "low",
        };
        Metadata::from_iter([("topic".to_owned(), topic.into()), ("priority".to_owned(), priority.into())])
    }

    /// Only of messages that are loaded, so that appends make the priority no less rare.
    fn is_urgent(&self, position: usize) -> bool {
        let every = if self.is_long() { self.messages / URGENT_OF_LONG } else { self.messages };
        (self.is_long() || self.is_small()) && position <= self.messages && position % every == 2
    }

    fn is_of_guest(&self, position: usize) -> bool {
        let every = (self.messages / OF_GUEST).max(4);
        self.is_long() && position <= self.messages && position % every == 3
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
    use super::super::plan::{ORGS, threads};
    use super::*;

    fn role(position: usize) -> Role {
        if position.is_multiple_of(2) { Role::Assistant } else { Role::User }
    }

    #[test]
    fn texts_are_as_long_and_words_as_frequent_as_is_said() {
        let thread = threads(2_000)[0];
        let texts: Vec<_> = (1..=10_000).map(|position| thread.text(role(position), position)).collect();
        let mean = texts.iter().map(String::len).sum::<usize>() / texts.len();
        assert!((350..450).contains(&mean), "{mean}");
        let with = |wanted: &str| {
            texts.iter().filter(|text| format!(" {text} ").contains(&format!(" {wanted} "))).count()
        };
        assert!((2_000..3_000).contains(&with(&word(COMMON))), "{}", with(&word(COMMON)));
        assert!((20..80).contains(&with(&word(MIDDLING))), "{}", with(&word(MIDDLING)));
        assert!((400..700).contains(&with(&word(PHRASE[0]))), "{}", with(&word(PHRASE[0])));
        assert!((200..210).contains(&with(&phrase())), "{}", with(&phrase()));
    }

    #[test]
    fn what_is_rare_is_as_rare_as_is_said() {
        let threads = threads(20_000);
        let (mut words, mut urgent, mut of_guest) = (0, 0, 0);
        for thread in &threads {
            for position in 1..=thread.messages {
                let text = thread.text(role(position), position);
                words += usize::from(text.split(' ').any(|word| word == RARE));
                urgent += usize::from(thread.is_urgent(position));
                of_guest += usize::from(thread.is_of_guest(position));
            }
        }
        assert_eq!((words, urgent, of_guest), (ORGS / RARE_EVERY, 20, OF_GUEST));
    }
}
