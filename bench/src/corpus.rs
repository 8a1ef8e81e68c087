//! Made-up messages to search: words as frequent as words are, and one that is looked for.

/// The messages of an organization.
pub(crate) const MESSAGES: usize = 1_000;

/// The messages of a thread.
pub(crate) const THREAD_LEN: usize = 100;

/// What is looked for: in 50 messages of each organization.
pub(crate) const WORD: &str = "quarterly";

/// How many hits are asked for.
pub(crate) const PAGE: usize = 20;

/// Who owns all threads of an organization.
pub(crate) const OWNER: &str = "ada";

/// How many words the language has.
const WORDS: u64 = 20_000;

pub(crate) fn org(number: usize) -> String {
    format!("org-{number}")
}

/// The text of a message: the same for each organization, so that a search finds as much in each.
pub(crate) fn text(message: usize) -> String {
    let mut random = Random::new(message, 0);
    let mut words: Vec<String> = (0..5 + random.below(45)).map(|_| random.word()).collect();
    if message % 20 == 3 {
        words.push(WORD.to_owned());
    }
    words.join(" ")
}

/// `SplitMix64`: good enough to draw words, and the same on every machine.
pub(crate) struct Random(u64);

impl Random {
    /// Another sequence for each pair of numbers.
    pub(crate) fn new(one: usize, other: usize) -> Self {
        let mixed = (one as u64).wrapping_mul(0xd134_2543_de82_ef95) ^ (other as u64).rotate_left(32);
        Self(0x9e37_79b9_7f4a_7c15 ^ mixed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A word whose rank is distributed as Zipf's law has it: each doubling of the rank is as likely as another.
    pub(crate) fn word(&mut self) -> String {
        let doubling = self.below(u64::from(WORDS.ilog2()) + 1);
        word((1 << doubling) + self.below(1 << doubling))
    }
}

/// The word of a rank.
pub(crate) fn word(mut rank: u64) -> String {
    let mut word = String::new();
    while rank > 0 {
        let syllable = usize::try_from(rank % 60).unwrap_or_default();
        word.push(char::from(b"bdfgklmnprst"[syllable / 5]));
        word.push(char::from(b"aeiou"[syllable % 5]));
        rank /= 60;
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fifty_messages_have_the_word() {
        let found =
            (0..MESSAGES).filter(|message| text(*message).split(' ').any(|word| word == WORD)).count();
        assert_eq!(found, 50);
    }
}
