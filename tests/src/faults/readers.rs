//! Clients that stop reading while others work on the same board: the server holds a bounded number
//! of bytes for them, and they are on the same board again when they go on.

use std::time::Duration;

use anyhow::{Context, bail};
use boardcast_protocol::board::{View, view_hash};
use boardcast_protocol::close::reconnects;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::message::ServerMessage;
use boardcast_protocol::position::Position;
use futures::{StreamExt, stream};
use tokio::net::TcpSocket;

use super::args::{Load, ReadersArgs};
use super::audit::audit;
use super::binaries::Binaries;
use super::fleet::Fleet;
use super::kill::PATIENCE;
use super::ledger::Ledger;
use super::outcome::Outcome;
use super::site::Site;
use crate::client::{TestClient, apply};

/// Clients that work meanwhile.
const WORKERS: usize = 20;
/// Bytes that the kernel takes for a client that does not read: the window closes soon.
const WINDOW_BYTES: u32 = 8 * 1_024;
/// What waits for one connection at most: `outbox_hard_bytes`, and one message that is on its way
/// beyond it.
const CONNECTION_BYTES: u64 = 2 * 1_024 * 1_024;
/// What a board and the journal take at most however many clients there are: the ring of versions,
/// a shared snapshot, and what waits for the disk.
const BOARD_BYTES: u64 = 128 * 1_024 * 1_024;
/// Clients that go on reading at one time.
const AT_ONCE: usize = 4;
/// Time between two looks at the memory.
const LOOK: Duration = Duration::from_millis(250);

/// Carries it out.
///
/// # Errors
/// It could not be carried out.
pub async fn run(args: &ReadersArgs, seed: u64, binaries: &Binaries) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::new("stopped-readers", seed);
    let site = Site::new(binaries)?;
    let server = site.serve().await?;
    let load = Load {
        clients: WORKERS,
        boards: 1,
        rate: args.rate,
        cards: 200,
    };
    let fleet = Fleet::start(&site, &format!("http://{}", site.address()), load, seed)?;
    let mut ledger = Ledger::at(&site.path("ledger"));
    ledger.reaches(1, PATIENCE).await?;
    let board = ledger.read()?.first().context("a line")?.board;
    let token = site.token()?;
    let mut readers = Vec::with_capacity(args.clients);
    for _ in 0..args.clients {
        readers.push(Reader::join(&site, &token, board).await?);
    }

    let before = server.memory("VmRSS")?;
    let mut peak = before;
    let looks = args.seconds * 1_000 / LOOK.as_millis() as u64;
    for look in 0..looks {
        tokio::time::sleep(LOOK).await;
        peak = peak.max(server.memory("VmRSS")?);
        if look % 40 == 39 {
            outcome.progress(&format!(
                "{} of {} s, {} MiB resident, {} commands durable",
                (look + 1) * LOOK.as_millis() as u64 / 1_000,
                args.seconds,
                peak >> 20,
                ledger.read()?.len()
            ));
        }
    }
    let report = fleet.finish().await?;
    report.judge(&mut outcome);

    let fresh = Reader::join(&site, &token, board).await?;
    let coming = readers
        .into_iter()
        .map(|reader| reader.catch_up(&site, &token, fresh.at));
    let mut coming = stream::iter(coming).buffer_unordered(AT_ONCE);
    while let Some(caught) = coming.next().await {
        let (closes, reader) = match caught {
            Ok(caught) => caught,
            Err(error) => {
                outcome.fail(format!("a reader did not come back: {error:#}"));
                continue;
            }
        };
        outcome.add("closed", u64::from(closes > 0));
        outcome.add("never closed", u64::from(closes == 0));
        let equal = view_hash(&reader.view) == view_hash(&fresh.view);
        outcome.add("converged", u64::from(equal));
    }
    let converged = outcome.count("converged");
    outcome.expect(converged == args.clients as u64, || {
        format!("{converged} of {} readers have the board", args.clients)
    });
    peak = peak.max(server.memory("VmHWM")?);
    let bound = before + args.clients as u64 * CONNECTION_BYTES + BOARD_BYTES;
    outcome.set("rss before mib", before >> 20);
    outcome.set("rss peak mib", peak >> 20);
    outcome.set("rss after mib", server.memory("VmRSS")? >> 20);
    outcome.set("rss bound mib", bound >> 20);
    outcome.expect(peak <= bound, || {
        format!("{peak} bytes were resident, the bound is {bound}")
    });
    drop(coming);
    let panics = server.panics();
    outcome.expect(panics == 0, || format!("{panics} panics"));
    let code = server.terminate().await?;
    outcome.expect(code == Some(0), || format!("the stop ended with {code:?}"));
    audit(&site, ledger.read()?, &mut outcome).await?;
    Ok(outcome)
}

/// A client with a small window, and its copy of the board.
struct Reader {
    client: TestClient,
    board: BoardId,
    view: View,
    at: Position,
}

impl Reader {
    async fn join(site: &Site, token: &str, board: BoardId) -> anyhow::Result<Self> {
        let mut client = connect(site, token).await?;
        let joined = client.subscribe(board, None).await;
        Ok(Self {
            client,
            board,
            view: joined.view.context("no snapshot")?,
            at: Position {
                epoch: joined.subscribed.epoch,
                version: joined.subscribed.version,
            },
        })
    }

    /// Goes on reading, and connects again where it was closed, until it has come to `end`; how
    /// often it was closed.
    async fn catch_up(
        mut self,
        site: &Site,
        token: &str,
        end: Position,
    ) -> anyhow::Result<(u32, Self)> {
        let mut closes = 0;
        while self.at != end {
            match self.client.next_or_close().await {
                Ok(message) => self.take(message)?,
                Err(code) => {
                    closes += 1;
                    if code.is_some_and(|code| !reconnects(code)) {
                        bail!("closed for good: {code:?}");
                    }
                    self.client = TestClient::connect(site.address(), Some(token)).await;
                    self.client.hello(None).await;
                    let joined = self.client.subscribe(self.board, Some(self.at)).await;
                    match joined.view {
                        Some(view) => self.view = view,
                        None => joined
                            .entries
                            .iter()
                            .for_each(|entry| apply(&mut self.view, entry)),
                    }
                    self.at = Position {
                        epoch: joined.subscribed.epoch,
                        version: joined.subscribed.version,
                    };
                }
            }
        }
        Ok((closes, self))
    }

    fn take(&mut self, message: ServerMessage) -> anyhow::Result<()> {
        match message {
            ServerMessage::Batch(batch) => {
                if batch.from != self.at.version {
                    bail!("a batch from {} came at {:?}", batch.from, self.at);
                }
                batch
                    .v
                    .iter()
                    .for_each(|entry| apply(&mut self.view, entry));
                self.at.version = batch.to();
            }
            ServerMessage::Snapshot(snapshot) => {
                self.at = Position {
                    epoch: snapshot.epoch,
                    version: snapshot.version,
                };
                self.view = *snapshot.view;
            }
            _ => {}
        }
        Ok(())
    }
}

async fn connect(site: &Site, token: &str) -> anyhow::Result<TestClient> {
    let socket = TcpSocket::new_v4()?;
    socket.set_recv_buffer_size(WINDOW_BYTES)?;
    let stream = socket.connect(site.address()).await?;
    let mut client = TestClient::over(stream, token).await?;
    client.hello(None).await;
    Ok(client)
}
