// Made by scripts/generate.mjs from docs/schema; edit neither by hand.

/** What a person does on a board at this moment. */
export type Activity = "viewing" | "typing" | "dragging";

/** One version in a page of activity. */
export type ActivityEntry = {
  /** When. */
  at: Timestamp;
  /** Who. */
  by: UserId;
  /** What happened: events. */
  ev: unknown;
  /** The version. */
  n: Version;
  /** What was before: for each event the one that would undo it. */
  was: unknown;
};

/** A page of what happened, newest first. */
export type ActivityPage = {
  /** The board. */
  board: BoardId;
  /** The entries. */
  entries: ActivityEntry[];
  /** Whether older ones exist. */
  more: boolean;
  /** From the request. */
  req: number;
};

/** Asks for a page of what happened to a board or card, newest first. */
export type ActivityQuery = {
  /** Only what happened before this version. */
  before?: Version | null;
  /** The board. */
  board: BoardId;
  /** Only what happened to this card. */
  card?: CardId | null;
  /** Versions on the page, 1 to 200. */
  limit: number;
  /** Comes back in the answer. */
  req: number;
};

/** An attachment of a card, as metadata. */
export type Attachment = {
  /** Who added it, and when. */
  added: Stamp;
  /** Its id. */
  id: AttachmentId;
  /** The media type, where known. */
  mime?: string | null;
  /** The name that people see. */
  name: string;
  /** The size in bytes, where known. */
  size?: ByteSize | null;
  /** Where it is, for a link. */
  url?: string | null;
};

export type AttachmentId = string;

/** Versions of a board, without a gap: `[board, from, v, durable?]`. The first follows `from`; without `durable`, `from` is on disk. */
export type Batch = [BoardId, Version, VersionEntry[], (Version | null)?];

/** Makes a board. */
export type BoardCreate = {
  /** Comes back in the answer. */
  req: number;
  /** Its title. */
  title: string;
};

/** A board was made. */
export type BoardCreated = {
  /** Its id. */
  board: BoardId;
  /** From the request. */
  req: number;
};

export type BoardId = string;

/** A board, as the list of boards shows it. */
export type BoardSummary = {
  /** Whether it is archived. */
  archived?: boolean;
  /** Its id. */
  board: BoardId;
  /** The user's role. */
  role: Role;
  /** Its title. */
  title: string;
};

/** The boards of the user, by id. */
export type Boards = {
  /** At most 1,000 boards. */
  boards: BoardSummary[];
  /** Whether more follow after the last one. */
  more: boolean;
  /** From the request. */
  req: number;
};

/** Asks for the boards of the user. */
export type BoardsList = {
  /** Only boards whose id is greater; absent for the first page. */
  after?: BoardId | null;
  /** The archived boards instead of the others. */
  archived?: boolean;
  /** Comes back in the answer. */
  req: number;
};

export type ByteSize = number;

/** A card, as the board's view shows it. */
export type Card = {
  /** Whether it is archived, and with it hidden. */
  archived?: boolean;
  /** Who works on it, sorted. */
  assignees?: UserId[];
  /** Its attachments. */
  attachments?: Attachment[];
  /** The cards that must be done first, sorted. */
  blocked_by?: CardId[];
  /** Who changed it last, and when. */
  changed: Stamp;
  /** Its checklists. */
  checklists?: Checklist[];
  /** Its column. */
  column: ColumnId;
  /** Whether what was due is done. */
  complete?: boolean;
  /** Its cover: a colour of the palette, `#rrggbb`, or the id of an attachment of the card. */
  cover?: string | null;
  /** Who made it, and when. */
  created: Stamp;
  /** What is known of its detail. */
  detail?: DetailMark;
  /** When it is due. */
  due?: Timestamp | null;
  /** Effort in points. */
  estimate?: number | null;
  /** Values of custom fields, sorted by field. */
  fields?: CardField[];
  /** Its id. */
  id: CardId;
  /** Its labels, sorted. */
  labels?: LabelId[];
  /** Its number for people, unique on the board. */
  number: number;
  /** The card that this one is a part of. */
  parent?: CardId | null;
  /** How urgent it is. */
  priority?: Priority;
  /** Its place in the column, archived cards included. */
  rank: Rank;
  /**
   * The version that set each field last; a field that was never set since the card was made is
   * absent and counts as 0.
   */
  revs?: { [key: string]: Version };
  /** Its sprint. */
  sprint?: SprintId | null;
  /** When work on it starts. */
  start?: Timestamp | null;
  /** Its title. */
  title: string;
};

/** Fields of a card that are set as they are given. Absent ones stay, `null` clears. */
export type CardChange = {
  /** Whether the due date is met. */
  complete?: boolean | null;
  /** The cover. */
  cover?: string | null;
  /** The description; empty clears. */
  description?: string | null;
  /** The due date. */
  due?: Timestamp | null;
  /** The estimate, in points. */
  estimate?: number | null;
  /** The parent card. */
  parent?: CardId | null;
  /** The priority. */
  priority?: Priority | null;
  /** The sprint. */
  sprint?: SprintId | null;
  /** The start. */
  start?: Timestamp | null;
  /** The title. */
  title?: string | null;
};

/** What only an opened card shows. */
export type CardDetail = {
  /** The board. */
  board: BoardId;
  /** The card. */
  card: CardId;
  /** The detail. */
  detail: Detail;
  /** From the request. */
  req: number;
  /** The board's version that the detail belongs to. */
  version: Version;
};

/** The value of one custom field on a card. */
export type CardField = {
  /** The field. */
  id: FieldId;
  /** Its value on the card. */
  value: FieldValue;
};

export type CardId = string;

/** The settable fields of a card: what revisions count and conflicts name. */
export type CardKey = 
  /** The title. */
  | "title"
  /** The description. */
  | "description"
  /** Column and rank. */
  | "place"
  /** The labels. */
  | "labels"
  /** The assignees. */
  | "assignees"
  /** The priority. */
  | "priority"
  /** The start. */
  | "start"
  /** The due date. */
  | "due"
  /** Whether the due date is met. */
  | "complete"
  /** The estimate. */
  | "estimate"
  /** The parent card. */
  | "parent"
  /** The sprint. */
  | "sprint"
  /** The cover. */
  | "cover"
  /** The cards that block this one. */
  | "blocked_by"
  /** The custom fields. */
  | "fields"
  /** Whether the card is archived. */
  | "archived";

/** Asks for what only an opened card shows. */
export type CardOpen = {
  /** The board. */
  board: BoardId;
  /** The card. */
  card: CardId;
  /** Comes back in the answer. */
  req: number;
};

/** New values of some fields of a card. Absent fields stay as they are, `null` clears. */
export type CardPatch = {
  /** Whether the card is archived. */
  archived?: boolean | null;
  /** All assignees, sorted. */
  assignees?: UserId[] | null;
  /** All blockers, sorted. */
  blocked_by?: CardId[] | null;
  /** The column; together with `rank`. */
  column?: ColumnId | null;
  /** Whether the due date is met. */
  complete?: boolean | null;
  /** The cover. */
  cover?: string | null;
  /** The due date. */
  due?: Timestamp | null;
  /** The estimate. */
  estimate?: number | null;
  /** All values of custom fields, sorted by field. */
  fields?: CardField[] | null;
  /** All labels, sorted. */
  labels?: LabelId[] | null;
  /** The parent card. */
  parent?: CardId | null;
  /** The priority. */
  priority?: Priority | null;
  /** The rank in the column. */
  rank?: Rank | null;
  /** The sprint. */
  sprint?: SprintId | null;
  /** The start. */
  start?: Timestamp | null;
  /** The title. */
  title?: string | null;
};

/** Between which neighbours a thing goes. */
export type CardPlace = {
  /** The neighbour right before it. */
  after?: CardId | null;
  /** The neighbour right behind it. */
  before?: CardId | null;
};

/** A checklist of a card. */
export type Checklist = {
  /** Its id. */
  id: ChecklistId;
  /** Its items. */
  items?: Item[];
  /** Its place among the card's checklists. */
  rank: Rank;
  /** Its title. */
  title: string;
};

export type ChecklistId = string;

/** Between which neighbours a thing goes. */
export type ChecklistPlace = {
  /** The neighbour right before it. */
  after?: ChecklistId | null;
  /** The neighbour right behind it. */
  before?: ChecklistId | null;
};

export type ClientId = string;

/** A column. */
export type Column = {
  /** Whether it is archived, and with it hidden. */
  archived?: boolean;
  /** Whether cards in it count as done. */
  done?: boolean;
  /** Its id. */
  id: ColumnId;
  /** Its place among the columns. */
  rank: Rank;
  /** Its title. */
  title: string;
  /** Its limit of cards in work. */
  wip?: Wip | null;
};

export type ColumnId = string;

/** Between which neighbours a thing goes. */
export type ColumnPlace = {
  /** The neighbour right before it. */
  after?: ColumnId | null;
  /** The neighbour right behind it. */
  before?: ColumnId | null;
};

/** One wish of a client. */
export type Command = 
  /** Change the board itself. */
  | {
    /** Whether it is archived. */
    archived?: boolean | null;
    /** The background. */
    background?: string | null;
    /** The title. */
    title?: string | null;
    type: "board.set";
  }
  /** Add a member, or give a member this role and name. */
  | {
    /** The name that people see; the id where absent. */
    name?: string | null;
    /** What the member may do. */
    role: Role;
    type: "member.add";
    /** Who. */
    user: UserId;
  }
  /** Take a member off the board and off its cards. */
  | {
    type: "member.remove";
    /** Who. */
    user: UserId;
  }
  /** Make a column. */
  | {
    /** Its new id. */
    column: ColumnId;
    /** Whether cards in it count as done. */
    done?: boolean;
    /** Where. */
    place?: ColumnPlace;
    /** Its title. */
    title: string;
    type: "column.create";
    /** Its limit of cards in work. */
    wip?: Wip | null;
  }
  /** Change a column. */
  | {
    /** Whether it is archived. */
    archived?: boolean | null;
    /** Which. */
    column: ColumnId;
    /** Whether cards in it count as done. */
    done?: boolean | null;
    /** The title. */
    title?: string | null;
    type: "column.set";
    /** The limit of cards in work. */
    wip?: Wip | null;
  }
  /** Move a column. */
  | {
    /** Which. */
    column: ColumnId;
    /** Where. */
    place?: ColumnPlace;
    type: "column.move";
  }
  /** Delete a column that holds no card. */
  | {
    /** Which. */
    column: ColumnId;
    type: "column.remove";
  }
  /** Make a label. */
  | {
    /** Its colour. */
    color?: string | null;
    /** Its new id. */
    label: LabelId;
    /** Its name. */
    name?: string;
    type: "label.create";
  }
  /** Change a label. */
  | {
    /** The colour. */
    color?: string | null;
    /** Which. */
    label: LabelId;
    /** The name. */
    name?: string | null;
    type: "label.set";
  }
  /** Delete a label and take it off all cards. */
  | {
    /** Which. */
    label: LabelId;
    type: "label.remove";
  }
  /** Make a custom field. */
  | {
    /** Its new id. */
    field: FieldId;
    /** What values it takes. */
    kind: FieldKind;
    /** Its name. */
    name: string;
    /** The options of kind `list`. */
    options?: FieldOption[];
    type: "field.create";
  }
  /** Change a custom field. An option that a card has cannot be taken away. */
  | {
    /** Which. */
    field: FieldId;
    /** The name. */
    name?: string | null;
    /** All options. */
    options?: FieldOption[] | null;
    type: "field.set";
  }
  /** Delete a custom field and its values on all cards. */
  | {
    /** Which. */
    field: FieldId;
    type: "field.remove";
  }
  /** Make a sprint. */
  | {
    /** When it ends. */
    end?: Timestamp | null;
    /** Its new id. */
    sprint: SprintId;
    /** When it starts. */
    start?: Timestamp | null;
    /** Its title. */
    title: string;
    type: "sprint.create";
  }
  /** Change a sprint. */
  | {
    /** When it ends. */
    end?: Timestamp | null;
    /** Which. */
    sprint: SprintId;
    /** When it starts. */
    start?: Timestamp | null;
    /** The title. */
    title?: string | null;
    type: "sprint.set";
  }
  /** Delete a sprint and take all cards out of it. */
  | {
    /** Which. */
    sprint: SprintId;
    type: "sprint.remove";
  }
  /** Make a card. */
  | {
    /** Its assignees. */
    assignees?: UserId[];
    /** Its new id. */
    card: CardId;
    /** Its column. */
    column: ColumnId;
    /** Its labels. */
    labels?: LabelId[];
    /** Where in the column. */
    place?: CardPlace;
    /** More of its fields; `title` here is not read. */
    set?: CardChange;
    /** Its title. */
    title: string;
    type: "card.create";
  }
  /** Change fields of a card. */
  | {
    /** Which. */
    card: CardId;
    /** Their values. */
    set: CardChange;
    type: "card.set";
  }
  /** Move a card, within its column or to another. */
  | {
    /** Which. */
    card: CardId;
    /** To which column. */
    column: ColumnId;
    /** Where in the column. */
    place?: CardPlace;
    type: "card.move";
  }
  /** Archive a card, or restore it. */
  | {
    /** Archive or restore. */
    archived: boolean;
    /** Which. */
    card: CardId;
    type: "card.archive";
  }
  /** Delete a card for good. */
  | {
    /** Which. */
    card: CardId;
    type: "card.remove";
  }
  /** Put a label on a card, or take it off. */
  | {
    /** Which card. */
    card: CardId;
    /** Which label. */
    label: LabelId;
    /** On or off. */
    on: boolean;
    type: "card.label";
  }
  /** Assign a member to a card, or take the member off. */
  | {
    /** Which card. */
    card: CardId;
    /** On or off. */
    on: boolean;
    type: "card.assign";
    /** Which member. */
    user: UserId;
  }
  /** Say that a card is blocked by another, or is not. */
  | {
    /** The card that must be done first. */
    by: CardId;
    /** Which card. */
    card: CardId;
    /** On or off. */
    on: boolean;
    type: "card.block";
  }
  /** Set a custom field of a card, or clear it. */
  | {
    /** Which card. */
    card: CardId;
    /** Which field. */
    field: FieldId;
    type: "card.field";
    /** The value; absent or `null` clears. */
    value?: FieldValue | null;
  }
  /** Make a checklist. */
  | {
    /** Which card. */
    card: CardId;
    /** Its new id. */
    checklist: ChecklistId;
    /** Where on the card. */
    place?: ChecklistPlace;
    /** Its title. */
    title: string;
    type: "checklist.create";
  }
  /** Rename a checklist. */
  | {
    /** Which card. */
    card: CardId;
    /** Which checklist. */
    checklist: ChecklistId;
    /** The title. */
    title: string;
    type: "checklist.set";
  }
  /** Move a checklist on its card. */
  | {
    /** Which card. */
    card: CardId;
    /** Which checklist. */
    checklist: ChecklistId;
    /** Where on the card. */
    place?: ChecklistPlace;
    type: "checklist.move";
  }
  /** Delete a checklist with its items. */
  | {
    /** Which card. */
    card: CardId;
    /** Which checklist. */
    checklist: ChecklistId;
    type: "checklist.remove";
  }
  /** Make an item. */
  | {
    /** Which card. */
    card: CardId;
    /** Which checklist. */
    checklist: ChecklistId;
    /** Its new id. */
    item: ItemId;
    /** Where in the checklist. */
    place?: ItemPlace;
    /** What is to be done. */
    text: string;
    type: "item.create";
  }
  /** Change an item. */
  | {
    /** Who does it. */
    assignee?: UserId | null;
    /** Which card. */
    card: CardId;
    /** Which checklist. */
    checklist: ChecklistId;
    /** Whether it is done. */
    done?: boolean | null;
    /** When it is due. */
    due?: Timestamp | null;
    /** Which item. */
    item: ItemId;
    /** What is to be done. */
    text?: string | null;
    type: "item.set";
  }
  /** Move an item in its checklist. */
  | {
    /** Which card. */
    card: CardId;
    /** Which checklist. */
    checklist: ChecklistId;
    /** Which item. */
    item: ItemId;
    /** Where in the checklist. */
    place?: ItemPlace;
    type: "item.move";
  }
  /** Delete an item. */
  | {
    /** Which card. */
    card: CardId;
    /** Which checklist. */
    checklist: ChecklistId;
    /** Which item. */
    item: ItemId;
    type: "item.remove";
  }
  /** Write a comment. */
  | {
    /** Which card. */
    card: CardId;
    /** Its new id. */
    comment: CommentId;
    /** The text, in Markdown. */
    text: string;
    type: "comment.create";
  }
  /** Change a comment of one's own. */
  | {
    /** Which card. */
    card: CardId;
    /** Which comment. */
    comment: CommentId;
    /** The text. */
    text: string;
    type: "comment.set";
  }
  /** Delete a comment: one's own, or any as an admin of the board. */
  | {
    /** Which card. */
    card: CardId;
    /** Which comment. */
    comment: CommentId;
    type: "comment.remove";
  }
  /** Attach a link, or name a file. */
  | {
    /** Its new id. */
    attachment: AttachmentId;
    /** Which card. */
    card: CardId;
    /** The media type. */
    mime?: string | null;
    /** The name that people see. */
    name: string;
    /** The size in bytes. */
    size?: ByteSize | null;
    type: "attachment.add";
    /** Where it is: `http:` or `https:`. */
    url?: string | null;
  }
  /** Rename an attachment. */
  | {
    /** Which attachment. */
    attachment: AttachmentId;
    /** Which card. */
    card: CardId;
    /** The name. */
    name: string;
    type: "attachment.set";
  }
  /** Take an attachment off a card. */
  | {
    /** Which attachment. */
    attachment: AttachmentId;
    /** Which card. */
    card: CardId;
    type: "attachment.remove";
  }
  /**
   * Undo a version that the same user made, where nobody has changed since what it changed. It
   * goes alone in its submit.
   */
  | {
    type: "version.undo";
    /** Which. */
    version: Version;
  };

/** A comment. */
export type Comment = {
  /** The author's name when it was written; absent where it is the member's. */
  author?: string | null;
  /** When it was changed last. */
  edited?: Timestamp | null;
  /** Its id. */
  id: CommentId;
  /** The text, in Markdown. */
  text: string;
  /** Who wrote it, and when. */
  written: Stamp;
};

export type CommentId = string;

/** Both values of a field that was changed by two people. */
export type Conflict = {
  /** The field. */
  field: CardKey;
  /** What the command wanted. */
  mine: unknown;
  /** What the board has. */
  theirs: unknown;
};

/** What only an opened card shows. */
export type Detail = {
  /** The comments. */
  comments?: Comment[];
  /** The description, in Markdown. */
  description?: string;
};

/** What the view knows of the part of a card that is fetched when the card is opened. */
export type DetailMark = {
  /** Count of comments. */
  comments?: number;
  /** Whether there is a description. */
  described?: boolean;
  /**
   * Digest of the detail, 16 hexadecimal digits, see [`super::detail_digest`]; absent for the
   * empty detail.
   */
  digest?: string;
  /** The version that changed the detail last. */
  rev?: Version;
};

/** Everything up to this version is on disk. */
export type Durable = {
  /** The board. */
  board: BoardId;
  /** The epoch. */
  epoch: Epoch;
  /** The version. */
  version: Version;
};

export type Epoch = string;

/** The kind of an error, for programs. */
export type ErrorCode = 
  /** The text is not JSON. */
  | "not_json"
  /** The type of the message is unknown. */
  | "unknown_type"
  /** A field is missing or has a wrong value. */
  | "bad_message"
  /** Something else than `hello` came first, or a second `hello`. */
  | "hello_expected"
  /** The token is not valid. */
  | "unauthorized"
  /** The token, or the link, is not good for this. */
  | "forbidden"
  /** There is no such board, or it is not the user's: the answer is the same. */
  | "no_such_board"
  /** There is no such card. */
  | "no_such_card"
  /** The connection is not subscribed to the board. */
  | "not_subscribed"
  /** A limit of the connection is reached. */
  | "limit"
  /** The server has too much to do; try again later. */
  | "busy"
  /** The server cannot do this at the moment. */
  | "unavailable";

/** A message was not understood or not allowed. Nothing has changed. */
export type ErrorMessage = {
  /** The board, where the message named one. */
  board?: BoardId | null;
  /** The kind. */
  code: ErrorCode;
  /** What was wrong and what would be right. */
  hint: string;
  /** From the request, where it had one. */
  req?: number | null;
  /** The number of the submit, where the message was one. */
  seq?: Seq | null;
};

/**
 * One change of a board.
 *
 * An event about a card, except `card.put` and `card.ranked`, also sets the card's `changed` to
 * the author and time of its version, and the revisions of the fields it sets to its version.
 */
export type Event = 
  /** Fields of the board itself. */
  | {
    /** Whether it is archived. */
    archived?: boolean | null;
    /** The background. */
    background?: string | null;
    /** The title. */
    title?: string | null;
    type: "board.set";
  }
  /** A member. */
  | {
    /** The member. */
    member: Member;
    type: "member.put";
  }
  /** A member left. */
  | {
    type: "member.removed";
    /** Who. */
    user: UserId;
  }
  /** A column. */
  | {
    /** The column. */
    column: Column;
    type: "column.put";
  }
  /** A column is gone; no card was in it any more. */
  | {
    /** Which. */
    column: ColumnId;
    type: "column.removed";
  }
  /** A label. */
  | {
    /** The label. */
    label: Label;
    type: "label.put";
  }
  /** A label is gone; no card bears it any more. */
  | {
    /** Which. */
    label: LabelId;
    type: "label.removed";
  }
  /** A custom field. */
  | {
    /** The field. */
    field: Field;
    type: "field.put";
  }
  /** A custom field is gone; no card has a value of it any more. */
  | {
    /** Which. */
    field: FieldId;
    type: "field.removed";
  }
  /** A sprint. */
  | {
    /** The sprint. */
    sprint: Sprint;
    type: "sprint.put";
  }
  /** A sprint is gone; no card is in it any more. */
  | {
    /** Which. */
    sprint: SprintId;
    type: "sprint.removed";
  }
  /** A card as a whole. */
  | {
    /** The card. */
    card: Card;
    /** Its detail; absent where it stays as it is, empty for a new card. */
    detail?: Detail | null;
    /** The number of the next card of the board. */
    next_number: number;
    type: "card.put";
  }
  /** Fields of a card. */
  | {
    /** Which. */
    card: CardId;
    /** Their values. */
    set: CardPatch;
    type: "card.set";
  }
  /** A card got another rank, to make room for a neighbour. */
  | {
    /** Which. */
    card: CardId;
    /** Its rank in its column. */
    rank: Rank;
    type: "card.ranked";
  }
  /** A card is gone; no other card refers to it any more. */
  | {
    /** Which. */
    card: CardId;
    type: "card.removed";
  }
  /** A card's description. */
  | {
    /** Which. */
    card: CardId;
    /** Digest of the card's detail. */
    digest: string;
    /** The description. */
    text: string;
    type: "card.described";
  }
  /** A comment. */
  | {
    /** The card. */
    card: CardId;
    /** The comment. */
    comment: Comment;
    /** Count of the card's comments. */
    comments: number;
    /** Digest of the card's detail. */
    digest: string;
    type: "comment.put";
  }
  /** A comment is gone. */
  | {
    /** The card. */
    card: CardId;
    /** Which. */
    comment: CommentId;
    /** Count of the card's comments. */
    comments: number;
    /** Digest of the card's detail. */
    digest: string;
    type: "comment.removed";
  }
  /** A checklist with its items. */
  | {
    /** The card. */
    card: CardId;
    /** The checklist. */
    checklist: Checklist;
    type: "checklist.put";
  }
  /** Fields of a checklist. */
  | {
    /** The card. */
    card: CardId;
    /** Which. */
    checklist: ChecklistId;
    /** The rank among the card's checklists. */
    rank?: Rank | null;
    /** The title. */
    title?: string | null;
    type: "checklist.set";
  }
  /** A checklist is gone with its items. */
  | {
    /** The card. */
    card: CardId;
    /** Which. */
    checklist: ChecklistId;
    type: "checklist.removed";
  }
  /** An item of a checklist. */
  | {
    /** The card. */
    card: CardId;
    /** The checklist. */
    checklist: ChecklistId;
    /** The item. */
    item: Item;
    type: "item.put";
  }
  /** An item is gone. */
  | {
    /** The card. */
    card: CardId;
    /** The checklist. */
    checklist: ChecklistId;
    /** Which. */
    item: ItemId;
    type: "item.removed";
  }
  /** An attachment's metadata. */
  | {
    /** The attachment. */
    attachment: Attachment;
    /** The card. */
    card: CardId;
    type: "attachment.put";
  }
  /** An attachment is gone. */
  | {
    /** Which. */
    attachment: AttachmentId;
    /** The card. */
    card: CardId;
    type: "attachment.removed";
  };

/** The definition of a custom field. */
export type Field = {
  /** Its id. */
  id: FieldId;
  /** What values it takes. */
  kind: FieldKind;
  /** Its name. */
  name: string;
  /** The options of kind `list`, in the order in which they are offered. */
  options?: FieldOption[];
};

export type FieldId = string;

/** What values a custom field takes. */
export type FieldKind = "text" | "number" | "checkbox" | "date" | "list";

/** An option of a custom field of kind `list`. */
export type FieldOption = {
  /** Its colour. */
  color?: string | null;
  /** Its id, unique in the field. */
  id: OptionId;
  /** Its name. */
  name: string;
};

/** The value of a custom field on a card; its variant fits the field's kind. */
export type FieldValue = 
  /** Of kind `text`. */
  | {
    text: string;
  }
  /** Of kind `number`: a decimal number such as `-12.5`, at most 40 characters. */
  | {
    number: string;
  }
  /** Of kind `checkbox`. */
  | {
    checkbox: boolean;
  }
  /** Of kind `date`. */
  | {
    date: Timestamp;
  }
  /** Of kind `list`: an option's id. */
  | {
    option: OptionId;
  };

/** The server is about to close the connection. */
export type Goodbye = {
  /** The close code that will follow. */
  code: number;
  /** When to come back, in milliseconds; random for each client, so that not all come at once. */
  retry_ms: number;
};

/** The first message of a client. */
export type Hello = {
  /** Name and version of the program, for administrators. */
  agent?: string | null;
  /** Boards to subscribe at once, at most 20. */
  boards?: HelloBoard[];
  /** The client's id: made once and kept, one live connection each. */
  client: ClientId;
  /** The signed token, where the upgrade had none. */
  token?: string | null;
  /** The version of the protocol: 1. */
  v: number;
};

/** A subscription that `hello` asks for. */
export type HelloBoard = {
  /** How far the client has come; absent for a snapshot. */
  at?: Position | null;
  /** The board. */
  board: BoardId;
};

/** An item of a checklist. */
export type Item = {
  /** Who does it. */
  assignee?: UserId | null;
  /** Whether it is done. */
  done?: boolean;
  /** When it is due. */
  due?: Timestamp | null;
  /** Its id. */
  id: ItemId;
  /** Its place in the checklist. */
  rank: Rank;
  /** What is to be done. */
  text: string;
};

export type ItemId = string;

/** Between which neighbours a thing goes. */
export type ItemPlace = {
  /** The neighbour right before it. */
  after?: ItemId | null;
  /** The neighbour right behind it. */
  before?: ItemId | null;
};

/** A label; a `/` in the name groups labels (`area/backend`). */
export type Label = {
  /** Its colour: a name of the palette or `#rrggbb`. */
  color?: string | null;
  /** Its id. */
  id: LabelId;
  /** Its name; may be empty, then the colour stands alone. */
  name?: string;
};

export type LabelId = string;

/** A person on the board. */
export type Member = {
  /** The user. */
  id: UserId;
  /** The name that people see. */
  name: string;
  /** What the member may do. */
  role: Role;
};

/** How a subscription goes on. */
export type Mode = "events" | "snapshot";

export type OptionId = string;

/** Tells what became of a submit. */
export type Outcome = {
  /** The board. */
  board: BoardId;
  /** Both values, where the reason is `conflict`. */
  conflict?: Conflict | null;
  /** What was wrong and what would be right. */
  hint?: string | null;
  /** Why it was rejected. */
  reason?: Reason | null;
  /** What became of it. */
  result: OutcomeResult;
  /** When to send it again, in milliseconds. */
  retry_ms?: number | null;
  /** The number of the submit. */
  seq: Seq;
  /** The version, where it was applied. */
  version?: Version | null;
};

/** What became of a submit. */
export type OutcomeResult = 
  /** Applied as `version`. */
  | "accepted"
  /** Understood, but there was nothing to do. */
  | "no_change"
  /** Not applied; `reason` and `hint` say why. The number is used up. */
  | "rejected"
  /** Not looked at; send it again after `retry_ms`, before any higher number. */
  | "busy"
  /** Not looked at: the board cannot be written at the moment; send it again after `retry_ms`. */
  | "unavailable"
  /** Its number was answered so long ago that what became of it is no longer known. */
  | "forgotten";

/** A person on a board. */
export type Person = {
  /** Where, if it was told. */
  at?: Whereabouts | null;
  /** Who. */
  user: UserId;
};

/** Asks for a `pong`. */
export type Ping = {
  /** Comes back in the answer. */
  t: Timestamp;
};

/** How far a client has come on a board. */
export type Position = {
  /** The epoch in which the version was seen. */
  epoch: Epoch;
  /** The last version that was applied. */
  version: Version;
};

/** Who is on a board: replaces what was said before. */
export type Presence = {
  /** The board. */
  board: BoardId;
  /** Count of users. */
  count: number;
  /** The users; above 50, only those who edit. */
  people: Person[];
};

/** Tells where the person is. */
export type PresenceUpdate = {
  /** Where; `null` for gone. */
  at?: Whereabouts | null;
  /** The board. */
  board: BoardId;
};

/** How urgent a card is. */
export type Priority = "none" | "low" | "medium" | "high" | "urgent";

export type Rank = string;

/** The kind of a rejection, for programs. */
export type Reason = 
  /** The role does not allow it. */
  | "forbidden"
  /** A thing that it names does not exist. */
  | "not_found"
  /** The id of the new thing is in use. */
  | "duplicate_id"
  /** The id of the new thing belonged to a deleted thing. */
  | "used_id"
  /** A value is not allowed. */
  | "invalid"
  /** A limit of the board is reached. */
  | "limit"
  /** The column is full. */
  | "wip_limit"
  /** The thing still holds others. */
  | "not_empty"
  /** A link would lead back to its own card. */
  | "cycle"
  /** The last admin cannot leave or be demoted. */
  | "last_admin"
  /** The field has changed since the client saw it. */
  | "conflict"
  /** The sequence number was used before, with another body. */
  | "seq_reused";

/** What a member may do on a board; each role may do all that the one before it may. */
export type Role = "viewer" | "commenter" | "editor" | "admin";

/** The user's role on a board has changed. */
export type RoleChange = {
  /** The board. */
  board: BoardId;
  /** The role; `null` ends the subscription. */
  role?: Role | null;
};

export type Seq = number;

/** Replaces the client's confirmed board. */
export type Snapshot = {
  /** The board. */
  board: BoardId;
  /** The epoch. */
  epoch: Epoch;
  /** The version that the view shows. */
  version: Version;
  /** The view. Details of opened cards are to be fetched again. */
  view: View;
};

/** A sprint. */
export type Sprint = {
  /** When it ends. */
  end?: Timestamp | null;
  /** Its id. */
  id: SprintId;
  /** When it starts. */
  start?: Timestamp | null;
  /** Its title. */
  title: string;
};

export type SprintId = string;

/** Who did something, and when. */
export type Stamp = {
  /** The server's clock. */
  at: Timestamp;
  /** The user. */
  by: UserId;
};

/** Commands, applied all or nothing as one version. */
export type Submit = {
  /** The board. */
  board: BoardId;
  /** 1 to 100 commands. */
  cmds: Command[];
  /** Revisions of the card's fields that the client saw; with a single command about a card. */
  seen?: { [key: string]: Version };
  /** The number of this submit among those of this client to this board; rises by one. */
  seq: Seq;
};

/** Asks for a board's events from now on. */
export type Subscribe = {
  /** How far the client has come; absent for a snapshot. */
  at?: Position | null;
  /** The board. */
  board: BoardId;
  /** Comes back in the answer. */
  req: number;
};

/** Answers `subscribe`. */
export type Subscribed = {
  /** The board. */
  board: BoardId;
  /** The version that is on disk. */
  durable: Version;
  /** The present epoch. */
  epoch: Epoch;
  /** The highest number of this client's submits that was answered or applied; 0 for none. */
  last_seq: Seq;
  /** How the subscription goes on. */
  mode: Mode;
  /** From the request; absent for boards of `hello`. */
  req?: number | null;
  /** The user's role. */
  role: Role;
  /** The present version. */
  version: Version;
};

export type Timestamp = number;

/** Ends a subscription. */
export type Unsubscribe = {
  /** The board. */
  board: BoardId;
  /** Comes back in the answer. */
  req: number;
};

/** Answers `unsubscribe`. */
export type Unsubscribed = {
  /** The board. */
  board: BoardId;
  /** From the request. */
  req: number;
};

export type UserId = string;

export type Version = number;

/** One version of a board: `[by, at, ev, client?, seq?]`. Its number is known by its place in the batch. */
export type VersionEntry = [UserId, Timestamp, Event[], (ClientId | null)?, (Seq | null)?];

/** All that the board's view shows: what a snapshot holds and what the board's hash covers. */
export type View = {
  /** Whether it is archived. */
  archived?: boolean;
  /** Its background: a colour of the palette or `#rrggbb`. */
  background?: string | null;
  /** Its cards, archived ones included. */
  cards?: Card[];
  /** Its columns. */
  columns?: Column[];
  /** Its custom fields. */
  fields?: Field[];
  /** The board's id. */
  id: BoardId;
  /** Its labels. */
  labels?: Label[];
  /** Its members. */
  members?: Member[];
  /** The number of the next card. */
  next_number: number;
  /** Its sprints. */
  sprints?: Sprint[];
  /** Its title. */
  title: string;
};

/** Answers `hello`. */
export type Welcome = {
  /** The number of this connection. */
  conn: number;
  /** Limits. */
  limits: WireLimits;
  /** Time between protocol pings, in milliseconds. */
  ping_ms: number;
  /** The server's clock. */
  server_time: Timestamp;
  /** Who the client is, by its token. */
  user: UserId;
  /** The version of the protocol. */
  v: number;
};

/** Where a person is on a board. */
export type Whereabouts = {
  /** The card that it is about. */
  card?: CardId | null;
  /** The column over which the card is dragged. */
  column?: ColumnId | null;
  /** What the person does. */
  doing: Activity;
};

/** Limit of cards in work: open cards of a column. */
export type Wip = {
  /** How strictly it is kept. */
  kind: WipKind;
  /** Cards, 1 to 20,000. */
  limit: number;
};

/** How strictly a column's limit of cards in work is kept. */
export type WipKind = "soft" | "hard";

/** Limits that a client should know. */
export type WireLimits = {
  /** Most subscriptions of a connection. */
  boards: number;
  /** Largest message, in bytes. */
  message_bytes: number;
  /** Most commands of one submit. */
  submit_commands: number;
};

/** What a client says. */
export type ClientMessage = 
  /** The first message. */
  | {
    type: "hello";
  } & Hello
  /** Asks for a board's events from now on. */
  | {
    type: "subscribe";
  } & Subscribe
  /** Ends a subscription. */
  | {
    type: "unsubscribe";
  } & Unsubscribe
  /** Commands, applied all or nothing as one version. */
  | {
    type: "submit";
  } & Submit
  /** Tells where the person is; `null` for gone. */
  | {
    type: "presence";
  } & PresenceUpdate
  /** Asks for what only an opened card shows. */
  | {
    type: "card.open";
  } & CardOpen
  /** Asks for a page of what happened to a board or card. */
  | {
    type: "activity";
  } & ActivityQuery
  /** Makes a board; its author becomes its admin. */
  | {
    type: "board.create";
  } & BoardCreate
  /** Asks for the boards of the user. */
  | {
    type: "boards.list";
  } & BoardsList
  /** Asks for a `pong`, for clients that want to notice a dead link themselves. */
  | {
    type: "ping";
  } & Ping;

/** What the server says. */
export type ServerMessage = 
  /** Answers `hello`. */
  | {
    type: "welcome";
  } & Welcome
  /** Answers `subscribe`; a snapshot or batches follow. */
  | {
    type: "subscribed";
  } & Subscribed
  /** Answers `unsubscribe`. */
  | {
    type: "unsubscribed";
  } & Unsubscribed
  /** Replaces the client's confirmed board. May come at any time. */
  | {
    type: "snapshot";
  } & Snapshot
  /** What became of a submit, where no echo says it. */
  | {
    type: "outcome";
  } & Outcome
  /** Everything up to this version is on disk. */
  | {
    type: "durable";
  } & Durable
  /** Who is on a board. */
  | {
    type: "presence";
  } & Presence
  /** The user's role on a board has changed; `null` ends the subscription. */
  | {
    type: "role";
  } & RoleChange
  /** What only an opened card shows. */
  | {
    type: "card";
  } & CardDetail
  /** A page of what happened. */
  | {
    type: "activity";
  } & ActivityPage
  /** A board was made. */
  | {
    type: "board.created";
  } & BoardCreated
  /** The boards of the user. */
  | {
    type: "boards";
  } & Boards
  /** A message was not understood or not allowed. */
  | {
    type: "error";
  } & ErrorMessage
  /** The server is about to close the connection. */
  | {
    type: "goodbye";
  } & Goodbye
  /** Answers `ping`. */
  | {
    type: "pong";
  } & Ping
  /** Versions of a board: an array, told from the others by its first character. */
  | Batch;
