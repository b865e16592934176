// Hocuspocus (Yjs) without storage or extensions: documents live in memory.
const { Server } = require('@hocuspocus/server');

const server = new Server({
  address: '127.0.0.1',
  port: Number(process.argv[2]),
  quiet: true,
  debounce: 3_600_000,
  maxDebounce: 3_600_000,
});
server.listen();
