//! Searches and messages that are code elsewhere: SQL, the query languages of stores, characters that nobody sees.

use crate::fixture::Fixture;

/// The signs of query languages and of SQL are no operators: such texts find what their words find, and no error.
pub(crate) async fn signs_of_other_languages_are_no_operators(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says([
        "red apple",
        "red",
        "apple",
        "near red apple",
        "red and not apple",
        "words red",
        "a red b apple",
    ])
    .await;
    let both = "red apple / near red apple / red and not apple / a red b apple";
    let texts = [
        "red & apple",
        "red | apple",
        "red <-> apple",
        "red <=> apple",
        "!red apple",
        "red && apple",
        "red + apple",
        "^red apple",
        "{red} : apple",
        "red' apple",
        "'red' 'apple'",
        "red\\ apple",
        "red; apple",
        "/* red */ apple",
        "red /* apple",
        "red % apple",
        "red ? apple",
        "[red apple]",
        "$red$ $apple$",
        "red\0apple",
        "red\napple",
        "red ~ apple",
        "red @@ apple",
        "red , apple",
        "red= apple",
        "<red> apple",
        "`red` apple",
        "red # apple",
    ];
    // A sign without a space beside it makes a phrase of the words.
    for text in texts {
        let expected = if text == "red\0apple" { "red apple / near red apple" } else { both };
        assert_eq!(ada.found_by(text).await, expected, "found by {text:?}");
    }
    ada.assert_finds(&[
        ("NEAR(red apple)", "near red apple"),
        ("near(apple red, 5)", ""),
        ("red AND NOT apple", "red and not apple"),
        ("words:red", "words red"),
        ("red:*", "red apple / red / near red apple / red and not apple / words red / a red b apple"),
        ("red:A", ""),
        ("red <2> apple", ""),
        ("$1 red", ""),
        ("red --apple", both),
        ("red'; DROP TABLE chat_message; --", ""),
        ("' OR '1'='1", ""),
        ("%", ""),
        ("_", ""),
        ("re_", ""),
        ("%ed", ""),
    ])
    .await;
}

/// Rare characters in the text of a search are no error, and find nothing that is not there.
pub(crate) async fn rare_characters_find_nothing_else(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["red apple", "\0", "\u{301}", "\u{202e}", "\u{fffd}"]).await;
    for text in [
        "\0",
        "\0\0",
        "\u{301}",
        "\u{301}\u{301} \u{301}",
        "\u{202e}",
        "\u{200f}\u{200e}",
        "\u{feff}",
        "\u{200b}",
        "\u{fe0f}",
        "\u{1f3fd}",
        "\u{200d}",
        "\u{fffd}",
        "\u{fffe}",
        "\u{10ffff}",
        "\u{7f}",
        "\u{ad}",
        "\u{e0041}",
        "pear \u{202e}",
        "\0pear",
    ] {
        assert_eq!(ada.found_by(text).await, "", "found by {text:?}");
    }
    ada.assert_all_find(
        &[
            "\u{202e}red",
            "red \u{200f}",
            "\0red\0",
            "\u{feff}red",
            "re\u{ad}d",
            "\u{1}red\u{2}",
            "red \u{301}",
        ],
        "red apple",
    )
    .await;
}

/// Messages that are code in some language are found by their words, and harm nothing.
pub(crate) async fn messages_that_look_like_code_are_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let texts = [
        "'; DROP TABLE chat_message; --",
        "one':2A 'two':3B",
        "a & b | !c <-> d:*",
        "\" OR \"x\" NEAR(y z)",
        "\\u0000 \\x00 \\",
        "nul \0 inside",
        "{$ne: null}",
        "%s %d {} ${HOME}",
    ];
    ada.says(texts).await;
    for (text, expected) in [
        ("drop table", texts[0]),
        ("chat_message", texts[0]),
        ("\"one 2a two 3b\"", texts[1]),
        ("\"a b c d\"", texts[2]),
        ("near y z", texts[3]),
        ("u0000", texts[4]),
        ("\"nul inside\"", texts[5]),
        ("ne", texts[6]),
        ("home", texts[7]),
        ("other -drop", ""),
    ] {
        assert_eq!(ada.found_by(text).await, expected, "found by {text:?}");
    }
    assert_eq!(ada.found_by("").await, texts.join(" / "));
}
