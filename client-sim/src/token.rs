//! Tokens from a file, and the users that they speak for.

use std::path::Path;
use std::sync::Arc;

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

/// Reads a file with a token a line, as `boardcast token` writes it.
///
/// # Errors
/// The file cannot be read, is empty, or a line is not a token.
pub fn read(path: &Path) -> anyhow::Result<Vec<Token>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("failed to read the tokens in {}", path.display()))?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let tokens: Vec<Token> = lines
        .enumerate()
        .map(|(index, line)| {
            let user = subject(line)
                .with_context(|| format!("line {} of {} is no token", index + 1, path.display()))?;
            Ok(Token {
                text: line.into(),
                user,
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

fn subject(token: &str) -> anyhow::Result<UserId> {
    #[derive(Deserialize)]
    struct Claims {
        sub: UserId,
    }
    let payload = token.split('.').nth(1).context("it has no payload")?;
    let payload = URL_SAFE_NO_PAD.decode(payload)?;
    let claims: Claims = serde_json::from_slice(&payload)?;
    Ok(claims.sub)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_subject_is_read_without_the_key() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"sim-7","exp":1}"#);
        let user = subject(&format!("e30.{payload}.x")).unwrap();
        assert_eq!(user.as_str(), "sim-7");
        assert!(subject("no token").is_err());
    }
}
