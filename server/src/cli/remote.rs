//! A server that runs, as commands see it.

use std::fmt::Display;
use std::fs::File;
use std::io::{Read, copy};
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use ureq::http::Response;
use ureq::{Agent, Body, SendBody};

use boardcast_protocol::ids::{BoardId, UserId};

use super::Failure;
use crate::http::admin::{Added, PasswordLink, PeoplePage};
use crate::import::{ExportFormat, FileFormat, ImportAnswer};

/// Largest answer that is read: an export of the largest board.
const ANSWER_MAX_BYTES: u64 = 4 * 1_024 * 1_024 * 1_024;

/// How long an administrator waits for an answer.
const ADMIN_TIMEOUT: Duration = Duration::from_secs(10);

/// A server that runs.
pub(super) struct Remote {
    agent: Agent,
    server: String,
    token: String,
}

#[derive(Deserialize)]
struct Problem {
    detail: String,
}

impl Remote {
    pub(super) fn new(server: &str, token: &str) -> Result<Self, Failure> {
        let server = server.trim_end_matches('/');
        if !server.starts_with("http://") && !server.starts_with("https://") {
            let hint = format!("{server:?} is not a server such as http://127.0.0.1:8080");
            return Err(Failure::usage(hint));
        }
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_connect(Some(Duration::from_secs(10)))
            .build();
        Ok(Self {
            agent: agent.into(),
            server: server.to_owned(),
            token: token.to_owned(),
        })
    }

    /// Sends a file to be imported.
    pub(super) fn import(
        &self,
        format: FileFormat,
        file: &mut impl Read,
    ) -> Result<ImportAnswer, String> {
        let url = format!("{}/api/v1/import?format={}", self.server, format.name());
        let request = self.agent.post(url).header("Authorization", self.bearer());
        let request = request.header("Content-Type", "application/json");
        let answer = request.send(SendBody::from_reader(file));
        let text = self.read(answer)?;
        serde_json::from_slice(&text).map_err(|error| self.strange(&error))
    }

    /// Gets a board as a file.
    pub(super) fn export(&self, board: BoardId, format: ExportFormat) -> Result<Vec<u8>, String> {
        let url = format!("{}/api/v1/boards/{board}/{}", self.server, format.path());
        let request = self.agent.get(url).header("Authorization", self.bearer());
        self.read(request.call())
    }

    /// Writes a backup of all boards to `file`; its size.
    pub(super) fn backup(&self, file: &mut File) -> Result<u64, String> {
        let failed = |error: &dyn Display| format!("failed to get a backup: {error}");
        let url = format!("{}/api/v1/backup", self.server);
        let request = self.agent.get(url).header("Authorization", self.bearer());
        let mut answer = request.call().map_err(|error| failed(&error))?;
        if !answer.status().is_success() {
            return self.read(Ok(answer)).map(|_| 0);
        }
        let length = answer.headers().get("content-length");
        let length = length.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
        let mut body = answer.body_mut().as_reader();
        let bytes = copy(&mut body, file).map_err(|error| failed(&error))?;
        match length {
            Some(length) if length == bytes => Ok(bytes),
            _ => Err(failed(&"it was cut off; try again")),
        }
    }

    /// Sends a backup that takes the place of all boards.
    pub(super) fn restore(&self, file: File) -> Result<(), String> {
        let url = format!("{}/api/v1/restore", self.server);
        let request = self.agent.post(url).header("Authorization", self.bearer());
        let request = request.header("Content-Type", "application/octet-stream");
        self.read(request.send(SendBody::from_owned_reader(file)))
            .map(drop)
    }

    /// Gets what an administrator sees, as JSON.
    pub(super) fn admin(&self, what: &str) -> Result<String, String> {
        let url = format!("{}/api/v1/admin/{what}", self.server);
        let request = self.agent.get(url).header("Authorization", self.bearer());
        let request = request.config().timeout_global(Some(ADMIN_TIMEOUT)).build();
        let text = self.read(request.call())?;
        String::from_utf8(text).map_err(|_| format!("{} answered what is not text", self.server))
    }

    /// Makes an account.
    pub(super) fn add_user(&self, person: &serde_json::Value) -> Result<Added, String> {
        self.post_json("users", Some(person))
    }

    /// Gets a page of accounts.
    pub(super) fn users(&self, after: Option<UserId>) -> Result<PeoplePage, String> {
        let after = after.map_or(String::new(), |user| format!("&after={user}"));
        let text = self.admin(&format!("users?limit=200{after}"))?;
        serde_json::from_str(&text).map_err(|error| self.strange(&error))
    }

    /// Disables or enables an account.
    pub(super) fn set_disabled(&self, user: UserId, disabled: bool) -> Result<(), String> {
        let url = format!("{}/api/v1/admin/users/{user}", self.server);
        let request = self.agent.patch(url).header("Authorization", self.bearer());
        let request = request.header("Content-Type", "application/json");
        let body = serde_json::json!({ "disabled": disabled }).to_string();
        self.read(request.send(body)).map(drop)
    }

    /// Gets a link that sets a password.
    pub(super) fn reset_user(&self, user: UserId) -> Result<PasswordLink, String> {
        self.post_json(&format!("users/{user}/links"), None)
    }

    /// Where the server is.
    pub(super) fn url(&self) -> &str {
        &self.server
    }

    fn post_json<T: DeserializeOwned>(
        &self,
        what: &str,
        body: Option<&serde_json::Value>,
    ) -> Result<T, String> {
        let url = format!("{}/api/v1/admin/{what}", self.server);
        let request = self.agent.post(url).header("Authorization", self.bearer());
        let answer = match body {
            Some(body) => request
                .header("Content-Type", "application/json")
                .send(body.to_string()),
            None => request.send_empty(),
        };
        let text = self.read(answer)?;
        serde_json::from_slice(&text).map_err(|error| self.strange(&error))
    }

    fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    fn strange(&self, error: &serde_json::Error) -> String {
        format!(
            "{} answered what this program does not know: {error}",
            self.server
        )
    }

    fn read(&self, answer: Result<Response<Body>, ureq::Error>) -> Result<Vec<u8>, String> {
        let failed = |error| format!("failed to ask {}: {error}", self.server);
        let mut answer = answer.map_err(failed)?;
        let status = answer.status();
        let body = answer.body_mut().with_config().limit(ANSWER_MAX_BYTES);
        let text = body.read_to_vec().map_err(failed)?;
        if status.is_success() {
            return Ok(text);
        }
        let detail = serde_json::from_slice(&text).map(|problem: Problem| problem.detail);
        Err(detail.unwrap_or_else(|_| format!("{} answered {status}", self.server)))
    }
}
