//! What is written as one, and found by its parts too.

use crate::fixture::{Fixture, at};

/// A name that programmers write as one word is found by its words, by several of them, and as a whole in any case.
pub(crate) async fn the_parts_of_a_name_are_found(fixture: Fixture) {
    let ada = fixture.tenant();
    let name = "call getUserName(id) first";
    ada.says([name, "the HTTPServer has two URLs", "plain words"]).await;
    let found = [
        "getUserName",
        "getusername",
        "GETUSERNAME",
        "user",
        "Name",
        "getUser",
        "UserName",
        "get user name",
        "\"get user name\"",
        "\"user name\"",
        "get_user_name",
        "getUserName(id)",
        "getUs*",
        "use*",
        "call user",
        "call getUserName",
        "\"call getUserName id\"",
        "user -server",
    ];
    ada.assert_all_find(&found, name).await;
    let server = "the HTTPServer has two URLs";
    ada.assert_all_find(&["server", "http", "httpserver", "URL", "url urls", "\"http server\""], server)
        .await;
    ada.assert_all_find(&["ser", "ttp", "\"name get\"", "\"user get\"", "names"], "").await;
}

/// Letters and digits that are written as one are found apart.
pub(crate) async fn letters_and_digits_are_found_apart(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["see PR1137 and v2.14.0-rc3", "see PR 1138", "RE2026-0815"]).await;
    ada.assert_finds(&[
        ("PR1137", "see PR1137 and v2.14.0-rc3"),
        ("pr1137", "see PR1137 and v2.14.0-rc3"),
        ("1137", "see PR1137 and v2.14.0-rc3"),
        ("pr", "see PR1137 and v2.14.0-rc3 / see PR 1138"),
        ("PR-1137", "see PR1137 and v2.14.0-rc3"),
        ("PR1138", "see PR 1138"),
        ("2.14.0", "see PR1137 and v2.14.0-rc3"),
        ("v2.14", "see PR1137 and v2.14.0-rc3"),
        ("rc", "see PR1137 and v2.14.0-rc3"),
        ("2026-0815", "RE2026-0815"),
        ("113", ""),
        ("137", ""),
    ])
    .await;
}

/// A date and a time that are written as one are found each by itself.
pub(crate) async fn dates_and_times_are_found_in_part(fixture: Fixture) {
    let ada = fixture.tenant();
    let (early, late) = ("failed at 2026-11-26T10:00:05Z", "failed at 2026-11-27T10:00:15,250+01:00");
    ada.says([early, late]).await;
    ada.assert_all_find(
        &[
            "2026-11-26T10:00:05Z",
            "2026-11-26",
            "2026-11-26T10",
            "10:00:05Z",
            "10:00:05",
            "11-26",
            "05Z",
            "00:05",
        ],
        early,
    )
    .await;
    ada.assert_all_find(&["2026-11-27", "10:00:15,250", "27T10:00:15", "15,250+01:00", "250+01"], late).await;
    ada.assert_all_find(&["2026-11", "T10:00", "10:00 failed"], &format!("{early} / {late}")).await;
    ada.assert_all_find(&["2026-26-11", "10:05", "15250"], "").await;
}

/// A number with signs between its groups is found without them, and by each group; and the other way round.
pub(crate) async fn numbers_in_groups_are_found_whole(fixture: Fixture) {
    for (written, plain, others) in [
        ("1,234,567", "1234567", ["1,234", "234,567"]),
        ("1.234.567,89", "1234567,89", ["1234567.89", "567,89"]),
        ("1'234'567", "1234567", ["1’234’567", "234'567"]),
        ("1\u{202f}234\u{202f}567", "1234567", ["1 234 567", "\"1 234 567\""]),
        ("1_000_000", "1000000", ["1,000,000", "000_000"]),
        ("12,34,567", "1234567", ["34,567", "1,234,567 OR 12,34"]),
        ("$1,234.50", "1234.50", ["1,234.50", "234.50"]),
    ] {
        let ada = fixture.tenant();
        let text = format!("it is {written} now");
        ada.says([&*text, "it is 99,999 now"]).await;
        ada.assert_all_find(&[written, plain, others[0], others[1], "is now -99999"], &text).await;
    }
    let ada = fixture.tenant();
    ada.says(["it is 1234567 now"]).await;
    ada.assert_all_find(&["1,234,567", "1.234.567", "1234567"], "it is 1234567 now").await;
}

/// Names are found in the genitive of English, with its short forms, and with those that have an apostrophe.
pub(crate) async fn names_with_apostrophes_are_found(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["Anna's report", "Zoë’s farewell", "O'Brien came", "İstanbul'da", "I don't know Don"]).await;
    ada.assert_all_find(
        &["Anna", "anna's", "annas", "\"Anna's report\"", "Anna report", "ann*"],
        "Anna's report",
    )
    .await;
    ada.assert_all_find(&["Zoë", "zoe", "Zoe's", "zoë’s farewell"], "Zoë’s farewell").await;
    ada.assert_all_find(&["Brien", "O'Brien", "o’brien", "obrien", "\"o brien\""], "O'Brien came").await;
    ada.assert_all_find(&["istanbul", "İstanbul", "istanbul'da"], "İstanbul'da").await;
    ada.assert_all_find(&["don", "don't"], "I don't know Don").await;
    ada.assert_all_find(&["Ann", "Bri", "\"don know\""], "").await;
}

/// What a word has parts of is still one word to the phrases around it, in any case.
pub(crate) async fn parts_change_no_phrase(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["JavaScript is fun", "java is fun", "script is fun"]).await;
    ada.assert_finds(&[
        ("\"javascript is fun\"", "JavaScript is fun"),
        ("\"JavaScript is\"", "JavaScript is fun"),
        ("\"java is\"", "java is fun"),
        ("\"script is\"", "script is fun"),
        ("\"java script\"", "JavaScript is fun"),
        ("java fun", "JavaScript is fun / java is fun"),
        ("\"java script is\"", ""),
    ])
    .await;
}

/// Who excludes a part excludes the whole, and who excludes the whole does not exclude its parts by themselves.
pub(crate) async fn an_excluded_part_excludes_its_whole(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["find getUserName", "find user", "find Anna's", "find Anna"]).await;
    ada.assert_finds(&[
        ("find -user", "find Anna's / find Anna"),
        ("find -getUserName", "find user / find Anna's / find Anna"),
        ("find -anna", "find getUserName / find user"),
        ("find -Anna's", "find getUserName / find user / find Anna"),
        ("find -(user OR anna)", ""),
    ])
    .await;
}

/// Several words in quotes are one behind the other, also where one of them has parts.
pub(crate) async fn a_text_in_quotes_stays_a_phrase(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["open fileName now", "fileName: now open", "open it now, fileName"]).await;
    ada.assert_finds(&[
        ("\"open fileName now\"", "open fileName now"),
        ("\"open filename\"", "open fileName now"),
        ("\"fileName now\"", "open fileName now / fileName: now open"),
        ("\"fileName\" open", "open fileName now / fileName: now open / open it now, fileName"),
    ])
    .await;
}

/// An edit takes the parts of the earlier content with it.
pub(crate) async fn parts_go_with_an_edit(fixture: Fixture) {
    let ada = fixture.tenant();
    let talk = ada.says(["call getUserName"]).await;
    let id = talk.all().await[0].id;
    talk.edit(id, "call setOrderTotal", at(5)).await.expect("an edit");
    ada.assert_finds(&[("user", ""), ("order", "call setOrderTotal"), ("orderTotal", "call setOrderTotal")])
        .await;
}
