//! A server with cards that have files, in the store of the test that uses it.

use std::path::PathBuf;

use boardcast::config::Config;
use boardcast_protocol::ids::{AttachmentId, BoardId};
use boardcast_tests::harness::TestServer;
use boardcast_tests::http::{Answer, send};
use boardcast_tests::scene::Scene;
use serde_json::{Value, json};

use super::Store;

/// A server with a board of `ann` that has the cards `c1` and `c2`.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) ann: String,
    pub(super) board: String,
    pub(super) store: Store,
}

impl Stage {
    pub(super) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(super) async fn with(change: impl FnOnce(&mut Config)) -> Self {
        Self::in_store(Store::new().await, change).await
    }

    pub(super) async fn in_store(store: Store, change: impl FnOnce(&mut Config)) -> Self {
        let scene = Scene::with(|config| {
            store.configure(config);
            change(config);
        });
        let scene = scene.await;
        let ann = scene.server.token("ann");
        let board = board(&scene, &ann).await;
        Self {
            scene,
            ann,
            board,
            store,
        }
    }

    /// The same on a server that was stopped and started again.
    pub(super) async fn restart(self) -> Self {
        let data = self.scene.server.stop().await;
        let server = TestServer::over_with(data, |config| self.store.configure(config)).await;
        let ann = server.token("ann");
        Self {
            scene: Scene { server },
            ann,
            ..self
        }
    }

    /// Where the objects of the store are as files.
    pub(super) fn root(&self) -> PathBuf {
        self.store.root(self.scene.server.data_dir())
    }

    /// How much there is of files that are not whole.
    pub(super) fn incoming(&self) -> usize {
        self.store.incoming(self.scene.server.data_dir())
    }

    pub(super) fn url(&self, path: &str) -> String {
        self.scene.server.url(path)
    }

    /// The place to which files of a card are sent.
    pub(super) fn place(&self, card: &str, name: &str) -> String {
        format!("{}/cards/{card}/attachments?name={name}", self.board)
    }

    pub(super) async fn ask(
        &self,
        method: &str,
        path: &str,
        token: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("authorization", bearer.as_str())];
        all.extend(headers);
        send(method, &self.url(path), &all, body.to_vec()).await
    }

    /// Attaches bytes as Ann.
    pub(super) async fn attach(&self, card: &str, name: &str, body: &[u8]) -> Answer {
        let place = self.place(card, name);
        self.ask("POST", &place, &self.ann, &[], body).await
    }

    /// Attaches bytes, which must succeed; the path of the file.
    pub(super) async fn attached(&self, card: &str, name: &str, body: &[u8]) -> String {
        let made = self.attach(card, name, body).await;
        assert_eq!(made.status, 201, "{made:?}");
        made.header("location").expect("a place").to_owned()
    }

    pub(super) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &self.ann, &[], &[]).await
    }

    /// A card, as programs see it.
    pub(super) async fn card(&self, card: &str) -> Value {
        let read = self.get(&format!("{}/cards/{card}", self.board)).await;
        assert_eq!(read.status, 200, "{read:?}");
        read.json()
    }

    pub(super) async fn add(&self, user: &str, role: &str) {
        let body = json!({"user": user, "role": role});
        let path = format!("{}/members", self.board);
        let added = (self.scene)
            .bear("POST", &path, &self.ann, Some(&body))
            .await;
        assert_eq!(added.status, 201, "{added:?}");
    }

    /// Sends commands as Ann.
    pub(super) async fn commands(&self, commands: Value) {
        let path = format!("{}/commands", self.board);
        let body = json!({"commands": commands});
        let done = (self.scene)
            .bear("POST", &path, &self.ann, Some(&body))
            .await;
        assert_eq!(done.status, 200, "{done:?}");
    }

    /// Hashes of all files in the store.
    pub(super) fn files(&self) -> Vec<String> {
        let root = self.root();
        let mut found = Vec::new();
        for folder in std::fs::read_dir(root).expect("the store") {
            let folder = folder.expect("a folder").path();
            let name = folder.file_name().and_then(|name| name.to_str());
            if name.is_some_and(|name| name.len() == 2) {
                let files = std::fs::read_dir(folder).expect("files");
                found.extend(files.map(|file| {
                    let name = file.expect("a file").file_name();
                    name.to_str().expect("a name").to_owned()
                }));
            }
        }
        found.sort();
        found
    }

    /// Where the only file is.
    pub(super) fn only_file(&self) -> PathBuf {
        let files = self.files();
        let [file] = files.as_slice() else {
            panic!("not one file: {files:?}");
        };
        self.root().join(&file[..2]).join(file)
    }
}

/// Makes a board with the cards `c1` and `c2`; its path.
pub(super) async fn board(scene: &Scene, token: &str) -> String {
    let title = json!({"title": "Plans"});
    let made = scene
        .bear("POST", "/api/v1/boards", token, Some(&title))
        .await;
    let id = made.json()["board"].as_str().expect("a board").to_owned();
    let path = format!("/api/v1/boards/{id}");
    let cards = json!({"commands": [
        {"type": "column.create", "column": "todo", "title": "To do"},
        {"type": "card.create", "card": "c1", "column": "todo", "title": "One"},
        {"type": "card.create", "card": "c2", "column": "todo", "title": "Two"},
    ]});
    let commands = format!("{path}/commands");
    let done = scene.bear("POST", &commands, token, Some(&cards)).await;
    assert_eq!(done.status, 200, "{done:?}");
    path
}

/// The ids in the path of a file.
pub(super) fn ids(path: &str) -> (BoardId, AttachmentId) {
    let mut parts = path.split('/').skip(4);
    let board = parts.next().expect("a board").parse().expect("an id");
    let attachment = parts.nth(1).expect("an attachment");
    (board, attachment.parse().expect("an id"))
}

/// Bytes that no text is.
pub(super) fn noise(count: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[0]
    };
    (0..count).map(|_| next()).collect()
}
