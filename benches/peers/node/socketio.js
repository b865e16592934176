// Socket.IO 4 with its WebSocket transport only; a room for each board.
const { createServer } = require('node:http');
const { Server } = require('socket.io');

const http = createServer();
const io = new Server(http, { transports: ['websocket'], serveClient: false });
io.on('connection', (socket) => {
  socket.on('join', (room, acknowledge) => {
    socket.join(room);
    acknowledge();
  });
  socket.on('op', (room, data) => io.to(room).emit('op', data));
});
http.listen(Number(process.argv[2]), '127.0.0.1', 4096);
