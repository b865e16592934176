export type { Kind, Things } from "./board.js";
export { digestOf, hashOf } from "./canonical.js";
export { Client } from "./client.js";
export type { ClientOptions } from "./hello.js";
export { newId } from "./ids.js";
export { IndexedDbStore } from "./indexeddb.js";
export { type LinkState, mayReturn, type World } from "./link.js";
export {
  type BoardStatus,
  type LiveBoard,
  type Refused,
  Rejected,
  Sent,
  TooLarge,
} from "./live-board.js";
export { byRank } from "./order.js";
export { PENDING_MAX, QueueFull, type SubmitRecord } from "./pending.js";
export type * from "./protocol.js";
export type { Progress, Rejection } from "./replica.js";
export { RequestFailed } from "./requests.js";
export { QUERY_MAX_BYTES, QueryError, type QueryFault } from "./search/parse.js";
export { type Asker, Query, type Searched } from "./search/query.js";
export type { Topic } from "./shown.js";
export {
  type Claim,
  type Kept,
  type KeptView,
  MemoryStore,
  type Store,
  type Views,
} from "./store.js";
export type { Deed } from "./undoing.js";
