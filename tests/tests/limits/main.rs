//! Each limit over real sockets: what happens above it, and that another person is served meanwhile.

mod admission;
mod people;
mod rates;
mod sizes;

use std::net::Ipv4Addr;

use boardcast::config::Config;
use boardcast::connection::refusals::Cause;
use boardcast_protocol::command::{Command, Place};
use boardcast_protocol::ids::BoardId;
use boardcast_tests::client::TestClient;
use boardcast_tests::harness::TestServer;
use tokio::net::{TcpSocket, TcpStream};

/// The address of those who are not over a limit; everybody else is at 127.0.0.1.
const ELSEWHERE: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

/// Somebody who works on a board of his own.
struct Bystander {
    client: TestClient,
    board: BoardId,
    seq: u64,
}

impl Bystander {
    /// Connects from [`ELSEWHERE`].
    async fn arrive(server: &TestServer) -> Self {
        Self::arrive_from(server, ELSEWHERE).await
    }

    async fn arrive_from(server: &TestServer, source: Ipv4Addr) -> Self {
        let stream = connect_from(source, server).await;
        let opened = TestClient::over(stream, &server.token("bob")).await;
        let mut client = opened.expect("a WebSocket");
        client.hello(None).await;
        let board = client.create_board("Calm").await;
        client.subscribe(board, None).await;
        Self {
            client,
            board,
            seq: 0,
        }
    }

    /// Asserts that a command of his is taken and kept.
    async fn is_served(&mut self) {
        self.seq += 1;
        let command = column(self.seq);
        (self.client)
            .submit(self.board, self.seq, vec![command])
            .await;
        self.client.durable(self.board, self.seq).await;
    }
}

/// A server and somebody who is not over any limit.
async fn scene(change: impl FnOnce(&mut Config)) -> (TestServer, Bystander) {
    let server = TestServer::with(change).await;
    let bystander = Bystander::arrive(&server).await;
    (server, bystander)
}

async fn connect_from(source: Ipv4Addr, server: &TestServer) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((source, 0).into()).expect("an address");
    let connecting = socket.connect(server.address());
    connecting.await.expect("a connection")
}

/// How often a limit was met.
fn count(server: &TestServer, cause: Cause) -> u64 {
    server.server().services().refusals.count(cause)
}

/// The `number`th column of a board.
fn column(number: u64) -> Command {
    Command::ColumnCreate {
        column: format!("c{number}").parse().expect("an id"),
        title: "More".to_owned(),
        wip: None,
        done: false,
        place: Place::default(),
    }
}
