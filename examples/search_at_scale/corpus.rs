//! Made-up messages: words as frequent as words are, and some that are searched for.

/// The messages of an organization.
pub(crate) const MESSAGES: usize = 1_000;

/// The messages of a thread.
pub(crate) const THREAD_LEN: usize = 100;

/// How many words the language has.
const WORDS: u64 = 20_000;

/// What is searched for, and how many messages of each organization have it.
pub(crate) const SEARCHES: [(&str, &str, usize); 3] = [
    ("one word", "quarterly", 50),
    ("two words", "invoice overdue", 40),
    ("phrase", "\"signed the contract\"", 30),
];

/// The text of a message: the same for each organization, so that the searches find as much in each.
pub(crate) fn text(message: usize) -> String {
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ (message as u64).wrapping_mul(0xd134_2543_de82_ef95));
    let mut words: Vec<String> = (0..5 + random.below(45)).map(|_| random.word()).collect();
    let mut plant = |words: &mut Vec<String>, planted: &str| {
        let at = usize::try_from(random.below(words.len() as u64)).unwrap_or_default();
        words.insert(at, planted.to_owned());
    };
    if message % 20 == 3 {
        plant(&mut words, "quarterly");
    }
    // Each of the two is in more messages than both are, and the phrase's words in more than the phrase.
    if message % 25 == 4 || (message % 17 == 5 && message % 19 != 6) {
        plant(&mut words, "invoice");
    }
    if message % 25 == 4 || message % 19 == 6 {
        plant(&mut words, "overdue");
    }
    if message % 33 == 7 && message < 990 {
        plant(&mut words, "signed the contract");
    } else if message % 11 == 8 {
        plant(&mut words, "contract signed");
    }
    let mut text = words.join(" ");
    text.push('.');
    text
}

/// `SplitMix64`: good enough to draw words, and the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// A word whose rank is distributed as Zipf's law has it: each doubling of the rank is as likely as another.
    fn word(&mut self) -> String {
        let doublings = WORDS.ilog2();
        let doubling = self.below(u64::from(doublings) + 1);
        let mut rank = (1 << doubling) + self.below(1 << doubling);
        let mut word = String::new();
        while rank > 0 {
            let syllable = usize::try_from(rank % 60).unwrap_or_default();
            word.push(char::from(b"bdfgklmnprst"[syllable / 5]));
            word.push(char::from(b"aeiou"[syllable % 5]));
            rank /= 60;
        }
        word
    }
}
