//! Tokens from a file, and the users that they speak for.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use boardcast_protocol::ids::UserId;
use serde::Deserialize;

/// A token and its user.
#[derive(Clone, Debug)]
pub struct Token {
    /// The token as it stands in the file.
    pub text: Arc<str>,
    /// The subject that it names; the server checks the signature.
    pub user: UserId,
}

/// Reads a file with a token a line, as `boardcast token` writes it, for a run that takes up to
/// `lasting`.
///
/// # Errors
/// The file cannot be read, is empty, a line is not a token, or one ends before the run does.
pub fn read(path: &Path, lasting: Duration) -> anyhow::Result<Vec<Token>> {
    let end = SystemTime::now() + lasting;
    let end = end.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read the tokens in {}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let tokens: Vec<Token> = lines
        .enumerate()
        .map(|(index, line)| {
            let place = || format!("line {} of {}", index + 1, path.display());
            let claims = claims(line).with_context(|| format!("{} is no token", place()))?;
            if claims.exp < end {
                bail!(
                    "the token in {} ends before the run may, which takes up to {} s: write tokens \
                     that last with `boardcast token --ttl 2h`",
                    place(),
                    lasting.as_secs()
                );
            }
            Ok(Token {
                text: line.into(),
                user: claims.sub,
            })
        })
        .collect::<anyhow::Result<_>>()?;
    if tokens.is_empty() {
        bail!(
            "{} holds no token; write one with `boardcast token --data-dir DIR --user sim`",
            path.display()
        );
    }
    Ok(tokens)
}

#[derive(Debug, Deserialize)]
struct Claims {
    sub: UserId,
    /// Seconds since 1970.
    #[serde(default = "never")]
    exp: u64,
}

fn never() -> u64 {
    u64::MAX
}

fn claims(token: &str) -> anyhow::Result<Claims> {
    let payload = token.split('.').nth(1).context("it has no payload")?;
    let payload = URL_SAFE_NO_PAD.decode(payload)?;
    Ok(serde_json::from_slice(&payload)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_claims_are_read_without_the_key() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"sim-7","exp":1}"#);
        let claims = claims(&format!("e30.{payload}.x")).unwrap();
        assert_eq!((claims.sub.as_str(), claims.exp), ("sim-7", 1));
        assert!(super::claims("no token").is_err());
    }

    #[test]
    fn a_token_that_ends_before_the_run_is_told_before_it_begins() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tokens");
        let in_an_hour = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
            + 3_600;
        let payload = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"sim-7","exp":{in_an_hour}}}"#));
        std::fs::write(&file, format!("e30.{payload}.x\n")).unwrap();
        assert_eq!(read(&file, Duration::from_secs(60)).unwrap().len(), 1);
        let told = read(&file, Duration::from_secs(3_700)).unwrap_err();
        assert!(told.to_string().contains("--ttl"), "{told}");
    }
}
