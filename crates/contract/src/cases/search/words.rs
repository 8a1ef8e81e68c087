//! What is typed into a search, and what it finds.

use crate::fixture::Fixture;

/// Words are all wanted, in any order.
pub(crate) async fn words_are_all_wanted(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["red apple", "green apple", "red wine", "an apple, ripe and red"]).await;
    ada.assert_finds(&[
        ("red apple", "red apple / an apple, ripe and red"),
        ("apple   red", "red apple / an apple, ripe and red"),
        ("apple", "red apple / green apple / an apple, ripe and red"),
        ("apple apple", "red apple / green apple / an apple, ripe and red"),
        ("red apple wine", ""),
        ("pear", ""),
    ])
    .await;
}

/// A word is found as a whole, not by a part of it.
pub(crate) async fn a_part_of_a_word_finds_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["cat", "category", "concatenate", "cats", "a1", "a12"]).await;
    ada.assert_finds(&[("cat", "cat"), ("categ", ""), ("egory", ""), ("cats", "cats"), ("a1", "a1")]).await;
}

/// The case of letters does not count, in the text or in the message.
pub(crate) async fn the_case_of_letters_does_not_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["Paris in Spring"]).await;
    ada.assert_all_find(&["paris", "PARIS", "pArIs sPrInG", "\"PARIS in\"", "PAR*"], "Paris in Spring").await;
}

/// A phrase is found as it stands: its words one directly behind the other, in its order, whatever is between them
/// beside spaces.
pub(crate) async fn a_phrase_is_found_as_it_stands(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["the quick brown fox", "brown, not quick", "quick and brown", "Quick (brown)!", "quickbrown"])
        .await;
    ada.assert_finds(&[
        ("\"quick brown\"", "the quick brown fox / Quick (brown)!"),
        ("\"brown quick\"", ""),
        ("\"quick brow\"", ""),
        ("\"the quick brown fox\"", "the quick brown fox"),
        ("\"quick\"", "the quick brown fox / brown, not quick / quick and brown / Quick (brown)!"),
        ("\"quick brown\" fox", "the quick brown fox"),
        ("\"quick and\" \"and brown\"", "quick and brown"),
    ])
    .await;
}

/// What is excluded is not found: a word, a phrase, a group.
pub(crate) async fn what_is_excluded_is_not_found(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["tea", "tea with milk", "tea with lemon", "milk with tea"]).await;
    ada.assert_finds(&[
        ("tea -milk", "tea / tea with lemon"),
        ("-milk tea", "tea / tea with lemon"),
        ("tea -\"with milk\"", "tea / tea with lemon / milk with tea"),
        ("tea -(milk OR lemon)", "tea"),
        ("tea -(with milk)", "tea / tea with lemon"),
        ("tea -mil*", "tea / tea with lemon"),
        ("tea -milk -lemon", "tea"),
        ("tea -coffee", "tea / tea with milk / tea with lemon / milk with tea"),
    ])
    .await;
}

/// A hyphen inside a word excludes nothing.
pub(crate) async fn a_hyphen_inside_a_word_excludes_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["a well-known fact", "well, it is known", "well known"]).await;
    ada.assert_finds(&[
        ("well-known", "a well-known fact / well known"),
        ("well -known -fact", "a well-known fact"),
        ("known -well-known", "well, it is known"),
    ])
    .await;
}

/// `OR` wants one of its two sides, and holds less tightly than a space.
pub(crate) async fn or_holds_less_tightly_than_a_space(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["red wine", "white wine", "red bread", "white bread", "beer"]).await;
    ada.assert_finds(&[
        ("beer OR bread", "red bread / white bread / beer"),
        ("red wine OR white bread", "red wine / white bread"),
        ("red OR white wine", "red wine / white wine / red bread"),
        ("beer OR red wine OR white bread", "red wine / white bread / beer"),
        ("\"red wine\" OR beer", "red wine / beer"),
        ("bread -red OR beer", "white bread / beer"),
    ])
    .await;
}

/// Only `OR` in capital letters is an operator: in small ones it is a word, and so are `AND` and `NOT`.
pub(crate) async fn small_letters_are_no_operators(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["tea or coffee", "tea", "coffee", "tea and coffee", "not tea"]).await;
    ada.assert_finds(&[
        ("tea or coffee", "tea or coffee"),
        ("tea AND coffee", "tea and coffee"),
        ("NOT tea", "not tea"),
        ("\"tea OR coffee\"", "tea or coffee"),
    ])
    .await;
}

/// Parentheses group, within each other too.
pub(crate) async fn parentheses_group(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["red wine", "white wine", "red bread", "white bread", "beer"]).await;
    ada.assert_finds(&[
        ("(red OR white) wine", "red wine / white wine"),
        ("wine (red OR white)", "red wine / white wine"),
        ("((red OR white) (wine OR bread)) -(white bread)", "red wine / white wine / red bread"),
        ("(beer OR (red (wine OR bread)))", "red wine / red bread / beer"),
        ("(red)(wine)", "red wine"),
    ])
    .await;
}

/// `begin*` finds the words that begin so, and those that are so.
pub(crate) async fn a_prefix_finds_the_words_that_begin_so(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["international", "inter", "Internet", "into", "a printer"]).await;
    ada.assert_finds(&[
        ("inter*", "international / inter / Internet"),
        ("INTERN*", "international / Internet"),
        ("int*", "international / inter / Internet / into"),
        ("internationally*", ""),
        ("a pri*", "a printer"),
        ("int* -intern*", "inter / into"),
    ])
    .await;
}

/// A prefix is the beginning of a word: not its middle or its end, and a `*` elsewhere is no operator.
pub(crate) async fn a_prefix_is_found_at_the_beginning_alone(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["winter", "interval", "splinter group"]).await;
    ada.assert_finds(&[("inter*", "interval"), ("*inter", ""), ("*inter*", "interval"), ("*", "")]).await;
}

/// A text of several words without a space between them is a phrase.
pub(crate) async fn words_without_a_space_between_are_a_phrase(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["release v2.0 today", "0 bugs in v2", "call foo_bar()", "bar of foo", "mail ada@example.org"])
        .await;
    ada.assert_finds(&[
        ("v2.0", "release v2.0 today"),
        ("v2", "release v2.0 today / 0 bugs in v2"),
        ("foo_bar", "call foo_bar()"),
        ("foo::bar", "call foo_bar()"),
        ("bar", "call foo_bar() / bar of foo"),
        ("ada@example.org", "mail ada@example.org"),
        ("example", "mail ada@example.org"),
        ("org@example", ""),
    ])
    .await;
}

/// Quotes and parentheses without a partner, and operators without anything to work on, are read as spaces; an `OR`
/// without two sides as the word.
pub(crate) async fn stray_operators_are_read_as_spaces(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["red apple", "apple so red", "red or apple"]).await;
    let all = "red apple / apple so red / red or apple";
    let texts = [
        "\"red apple",
        "red apple\"",
        "red \" apple",
        "(red apple",
        "red apple)",
        ")red apple(",
        "red) (apple",
        "red - apple",
        "red * apple",
        "red apple -",
        "red \"\" apple",
        "red () apple",
        "((((red apple",
        "-- red apple",
        "red apple -()",
        "red apple -\"\"",
    ];
    ada.assert_all_find(&texts, all).await;
    for text in ["red OR", "OR red", "red apple OR", "(OR) red"] {
        assert_eq!(ada.found_by(text).await, "red or apple", "found by {text:?}");
    }
}

/// Blank text asks for no words: all that the filters let through is found.
pub(crate) async fn blank_text_asks_for_no_words(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["one", "...", ""]).await;
    ada.assert_all_find(&["", " ", "\t\r\n ", "\u{3000}\u{a0}"], "one / ... / ").await;
}

/// A text of punctuation alone finds nothing.
pub(crate) async fn punctuation_alone_finds_nothing(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["one", "!!!", "...", "-", "(?)", "\"\""]).await;
    ada.assert_all_find(&["!!!", "...", "-", "*", "\"\"", "( )", "\"?\"", "& | !", "—", "。、"], "").await;
}
