// `ws` 8 as the first requirements of Boardcast had it: connections and rooms in maps, pings every
// 30 s, each broadcast encoded once. With `batch`, ten messages or 100 ms leave together.
const { WebSocketServer } = require('ws');

const port = Number(process.argv[2]);
const isBatching = process.argv[3] === 'batch';
const BATCH_MESSAGES = 10;
const BATCH_MS = 100;
const PING_MS = 30_000;

const sockets = new Map(); // id -> socket
const rooms = new Map(); // name -> { members: Set of ids, queue, timer }
let nextId = 1;

function send(room, message) {
  const text = JSON.stringify(message);
  for (const id of room.members) {
    const socket = sockets.get(id);
    if (socket?.readyState === 1) socket.send(text);
  }
}

function flush(room) {
  clearTimeout(room.timer);
  room.timer = null;
  const messages = room.queue;
  room.queue = [];
  send(room, { type: 'batch', messages });
}

function broadcast(room, message) {
  if (!isBatching) return send(room, message);
  room.queue.push(message);
  if (room.queue.length >= BATCH_MESSAGES) flush(room);
  else room.timer ??= setTimeout(flush, BATCH_MS, room);
}

function join(socket, id, name) {
  if (!rooms.has(name)) rooms.set(name, { members: new Set(), queue: [], timer: null });
  rooms.get(name).members.add(id);
  socket.send(JSON.stringify({ type: 'joined', room: name, id }));
}

function leave(id) {
  sockets.delete(id);
  for (const [name, room] of rooms) {
    if (room.members.delete(id) && room.members.size === 0) rooms.delete(name);
  }
}

const server = new WebSocketServer({ host: '127.0.0.1', port, backlog: 4096 });
server.on('connection', (socket) => {
  const id = `c${nextId++}`;
  sockets.set(id, socket);
  socket.isAlive = true;
  socket.on('pong', () => { socket.isAlive = true; });
  socket.on('message', (text) => {
    const { type, room, data } = JSON.parse(text);
    if (type === 'join') join(socket, id, room);
    else if (type === 'op' && rooms.has(room)) {
      broadcast(rooms.get(room), { type: 'op', room, user: id, data });
    }
  });
  socket.on('error', () => socket.terminate());
  socket.on('close', () => leave(id));
});

setInterval(() => {
  for (const socket of sockets.values()) {
    if (!socket.isAlive) {
      socket.terminate();
      continue;
    }
    socket.isAlive = false;
    socket.ping();
  }
}, PING_MS);
