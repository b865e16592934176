//! The HTTP client that a store is spoken to with: hyper and rustls, which the server has anyway.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector as TcpConnector;
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use tokio::time::{Instant, Sleep, sleep, timeout};
use tokio_rustls::rustls::ClientConfig;

use crate::trust;

/// Connections that wait for the next request, and how long.
const IDLE_MAX: usize = 16;
const IDLE: Duration = Duration::from_secs(30);

/// Makes clients whose requests have a time by which they end.
#[derive(Debug)]
pub(super) struct Connector {
    tls: ClientConfig,
    limit: Duration,
}

impl Connector {
    /// Trusts the certificates of a file, or those that browsers know.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub(super) fn new(ca: Option<&Path>, limit: Duration) -> Result<Self, String> {
        let tls = trust::client(ca).map_err(|why| match ca {
            Some(ca) => format!("`s3_ca` is {}: {why}", ca.display()),
            None => why,
        })?;
        Ok(Self { tls, limit })
    }
}

impl HttpConnector for Connector {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        let mut tcp = TcpConnector::new();
        // The one around it looks at the scheme.
        tcp.enforce_http(false);
        tcp.set_connect_timeout(Some(self.limit));
        tcp.set_nodelay(true);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(self.tls.clone())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .pool_max_idle_per_host(IDLE_MAX)
            .build(connector);
        Ok(HttpClient::new(Bounded {
            client,
            limit: self.limit,
        }))
    }
}

/// A client whose requests end in time.
#[derive(Debug)]
struct Bounded {
    client: Client<HttpsConnector<TcpConnector>, HttpRequestBody>,
    limit: Duration,
}

#[async_trait]
impl HttpService for Bounded {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let answered = timeout(self.limit, self.client.request(request)).await;
        let answer = match answered {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return Err(failed(error)),
            Err(_) => return Err(late(self.limit)),
        };
        let limit = self.limit;
        Ok(answer.map(|body| {
            HttpResponseBody::new(Answer {
                body,
                limit,
                waiting: None,
            })
        }))
    }
}

fn failed(error: Error) -> HttpError {
    let kind = match error.is_connect() {
        true => HttpErrorKind::Connect,
        // It may have been done: only what may be done twice is tried again.
        false => HttpErrorKind::Interrupted,
    };
    HttpError::new(kind, error)
}

fn late(limit: Duration) -> HttpError {
    let what = format!("the store did not answer within {} ms", limit.as_millis());
    HttpError::new(
        HttpErrorKind::Timeout,
        io::Error::new(io::ErrorKind::TimedOut, what),
    )
}

/// The body of an answer, which is given up where nothing comes for too long. Time in which nobody asks
/// for more does not count.
struct Answer {
    body: Incoming,
    limit: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

impl Body for Answer {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        let this = self.get_mut();
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(context) {
            this.waiting = None;
            return Poll::Ready(frame.map(|frame| {
                frame.map_err(|error| HttpError::new(HttpErrorKind::Interrupted, error))
            }));
        }
        let limit = this.limit;
        let waiting = this.waiting.get_or_insert_with(|| Box::pin(sleep(limit)));
        match waiting.as_mut().poll(context) {
            Poll::Ready(()) => {
                // Whoever asks again waits again.
                waiting.as_mut().reset(Instant::now() + limit);
                Poll::Ready(Some(Err(late(limit))))
            }
            Poll::Pending => Poll::Pending,
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
