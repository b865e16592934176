//! Lists of commands: all or nothing, or one by one.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use boardcast_protocol::board::{Conflict, Reason};
use boardcast_protocol::command::Command;
use boardcast_protocol::ids::BoardId;
use boardcast_protocol::limits::SUBMIT_COMMANDS_MAX;
use boardcast_protocol::position::Version;

use super::extract::Ids;
use super::fields;
use super::thing::Thing;
use super::write::{Writer, commands_json, condition, durable, outcome, refusal, stale};
use crate::http::App;
use crate::http::problem::Problem;
use crate::http::sent::Sent;
use crate::room::RequestRefused;

/// How a list is applied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum Mode {
    /// All or nothing, as one version.
    #[default]
    All,
    /// One by one, each as a version of its own; one that is rejected does not hold up the others.
    Each,
}

/// Commands of the protocol, in their order.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Commands {
    /// 1 to 100 of them; one that makes a thing may leave its id to the server.
    #[schemars(with = "Vec<Command>")]
    commands: Vec<Map<String, Value>>,
    #[serde(default)]
    mode: Mode,
}

/// What became of them.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Answer {
    board: BoardId,
    /// The last version that they made.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    /// One for each command.
    results: Vec<Outcome>,
}

/// What became of one command.
#[derive(Debug, Serialize, JsonSchema)]
struct Outcome {
    /// What it is about or has made.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    /// `accepted`, `no_change`, `rejected` or `busy`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<Version>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<Reason>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conflict: Option<Box<Conflict>>,
}

/// Applies commands and answers when what they made is on disk.
pub(super) async fn submit(
    State(app): State<App>,
    writer: Writer,
    Ids(board): Ids<BoardId>,
    Sent(sent): Sent<Commands>,
) -> Result<Json<Answer>, Problem> {
    let count = sent.commands.len();
    if !(1..=SUBMIT_COMMANDS_MAX).contains(&count) {
        let hint = format!("`commands` holds 1 to {SUBMIT_COMMANDS_MAX} commands");
        return Err(invalid(hint));
    }
    let (mut cmds, mut ids) = (Vec::with_capacity(count), Vec::with_capacity(count));
    for (index, command) in sent.commands.into_iter().enumerate() {
        let (cmd, id) = read(&writer, index, command)?;
        cmds.push(cmd);
        ids.push(id);
    }
    match sent.mode {
        Mode::All => all(&app, &writer, board, cmds, ids).await.map(Json),
        Mode::Each if writer.onto.is_asked() => Err(invalid(
            "`If-Match` goes with `\"mode\": \"all\"`".to_owned(),
        )),
        Mode::Each => each(&app, &writer, board, cmds, ids).await.map(Json),
    }
}

async fn all(
    app: &App,
    writer: &Writer,
    board: BoardId,
    cmds: Vec<Command>,
    ids: Vec<Option<String>>,
) -> Result<Answer, Problem> {
    writer.take(app, cmds.len())?;
    let mine = writer.onto.is_asked().then(|| commands_json(&cmds));
    let onto = mine
        .is_some()
        .then(|| condition(Thing::Board, writer.onto.clone()));
    let decided = writer.decide(app, board, 0, cmds, onto).await?;
    let decided = decided.map_err(|refused| {
        if let RequestRefused::Stale(theirs) = refused {
            stale(mine.unwrap_or_default(), theirs)
        } else {
            refusal(refused)
        }
    })?;
    let version = decided.version;
    durable(decided.durable).await?;
    let result = |id| Outcome::of(id, version);
    Ok(Answer {
        board,
        version,
        results: ids.into_iter().map(result).collect(),
    })
}

async fn each(
    app: &App,
    writer: &Writer,
    board: BoardId,
    cmds: Vec<Command>,
    ids: Vec<Option<String>>,
) -> Result<Answer, Problem> {
    writer.take(app, cmds.len())?;
    let mut results: Vec<Outcome> = Vec::with_capacity(cmds.len());
    let (mut last, mut wait) = (None, None);
    // After one that was not looked at, none is: order is kept.
    let mut held_up = None;
    for (part, (cmd, id)) in cmds.into_iter().zip(ids).enumerate() {
        if let Some(hint) = &held_up {
            results.push(Outcome::busy(id, String::clone(hint)));
            continue;
        }
        match writer.decide(app, board, part, vec![cmd], None).await? {
            Ok(decided) => {
                last = decided.version.or(last);
                wait = Some(decided.durable);
                results.push(Outcome::of(id, decided.version));
            }
            Err(RequestRefused::Rejected(rejection)) => results.push(Outcome {
                reason: Some(rejection.reason),
                hint: Some(rejection.hint),
                conflict: rejection.conflict,
                ..Outcome::named(id, "rejected")
            }),
            Err(refused) if part == 0 => return Err(refusal(refused)),
            Err(refused) => {
                let hint = "it was not looked at; send the list again with its key";
                let key_reused = refused == RequestRefused::KeyReused;
                let hint = if key_reused {
                    "the key was used for another list"
                } else {
                    hint
                };
                results.push(Outcome::busy(id, hint.to_owned()));
                held_up = Some(hint.to_owned());
            }
        }
    }
    if let Some(wait) = wait {
        durable(wait).await?;
    }
    Ok(Answer {
        board,
        version: last,
        results,
    })
}

impl Outcome {
    fn named(id: Option<String>, outcome: &'static str) -> Self {
        Self {
            id,
            outcome,
            version: None,
            reason: None,
            hint: None,
            conflict: None,
        }
    }

    fn of(id: Option<String>, version: Option<Version>) -> Self {
        Self {
            version,
            ..Self::named(id, outcome(version))
        }
    }

    fn busy(id: Option<String>, hint: String) -> Self {
        Self {
            hint: Some(hint),
            ..Self::named(id, "busy")
        }
    }
}

/// A command and the id of what it is about. One that makes a thing may leave the id to the server.
fn read(
    writer: &Writer,
    index: usize,
    mut sent: Map<String, Value>,
) -> Result<(Command, Option<String>), Problem> {
    let wrong = |what: String| invalid(format!("command {}: {what}", index + 1));
    let kind = sent.get("type").and_then(Value::as_str).unwrap_or_default();
    let kind = kind.to_owned();
    let (noun, verb) = kind.split_once('.').unwrap_or_default();
    let noun = match noun {
        "member" => "user",
        noun => noun,
    };
    let makes = verb == "create" || kind == "attachment.add";
    if makes && !sent.contains_key(noun) {
        let id = writer.key.id(writer.identity.actor.user, index);
        let id = boardcast_protocol::ids::CardId::from_u128(id);
        sent.insert(noun.to_owned(), id.as_str().into());
    }
    let id = sent.get(noun).and_then(Value::as_str).map(str::to_owned);
    let sent = Value::Object(sent);
    let cmd = Command::deserialize(&sent).map_err(|error| wrong(error.to_string()))?;
    match fields::unknown(&kind, &sent) {
        None => Ok((cmd, id)),
        Some(path) => Err(wrong(format!("`{path}` is not a field of `{kind}`"))),
    }
}

fn invalid(hint: String) -> Problem {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, hint)
}
