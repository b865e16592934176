//! Every limit of the wire and of the board, with its reason; the asserts hold their relations.
//!
//! What happens at a limit: a command that would pass a limit of the board is rejected with `limit`
//! and the limit's name; a message over [`MESSAGE_MAX_BYTES`] closes the connection with 1009.
//! Limits of one server (connections, queues, rates) are configuration and stand in its `config`.

/// Titles of boards, columns, cards, labels, checklists, items, fields, sprints and file names.
pub const TITLE_MAX_BYTES: usize = 2_048;
/// Descriptions and comments: 16,384 characters (the limit of Trello) of four bytes each.
pub const TEXT_MAX_BYTES: usize = 65_536;
/// Names of people, colours, backgrounds, covers, media types.
pub const NAME_MAX_BYTES: usize = 256;
/// Links of attachments; the longest that browsers and proxies pass on.
pub const URL_MAX_BYTES: usize = 8_192;

/// Columns of a board; the largest real board seen has 250.
pub const COLUMNS_MAX: usize = 500;
/// Cards of a board, archived ones included; people complain about other systems at 4,000.
pub const CARDS_MAX: usize = 20_000;
/// Members of a board.
pub const MEMBERS_MAX: usize = 20_000;
/// Labels of a board.
pub const LABELS_MAX: usize = 1_000;
/// Custom fields of a board.
pub const FIELDS_MAX: usize = 100;
/// Options of a custom field of kind `list`.
pub const OPTIONS_MAX: usize = 200;
/// Sprints of a board.
pub const SPRINTS_MAX: usize = 1_000;
/// Labels on a card.
pub const CARD_LABELS_MAX: usize = 50;
/// Assignees of a card.
pub const CARD_ASSIGNEES_MAX: usize = 50;
/// Cards by which a card is blocked.
pub const CARD_BLOCKERS_MAX: usize = 50;
/// Checklists of a card.
pub const CARD_CHECKLISTS_MAX: usize = 50;
/// Items of a checklist.
pub const CHECKLIST_ITEMS_MAX: usize = 300;
/// Comments on a card.
pub const CARD_COMMENTS_MAX: usize = 2_000;
/// Description and comments of a card together: what is sent when the card is opened.
pub const DETAIL_MAX_BYTES: usize = 1_024 * 1_024;
/// Attachments of a card; 20 have been seen on one.
pub const CARD_ATTACHMENTS_MAX: usize = 200;
/// A value of a custom field of kind `text`: all values of a card go with each change of one.
pub const FIELD_TEXT_MAX_BYTES: usize = 4_096;
/// Cards that are reached from a card over blockers or parents: bounds the search for a cycle.
pub const LINKED_CARDS_MAX: usize = 1_000;
/// Largest estimate of a card, in points.
pub const ESTIMATE_MAX: u32 = 1_000_000;
/// Ids of deleted things that a board remembers, so that none is used again.
pub const BURIED_MAX: usize = 1_000_000;

/// Commands of one submit, applied all or nothing.
pub const SUBMIT_COMMANDS_MAX: usize = 100;
/// Events of a version that can be undone: a greater one would hold up its board.
pub const UNDO_EVENTS_MAX: usize = 5_000;
/// Outcomes that are kept of each client of a board (rule R4).
pub const OUTCOMES_KEPT: usize = 64;
/// How long a client of a board is remembered, in milliseconds: 90 days (rule R4).
pub const CLIENT_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1_000;

/// A message of a client that has said hello.
pub const MESSAGE_MAX_BYTES: usize = 512 * 1_024;
/// The first message of a client that has no token yet.
pub const HELLO_MAX_BYTES: usize = 4_096;
/// A token in `hello`.
pub const TOKEN_MAX_BYTES: usize = 2_048;
/// Subscriptions that `hello` may ask for.
pub const HELLO_BOARDS_MAX: usize = 20;
/// Events of one version, as JSON: above this, subscribers get a snapshot instead (rule R1).
pub const VERSION_MAX_BYTES: usize = 448 * 1_024;
/// A batch is cut into several frames above this many bytes.
pub const BATCH_MAX_BYTES: usize = 512 * 1_024;
/// Presence of one board in one tick (rule R9).
pub const PRESENCE_TICK_MAX_BYTES: usize = 4_096;
/// Time between two ticks of presence, in milliseconds: at most four a second (rule R9).
pub const PRESENCE_TICK_MS: u64 = 250;
/// Above this many people on a board, presence tells the count and names only those who edit (R9).
pub const PRESENCE_NAMES_MAX: usize = 50;
/// Entries of one page of activity.
pub const ACTIVITY_PAGE_MAX: usize = 200;
/// Boards of one page of `boards.list`.
pub const BOARDS_PAGE_MAX: usize = 1_000;

/// A query for cards.
pub const QUERY_MAX_BYTES: usize = 1_024;
/// Its words, phrases and filters.
pub const QUERY_TERMS_MAX: usize = 32;

/// JSON text grows at most sixfold when each byte is a control character (`\u0000`).
pub const JSON_ESCAPE_FACTOR: usize = 6;
/// Room in a message for everything beside its longest text.
const ENVELOPE_BYTES: usize = 4_096;

const _: () = assert!(TEXT_MAX_BYTES * JSON_ESCAPE_FACTOR + ENVELOPE_BYTES <= MESSAGE_MAX_BYTES);
const _: () = assert!(URL_MAX_BYTES * JSON_ESCAPE_FACTOR + ENVELOPE_BYTES <= MESSAGE_MAX_BYTES);
const _: () = assert!(TITLE_MAX_BYTES < TEXT_MAX_BYTES && NAME_MAX_BYTES < TITLE_MAX_BYTES);
const _: () = assert!(TOKEN_MAX_BYTES + HELLO_BOARDS_MAX * 100 <= HELLO_MAX_BYTES);
const _: () = assert!(TEXT_MAX_BYTES * JSON_ESCAPE_FACTOR + ENVELOPE_BYTES <= VERSION_MAX_BYTES);
const _: () = assert!(VERSION_MAX_BYTES + ENVELOPE_BYTES <= BATCH_MAX_BYTES);
const _: () = assert!(FIELDS_MAX * FIELD_TEXT_MAX_BYTES + ENVELOPE_BYTES <= VERSION_MAX_BYTES);
const _: () = assert!(TEXT_MAX_BYTES < DETAIL_MAX_BYTES);
const _: () = assert!(CARDS_MAX < u32::MAX as usize && MEMBERS_MAX <= CARDS_MAX);
