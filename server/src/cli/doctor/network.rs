//! What happens to requests between a browser and the server.

use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use hyper::StatusCode;
use serde::Deserialize;
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;

use boardcast_protocol::ids::ClientId;

use super::finding::{Finding, Findings, Verdict};
use super::wire::{Socket, Wire};
use crate::cli::Failure;
use crate::clock;
use crate::http::{Forwarded, Seen};

/// How long the first of some events may take where nothing holds it back.
const EVENT_WITHIN: Duration = Duration::from_millis(2_500);
/// The longest time between two pings that is waited for: what the server says is not looked at.
const PING_EVERY_MAX_MS: u64 = 10 * 60 * 1_000;
/// How far the clocks of two machines may differ before signed tokens are refused.
const CLOCK_FAULT_MS: u64 = 5_000;
const CLOCK_WARNING_MS: u64 = 1_000;
/// An address that nobody has (RFC 5737).
const CLAIMED: &str = "198.51.100.77";
/// A site that nobody has (RFC 2606).
const STRANGER: &str = "https://boardcast-doctor.invalid";

const PASS_UPGRADE: &str = "pass the upgrade of /ws on over HTTP/1.1; nginx: `proxy_http_version 1.1`, \
    `proxy_set_header Upgrade $http_upgrade`, `proxy_set_header Connection $connection_upgrade`";
const PASS_FOR: &str = "let the proxy append to X-Forwarded-For; nginx: `proxy_set_header \
    X-Forwarded-For $proxy_add_x_forwarded_for`";
const PASS_PROTO: &str = "let the proxy say how it was asked, nginx: `proxy_set_header \
    X-Forwarded-Proto $scheme`, and name it in --trusted-proxies; or set --public-url";
const TRUST: &str = "start the server with the proxy's address in --trusted-proxies";

/// Looks at all of it, as far as one thing does not need another.
pub(super) async fn examine(
    wire: &Wire,
    token: Option<&str>,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let answers = answers(wire).await;
    findings.note("answers", &answers)?;
    if answers.verdict == Verdict::Fault {
        return Ok(());
    }
    findings.note("ready", &ready(wire).await)?;
    let before = clock::now();
    let seen = match seen(wire, &[]).await {
        Ok(seen) => seen,
        Err(why) => {
            let change = "the proxy and the server are to be asked for all paths alike, and the \
                          server is to be as new as this program";
            return findings.note("requests", &Finding::fault(why, change));
        }
    };
    let now = before.0.midpoint(clock::now().0);
    findings.note("clock", &clock_of(seen.time.0, now))?;
    findings.note("address", &address(&seen))?;
    if !seen.direct {
        findings.note("claims", &claims(wire).await)?;
    }
    findings.note("credentials", &credentials(&seen))?;
    let upgrade = upgrade(wire).await;
    findings.note("upgrade", &upgrade)?;
    if upgrade.verdict == Verdict::Fine {
        let origin = origin(wire, &seen).await;
        findings.note("origin", &origin)?;
        if wire.is_tls() {
            findings.note("scheme", &scheme(&seen, origin.verdict))?;
        }
        findings.note("strangers", &strangers(wire).await)?;
    }
    findings.note("events", &events(wire).await)?;
    if upgrade.verdict == Verdict::Fine {
        let token = token.filter(|_| seen.authorization);
        findings.note("silence", &silence(wire, token, seen.ping_every_ms).await)?;
    }
    Ok(())
}

#[derive(Deserialize)]
struct Health {
    status: String,
    reason: Option<String>,
}

async fn answers(wire: &Wire) -> Finding {
    let answer = match wire.get(|_| "/healthz".to_owned(), &[]).await {
        Ok(answer) => answer,
        Err(why) => {
            let change = "see that the address is right, that the server or the proxy runs, and that \
                          nothing in between forbids it";
            return Finding::fault(why, change);
        }
    };
    let health: Option<Health> = serde_json::from_slice(&answer.body).ok();
    match health {
        Some(health) if health.status == "ok" => {
            Finding::fine(format!("{} answers", wire.origin()))
        }
        Some(_) | None => Finding::fault(
            format!("something else answers /healthz: {}", answer.detail),
            "let the proxy pass all paths to the server, and start that; where it is found below a \
             path, say so in the URL and in --public-url",
        ),
    }
}

async fn ready(wire: &Wire) -> Finding {
    let asked = wire.get(|_| "/readyz".to_owned(), &[]).await;
    let (status, body) = match asked {
        Ok(answer) => (answer.status, answer.body),
        Err(why) => return Finding::fault(why, "see the log of the proxy and of the server"),
    };
    if status == StatusCode::OK {
        return Finding::fine("the server takes work");
    }
    let health: Option<Health> = serde_json::from_slice(&body).ok();
    let why = health.and_then(|health| health.reason);
    let why = why.unwrap_or_else(|| status.to_string());
    Finding::fault(
        format!("the server takes no work: {why}"),
        "see the log of the server",
    )
}

async fn seen(wire: &Wire, headers: &[(&str, &str)]) -> Result<Seen, String> {
    let host = &wire.authority;
    let path = |here| format!("/healthz/seen?socket={here}&host={host}");
    // Not a token: what it says is looked at by nobody.
    let mut all = vec![("authorization", "Bearer doctor")];
    all.extend_from_slice(headers);
    let answer = wire.get(path, &all).await?;
    serde_json::from_slice(&answer.body)
        .map_err(|_| format!("/healthz/seen was answered: {}", answer.detail))
}

fn clock_of(server_ms: u64, here_ms: u64) -> Finding {
    let off_ms = server_ms.abs_diff(here_ms);
    let off_s = off_ms.div_ceil(1_000);
    let side = if server_ms > here_ms {
        "ahead"
    } else {
        "behind"
    };
    let what = format!("the clock of the server is {off_s} s {side} of this machine's");
    let change = "let both machines take their time from the network (NTP)";
    if off_ms >= CLOCK_FAULT_MS {
        let what = format!("{what}: tokens that are signed elsewhere end or begin at a wrong time");
        return Finding::fault(what, change);
    }
    match off_ms >= CLOCK_WARNING_MS {
        true => Finding::warning(what, change),
        false => Finding::fine("both clocks show the same time"),
    }
}

fn address(seen: &Seen) -> Finding {
    let about = "limits, logs and sessions are about what is in between, not about who asks";
    match (seen.direct, seen.forwarded_for) {
        (true, _) => Finding::fine("there is nothing in between"),
        (false, Forwarded::Believed) => Finding::fine("the server sees who asks the proxy"),
        (false, Forwarded::Ignored) => Finding::fault(
            format!("{about}: the proxy is not trusted, or X-Forwarded-For is wrong"),
            TRUST,
        ),
        (false, Forwarded::Absent) => {
            Finding::fault(format!("{about}: X-Forwarded-For does not come"), PASS_FOR)
        }
    }
}

/// Whether somebody can say to be somebody else.
async fn claims(wire: &Wire) -> Finding {
    let path = |here| format!("/healthz/seen?socket={here}&claimed={CLAIMED}");
    let headers = [("x-forwarded-for", CLAIMED)];
    let answer = wire.get(path, &headers).await;
    let seen = answer.map(|answer| serde_json::from_slice::<Seen>(&answer.body));
    match seen {
        Ok(Ok(seen)) if seen.claimed => Finding::fault(
            "whoever asks can claim any address: the proxy passes X-Forwarded-For on as it came",
            PASS_FOR,
        ),
        Ok(Ok(_)) => Finding::fine("nobody can claim another address"),
        Ok(Err(error)) => Finding::skipped(error.to_string()),
        Err(why) => Finding::skipped(why),
    }
}

fn credentials(seen: &Seen) -> Finding {
    match seen.authorization {
        true => Finding::fine("tokens of programs come through"),
        false => Finding::fault(
            "tokens of programs do not come through: `Authorization` is taken away",
            "let the proxy pass `Authorization` on, and ask for no password of its own",
        ),
    }
}

async fn upgrade(wire: &Wire) -> Finding {
    match wire.upgrade(&[]).await {
        Ok(Ok(_)) => Finding::fine("WebSockets open"),
        Ok(Err(answer)) => match answer.status {
            StatusCode::BAD_REQUEST | StatusCode::UPGRADE_REQUIRED => Finding::fault(
                format!("no WebSocket opens: {}", answer.detail),
                PASS_UPGRADE,
            ),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Finding::fault(
                format!("no WebSocket opens now: {}", answer.detail),
                "come back later, or raise the limit that docs/limits.md names",
            ),
            status => Finding::fault(
                format!(
                    "no WebSocket opens: /ws is answered {status} ({})",
                    answer.detail
                ),
                "let the proxy pass /ws on to the server, with its upgrade",
            ),
        },
        Err(why) => Finding::fault(format!("no WebSocket opens: {why}"), PASS_UPGRADE),
    }
}

/// Whether a page of `origin` may use the cookie of whoever is signed in.
async fn may_connect(wire: &Wire, origin: &str) -> Result<Option<String>, String> {
    let headers = [("origin", origin), ("cookie", "boardcast-doctor=1")];
    match wire.upgrade(&headers).await? {
        Ok(_) => Ok(None),
        Err(answer) if answer.status == StatusCode::FORBIDDEN => Ok(Some(answer.detail)),
        Err(answer) => Err(answer.detail),
    }
}

async fn origin(wire: &Wire, seen: &Seen) -> Finding {
    let own = wire.origin();
    let refused = match may_connect(wire, &own).await {
        Ok(None) => return Finding::fine(format!("pages of {own} may connect")),
        Ok(Some(refused)) => refused,
        Err(why) => return Finding::fault(why, "see the log of the server"),
    };
    let change = match (seen.host, wire.is_tls() && !seen.over_tls) {
        (false, _) => format!(
            "pass `Host` on, nginx: `proxy_set_header Host $http_host`, or start the server with \
             --public-url {own}"
        ),
        (true, true) if seen.forwarded_proto == Forwarded::Ignored => {
            format!("{TRUST}, or with --public-url {own}")
        }
        (true, true) => PASS_PROTO.to_owned(),
        (true, false) => format!("start the server with --public-url {own}"),
    };
    Finding::fault(format!("pages of {own} may not connect: {refused}"), change)
}

/// Where pages may connect all the same, `--public-url` says that they come over TLS.
fn scheme(seen: &Seen, origin: Verdict) -> Finding {
    let (what, change) = match (seen.over_tls, seen.forwarded_proto) {
        (true, _) => return Finding::fine("the server knows that it is asked over TLS"),
        (false, Forwarded::Absent) => ("X-Forwarded-Proto does not come", PASS_PROTO),
        (false, Forwarded::Ignored | Forwarded::Believed) => {
            ("X-Forwarded-Proto does not count", TRUST)
        }
    };
    let what = format!("the server does not know that it is asked over TLS: {what}");
    match origin {
        Verdict::Fine => Finding::warning(what, change),
        Verdict::Warning | Verdict::Fault | Verdict::Skipped => Finding::fault(what, change),
    }
}

async fn strangers(wire: &Wire) -> Finding {
    match may_connect(wire, STRANGER).await {
        Ok(Some(_)) => Finding::fine("pages of other sites may not connect"),
        Ok(None) => Finding::fault(
            "pages of any site may connect with the cookie of whoever is signed in",
            "let the proxy pass `Origin` on as it is",
        ),
        Err(why) => Finding::skipped(why),
    }
}

async fn events(wire: &Wire) -> Finding {
    match wire.first_event("/healthz/events", EVENT_WITHIN).await {
        Ok(true) => Finding::fine("events come as they happen"),
        Ok(false) => Finding::fault(
            "events are held back: the proxy gathers what passes",
            "let the proxy send on what comes, nginx: `proxy_buffering off`",
        ),
        Err(why) => Finding::fault(
            format!("no events come: {why}"),
            "let the proxy pass all paths to the server",
        ),
    }
}

/// Opens a WebSocket and says nothing between two pings of the server, the longest silence there is.
async fn silence(wire: &Wire, token: Option<&str>, ping_every_ms: u64) -> Finding {
    let Some(token) = token else {
        return Finding::skipped(
            "no connection was watched for its silence: that needs a token that comes through (--token)",
        );
    };
    let every_s = ping_every_ms.div_ceil(1_000);
    let Some(patience) = patience(ping_every_ms) else {
        return Finding::skipped(format!(
            "no connection was watched for its silence: the server pings each {every_s} s"
        ));
    };
    let bearer = format!("Bearer {token}");
    let socket = match wire.upgrade(&[("authorization", bearer.as_str())]).await {
        Ok(Ok(socket)) => socket,
        Ok(Err(answer)) => {
            let change = "give a token of this server in --token";
            return Finding::fault(format!("no connection opens: {}", answer.detail), change);
        }
        Err(why) => return Finding::fault(why, PASS_UPGRADE),
    };
    match watch(socket, patience).await {
        Ok(()) => Finding::fine(format!(
            "a connection outlasts the {every_s} s between two pings"
        )),
        Err(Cut::Silent { after_ms }) => Finding::fault(
            format!(
                "a connection is cut after {:.1} s of silence, and the server pings each {every_s} s",
                Duration::from_millis(after_ms).as_secs_f64()
            ),
            format!(
                "let the proxy wait for longer, nginx: `proxy_read_timeout {}s` and \
                 `proxy_send_timeout` alike, or ping more often with --ping-every-ms",
                3 * every_s
            ),
        ),
        Err(Cut::Closed(code)) => Finding::fault(
            format!("the connection was closed with {code}"),
            "docs/protocol.md says what the code means",
        ),
        Err(Cut::NoPing) => Finding::fault(
            "the pings of the server do not come",
            "let the proxy pass all frames of a WebSocket on, those of control as well",
        ),
    }
}

enum Cut {
    Silent { after_ms: u64 },
    Closed(u16),
    NoPing,
}

/// How long two pings are waited for; `None` where that is not worth the wait.
fn patience(ping_every_ms: u64) -> Option<Duration> {
    let is_worth = ping_every_ms <= PING_EVERY_MAX_MS;
    is_worth.then(|| Duration::from_millis(2 * ping_every_ms + 10_000))
}

async fn watch(mut socket: Socket, patience: Duration) -> Result<(), Cut> {
    let client = ClientId::from_u128(rand::random());
    let hello = serde_json::json!({"type": "hello", "v": 1, "client": client, "agent": "doctor"});
    let mut heard = Instant::now();
    let silent = |heard: Instant| {
        let after_ms = u64::try_from(heard.elapsed().as_millis()).unwrap_or(u64::MAX);
        Cut::Silent { after_ms }
    };
    let sent = socket.send(Message::text(hello.to_string())).await;
    sent.map_err(|_| silent(heard))?;
    let until = heard + patience;
    let mut pings = 0;
    while pings < 2 {
        let message = timeout_at(until, socket.next()).await;
        match message.map_err(|_| Cut::NoPing)? {
            Some(Ok(Message::Close(frame))) => {
                return Err(Cut::Closed(frame.map_or(1005, |frame| frame.code.into())));
            }
            Some(Ok(message)) => pings += u8::from(message.is_ping()),
            Some(Err(_)) | None => return Err(silent(heard)),
        }
        heard = Instant::now();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_server_says_of_its_pings_the_wait_has_an_end() {
        assert_eq!(patience(25_000), Some(Duration::from_secs(60)));
        for ms in [PING_EVERY_MAX_MS + 1, u64::MAX] {
            assert_eq!(patience(ms), None);
        }
    }

    #[test]
    fn clocks_may_differ_by_a_second_and_not_by_five() {
        for (server_ms, verdict) in [
            (1_000_000, Verdict::Fine),
            (1_000_999, Verdict::Fine),
            (1_001_000, Verdict::Warning),
            (995_001, Verdict::Warning),
            (995_000, Verdict::Fault),
            (1_005_000, Verdict::Fault),
        ] {
            let finding = clock_of(server_ms, 1_000_000);
            assert_eq!(finding.verdict, verdict, "{server_ms}: {finding:?}");
        }
    }
}
