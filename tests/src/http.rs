//! One request over HTTP, and what came back.

use serde_json::Value;
use ureq::tls::TlsConfig;

/// What a server answered.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Names in small letters.
    pub headers: Vec<(String, String)>,
    /// The body: what had come of it, and why no more.
    body: Result<Vec<u8>, String>,
}

impl Answer {
    /// The first header of this name, in small letters.
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// `Set-Cookie`.
    pub fn cookie(&self) -> Option<&str> {
        self.header("set-cookie")
    }

    /// The cookie as a browser sends it back.
    ///
    /// # Panics
    /// None was set.
    pub fn sent_back(&self) -> String {
        let cookie = self.cookie().expect("a cookie");
        cookie.split(';').next().expect("a value").to_owned()
    }

    /// `Retry-After`.
    pub fn retry_after(&self) -> Option<&str> {
        self.header("retry-after")
    }

    /// `Content-Type`; empty where there is none.
    pub fn media_type(&self) -> &str {
        self.header("content-type").unwrap_or_default()
    }

    /// `ETag`.
    ///
    /// # Panics
    /// There is none.
    pub fn tag(&self) -> String {
        self.header("etag").expect("a tag").to_owned()
    }

    /// Whether the body came to its end.
    pub fn is_whole(&self) -> bool {
        self.body.is_ok()
    }

    /// The body.
    ///
    /// # Panics
    /// It broke off.
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().expect("a whole body")
    }

    /// The body.
    ///
    /// # Panics
    /// It broke off, or is no text.
    pub fn text(&self) -> &str {
        std::str::from_utf8(self.body()).expect("text")
    }

    /// The body.
    ///
    /// # Panics
    /// It is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(self.body()).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// What a problem says that would be right.
    ///
    /// # Panics
    /// It is no problem, or has no hint.
    pub fn hint(&self) -> String {
        assert_eq!(self.media_type(), "application/problem+json", "{self:?}");
        let problem = self.json();
        assert_eq!(problem["status"], self.status);
        let hint = problem["detail"].as_str().expect("a hint");
        assert!(!hint.is_empty(), "{problem}");
        hint.to_owned()
    }

    /// The name of a problem, which has a hint as well.
    ///
    /// # Panics
    /// It is no problem, or has no hint.
    pub fn problem(&self) -> String {
        self.hint();
        let problem = self.json();
        let name = problem["type"].as_str().expect("a type");
        name.strip_prefix("/api/#").expect("a place").to_owned()
    }
}

/// Sends a request with this body as it is. The body of the answer may have 64 MiB.
///
/// # Panics
/// There is no answer.
pub async fn send(method: &str, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Answer {
    send_over(TlsConfig::default(), method, url, headers, body).await
}

async fn send_over(
    tls: TlsConfig,
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Vec<u8>,
) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body).expect("a request");
    let asked = tokio::task::spawn_blocking(move || {
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .tls_config(tls)
            .allow_non_standard_methods(true);
        let agent: ureq::Agent = config.build().into();
        let mut answer = agent.run(request).expect("an answer");
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| {
            let value = value.to_str().expect("a header").to_owned();
            (name.as_str().to_owned(), value)
        });
        let headers = headers.collect();
        let body = answer
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec();
        Answer {
            status: answer.status().as_u16(),
            headers,
            body: body.map_err(|error| error.to_string()),
        }
    });
    asked.await.expect("an answer")
}

/// Sends a request with these headers and, if there is one, this body as JSON, unless a header
/// says that it is something else.
///
/// # Panics
/// There is no answer.
pub async fn ask(
    url: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    ask_over(TlsConfig::default(), url, method, headers, body).await
}

/// The same with these rules of TLS.
///
/// # Panics
/// There is no answer.
pub async fn ask_over(
    tls: TlsConfig,
    url: &str,
    method: &str,
    headers: &[(&str, &str)],
    body: Option<&Value>,
) -> Answer {
    let mut headers = headers.to_vec();
    let has_type = (headers.iter()).any(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    if body.is_some() && !has_type {
        headers.push(("content-type", "application/json"));
    }
    let body = body.map(Value::to_string).unwrap_or_default();
    send_over(tls, method, url, &headers, body.into_bytes()).await
}
