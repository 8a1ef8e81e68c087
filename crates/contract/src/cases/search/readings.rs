//! The two readings of a text: as a query, and as text where the query finds nothing.

use chatkeep_domain::{MessageFilter, SearchOrder, SearchQuery, SearchReading};

use crate::cases::search::pages::dated;
use crate::fixture::search::{said, tagged, with_metadata};
use crate::fixture::{Fixture, at, thread_id};

const ORDERS: [SearchOrder; 3] = [SearchOrder::Newest, SearchOrder::Oldest, SearchOrder::Relevance];

/// Text that was copied out of a message may have hyphens that exclude nothing: where the query finds nothing, the text
/// is searched as text.
pub(crate) async fn an_exclusion_that_finds_nothing_is_searched_as_text(fixture: Fixture) {
    let ada = fixture.tenant();
    let shell = "I ran rm -rf node_modules (twice)";
    ada.says([shell, "a temperature of -5 degrees", "rm it"]).await;
    for order in ORDERS {
        for (text, expected) in [
            ("rm -rf node_modules", shell),
            ("-rf node_modules (twice)", shell),
            ("ran rm -\"rf\"", shell),
            ("ran -(rf node_modules)", shell),
            ("node_modules -twice", shell),
            ("temperature of -5 degrees", "a temperature of -5 degrees"),
            ("-5 degrees", "a temperature of -5 degrees"),
        ] {
            let query = SearchQuery::new(text).order(order);
            assert_eq!(ada.found(&query).await, expected, "{text:?} by {order:?}");
        }
    }
}

/// Where the query finds something, that is the answer: what is excluded stays out, also behind other messages.
pub(crate) async fn an_exclusion_that_finds_something_stays_one(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["tea alone"]).await;
    ada.says((0..30).map(|number| format!("tea with milk {number}"))).await;
    for order in ORDERS {
        for limit in [1, 5] {
            let page = ada.search(&SearchQuery::new("tea -milk").order(order).limit(limit)).await.unwrap();
            assert_eq!(said(&page.items), ["tea alone"], "{order:?}");
            assert_eq!((page.next, page.reading), (None, SearchReading::Query));
        }
    }
}

/// A text that only excludes is searched as text, as everything else would be found.
pub(crate) async fn exclusions_alone_are_searched_as_text(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["tea with milk", "lemon", "git push --force -v"]).await;
    for (text, expected) in [
        ("-milk", "tea with milk"),
        ("-milk -tea", "tea with milk"),
        ("-\"with milk\"", "tea with milk"),
        ("-(milk OR tea)", ""),
        ("(-lemon)", "lemon"),
        ("-v", "git push --force -v"),
        ("-milk OR -lemon", ""),
        ("-coffee", ""),
        ("-mil*", ""),
    ] {
        let page =
            ada.search(&SearchQuery::new(text)).await.unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(said(&page.items).join(" / "), expected, "found by {text:?}");
        assert_eq!(page.reading, SearchReading::Text, "{text:?}");
    }
}

/// A page says how the text was read.
pub(crate) async fn a_search_says_how_it_was_read(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["grep -v foo", "tea"]).await;
    for (text, expected) in [
        ("", SearchReading::Query),
        ("tea", SearchReading::Query),
        ("coffee", SearchReading::Query),
        ("tea -milk", SearchReading::Query),
        ("grep --v", SearchReading::Query),
        ("!!!", SearchReading::Query),
        ("-(-tea)", SearchReading::Query),
        ("grep -v foo", SearchReading::Text),
        ("coffee -milk", SearchReading::Text),
        ("-v", SearchReading::Text),
    ] {
        for order in ORDERS {
            let page = ada.search(&SearchQuery::new(text).order(order)).await.unwrap();
            assert_eq!(page.reading, expected, "{text:?} by {order:?}");
        }
    }
}

/// The pages of a search as text stay so, whatever the query would find by now.
pub(crate) async fn pages_of_a_search_as_text_stay_so(fixture: Fixture) {
    for order in ORDERS {
        let ada = fixture.tenant();
        let talk = ada.talk().await;
        talk.say((0..6).map(|number| dated(format!("grep -v foo {number}"), number))).await;
        let query = SearchQuery::new("grep -v foo").order(order).limit(4);
        let first = ada.search(&query).await.unwrap();
        assert_eq!((first.items.len(), first.reading), (4, SearchReading::Text), "{order:?}");
        let second = query.behind(first.next.expect("a next page"));
        talk.say([dated("grep foo", 60), dated("grep foo", 0)]).await;
        let page = ada.search(&second).await.unwrap();
        let found = said(&page.items);
        assert_eq!((found.len(), page.reading), (2, SearchReading::Text), "{order:?}: {found:?}");
        assert!(found.iter().all(|text| text.starts_with("grep -v")), "{order:?}: {found:?}");
        assert!(first.items.iter().all(|hit| !page.items.contains(hit)), "{order:?}: a hit twice");
    }
}

/// The pages of a query stay so, also where a later one finds nothing any more.
pub(crate) async fn pages_of_a_query_stay_so(fixture: Fixture) {
    for order in ORDERS {
        let ada = fixture.tenant();
        let talk = ada.talk().await;
        talk.say((0..6).map(|number| dated(format!("grep {number}"), number))).await;
        talk.say([dated("grep -v", 0), dated("grep -v", 9)]).await;
        let query = SearchQuery::new("grep -v").order(order).limit(4);
        let first = ada.search(&query).await.unwrap();
        assert_eq!((first.items.len(), first.reading), (4, SearchReading::Query), "{order:?}");
        for message in talk.all().await {
            if !first.items.iter().any(|hit| hit.message.id == message.id)
                && message.content.as_text() != Some("grep -v")
            {
                talk.delete_message(message.id, at(50)).await.unwrap();
            }
        }
        let page = ada.search(&query.behind(first.next.expect("a next page"))).await.unwrap();
        assert_eq!((said(&page.items), page.reading), (Vec::new(), SearchReading::Query), "{order:?}");
    }
}

/// The filters, the thread and the scope hold for both readings; a thread that is absent stays an error.
pub(crate) async fn a_search_as_text_keeps_its_filters_and_its_scope(fixture: Fixture) {
    let ada = fixture.tenant();
    let data = serde_json::json!({"kind": "shell"});
    let talk = ada
        .says([with_metadata("rm -rf here", &data), "rm -rf too".into(), with_metadata("rm it", &data)])
        .await;
    ada.says(["rm -rf elsewhere"]).await;
    ada.colleague().says(["rm -rf his"]).await;
    let query = SearchQuery::new("rm -rf").order(SearchOrder::Oldest);
    assert_eq!(ada.found(&query).await, "rm it", "the query finds something");
    let query = SearchQuery::new("-rf").order(SearchOrder::Oldest);
    assert_eq!(ada.found(&query).await, "rm -rf here / rm -rf too / rm -rf elsewhere");
    assert_eq!(ada.found(&query.clone().thread(talk.id)).await, "rm -rf here / rm -rf too");
    assert_eq!(
        ada.found(&query.clone().filter(MessageFilter::new().metadata(tagged("/kind", "shell")))).await,
        "rm -rf here"
    );
    assert_eq!(ada.found(&query.clone().filter(MessageFilter::new().created(at(50), None))).await, "");
    let query = SearchQuery::new("here -rf").filter(MessageFilter::new().metadata(tagged("/kind", "shell")));
    assert_eq!(ada.found(&query).await, "rm -rf here");
    let absent = thread_id();
    for text in ["rm -rf", "-rf"] {
        let refused = ada.search(&SearchQuery::new(text).thread(absent)).await;
        assert!(refused.is_err_and(|error| error.is_not_found()), "{text:?}");
    }
}

/// Text that was copied out of a message finds it, in whole lines and cut where people cut.
pub(crate) async fn what_people_paste_is_found(fixture: Fixture) {
    let ada = fixture.tenant();
    for text in [
        "tar -xzf backup-2025-12-31.tar.gz -C /var/lib/keeper --strip-components=1",
        "docker run --rm -it -v \"$PWD\":/src rust:1.91 cargo test",
        "awk -F: '($3 >= 1000) {print $1}' /etc/passwd",
        "SELECT o.orderId, -o.amount AS refund FROM orders o -- only the open ones",
        "-let retries = 3;\n+let retries = 5;",
        "ERROR 2026-11-26T10:00:00Z billing::invoiceWorker: node -1 took 1,234,567 us",
        "Der Gefrierschrank zeigt -18 °C, hab's gesehen",
        "L'équipe d'Aurélie reste à -12 % du seuil",
        "попробуй grep -rn \"TODO\" src/ ещё раз",
        "サーバーで rm -rf build/ を実行したら getUserName が失敗",
    ] {
        ada.says([text]).await;
        let words: Vec<&str> = text.split(' ').collect();
        for from in [0, 1, 2] {
            let part = words[from.min(words.len() - 2)..].join(" ");
            let found = ada.hits(&SearchQuery::new(&*part)).await;
            assert!(said(&found).contains(&text), "{part:?} finds {:?}", said(&found));
        }
    }
}

/// Whatever is typed is answered, be it a query of some other program, half of one, or none.
pub(crate) async fn nothing_that_people_type_is_an_error(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["tea"]).await;
    for text in [
        "-",
        "--",
        "-x",
        "-x -y",
        "- -",
        "-(",
        "-)",
        "-\"",
        "-\"\"",
        "-()",
        "-(x",
        "(-x",
        "-x)",
        "-x OR",
        "OR -x",
        "-OR",
        "-x*",
        "-*",
        "*-x",
        "-(-x)",
        "-(-(-x))",
        "-(x OR -y)",
        "x OR -x",
        "-x OR -y",
        "\"-x",
        "“-x",
        "-東京",
        "-東",
        "-👍",
        "-\0",
        "-getUserName",
        "-1,234",
        "-Anna's",
        "-'",
        "'-x'",
        "-a-b-c",
        "-a,bC",
        "-a/b*",
        "NOT x",
        "-NOT -x",
        "x AND -x",
    ] {
        for order in ORDERS {
            let found = ada.search(&SearchQuery::new(text).order(order)).await;
            assert!(found.is_ok(), "{text:?} by {order:?}: {:?}", found.err());
        }
    }
}
