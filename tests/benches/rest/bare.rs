//! A handler that answers with bytes that it has, and nothing else: the floor.

use axum::Router;
use axum::http::header;
use bytes::Bytes;

/// Serves until it is killed.
pub(crate) async fn serve(bytes: usize) -> anyhow::Result<()> {
    let body = Bytes::from(vec![b'x'; bytes]);
    let answer = move || {
        let body = body.clone();
        async move { ([(header::CONTENT_TYPE, "application/json")], body) }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("listening on http://{}", listener.local_addr()?);
    axum::serve(listener, Router::new().fallback(answer)).await?;
    Ok(())
}
