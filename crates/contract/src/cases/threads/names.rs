//! Threads by a part of their name.

use chatkeep_domain::{MAX_NAME_BYTES, StoreError, ThreadQuery, ThreadUpdate};

use crate::cases::threads::filters::{named, names};
use crate::fixture::{Fixture, Tenant, at};

async fn assert_named(ada: &Tenant, searches: &[(&str, &str)]) {
    for (part, expected) in searches {
        let query = ThreadQuery::default().name_contains(*part);
        assert_eq!(names(ada, &query).await, *expected, "names that hold {part:?}");
    }
}

/// A name is found by any part of it, with case and diacritics folded.
pub(crate) async fn a_name_is_found_by_a_part_of_it(fixture: Fixture) {
    let ada = fixture.tenant();
    named(&ada, &["My Café plans", "CAFETERIA", "Große Straße", "Đà Nẵng", "北京烤鸭", "cafe\u{301} two"])
        .await;
    assert_named(
        &ada,
        &[
            ("cafe", "My Café plans / CAFETERIA / cafe\u{301} two"),
            ("CAFÉ", "My Café plans / CAFETERIA / cafe\u{301} two"),
            ("fé pl", "My Café plans"),
            ("strasse", "Große Straße"),
            ("da nang", "Đà Nẵng"),
            ("京烤", "北京烤鸭"),
            ("plans my", ""),
            ("tea", ""),
        ],
    )
    .await;
}

/// What is a pattern elsewhere is plain text in a name.
pub(crate) async fn a_part_of_a_name_is_no_pattern(fixture: Fixture) {
    let ada = fixture.tenant();
    named(
        &ada,
        &["100% sure", "100 sure", "a_b", "axb", "c:\\d", "c:d", "it's", "a*b", "[ab]", "(a|b)", "$1"],
    )
    .await;
    assert_named(
        &ada,
        &[
            ("0% s", "100% sure"),
            ("%", "100% sure"),
            ("100%sure", ""),
            ("_", "a_b"),
            ("a_b", "a_b"),
            ("\\", "c:\\d"),
            (":\\d", "c:\\d"),
            ("\\d", "c:\\d"),
            ("*", "a*b"),
            ("[ab]", "[ab]"),
            ("a|b", "(a|b)"),
            ("$1", "$1"),
            (".", ""),
            ("\" -tea", ""),
        ],
    )
    .await;
    // Apostrophes may be folded away, on both sides or on neither.
    assert_named(&ada, &[("it's", "it's"), ("'; --", "")]).await;
}

/// The empty text is in every name, and what folds to it; a text over the limit of a name is refused.
pub(crate) async fn a_part_of_a_name_has_exact_limits(fixture: Fixture) {
    let ada = fixture.tenant();
    let long = "n".repeat(MAX_NAME_BYTES);
    named(&ada, &["", &long]).await;
    assert_named(
        &ada,
        &[("", &format!(" / {long}")), (&long, &long), ("\u{ad}\u{200d}", &format!(" / {long}"))],
    )
    .await;
    // No name holds U+0000.
    assert_named(&ada, &[("n\0", ""), ("\0", "")]).await;
    let refused = ada.list(&ThreadQuery::default().name_contains("n".repeat(MAX_NAME_BYTES + 1))).await;
    assert_refused!(refused, StoreError::InvalidArgument(error) if error.field == "name_contains");
}

/// A filter on the name follows a rename at once.
pub(crate) async fn a_name_filter_follows_a_rename(fixture: Fixture) {
    let ada = fixture.tenant();
    let ids = named(&ada, &["first plan", "second plan"]).await;
    let update = ThreadUpdate::new(at(9)).name("Première idée");
    fixture.repo.update_thread(&ada.scope, ids[0], update).await.unwrap();
    assert_named(&ada, &[("plan", "second plan"), ("premiere", "Première idée"), ("first", "")]).await;
    fixture.repo.update_thread(&ada.scope, ids[0], ThreadUpdate::new(at(10))).await.unwrap();
    assert_named(&ada, &[("idee", "Première idée")]).await;
}
