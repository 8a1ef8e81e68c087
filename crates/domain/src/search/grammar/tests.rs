use proptest::prelude::*;

use super::*;

/// Words of a phrase with `+` between, the sides of All with a space, of Any with ` | `, of Not behind a `-`.
fn show(expr: &SearchExpr) -> String {
    let join = |sides: &[SearchExpr], between| {
        format!("({})", sides.iter().map(show).collect::<Vec<_>>().join(between))
    };
    match expr {
        SearchExpr::All(sides) => join(sides, " "),
        SearchExpr::Any(sides) => join(sides, " | "),
        SearchExpr::Not(side) => format!("-{}", show(side)),
        SearchExpr::Phrase(phrase) => phrase.words.join("+") + if phrase.is_prefix { "*" } else { "" },
    }
}

fn shown(text: &str) -> String {
    parse(text).as_ref().map_or_else(|| "everything".to_owned(), show)
}

#[track_caller]
fn check(table: &[(&str, &str)]) {
    for (text, expected) in table {
        assert_eq!(shown(text), *expected, "{text}");
    }
}

#[test]
fn words_are_all_wanted() {
    check(&[
        ("", "everything"),
        (" \t\n\u{3000}", "everything"),
        ("foo", "foo"),
        (" Foo  bar\nbaz ", "(foo bar baz)"),
        ("!!!", "()"),
        ("()", "()"),
        ("\"", "()"),
        ("-!!!", "()"),
        ("foo !!!", "foo"),
        ("-!!! foo", "foo"),
    ]);
}

#[test]
fn a_chunk_of_several_words_is_a_phrase() {
    check(&[
        ("v2.0", "(v2+0 | v+2+0)"),
        ("foo_bar", "foo+bar"),
        ("user@example.com", "user+example+com"),
        ("well-known", "well+known"),
        ("a--b", "a+b"),
        ("what? really?!", "(what really)"),
    ]);
}

#[test]
fn quotes_make_phrases() {
    check(&[
        ("\"foo bar\" baz", "(foo+bar baz)"),
        ("“foo bar” „foo bar‟", "(foo+bar foo+bar)"),
        ("foo\"bar baz\"qux", "(foo bar+baz qux)"),
        ("\"foo (bar\" baz)", "(foo+bar baz)"),
        ("\"a OR -b\"", "a+or+b"),
        ("\"foo", "foo"),
        ("\"foo bar\" \"baz qux", "(foo+bar baz qux)"),
        ("foo \"\" bar", "(foo bar)"),
    ]);
}

#[test]
fn a_hyphen_before_a_term_excludes_it() {
    check(&[
        ("foo -bar", "(foo -bar)"),
        ("-bar foo", "(-bar foo)"),
        ("(-bar foo)", "(-bar foo)"),
        ("foo -\"bar baz\"", "(foo -bar+baz)"),
        ("foo -v2.0", "(foo -v2+0 -v+2+0)"),
        ("foo -bar*", "(foo -bar*)"),
        ("foo -OR", "(foo -or)"),
        ("foo - bar", "(foo bar)"),
        ("foo -", "foo"),
        ("--help", "help"),
        ("foo --help", "(foo help)"),
        ("foo - -bar", "(foo -bar)"),
        ("foo -\"bar", "(foo bar)"),
        ("foo -(bar", "(foo bar)"),
        ("foo -*bar", "(foo bar)"),
        ("foo (-)", "foo"),
        ("foo -()", "foo"),
        ("foo -\"\"", "foo"),
        ("(foo)-bar", "(foo bar)"),
        ("a OR -b", "(a | -b)"),
    ]);
}

#[test]
fn a_negated_group_negates_its_members() {
    check(&[
        ("foo -(bar baz)", "(foo (-bar | -baz))"),
        ("foo -(bar OR baz)", "(foo -bar -baz)"),
        ("foo -(bar -baz)", "(foo (-bar | baz))"),
        ("-(-foo)", "foo"),
        ("foo -(-(-bar))", "(foo -bar)"),
        ("foo -(bar OR)", "(foo (-bar | -or))"),
    ]);
}

#[test]
fn or_holds_less_tightly_than_a_space() {
    check(&[
        ("a OR b", "(a | b)"),
        ("a b OR c d", "((a b) | (c d))"),
        ("a OR b OR c", "(a | b | c)"),
        ("a (b OR c) d", "(a (b | c) d)"),
        ("(a)OR(b)", "(a | b)"),
        ("a OR (b OR c)", "(a | b | c)"),
        ("a (b (c d))", "(a b c d)"),
        ("a or b", "(a or b)"),
        ("a OR !!! b", "(a | b)"),
    ]);
}

#[test]
fn a_stray_or_is_a_word() {
    check(&[
        ("OR", "or"),
        ("a OR", "(a or)"),
        ("OR a", "(or a)"),
        ("a OR OR b", "(a or or b)"),
        ("(OR a) b", "(or a b)"),
        ("(a OR) b", "(a or b)"),
        ("a OR ()", "(a or)"),
        ("a OR !!!", "(a or)"),
        ("a OR OR", "(a or or)"),
        ("OR*", "or*"),
    ]);
}

#[test]
fn a_star_makes_a_prefix() {
    check(&[
        ("foo*", "foo*"),
        ("\"a phra\"*", "a+phra*"),
        ("v2.0*", "(v2+0* | v+2+0*)"),
        ("foo*, bar*", "(foo* bar*)"),
        ("foo*bar", "(foo* bar)"),
        ("*foo", "foo"),
        ("foo *", "foo"),
        ("**foo**", "foo*"),
        ("(foo)*", "foo"),
        ("(foo*)", "foo*"),
        ("!!!* foo", "foo"),
    ]);
}

#[test]
fn parentheses_without_a_partner_are_spaces() {
    check(&[
        ("(foo", "foo"),
        ("foo)bar(", "(foo bar)"),
        ("a ) OR ( b", "(a | b)"),
        (")-foo bar", "(-foo bar)"),
        ("((a OR b) c", "((a | b) c)"),
    ]);
}

#[test]
fn parentheses_that_nest_too_deep_are_spaces() {
    let nested = |depth: usize| format!("{}a OR b{} c", "(x ".repeat(depth), ")".repeat(depth));
    let at = shown(&nested(8));
    assert!(at.ends_with("((x a) | b) c)"), "{at}");
    // The innermost group is none: its OR is its parent's.
    let over = shown(&nested(9));
    assert!(over.ends_with("((x x a) | b) c)"), "{over}");
}

#[test]
fn unclosed_parentheses_do_not_count_as_nesting() {
    assert_eq!(shown(&format!("{}(a OR b) c", "( ".repeat(100))), "((a | b) c)");
}

#[test]
fn excluded_words_alone_want_nothing() {
    for (text, expected) in [
        ("-foo", "-foo"),
        ("-foo -\"bar baz\"", "(-foo -bar+baz)"),
        ("-(foo bar)", "(-foo | -bar)"),
        ("-foo OR -bar", "(-foo | -bar)"),
        ("!!! -foo", "-foo"),
    ] {
        assert_eq!(shown(text), expected, "{text}");
        assert!(parse(text).unwrap().wanted().is_empty(), "{text}");
    }
}

#[test]
fn as_text_every_sign_is_a_space() {
    for (text, expected) in [
        ("", "everything"),
        (" \n", "everything"),
        ("- \"!!!\" -", "()"),
        ("rm -rf node_modules", "(rm rf node+modules)"),
        ("-x", "x"),
        ("foo -bar OR -\"b c\" (d*)", "(foo bar or b c d)"),
        ("print(\"a b\")", "(print+a b)"),
        ("--soft HEAD~1", "(soft head+1)"),
        ("-getUser 東京", "((getuser | get+user) 東京)"),
    ] {
        assert_eq!(as_text(text).as_ref().map_or_else(|| "everything".to_owned(), show), expected, "{text}");
    }
}

#[test]
fn a_piece_is_asked_for_in_both_readings() {
    check(&[
        ("getUser", "(getuser | get+user)"),
        ("Anna's", "(annas | anna+s)"),
        ("PR1137*", "(pr1137* | pr+1137*)"),
        ("1,234,567", "(1+234+567 | 1234567)"),
        ("2026-11-26T10", "(2026+11+26t10 | 2026+11+26+t+10)"),
        ("2026-11-26", "2026+11+26"),
        ("foo getUser", "(foo (getuser | get+user))"),
        ("foo OR getUser", "(foo | getuser | get+user)"),
        ("foo -getUser", "(foo -getuser -get+user)"),
        ("don't", "dont"),
    ]);
}

#[test]
fn a_term_of_several_pieces_is_asked_for_piece_by_piece() {
    check(&[
        ("foo,getUser", "(foo+getuser | (foo get+user))"),
        ("foo/getUser", "(foo+getuser | foo+get+user)"),
        ("我用getUser", "(我用+用+getuser | (我用 get+user))"),
        ("getUser,f*", "(getuser+f* | (get+user f*))"),
        ("getUser,*", "(getuser* | get+user*)"),
        ("foo -a,bC", "(foo -a+bc (-a | -b+c))"),
    ]);
}

#[test]
fn quotes_keep_a_phrase_together() {
    check(&[
        ("\"getUser\"", "(getuser | get+user)"),
        ("\"getUser now\"", "getuser+now"),
        ("\"Anna's report\"", "annas+report"),
        ("\" 1,234 \"", "(1+234 | 1234)"),
    ]);
}

#[test]
fn a_run_of_a_dense_script_is_its_bigrams() {
    check(&[
        ("東京", "東京"),
        ("東京都", "東京+京都"),
        ("東京*", "東京"),
        ("\"東京\"*", "東京"),
        ("東", "東*"),
        ("\"東\"", "東*"),
        ("東*", "東*"),
        ("foo -東京都 -東", "(foo -東京+京都 -東*)"),
        ("\"東京 tower\"", "東京+京+tower"),
        ("\"tower 東\"", "tower+東*"),
        ("\"東京 東\"", "東京+京+東*"),
        ("\"東京 tow\"*", "東京+京+tow*"),
    ]);
}

/// Text with much of what the grammar knows.
fn text() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "(", ")", "\"", "“", "-", "--", "*", " ", "  ", "OR", " OR ", "a", "b c", "v2.0", "!!!", "東京",
        "東", "é", "getUser", "1,234", "l'O'B",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(pieces, 0..60).prop_map(|pieces| pieces.concat())]
}

/// The same, with every parenthesis and quote in its place.
fn balanced() -> impl Strategy<Value = String> {
    let leaf =
        prop::sample::select(vec!["a", "-b", "OR", "\"c d\"", "-\"e\"", "f*", "!!!", "-", "東京", "()"]);
    leaf.prop_map(str::to_owned).prop_recursive(6, 40, 5, |inner| {
        let list = prop::collection::vec(inner, 1..5).prop_map(|items| items.join(" "));
        (list, prop::sample::select(vec!["", "("])).prop_map(|(list, open)| match open {
            "" => list,
            _ => format!("({list})"),
        })
    })
}

/// Of every group, of the whole and of a term, alternatives of several terms each; and a phrase that is not wanted.
const MAX_DEPTH: usize = 2 * (8 + 2) + 2;

fn depth(expr: &SearchExpr) -> usize {
    1 + match expr {
        SearchExpr::All(sides) | SearchExpr::Any(sides) => sides.iter().map(depth).max().unwrap_or(0),
        SearchExpr::Not(side) => depth(side),
        SearchExpr::Phrase(_) => 0,
    }
}

fn assert_simple(expr: &SearchExpr) {
    match expr {
        SearchExpr::All(sides) | SearchExpr::Any(sides) => {
            let is_any = matches!(expr, SearchExpr::Any(_));
            assert!(sides.len() > 1, "of {}", sides.len());
            for side in sides {
                assert!(!matches!(side, SearchExpr::Any(_) if is_any), "Any in Any");
                assert!(!matches!(side, SearchExpr::All(_) if !is_any), "All in All");
                assert_simple(side);
            }
        }
        SearchExpr::Not(side) => {
            assert!(matches!(&**side, SearchExpr::Phrase(_)), "Not of {side:?}");
            assert_simple(side);
        }
        SearchExpr::Phrase(phrase) => assert!(!phrase.words.is_empty()),
    }
}

proptest! {
    #[test]
    fn any_text_is_read(text in text()) {
        for expr in [parse(&text), as_text(&text)] {
            match expr {
                None => prop_assert!(text.trim().is_empty()),
                Some(expr) if expr.is_nothing() => {}
                Some(expr) => {
                    prop_assert!(!expr.wanted().is_empty() || text.contains('-'));
                    prop_assert!(depth(&expr) <= MAX_DEPTH);
                    assert_simple(&expr);
                }
            }
        }
    }

    #[test]
    fn parentheses_around_all_change_nothing(text in balanced()) {
        prop_assert_eq!(parse(&text), parse(&format!("({text})")));
    }

    #[test]
    fn unbalanced_parentheses_in_front_change_nothing(text in text()) {
        let text = text.replace(')', " ");
        if !text.trim().is_empty() {
            prop_assert_eq!(parse(&text), parse(&format!("((({text}")));
        }
    }

    #[test]
    fn nesting_is_bounded(depth_of_text in 0..1_000_usize) {
        let text = format!("{}a", "b OR c -(".repeat(depth_of_text)) + &")".repeat(depth_of_text);
        prop_assert!(parse(&text).is_some_and(|expr| depth(&expr) <= MAX_DEPTH));
    }
}
