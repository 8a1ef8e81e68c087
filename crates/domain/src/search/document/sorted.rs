//! The words of a message in order: put one behind the other as they come, and sorted once.

use std::mem;

use crate::search::document::words::MAX_POSITIONS_PER_WORD;

/// The largest vector, in bytes as PostgreSQL counts them: its own limit is 1 MiB, and what a store adds to words, and for
/// owners and metadata, has its room below it.
const MAX_BYTES: usize = 960 * 1_024;

/// Words as they come.
#[derive(Default)]
pub(super) struct Collector {
    text: String,
    words: Vec<Occurrence>,
    /// How many words came, kept or not.
    count: usize,
    /// What they take if no two are the same.
    most_bytes: usize,
}

/// A word at a position.
struct Occurrence {
    /// Its first eight bytes, which tell most words apart.
    beginning: u64,
    start: usize,
    len: usize,
    position: u16,
}

/// Each word once, in order, with its positions.
#[derive(Clone, Default)]
pub(super) struct Words {
    text: String,
    entries: Vec<Entry>,
    positions: Vec<u16>,
    count: usize,
}

#[derive(Clone)]
struct Entry {
    start: usize,
    len: usize,
    /// The end of its positions, which begin where those of the word before end.
    positions: usize,
}

impl Collector {
    /// Positions come in order.
    pub(super) fn add(&mut self, word: &str, position: u16) {
        self.add_if(word, position, |_| true);
    }

    /// Counts a word, and keeps it where that is wanted.
    pub(super) fn add_if(&mut self, word: &str, position: u16, is_kept: impl Fn(&str) -> bool) {
        self.count += 1;
        self.most_bytes += bytes(word.len());
        if is_kept(word) {
            let (start, len) = (self.text.len(), word.len());
            self.text.push_str(word);
            self.words.push(Occurrence { beginning: beginning(word), start, len, position });
        }
    }

    /// Whether there may be no room for all of the words.
    pub(super) fn may_be_too_large(&self) -> bool {
        self.most_bytes > MAX_BYTES
    }

    pub(super) fn finish(self) -> Words {
        let is_too_large = self.may_be_too_large();
        let Self { text, mut words, mut count, .. } = self;
        let word = |it: &Occurrence| &text.as_bytes()[it.start..it.start + it.len];
        words.sort_unstable_by(|one, other| {
            let order = one.beginning.cmp(&other.beginning).then_with(|| word(one).cmp(word(other)));
            order.then(one.position.cmp(&other.position))
        });
        let mut last = u16::MAX;
        if is_too_large {
            last = last_position(&words, word);
            count = words.iter().filter(|it| it.position <= last).count();
        }
        let mut sorted = Words { entries: Vec::with_capacity(words.len()), count, ..Words::default() };
        for same in words.chunk_by(|one, other| word(one) == word(other)) {
            let positions = same.iter().take(MAX_POSITIONS_PER_WORD).map(|it| it.position);
            sorted.positions.extend(positions.take_while(|position| *position <= last));
            let (start, len) = (same[0].start, same[0].len);
            if same[0].position <= last {
                sorted.entries.push(Entry { start, len, positions: sorted.positions.len() });
            }
        }
        sorted.text = text;
        sorted
    }
}

/// The last position that there is room for. Room is taken in the order of positions; the words are given sorted.
fn last_position<'a>(sorted: &[Occurrence], word: impl Fn(&Occurrence) -> &'a [u8]) -> u16 {
    let mut sizes: Vec<(u16, usize)> = Vec::with_capacity(sorted.len());
    for same in sorted.chunk_by(|one, other| word(one) == word(other)) {
        let further = same.iter().skip(1).take(MAX_POSITIONS_PER_WORD - 1).map(|it| (it.position, 2));
        sizes.push((same[0].position, bytes(same[0].len)));
        sizes.extend(further);
    }
    sizes.sort_unstable();
    let mut total = 0;
    let fits = |(_, size): &&(u16, usize)| {
        total += size;
        total <= MAX_BYTES
    };
    sizes.iter().take_while(fits).last().map_or(0, |(position, _)| *position)
}

/// What a word takes: itself, filled up to an even length, the number of its positions, and the first.
fn bytes(len: usize) -> usize {
    len + 1 + 2 + 2
}

/// Compares as the words do, as far as it goes.
fn beginning(word: &str) -> u64 {
    let mut first = [0; 8];
    let len = word.len().min(8);
    first[..len].copy_from_slice(&word.as_bytes()[..len]);
    u64::from_be_bytes(first)
}

impl Words {
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &[u16])> {
        self.entries_from(0)
    }

    /// Those that are not before `word`.
    pub(super) fn from(&self, word: &str) -> impl Iterator<Item = (&str, &[u16])> {
        self.entries_from(self.place(word))
    }

    pub(super) fn positions(&self, word: &str) -> &[u16] {
        self.from(word).next().filter(|(found, _)| *found == word).map_or(&[], |(_, positions)| positions)
    }

    /// How many there are. A word that is there twice counts twice.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    fn place(&self, word: &str) -> usize {
        self.entries.partition_point(|entry| self.word(entry) < word)
    }

    fn word(&self, entry: &Entry) -> &str {
        &self.text[entry.start..entry.start + entry.len]
    }

    fn entries_from(&self, place: usize) -> impl Iterator<Item = (&str, &[u16])> {
        let before = place.checked_sub(1).and_then(|before| self.entries.get(before));
        let mut start = before.map_or(0, |entry| entry.positions);
        self.entries[place..].iter().map(move |entry| {
            let positions = mem::replace(&mut start, entry.positions)..entry.positions;
            (self.word(entry), &self.positions[positions])
        })
    }
}
