//! The words that random messages and queries are made of.

/// Words whose place in a text nobody can doubt: the oracle knows which of the five plain words each is. All others are
/// none of them.
pub(crate) const PLAIN: [&str; 5] = ["apple", "banana", "cherry", "kiwi", "melon"];

/// How a word is written, and the plain words that it is.
pub(crate) const WORDS: &[(&str, &[&str])] = &[
    ("apple", &["apple"]),
    ("banana", &["banana"]),
    ("cherry", &["cherry"]),
    ("kiwi", &["kiwi"]),
    ("melon", &["melon"]),
    ("Apple", &["apple"]),
    ("BANANA", &["banana"]),
    ("äpple", &["apple"]),
    ("chérry", &["cherry"]),
    ("kiwi\u{301}", &["kiwi"]),
    ("ｍｅｌｏｎ", &["melon"]),
    ("apple-banana", &["apple", "banana"]),
    ("(cherry", &["cherry"]),
    ("kiwi,melon", &["kiwi", "melon"]),
    ("\"melon\"", &["melon"]),
    ("ap\u{ad}ple", &["apple"]),
    ("REPEAT", &["kiwi"]),
    ("apple's", &["apple"]),
    ("kiwiMelon", &["kiwi", "melon"]),
    ("cherry7", &["cherry"]),
    ("apples", &[]),
    ("bananarama", &[]),
    ("mel", &[]),
    ("café", &[]),
    ("CAFE\u{301}", &[]),
    ("straße", &[]),
    ("STRASSE", &[]),
    ("naïve", &[]),
    ("Ærø", &[]),
    ("İstanbul", &[]),
    ("ısı", &[]),
    ("ﬁne", &[]),
    ("Đà", &[]),
    ("ПРИВЕТ", &[]),
    ("ёлка", &[]),
    ("елка", &[]),
    ("йод", &[]),
    ("λόγος", &[]),
    ("ΛΟΓΟΣ", &[]),
    ("ᾠδή", &[]),
    ("שָׁלוֹם", &[]),
    ("שלום", &[]),
    ("مَرْحَبًا", &[]),
    ("مرحبا", &[]),
    ("हिन्दी", &[]),
    ("东京都", &[]),
    ("京", &[]),
    ("東京タワー", &[]),
    ("ひらがな", &[]),
    ("ｶﾞｷﾞ", &[]),
    ("ガギ", &[]),
    ("한국어", &[]),
    ("한국어", &[]),
    ("ภาษาไทย", &[]),
    ("ไทย", &[]),
    ("ខ្មែរ", &[]),
    ("မြန်မာ", &[]),
    ("ພາສາລາວ", &[]),
    ("第3条", &[]),
    ("😀", &[]),
    ("👍🏽", &[]),
    ("👍", &[]),
    ("👨\u{200d}👩\u{200d}👧", &[]),
    ("🇳🇴", &[]),
    ("3️⃣", &[]),
    ("42", &[]),
    ("3.14", &[]),
    ("v2.0", &[]),
    ("1,000", &[]),
    ("２０", &[]),
    ("٤٢", &[]),
    ("½", &[]),
    ("①", &[]),
    ("don't", &[]),
    ("don’t", &[]),
    ("l'été", &[]),
    ("getUserName", &[]),
    ("2026-11-26T10:00:00Z", &[]),
    ("1'234'567", &[]),
    ("rock'n'roll", &[]),
    ("URLs", &[]),
    ("été", &[]),
    ("foo_bar", &[]),
    ("a.b@c.de", &[]),
    ("foo/bar:baz", &[]),
    ("C++", &[]),
    ("\0", &[]),
    ("nul\0nul", &[]),
    ("\u{202e}abc", &[]),
    ("\u{200f}", &[]),
    ("\u{feff}", &[]),
    ("\u{301}", &[]),
    ("\u{e000}", &[]),
    ("\u{10ffff}", &[]),
    ("…", &[]),
    ("-", &[]),
    ("*", &[]),
    ("OR", &[]),
    ("or", &[]),
    ("\"", &[]),
    (")", &[]),
    ("'", &[]),
    ("%", &[]),
    ("_", &[]),
    ("\\", &[]),
    ("LONG", &[]),
    ("LONGER", &[]),
    ("CJKLONG", &[]),
];

/// What stands for a word that would be too long for the list.
pub(crate) fn written(word: &str) -> String {
    match word {
        // More positions than PostgreSQL keeps of a word.
        "REPEAT" => "kiwi ".repeat(300),
        "LONG" => "x".repeat(200),
        "LONGER" => "x".repeat(3_000),
        "CJKLONG" => "京都".repeat(150),
        word => word.to_owned(),
    }
}

/// The plain words of what is written of this word.
pub(crate) fn plain_words(word: usize) -> &'static [&'static str] {
    WORDS[word].1
}

/// What stands between two words. Only the first few end every word; the others come behind words that are no plain ones.
pub(crate) const SEPARATORS: [&str; 12] =
    [" ", "  ", "\n", ". ", "", "-", "\u{200b}", "、", "'", "\t", "\u{a0}", "."];
pub(crate) const SAFE_SEPARATORS: usize = 4;

/// What garbage is made of.
pub(crate) const GARBAGE: [&str; 24] = [
    "\"", "(", ")", "-", "*", " ", " OR ", "OR", "--", "\"\"", "()", "-(", "-\"", "*\"", ":", "'", "&", "|",
    "!", "<->", "\\", "\0", "\u{301}", "：",
];
