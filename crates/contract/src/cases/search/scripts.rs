//! Search in the scripts of the world.

use crate::fixture::Fixture;

/// Latin letters are found with and without their diacritics.
pub(crate) async fn latin_diacritics_do_not_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["Crème brûlée at the CAFÉ", "Łódź and Øresund", "El Niño, señor", "Škoda naïve"]).await;
    ada.assert_finds(&[
        ("creme brulee", "Crème brûlée at the CAFÉ"),
        ("CRÈME café", "Crème brûlée at the CAFÉ"),
        ("cafe", "Crème brûlée at the CAFÉ"),
        ("crêmé", "Crème brûlée at the CAFÉ"),
        ("lodz", "Łódź and Øresund"),
        ("oresund", "Łódź and Øresund"),
        ("\"el nino\"", "El Niño, señor"),
        ("skoda naive", "Škoda naïve"),
        ("caf*", "Crème brûlée at the CAFÉ"),
        ("cofe", ""),
    ])
    .await;
}

/// Greek is found without its accents, and with either sigma.
pub(crate) async fn greek_accents_and_final_sigma_do_not_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["Καλημέρα κόσμε", "ο Οδυσσεύς", "ΟΔΥΣΣΕΥΣ"]).await;
    ada.assert_finds(&[
        ("καλημερα", "Καλημέρα κόσμε"),
        ("ΚΌΣΜΕ", "Καλημέρα κόσμε"),
        ("οδυσσευς", "ο Οδυσσεύς / ΟΔΥΣΣΕΥΣ"),
        ("ΟΔΥΣΣΕΎΣ", "ο Οδυσσεύς / ΟΔΥΣΣΕΥΣ"),
        ("οδυσσευσ", "ο Οδυσσεύς / ΟΔΥΣΣΕΥΣ"),
        ("αλημερα", ""),
    ])
    .await;
}

/// Cyrillic is found in either case, and with and without the dots of ё.
pub(crate) async fn cyrillic_is_found_in_either_case(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["Ёлка и ещё чай", "Привет, мир"]).await;
    ada.assert_finds(&[
        ("елка", "Ёлка и ещё чай"),
        ("ЁЛКА ЕЩЕ", "Ёлка и ещё чай"),
        ("чай", "Ёлка и ещё чай"),
        ("ПРИВЕТ", "Привет, мир"),
        ("\"привет мир\"", "Привет, мир"),
        ("приве*", "Привет, мир"),
        ("приве", ""),
    ])
    .await;
}

/// Arabic is found with and without its vowel marks and the hamza on an alef.
pub(crate) async fn arabic_marks_do_not_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["كَتَبَ مُحَمَّد رِسالة", "أحمد في البيت"]).await;
    ada.assert_finds(&[
        ("محمد", "كَتَبَ مُحَمَّد رِسالة"),
        ("كتب محمد", "كَتَبَ مُحَمَّد رِسالة"),
        ("مُحَمَّد", "كَتَبَ مُحَمَّد رِسالة"),
        ("احمد", "أحمد في البيت"),
        ("بيت", ""),
    ])
    .await;
}

/// Hebrew is found with and without its points.
pub(crate) async fn hebrew_points_do_not_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["שָׁלוֹם עוֹלָם", "ספר טוב"]).await;
    ada.assert_finds(&[
        ("שלום", "שָׁלוֹם עוֹלָם"),
        ("\"שלום עולם\"", "שָׁלוֹם עוֹלָם"),
        ("שָׁלוֹם", "שָׁלוֹם עוֹלָם"),
        ("סֵפֶר", "ספר טוב"),
        ("לום", ""),
    ])
    .await;
}

/// Devanagari is found by its words, and its vowel signs count.
pub(crate) async fn devanagari_vowel_signs_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["नमस्ते दुनिया", "किताब", "कताब"]).await;
    ada.assert_finds(&[
        ("नमस्ते", "नमस्ते दुनिया"),
        ("\"नमस्ते दुनिया\"", "नमस्ते दुनिया"),
        ("किताब", "किताब"),
        ("कताब", "कताब"),
        ("नमस्*", "नमस्ते दुनिया"),
        ("मस्ते", ""),
    ])
    .await;
}

/// Thai, which has no spaces between words, is found by any run of characters.
pub(crate) async fn thai_is_found_by_any_run(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["สวัสดีชาวโลก", "ประเทศไทย"]).await;
    ada.assert_finds(&[
        ("สวัสดี", "สวัสดีชาวโลก"),
        ("ชาวโลก", "สวัสดีชาวโลก"),
        ("โลก", "สวัสดีชาวโลก"),
        ("ไทย", "ประเทศไทย"),
        ("ล", "สวัสดีชาวโลก"),
        ("โลกชาว", ""),
        ("ไทยโลก", ""),
    ])
    .await;
}

/// Lao, Khmer and Burmese are found by any run of characters too.
pub(crate) async fn lao_khmer_and_burmese_are_found_by_any_run(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["ສະບາຍດີຊາວໂລກ", "សួស្តីពិភពលោក", "မင်္ဂလာပါကမ္ဘာ"]).await;
    ada.assert_finds(&[
        ("ຊາວ", "ສະບາຍດີຊາວໂລກ"),
        ("ບາຍດີ", "ສະບາຍດີຊາວໂລກ"),
        ("ពិភព", "សួស្តីពិភពលោក"),
        ("លោក", "សួស្តីពិភពលោក"),
        ("ကမ္ဘာ", "မင်္ဂလာပါကမ္ဘာ"),
        ("ဂလာပါ", "မင်္ဂလာပါကမ္ဘာ"),
        ("ໂລກຊາວ", ""),
        ("ឃ", ""),
    ])
    .await;
}

/// Chinese is found by any run of characters, one alone included, beyond the basic plane too.
pub(crate) async fn chinese_is_found_by_any_run(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["我喜欢吃北京烤鸭", "京北", "在𠮷野家吃饭", "新iPhone手机"]).await;
    ada.assert_finds(&[
        ("北京", "我喜欢吃北京烤鸭"),
        ("京", "我喜欢吃北京烤鸭 / 京北"),
        ("吃北京烤", "我喜欢吃北京烤鸭"),
        ("我喜欢吃北京烤鸭", "我喜欢吃北京烤鸭"),
        ("烤鸭 北京", "我喜欢吃北京烤鸭"),
        ("鸭", "我喜欢吃北京烤鸭"),
        ("京烤北", ""),
        ("喜吃", ""),
        ("𠮷", "在𠮷野家吃饭"),
        ("𠮷野家", "在𠮷野家吃饭"),
        ("吃 -烤鸭", "在𠮷野家吃饭"),
        ("iphone", "新iPhone手机"),
        ("手机", "新iPhone手机"),
        ("iphone手机", "新iPhone手机"),
    ])
    .await;
}

/// Japanese is found by any run of characters, half-width kana as full-width ones, and a voiced kana is another one.
pub(crate) async fn japanese_is_found_by_any_run(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["東京タワーへ行きました", "ガラスの靴", "ｶﾞｲﾄﾞ"]).await;
    ada.assert_finds(&[
        ("タワー", "東京タワーへ行きました"),
        ("京タ", "東京タワーへ行きました"),
        ("ﾀﾜｰ", "東京タワーへ行きました"),
        ("行き", "東京タワーへ行きました"),
        ("へ", "東京タワーへ行きました"),
        ("ガラス", "ガラスの靴"),
        ("カラス", ""),
        ("ガイド", "ｶﾞｲﾄﾞ"),
        ("イド", "ｶﾞｲﾄﾞ"),
    ])
    .await;
}

/// Korean is found by any run of syllables, composed or not.
pub(crate) async fn korean_is_found_by_any_run(fixture: Fixture) {
    let ada = fixture.tenant();
    let decomposed = "\u{1109}\u{1166}\u{1100}\u{1168}";
    ada.says(["안녕하세요 세계", decomposed, "한국어"]).await;
    let both = format!("안녕하세요 세계 / {decomposed}");
    ada.assert_finds(&[
        ("안녕", "안녕하세요 세계"),
        ("녕하", "안녕하세요 세계"),
        ("세계", &both),
        (decomposed, &both),
        ("국", "한국어"),
        ("요세", ""),
    ])
    .await;
}

/// Vietnamese is found without any of its marks.
pub(crate) async fn vietnamese_marks_do_not_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["Đà Nẵng và Huế", "phở bò"]).await;
    ada.assert_finds(&[
        ("da nang", "Đà Nẵng và Huế"),
        ("\"ĐÀ NẴNG\"", "Đà Nẵng và Huế"),
        ("hue", "Đà Nẵng và Huế"),
        ("pho bo", "phở bò"),
        ("pho*", "phở bò"),
        ("phobo", ""),
    ])
    .await;
}

/// Emoji are words, whatever their skin tone or variation.
pub(crate) async fn emoji_are_words(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["well done 👍🏽", "I ❤️ it", "👍", "done"]).await;
    ada.assert_finds(&[
        ("👍", "well done 👍🏽 / 👍"),
        ("👍🏿", "well done 👍🏽 / 👍"),
        ("done 👍", "well done 👍🏽"),
        ("❤", "I ❤️ it"),
        ("❤️", "I ❤️ it"),
        ("done -👍", "done"),
        ("👎", ""),
    ])
    .await;
}

/// The case folding of German and Turkish: ß is ss, and a capital I with a dot is an i.
pub(crate) async fn german_and_turkish_letters_are_folded(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["Große Straße", "GROSSE STRASSE", "İstanbul", "ISTANBUL"]).await;
    ada.assert_all_find(&["straße", "STRASSE", "strasse große", "STRAẞE"], "Große Straße / GROSSE STRASSE")
        .await;
    ada.assert_all_find(&["istanbul", "İSTANBUL", "Istanbul"], "İstanbul / ISTANBUL").await;
}

/// Other forms of the same characters find each other: full-width, ligatures, decomposed.
pub(crate) async fn other_forms_of_a_character_are_the_same(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["ＡＢＣ１２３", "ﬁnance", "cafe\u{301} \u{c5}ngstro\u{308}m"]).await;
    ada.assert_finds(&[
        ("abc123", "ＡＢＣ１２３"),
        ("ａｂｃ１２３", "ＡＢＣ１２３"),
        ("finance", "ﬁnance"),
        ("caf\u{e9}", "cafe\u{301} \u{c5}ngstro\u{308}m"),
        ("cafe\u{301}", "cafe\u{301} \u{c5}ngstro\u{308}m"),
        ("A\u{30a}ngstr\u{f6}m", "cafe\u{301} \u{c5}ngstro\u{308}m"),
        ("\u{212b}ngstrom", "cafe\u{301} \u{c5}ngstro\u{308}m"),
    ])
    .await;
}

/// Apostrophes inside a word do not count, of either form; what is said before one by elision is a word of its own.
pub(crate) async fn apostrophes_inside_a_word_do_not_count(fixture: Fixture) {
    let ada = fixture.tenant();
    ada.says(["I don't know", "I dont know", "I don’t know", "she said 'don' to him", "l’été, l'arte"]).await;
    ada.assert_all_find(&["don't", "dont", "DON’T"], "I don't know / I dont know / I don’t know").await;
    ada.assert_finds(&[("don", "she said 'don' to him"), ("\"don't know\" don", "")]).await;
    ada.assert_all_find(&["ete", "l'été", "arte", "L’ARTE"], "l’été, l'arte").await;
}
