// When a connection is tried again, and when it is held to be dead. Time is a hundred times faster.
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { Client, type World } from "../src/index.js";
import { mayReturn } from "../src/link.js";

const FASTER = 100;
let listener: WebSocketServer;
let clients: Client[];
let connects: { at: number; socket: WebSocket }[];
let delays: number[];
let chance: number;
let skipped: number;

const world: World = {
  now: () => Date.now() * FASTER + skipped,
  random: () => chance,
  after(ms, call) {
    delays.push(Math.round(ms));
    const timer = setTimeout(call, ms / FASTER);
    return () => clearTimeout(timer);
  },
};

/** What the server does with the n-th connection, after its hello. */
type Script = (socket: WebSocket, connection: number) => void;

function serve(script: Script): void {
  listener.on("connection", (socket) => {
    connects.push({ at: world.now(), socket });
    const connection = connects.length;
    socket.on("message", (data) => {
      const message = JSON.parse(`${data}`);
      if (message.type === "hello") script(socket, connection);
      if (message.type === "ping" && !dead.has(socket))
        socket.send(`{"type":"pong","t":${message.t}}`);
    });
  });
}

const dead = new Set<WebSocket>();
const welcome = (socket: WebSocket) =>
  socket.send(
    '{"type":"welcome","v":1,"user":"ann","conn":1,"limits":{},"ping_ms":25000,"server_time":0}',
  );

async function open(): Promise<Client> {
  const { port } = listener.address() as AddressInfo;
  const client = await Client.open({ url: `http://127.0.0.1:${port}`, WebSocket, world });
  clients.push(client);
  return client;
}

function reached(client: Client, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds()) return;
      stop();
      resolve();
    };
    const stop = client.listen(look);
    look();
  });
}

beforeEach(async () => {
  [clients, connects, delays, chance, skipped] = [[], [], [], 1, 0];
  listener = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await new Promise((resolve) => listener.once("listening", resolve));
});
afterEach(async () => {
  for (const client of clients) client.close();
  for (const socket of listener.clients) socket.terminate();
  await new Promise((resolve) => listener.close(resolve));
});

test.each([
  [1000, false],
  [1001, true],
  [1002, false],
  [1003, false],
  [1006, true],
  [1007, false],
  [1008, false],
  [1009, false],
  [1011, true],
  [1012, true],
  [1013, true],
  [4000, true],
  [4002, true],
  [4499, true],
  [4500, false],
  [4999, false],
])("after %i it comes back: %s", (code, returns) => {
  expect(mayReturn(code)).toBe(returns);
});

test("each attempt waits for up to twice as long as the one before, up to 20 s", async () => {
  serve((socket) => socket.close(1011));
  const client = await open();
  await reached(client, () => connects.length === 8);
  const waits = delays.filter((ms) => ms !== 15_000);
  expect(waits.slice(0, 7)).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 20_000]);
});

test("the delay is any time up to the longest", async () => {
  chance = 0.25;
  serve((socket) => socket.close(1011));
  const client = await open();
  await reached(client, () => connects.length === 4);
  expect(delays.filter((ms) => ms !== 15_000).slice(0, 3)).toEqual([125, 250, 500]);
});

test("a goodbye says when to come back", async () => {
  serve((socket, connection) => {
    welcome(socket);
    if (connection > 1) return;
    socket.send('{"type":"goodbye","code":1012,"retry_ms":3210}');
    socket.close(1012);
  });
  const client = await open();
  await reached(client, () => client.state.name === "waiting");
  expect(delays).toContain(3_210);
  await reached(client, () => client.state.name === "live" && connects.length === 2);
});

test("a final code ends it, until somebody asks again", async () => {
  serve((socket, connection) =>
    connection === 1 ? socket.close(4500, "a newer one") : welcome(socket),
  );
  const client = await open();
  await reached(client, () => client.state.name === "closed");
  expect(client.state).toEqual({ name: "closed", code: 4500, reason: "a newer one" });
  client.reconnect();
  await reached(client, () => client.state.name === "live");
  expect(connects).toHaveLength(2);
});

test("a link on which nothing comes back is given up, and another one is tried", async () => {
  serve((socket, connection) => {
    welcome(socket);
    if (connection === 1) dead.add(socket);
  });
  const client = await open();
  await reached(client, () => client.state.name === "waiting");
  expect(client.state).toMatchObject({ code: 1006, reason: "no sign of life from the server" });
  await reached(client, () => client.state.name === "live");
  expect(connects).toHaveLength(2);
});

test("a quiet link that answers stays", async () => {
  let pings = 0;
  serve((socket) => {
    welcome(socket);
    socket.on("message", (data) => {
      pings += Number(`${data}`.includes("ping"));
    });
  });
  const client = await open();
  await reached(client, () => client.state.name === "live");
  while (pings < 5) await new Promise((resolve) => setTimeout(resolve, 10));
  expect(connects).toHaveLength(1);
});

test("after a sleep the link is asked at once, and a delay is not waited for", async () => {
  const asked: string[] = [];
  serve((socket, connection) => {
    welcome(socket);
    if (connection === 1) dead.add(socket);
    socket.on("message", (data) => asked.push(JSON.parse(`${data}`).type));
  });
  const client = await open();
  await reached(client, () => client.state.name === "live");
  // The clock has gone on by an hour, as the timers have not.
  skipped = 3_600_000;
  await reached(client, () => client.state.name === "waiting");
  expect(asked).toEqual(["ping"]);
  const before = connects.length;
  client.reconnect();
  expect(client.state.name).toBe("connecting");
  await reached(client, () => client.state.name === "live");
  expect(connects).toHaveLength(before + 1);
});

test("a board that is opened while the socket opens is asked for in the first message", async () => {
  const said: string[] = [];
  listener.on("connection", (socket) => socket.on("message", (data) => said.push(`${data}`)));
  serve((socket) => welcome(socket));
  const client = await open();
  client.board("b1");
  await reached(client, () => client.state.name === "live");
  client.board("b2");
  await expect.poll(() => said.length).toBe(2);
  const [hello, subscribe] = said.map((text) => JSON.parse(text));
  expect(hello).toMatchObject({ type: "hello", boards: [{ board: "b1" }] });
  expect(subscribe).toMatchObject({ type: "subscribe", board: "b2" });
});

test("what is not JSON ends the connection, and it is tried again", async () => {
  serve((socket, connection) => (connection === 1 ? socket.send("{") : welcome(socket)));
  const client = await open();
  await reached(client, () => client.state.name === "live");
  expect(connects).toHaveLength(2);
});

test("whoever is told that it waits may connect at once, and whoever is told that it connects may close", async () => {
  serve((socket, connection) => (connection < 3 ? socket.close(1011) : welcome(socket)));
  const client = await open();
  client.listen(() => client.state.name === "waiting" && client.reconnect());
  await reached(client, () => client.state.name === "live");
  expect(connects).toHaveLength(3);
  client.close();
  const stop = client.listen(() => client.state.name === "connecting" && client.close());
  client.reconnect();
  stop();
  expect(client.state).toMatchObject({ name: "closed", code: 1000 });
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(connects).toHaveLength(3);
});
