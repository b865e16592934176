//! Rows: what was touched, as it stands.

use boardcast_protocol::board::Card;
use boardcast_protocol::event::Entity;

use super::*;

#[test]
fn rows_hold_what_was_touched_as_it_stands_at_the_last_version() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    bench.accepted(&ed, 2, create(2));
    bench.accepted(
        &ed,
        3,
        Command::CardRemove {
            card: CardId::from_u128(2),
        },
    );
    assert!(bench.room.is_dirty());
    let rows = bench.room.take_rows().unwrap();
    assert_eq!(rows.version, Version(3));
    let part = |entity| rows.parts.iter().find(|(part, _)| *part == entity).cloned();
    let (_, card) = part(Entity::Card(CardId::from_u128(1))).unwrap();
    let card: Card = serde_json::from_slice(&card.unwrap()).unwrap();
    assert_eq!(card.title, "card 1");
    assert_eq!(part(Entity::Card(CardId::from_u128(2))).unwrap().1, None);
    let (_, head) = part(Entity::Board).unwrap();
    let head: View = serde_json::from_slice(&head.unwrap()).unwrap();
    assert_eq!(head.next_number, 3);
    assert!(head.columns.is_empty() && head.cards.is_empty());
    assert_eq!(rows.buried, [CardId::from_u128(2).into()]);
    assert_eq!(rows.clients.len(), 1);
    assert_eq!(rows.clients[0].last_seq, Seq(3));
    assert!(!bench.room.is_dirty());
    assert!(bench.room.take_rows().is_none());
}

#[test]
fn rows_that_the_journal_refuses_are_taken_again_with_what_came_since() {
    let mut bench = Bench::new();
    let ed = bench.joined(1, "ed");
    bench.accepted(&ed, 1, create(1));
    let refused = bench.room.take_rows().unwrap();
    bench.accepted(&ed, 2, rename("Doing"));
    bench.room.give_back(refused);
    let rows = bench.room.take_rows().unwrap();
    assert_eq!(rows.version, Version(2));
    let entities: Vec<_> = rows.parts.iter().map(|(entity, _)| *entity).collect();
    let card = CardId::from_u128(1);
    let expected = [Entity::Board, Entity::Column(column()), Entity::Card(card)];
    assert_eq!(entities, expected);
    assert_eq!(rows.clients.len(), 1);
}

#[test]
fn parts_touched_after_the_stored_rows_are_dirty_from_the_start() {
    let mut before = loaded();
    before.dirty = vec![Entity::Column(column())];
    let mut bench = Bench::with(before, RoomLimits::default());
    assert!(bench.room.is_dirty());
    let rows = bench.room.take_rows().unwrap();
    assert_eq!(rows.parts.len(), 1);
}
