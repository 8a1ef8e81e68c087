//! Made-up messages of about 100 characters, of words as frequent as words are: chatkeep indexes them.

/// How many there are.
const TEXTS: usize = 1_000;

/// How many words the language has, as a power of two.
const DOUBLINGS: u64 = 13;

/// The same on every run and machine.
pub(crate) fn texts() -> Vec<String> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    (0..TEXTS)
        .map(|_| {
            let mut text = random.word();
            while text.len() < 95 {
                text.push(' ');
                text.push_str(&random.word());
            }
            text
        })
        .collect()
}

/// `SplitMix64`: good enough to draw words.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % limit
    }

    /// By Zipf's law: each doubling of the rank is as likely as another.
    fn word(&mut self) -> String {
        let doubling = self.below(DOUBLINGS);
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
