// Shows a board live: the smallest complete reader of docs/protocol.md.

const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const PROTOCOL = "boardcast.v1.json";
const COLLECTIONS = ["members", "columns", "labels", "fields", "sprints", "cards"];

// Where the server is found, without a slash at its end.
const base = document.querySelector("meta[name=boardcast-base]").content.slice(0, -1);

const page = {
  title: document.getElementById("title"),
  boards: document.getElementById("boards"),
  people: document.getElementById("people"),
  state: document.getElementById("state"),
  board: document.getElementById("board"),
};

let replica = null; // { board, epoch, version, view }: the confirmed board
let wanted = location.hash.match(/board=([A-Za-z0-9_-]+)/)?.[1] ?? null;
let subscribed = false;
let socket = null;
let attempt = 0;
let changed = new Set();
let drawing = false;

function clientId() {
  const bytes = crypto.getRandomValues(new Uint8Array(20));
  return Array.from(bytes, (byte) => ALPHABET[byte % 62]).join("");
}
const client = clientId();

function tell(text, off) {
  page.state.textContent = text;
  page.state.classList.toggle("off", off);
}

function explain(...lines) {
  page.board.replaceChildren(
    ...lines.map((line) => Object.assign(document.createElement("p"), { className: "empty", textContent: line })),
  );
}

// --- connection -----------------------------------------------------------------------------

// A link bears a one-shot ticket; the server gives a token of an hour for it, kept in this tab only.
async function signIn() {
  const ticket = location.hash.match(/ticket=([A-Za-z0-9_-]+)/)?.[1];
  if (!ticket) return sessionStorage.getItem("token");
  history.replaceState(null, "", `${location.pathname}${wanted ? `#board=${wanted}` : ""}`);
  const answer = await fetch(`${base}/api/v1/sessions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ticket }),
  });
  if (!answer.ok) return sessionStorage.getItem("token");
  const { token } = await answer.json();
  sessionStorage.setItem("token", token);
  return token;
}

let token = null;

function signedOut() {
  sessionStorage.removeItem("token");
  tell("not signed in", true);
  explain(
    "A link signs this page in. It works once and for 30 seconds, a sign-in for an hour.",
    "Print a link where the server runs: make link",
  );
  const signIn = Object.assign(document.createElement("a"), { href: `${base}/sign-in`, textContent: "Sign in by e-mail" });
  page.board.append(signIn);
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}${base}/ws`, [PROTOCOL]);
  subscribed = false;
  socket.onopen = () => send({ type: "hello", v: 1, client, token, agent: "page" });
  socket.onmessage = (event) => receive(JSON.parse(event.data));
  socket.onclose = (event) => retry(event.code);
}

function reconnects(code) {
  return code === 1001 || code === 1006 || (code >= 1011 && code <= 1013) || (code >= 4000 && code <= 4499);
}

let comeBack = null;

function retry(code) {
  if (code === 4502 || code === 4002) {
    signedOut();
    return;
  }
  if (!reconnects(code)) {
    tell(`closed (${code}); reload the page`, true);
    return;
  }
  attempt += 1;
  const wait = comeBack ?? 500 + Math.random() * Math.min(20000, 500 * 2 ** attempt);
  comeBack = null;
  tell(`reconnecting in ${Math.ceil(wait / 1000)} s`, true);
  setTimeout(connect, wait);
}

function send(message) {
  socket.send(JSON.stringify(message));
}

// --- messages -------------------------------------------------------------------------------

function receive(message) {
  if (Array.isArray(message)) {
    if (message[0] === wanted && subscribed) batch(message);
    return;
  }
  switch (message.type) {
    case "welcome":
      attempt = 0;
      tell("live", false);
      send({ type: "boards.list", req: 1 });
      if (wanted) subscribe();
      break;
    case "boards":
      listBoards(message.boards);
      break;
    case "subscribed":
      if (message.board !== wanted) break;
      subscribed = true;
      if (message.mode === "snapshot") replica = null;
      else if (replica) replica.epoch = message.epoch;
      break;
    case "snapshot":
      if (message.board !== wanted) break;
      replica = { board: message.board, epoch: message.epoch, version: message.version, view: indexed(message.view) };
      draw();
      break;
    case "presence":
      if (message.board === wanted) page.people.textContent = people(message);
      break;
    case "goodbye":
      comeBack = message.retry_ms;
      break;
    case "role":
      if (message.board === wanted && message.role === null) explain("You are no longer a member of this board.");
      break;
    case "error":
      if (message.board === wanted || message.code === "no_such_board") explain(message.hint);
      break;
  }
}

function listBoards(boards) {
  page.boards.replaceChildren(
    ...boards.map((board) =>
      Object.assign(document.createElement("option"), { value: board.board, textContent: board.title }),
    ),
  );
  page.boards.disabled = boards.length === 0;
  if (boards.length === 0) {
    explain("There is no board that you are a member of yet.");
    return;
  }
  if (!wanted) choose(boards[0].board);
  page.boards.value = wanted;
}

function choose(board) {
  if (wanted && wanted !== board) send({ type: "unsubscribe", req: 3, board: wanted });
  wanted = board;
  replica = null;
  history.replaceState(null, "", `#board=${board}`);
  subscribe();
}

function subscribe() {
  subscribed = false;
  const message = { type: "subscribe", req: 2, board: wanted };
  if (replica?.board === wanted) message.at = { epoch: replica.epoch, version: replica.version };
  send(message);
}

// [board, from, versions, durable?]: a version is [by, at, events, client?, seq?], the first follows `from`.
function batch([, from, versions]) {
  if (!replica || from !== replica.version) {
    subscribe();
    return;
  }
  for (const [by, at, events] of versions) {
    replica.version += 1;
    const entry = { n: replica.version, by, at };
    for (const event of events) apply(replica.view, entry, event);
  }
  draw();
}

function people(message) {
  const names = message.people.map((person) => replica?.view.members.get(person.user)?.name ?? person.user);
  return names.length > 0 && names.length <= 6 ? `here: ${names.join(", ")}` : `${message.count} here`;
}

// --- the board ------------------------------------------------------------------------------

function byId(list) {
  return new Map((list ?? []).map((thing) => [thing.id, thing]));
}

function indexed(view) {
  for (const name of COLLECTIONS) view[name] = byId(view[name]);
  for (const card of view.cards.values()) indexCard(card);
  return view;
}

function indexCard(card) {
  card.attachments = byId(card.attachments);
  card.checklists = byId(card.checklists);
  for (const checklist of card.checklists.values()) checklist.items = byId(checklist.items);
  return card;
}

// Assigns what the event states; the table of events in docs/protocol.md, line by line.
function apply(view, entry, event) {
  const card = typeof event.card === "string" ? view.cards.get(event.card) : null;
  if (event.card) changed.add(card ? card.id : event.card.id);
  switch (event.type) {
    case "board.set":
      assign(view, event, ["title", "background", "archived"]);
      break;
    case "member.put":
      view.members.set(event.member.id, event.member);
      break;
    case "member.removed":
      view.members.delete(event.user);
      break;
    case "column.put":
      view.columns.set(event.column.id, event.column);
      break;
    case "column.removed":
      view.columns.delete(event.column);
      break;
    case "label.put":
      view.labels.set(event.label.id, event.label);
      break;
    case "label.removed":
      view.labels.delete(event.label);
      break;
    case "field.put":
      view.fields.set(event.field.id, event.field);
      break;
    case "field.removed":
      view.fields.delete(event.field);
      break;
    case "sprint.put":
      view.sprints.set(event.sprint.id, event.sprint);
      break;
    case "sprint.removed":
      view.sprints.delete(event.sprint);
      break;
    case "card.put":
      view.cards.set(event.card.id, indexCard(event.card));
      view.next_number = event.next_number;
      return;
    case "card.removed":
      view.cards.delete(event.card);
      return;
    case "card.ranked":
      card.rank = event.rank;
      return;
    case "card.set":
      Object.assign(card, event.set);
      break;
    case "card.described":
      card.detail = { ...card.detail, described: event.text !== "", digest: event.digest, rev: entry.n };
      break;
    case "comment.put":
    case "comment.removed":
      card.detail = { ...card.detail, comments: event.comments, digest: event.digest, rev: entry.n };
      break;
    case "checklist.put":
      card.checklists.set(event.checklist.id, { ...event.checklist, items: byId(event.checklist.items) });
      break;
    case "checklist.set":
      assign(card.checklists.get(event.checklist), event, ["title", "rank"]);
      break;
    case "checklist.removed":
      card.checklists.delete(event.checklist);
      break;
    case "item.put":
      card.checklists.get(event.checklist).items.set(event.item.id, event.item);
      break;
    case "item.removed":
      card.checklists.get(event.checklist).items.delete(event.item);
      break;
    case "attachment.put":
      card.attachments.set(event.attachment.id, event.attachment);
      break;
    case "attachment.removed":
      card.attachments.delete(event.attachment);
      break;
  }
  if (card) card.changed = { by: entry.by, at: entry.at };
}

function assign(target, source, names) {
  for (const name of names) if (name in source) target[name] = source[name];
}

// --- drawing --------------------------------------------------------------------------------

function draw() {
  if (drawing) return;
  drawing = true;
  requestAnimationFrame(() => {
    drawing = false;
    if (replica) paint(replica.view);
    changed = new Set();
  });
}

const byRank = (a, b) => (a.rank < b.rank ? -1 : 1);

function element(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

function paint(view) {
  document.title = `${view.title} - Boardcast`;
  page.title.textContent = view.title;
  const lanes = new Map();
  for (const card of view.cards.values()) {
    if (card.archived) continue;
    if (!lanes.has(card.column)) lanes.set(card.column, []);
    lanes.get(card.column).push(card);
  }
  const scrolled = new Map(Array.from(page.board.querySelectorAll("ul"), (list) => [list.dataset.column, list.scrollTop]));
  const columns = Array.from(view.columns.values()).filter((column) => !column.archived).sort(byRank);
  page.board.replaceChildren(...columns.map((column) => paintColumn(view, column, (lanes.get(column.id) ?? []).sort(byRank))));
  for (const list of page.board.querySelectorAll("ul")) list.scrollTop = scrolled.get(list.dataset.column) ?? 0;
}

function paintColumn(view, column, cards) {
  const count = element("span", "", column.wip ? `${cards.length} / ${column.wip.limit}` : String(cards.length));
  count.classList.toggle("over", Boolean(column.wip && cards.length > column.wip.limit));
  const list = element("ul", "", ...cards.map((card) => paintCard(view, card)));
  list.dataset.column = column.id;
  return element("section", "column", element("h2", "", column.title, count), list);
}

function paintCard(view, card) {
  const item = element("li", changed.has(card.id) ? "card flash" : "card");
  const labels = (card.labels ?? []).map((id) => view.labels.get(id)?.name || view.labels.get(id)?.color).filter(Boolean);
  if (labels.length > 0) item.append(element("div", "labels", ...labels.map((label) => element("span", "", label))));
  item.append(element("div", "", card.title));
  const marks = badges(view, card);
  if (marks.length > 0) item.append(element("div", "meta", ...marks));
  return item;
}

const counted = (count, noun) => `${count} ${noun}${count === 1 ? "" : "s"}`;

function badges(view, card) {
  const marks = [element("span", "", `#${card.number}`)];
  if (card.priority && card.priority !== "none") marks.push(element("span", "", card.priority));
  if (card.due) {
    const late = !card.complete && card.due < Date.now();
    marks.push(element("span", late ? "late" : "", new Date(card.due).toLocaleDateString()));
  }
  const items = Array.from(card.checklists.values()).flatMap((checklist) => Array.from(checklist.items.values()));
  if (items.length > 0) marks.push(element("span", "", `${items.filter((i) => i.done).length}/${items.length} done`));
  if (card.detail?.comments) marks.push(element("span", "", counted(card.detail.comments, "comment")));
  if (card.attachments.size > 0) marks.push(element("span", "", counted(card.attachments.size, "file")));
  if ((card.blocked_by ?? []).length > 0) marks.push(element("span", "late", "blocked"));
  const assignees = (card.assignees ?? []).map((id) => view.members.get(id)?.name ?? id);
  if (assignees.length > 0) marks.push(element("span", "", assignees.join(", ")));
  return marks;
}

page.boards.addEventListener("change", () => choose(page.boards.value));
// Without a token the cookie of a session says who this is, if there is one.
token = await signIn();
connect();
