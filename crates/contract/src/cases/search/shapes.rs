//! Which parts of a message are searched.

use chatkeep_domain::Content;
use serde_json::{Value, json};

use crate::fixture::{Fixture, Repo, Tenant, message};

/// Says these, and fails unless each search finds the contents with the numbers named.
async fn assert_indexed(repo: &Repo, contents: Vec<Value>, searches: &[(&str, &[usize])]) {
    let talk = Tenant::new(repo).talk().await;
    let contents = contents.into_iter().map(|content| Content::from_value(content).expect("a content"));
    let said = talk.say(contents.map(message)).await;
    for (text, expected) in searches {
        let query = chatkeep_domain::SearchQuery::new(*text).order(chatkeep_domain::SearchOrder::Oldest);
        let hits = talk.tenant.hits(&query).await;
        let found: Vec<_> = hits.iter().map(|hit| hit.message.clone()).collect();
        let expected: Vec<_> = expected.iter().map(|number| said[*number].clone()).collect();
        assert_eq!(found, expected, "found by {text:?}");
    }
}

/// Every part's text is searched, not the first one's alone.
pub(crate) async fn every_part_is_searched(fixture: Fixture) {
    let text = |text: &str| json!({"type": "text", "text": text});
    let image = json!({"type": "image", "url": "https://example.org/cat.png"});
    let parts =
        json!({"type": "parts", "parts": [text("alpha one"), image, text("beta two"), text("gamma")]});
    let other = json!({"type": "parts", "parts": [text("alpha")]});
    let searches: &[(&str, &[usize])] =
        &[("alpha", &[0, 1]), ("beta", &[0]), ("gamma", &[0]), ("alpha gamma", &[0]), ("alpha -beta", &[1])];
    assert_indexed(&fixture.repo, vec![parts, other], searches).await;
}

/// A phrase does not go on from one part to the next.
pub(crate) async fn a_phrase_ends_with_its_part(fixture: Fixture) {
    let text = |text: &str| json!({"type": "text", "text": text});
    let apart = json!({"type": "parts", "parts": [text("the new"), text("york times")]});
    let together = json!({"type": "parts", "parts": [text("the"), text("new york")]});
    let searches: &[(&str, &[usize])] =
        &[("\"new york\"", &[1]), ("new york", &[0, 1]), ("\"the new\"", &[0]), ("\"york times\"", &[0])];
    assert_indexed(&fixture.repo, vec![apart, together], searches).await;
}

/// A tool call is found by its name, and by the strings and numbers of its arguments, however deep.
pub(crate) async fn tool_calls_are_searched(fixture: Fixture) {
    let arguments = json!({"city": "Oslo", "days": 14, "where": [{"street": ["Storgata", 7.5]}], "ok": true});
    let call = json!({"type": "tool_call", "id": "call_x1", "name": "get_weather", "arguments": arguments});
    let parallel = json!({"type": "parts", "parts": [
        {"type": "tool_call", "id": "a", "name": "lookup", "arguments": {"q": "Bergen"}},
        {"type": "tool_call", "id": "b", "name": "lookup", "arguments": "Stavanger"},
    ]});
    let searches: &[(&str, &[usize])] = &[
        ("get_weather", &[0]),
        ("weather", &[0]),
        ("oslo 14", &[0]),
        ("storgata 7.5", &[0]),
        ("lookup", &[1]),
        ("bergen stavanger", &[1]),
    ];
    assert_indexed(&fixture.repo, vec![call, parallel], searches).await;
}

/// A tool's result is found by its content, be it text or any JSON.
pub(crate) async fn tool_results_are_searched(fixture: Fixture) {
    let result = |content: Value| json!({"type": "tool_result", "tool_call_id": "call_9", "name": "lookup", "content": content});
    let contents = vec![
        result(json!("sunny all day")),
        result(json!({"sky": "cloudy", "degrees": [11, -4], "list": [[["deep"]]]})),
        result(json!(["rain", "snow"])),
        result(json!(2024)),
    ];
    let searches: &[(&str, &[usize])] = &[
        ("\"sunny all day\"", &[0]),
        ("cloudy 11 deep", &[1]),
        ("snow", &[2]),
        ("\"rain snow\"", &[]),
        ("2024", &[3]),
    ];
    assert_indexed(&fixture.repo, contents, searches).await;
}

/// A shape that no library knows is found by its strings and numbers.
pub(crate) async fn unknown_shapes_are_searched(fixture: Fixture) {
    let poll = json!({"type": "poll", "question": "which fruit", "options": ["apple", {"label": "pear"}], "year": 1984});
    let part = json!({"type": "parts", "parts": [{"type": "note", "body": "plum"}]});
    let searches: &[(&str, &[usize])] =
        &[("\"which fruit\"", &[0]), ("apple pear", &[0]), ("1984", &[0]), ("plum", &[1])];
    assert_indexed(&fixture.repo, vec![poll, part], searches).await;
}

/// A file is found by its name.
pub(crate) async fn a_file_is_found_by_its_name(fixture: Fixture) {
    let file = json!({"type": "file", "url": "https://host.example/x/8811", "name": "Invoice March.pdf"});
    let searches: &[(&str, &[usize])] = &[("invoice", &[0]), ("march.pdf", &[0]), ("8811", &[])];
    assert_indexed(&fixture.repo, vec![file], searches).await;
}

/// What nobody said is not searched: types, metadata, addresses, and the keys of objects.
pub(crate) async fn what_nobody_said_is_not_searched(fixture: Fixture) {
    let contents = vec![
        json!({"type": "text", "text": "hello", "metadata": {"model": "hidden", "tags": ["secret"]}}),
        json!({"type": "image", "url": "https://example.org/sunset.png"}),
        json!({"type": "widget", "colour": "blue", "url": "https://example.org/door", "metadata": {"n": 4711}}),
        json!({"type": "parts", "parts": [{"type": "text", "text": "hi", "metadata": {"inner": "buried"}}]}),
    ];
    let searches: &[(&str, &[usize])] = &[
        ("hello", &[0]),
        ("blue", &[2]),
        ("hi", &[3]),
        ("hidden", &[]),
        ("secret", &[]),
        ("model", &[]),
        ("sunset", &[]),
        ("door", &[]),
        ("example", &[]),
        ("4711", &[]),
        ("buried", &[]),
        ("widget", &[]),
        ("colour", &[]),
        ("text", &[]),
        ("parts", &[]),
        ("image", &[]),
    ];
    assert_indexed(&fixture.repo, contents, searches).await;
}

/// A message without any words is found by the filters alone.
pub(crate) async fn a_message_without_words_is_found_by_filters_alone(fixture: Fixture) {
    let contents = vec![
        json!({"type": "text", "text": ""}),
        json!({"type": "text"}),
        json!({"type": "text", "text": {"wrong": null}}),
        json!({"type": "x", "flag": true, "none": null}),
        json!({"type": "parts", "parts": "not a list"}),
        json!({"type": "text", "text": "word"}),
    ];
    let searches: &[(&str, &[usize])] =
        &[("", &[0, 1, 2, 3, 4, 5]), ("word", &[5]), ("true", &[]), ("null", &[]), ("wrong", &[])];
    assert_indexed(&fixture.repo, contents, searches).await;
}
