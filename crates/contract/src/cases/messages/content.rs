//! Contents: what goes in comes out equal.

use chatkeep_domain::{Append, Content, MAX_CONTENT_BYTES, MAX_JSON_DEPTH, Metadata, Role, StoreError};
use serde_json::{Value, json};

use crate::fixture::{Fixture, Repo, Talk, Tenant, at, message};

/// Equal to the last bit: `Value` itself takes 0.0 and -0.0 as equal.
fn same(one: &Value, two: &Value) -> bool {
    match (one, two) {
        (Value::Number(one), Value::Number(two)) => {
            one.is_f64() == two.is_f64()
                && one == two
                && one.as_f64().map(f64::to_bits) == two.as_f64().map(f64::to_bits)
        }
        (Value::Array(one), Value::Array(two)) => {
            one.len() == two.len() && one.iter().zip(two).all(|(one, two)| same(one, two))
        }
        (Value::Object(one), Value::Object(two)) => {
            one.len() == two.len()
                && one.iter().all(|(key, one)| two.get(key).is_some_and(|two| same(one, two)))
        }
        _ => one == two,
    }
}

fn assert_same(given: &Content, got: &Content, place: &str) {
    let (given, got) = (Value::from(given.clone()), Value::from(got.clone()));
    let shown = |value: &Value| value.to_string().chars().take(400).collect::<String>();
    assert!(same(&given, &got), "{place}\n given {}\n   got {}", shown(&given), shown(&got));
}

/// Stores the contents and reads them back in every way there is.
async fn round_trip(repo: &Repo, contents: Vec<Content>) {
    let talk = Tenant::new(repo).talk().await;
    let stored = talk.say(contents.iter().cloned().map(message)).await;
    let listed = talk.all().await;
    assert_eq!((stored.len(), listed.len()), (contents.len(), contents.len()));
    for ((given, stored), listed) in contents.iter().zip(&stored).zip(&listed) {
        assert_same(given, &stored.content, "what append gives");
        assert_same(given, &listed.content, "what is listed");
        let read = talk.get(stored.id).await.unwrap();
        assert_same(given, &read.content, "what is read alone");
        talk.edit(stored.id, "another", at(2)).await.unwrap();
        let revisions = talk.revisions(stored.id).await.unwrap();
        assert_same(given, &revisions[0].content, "the revision");
        let edited = talk.edit(stored.id, given.clone(), at(3)).await.unwrap();
        assert_same(given, &edited.content, "what edit gives");
        let read = talk.get(stored.id).await.unwrap();
        assert_same(given, &read.content, "what is read after an edit");
    }
}

fn custom(value: impl Into<Value>) -> Content {
    Content::from_value(json!({"type": "custom", "value": value.into()})).expect("a content")
}

/// Every shape of content comes back equal.
pub(crate) async fn every_shape_comes_back_equal(fixture: Fixture) {
    let metadata = Metadata::from_iter([("model".to_owned(), json!({"name": "m", "temperature": 0.7}))]);
    let call = |id| Content::tool_call(id, "weather", json!({"city": "Oslo", "days": [1, 2]}));
    let shapes = vec![
        Content::text("hello"),
        Content::text("hello").with_metadata(metadata),
        call("call_1"),
        Content::tool_result("call_1", "weather", "sunny"),
        Content::tool_result("call_1", "weather", json!({"degrees": -3.5})),
        Content::image("data:image/png;base64,iVBORw0KGgo="),
        Content::file("https://example.org/a%20b.pdf", "a b.pdf"),
        Content::parts([Content::text("look"), Content::image("https://example.org/i.png")]),
        Content::parts([call("call_2"), call("call_3")]),
        Content::parts([]),
    ];
    round_trip(&fixture.repo, shapes).await;
}

/// A content of an unknown type is kept as it came.
pub(crate) async fn an_unknown_type_is_kept_as_it_came(fixture: Fixture) {
    let unknown = [
        json!({"type": "poll", "options": ["a", "b"], "closes": null}),
        json!({"type": ""}),
        json!({"type": "text"}),
        json!({"type": "text", "text": 7, "extra": {"type": "inner"}}),
        json!({"type": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}),
    ];
    round_trip(&fixture.repo, unknown.map(|value| Content::from_value(value).unwrap()).to_vec()).await;
}

/// U+0000 comes back: in texts, in keys, nested, and beside what looks like its escape.
pub(crate) async fn nul_comes_back(fixture: Fixture) {
    let mut contents =
        ["\0", "a\0b", "\0\0\0", "end\0", r"\u0000", r"\\u0000", "\\\0", "\\u0000\0", "\0u0000"]
            .map(Content::text)
            .to_vec();
    contents.push(custom(json!({"\0": 1, "a\0b": {"": "\0"}, "\\u0000": ["\0", "\\u0000"]})));
    contents.push(Content::from_value(json!({"type": "nul \0 type", "\0\0": null})).unwrap());
    round_trip(&fixture.repo, contents).await;
}

/// Characters that an escape could be made of come back: controls, private use, noncharacters.
pub(crate) async fn rare_characters_come_back(fixture: Fixture) {
    let rare = [
        "\u{1}\u{2}\u{8}\u{b}\u{c}\u{1b}\u{1f}\u{7f}",
        "\u{80}\u{85}\u{9f}\u{ad}",
        "\u{e000}\u{e0000}\u{f8ff}\u{f0000}\u{100000}",
        "\u{fffd}\u{fffe}\u{ffff}\u{10ffff}\u{feff}",
        "\u{2028}\u{2029}\u{200b}\u{2400}",
        "\u{1a}0\u{1a}\u{1a}",
    ];
    let mut contents = rare.map(Content::text).to_vec();
    contents.extend(rare.map(|rare| custom(json!({rare: rare}))));
    round_trip(&fixture.repo, contents).await;
}

/// Emoji, joined sequences, right-to-left and combining text come back as they were, not normalized.
pub(crate) async fn every_script_comes_back(fixture: Fixture) {
    let scripts = [
        "🦀 👩‍👩‍👧‍👦 👍🏽 🇳🇴 ❤️",
        "שלום עולם \u{202e}مرحبا بالعالم\u{202c}",
        "e\u{301} é a\u{308}\u{304} \u{1100}\u{1161} 가",
        "你好，世界 こんにちは ｶﾞ 안녕하세요",
        "ﬁ ﬀ ① ² Å Å Ω Ω",
        "ไทย ไม่มีช่องว่าง देवनागरी தமிழ்",
        "𝒳𝓎𝓏 𐍈 🜁",
    ];
    round_trip(&fixture.repo, scripts.map(Content::text).to_vec()).await;
}

/// Empty strings, objects and lists come back as they are, and null is not left out.
pub(crate) async fn empty_values_come_back(fixture: Fixture) {
    let mut contents = vec![Content::text(""), Content::tool_call("", "", json!({}))];
    contents.extend([json!(null), json!({}), json!([]), json!([[], {}, "", null])].map(custom));
    contents.push(Content::text("").with_metadata(Metadata::new()));
    round_trip(&fixture.repo, contents).await;
}

/// Text that looks like SQL, like a parameter, like a pattern or like an encoding comes back.
pub(crate) async fn text_that_looks_like_code_comes_back(fixture: Fixture) {
    let texts = [
        "'; DROP TABLE chat_message; --",
        "$1 ? :name @p %s {0} ${x}",
        "100% _under_ \\% [a-z]* NULL null true",
        "'",
        "''",
        "\"",
        "\\",
        "\\\\",
        "\\'",
        "`",
        "\\n",
        "a\nb\r\nc\td",
        "{\"type\":\"text\"}",
        "{a,b}",
        "E'\\x00'",
        "\\x00",
        "&lt;&#0;",
        "%00",
        "=?utf-8?",
    ];
    round_trip(&fixture.repo, texts.map(Content::text).to_vec()).await;
}

/// Integers come back exactly, to the ends of `i64` and `u64`.
pub(crate) async fn integers_come_back_exactly(fixture: Fixture) {
    let mut integers = vec![json!(u64::MAX), json!(u64::MAX - 1)];
    for integer in [0, 1, -1, i64::MAX, i64::MIN, 9_007_199_254_740_993, -9_007_199_254_740_993] {
        integers.push(json!(integer));
    }
    round_trip(&fixture.repo, integers.into_iter().map(custom).collect()).await;
}

/// Floats come back with every bit, and stay floats where their value is whole.
pub(crate) async fn floats_come_back_with_every_bit(fixture: Fixture) {
    let floats = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        1e2,
        1e15,
        1e16,
        1e21,
        1e300,
        0.1,
        0.1 + 0.2,
        1.0 / 3.0,
        -2.5e-10,
        f64::MAX,
        f64::MIN,
        f64::MIN_POSITIVE,
        f64::EPSILON,
        f64::from_bits(1),
        5e-324,
        9_007_199_254_740_993.0,
        18_446_744_073_709_551_616.0,
        123_456_789.123_456_79,
    ];
    round_trip(&fixture.repo, floats.iter().map(|float| custom(json!([float]))).collect()).await;
}

fn sized(bytes: usize) -> Content {
    let frame = Content::text("").encode().expect("a small content").len();
    Content::text("x".repeat(bytes - frame))
}

/// A content of exactly 8 MiB of JSON is stored.
pub(crate) async fn a_content_of_8_mib_is_stored(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let largest = sized(MAX_CONTENT_BYTES);
    let stored = talk.say([message(largest.clone())]).await;
    let read = talk.get(stored[0].id).await.unwrap();
    assert!(read.content == largest, "it comes back equal");
}

/// One byte more is `TooLarge`, for appends and for edits, and nothing is written.
pub(crate) async fn a_content_over_8_mib_is_refused(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    let over = sized(MAX_CONTENT_BYTES + 1);
    let refused = talk.append(Append::new([message(over.clone())])).await;
    assert_refused!(refused, StoreError::TooLarge { limit: 8_388_608, actual: 8_388_609, .. });
    let refused = talk.edit(said[0].id, over, at(9)).await;
    assert_refused!(refused, StoreError::TooLarge { actual: 8_388_609, .. });
    assert_eq!(talk.snapshot().await, before);
}

/// A content nested this deep in all: the object itself is the first level.
fn nested(levels: usize) -> Content {
    let lists = (0..levels - 1).fold(json!("core"), |inner, level| {
        if level % 2 == 0 { json!([inner]) } else { json!({"k": inner}) }
    });
    Content::from_value(json!({"type": "deep", "deep": lists})).expect("a content")
}

/// A content nested to 100 levels comes back.
pub(crate) async fn the_deepest_nesting_comes_back(fixture: Fixture) {
    round_trip(&fixture.repo, vec![nested(MAX_JSON_DEPTH), nested(2)]).await;
}

/// One level more is `TooLarge`, and nothing is written.
pub(crate) async fn deeper_nesting_is_refused(fixture: Fixture) {
    let (talk, said) = Talk::with(&fixture.tenant(), 1).await;
    let before = talk.snapshot().await;
    let deeper = nested(MAX_JSON_DEPTH + 1);
    let refused = talk.append(Append::new([message("fine"), message(deeper.clone())])).await;
    assert_refused!(refused, StoreError::TooLarge { limit: 100, .. });
    let refused = talk.edit(said[0].id, deeper, at(9)).await;
    assert_refused!(refused, StoreError::TooLarge { limit: 100, .. });
    assert_eq!(talk.snapshot().await, before);
}

/// A message as a model sees it loses nothing of the content.
pub(crate) async fn a_stored_message_is_the_models_message(fixture: Fixture) {
    let talk = fixture.tenant().talk().await;
    let mut given = message(Content::tool_result("c", "t", json!({"\0": [1e16, null]})));
    given.sender_role = Role::Tool;
    talk.say([given.clone()]).await;
    let seen = chatkeep_domain::Message::from(&talk.all().await[0]);
    assert_eq!(seen.role, Role::Tool);
    assert_same(&given.content, &seen.content, "as the model sees it");
}
