//! A batch is an array: what is not written follows from what is.

use boardcast_protocol::codec::decode_server;
use boardcast_protocol::message::{Batch, ServerMessage};
use boardcast_protocol::position::{Seq, Version};

fn batch(text: &str) -> Batch {
    match decode_server(text) {
        Ok(Some(ServerMessage::Batch(batch))) => batch,
        other => panic!("{text} is not a batch: {other:?}"),
    }
}

#[test]
fn versions_are_numbered_from_the_one_before_the_batch() {
    let read = batch(r#" ["b",41,[["ann",7,[]],["bob",8,[],"c1",3],["ann",9,[],null,4]]]"#);
    let numbers: Vec<_> = read.v.iter().map(|entry| entry.n).collect();
    assert_eq!(numbers, [Version(42), Version(43), Version(44)]);
    assert_eq!((read.from, read.to()), (Version(41), Version(44)));
    let authors: Vec<_> = read
        .v
        .iter()
        .map(|entry| (entry.client, entry.seq))
        .collect();
    let client = Some("c1".parse().unwrap());
    assert_eq!(
        authors,
        [(None, None), (client, Some(Seq(3))), (None, Some(Seq(4)))]
    );
}

#[test]
fn what_is_durable_is_written_where_it_is_not_the_version_before_the_batch() {
    for (text, durable) in [
        (r#"["b",41,[["ann",7,[]]]]"#, 41),
        (r#"["b",41,[["ann",7,[]]],null]"#, 41),
        (r#"["b",41,[["ann",7,[]]],40]"#, 40),
        (r#"["b",41,[["ann",7,[]]],42]"#, 42),
    ] {
        assert_eq!(batch(text).durable, Version(durable), "{text}");
    }
}

#[test]
fn what_is_not_a_batch_is_an_error_that_says_what_one_is() {
    for (bad, word) in [
        ("[]", "[board, from, v, durable?]"),
        (r#"["b"]"#, "[board, from, v, durable?]"),
        (r#"["b",41]"#, "[board, from, v, durable?]"),
        (r#"["b",41,[["ann",7]]]"#, "[by, at, ev, client?, seq?]"),
        (
            r#"["b",41,[{"by":"ann","at":7,"ev":[]}]]"#,
            "[by, at, ev, client?, seq?]",
        ),
        (r#"["",41,[]]"#, "id"),
        (r#"["b","41",[]]"#, "u64"),
        (r#"["b",-1,[]]"#, "u64"),
        (r#"["b",9007199254740992,[]]"#, "2^53 - 1"),
        (r#"["b",9007199254740991,[["ann",7,[]]]]"#, "2^53 - 1"),
        (r#"["b",41,[["ann",7,[]]],"40"]"#, "u64"),
        (r#"["b",41,[["ann",7,[],"",1]]]"#, "id"),
        (
            r#"["b",41,[["ann",7,[{"type":"card.paint"}]]]]"#,
            "card.paint",
        ),
        (r#"["b",41,[]"#, "EOF"),
        (r#"["b",41,[]] ["b",41,[]]"#, "trailing"),
    ] {
        let error = decode_server(bad).expect_err(bad).to_string();
        assert!(error.contains(word), "{bad}: {error}");
    }
    assert_eq!(
        decode_server(r#"{"type":"batch","board":"b"}"#).unwrap(),
        None
    );
}
