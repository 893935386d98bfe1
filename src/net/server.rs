//! The accept loop: HTTP/1.1 by hyper under an axum router, with a bound on connections, a time
//! limit for request heads, optional TLS, and a drain at the end.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use rustls::ServerConfig;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::refusal::Refusing;

/// Bounds of a server.
#[derive(Clone)]
pub struct ServeOptions {
    /// Connections at once; more wait in the listen queue.
    pub connections_max: usize,
    /// Time for a client to send a request's head, and for the TLS handshake.
    pub header_read_timeout: Duration,
    /// Time that requests under way get to end at shutdown.
    pub drain: Duration,
    /// TLS, if any.
    pub tls: Option<Arc<ServerConfig>>,
}

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Served {
    /// Every request under way was answered.
    Drained,
    /// Some connections were cut when the drain time was over.
    Cut,
}

impl Default for ServeOptions {
    fn default() -> Self {
        Self {
            connections_max: 1_024,
            header_read_timeout: Duration::from_secs(10),
            drain: Duration::from_secs(10),
            tls: None,
        }
    }
}

/// Serves until `shutdown` is done, then lets requests under way end.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()>,
    options: ServeOptions,
) -> Served {
    let acceptor = options.tls.clone().map(TlsAcceptor::from);
    let graceful = GracefulShutdown::new();
    let free = Arc::new(Semaphore::new(options.connections_max));
    let mut connections = JoinSet::new();
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let (stream, permit) = tokio::select! {
            accepted = accept(&listener, &free) => accepted,
            // Finished tasks are collected, so that the set stays as small as its connections.
            Some(_) = connections.join_next() => continue,
            () = &mut shutdown => break,
        };
        let connection = Connection {
            app: app.clone(),
            watcher: graceful.watcher(),
            header_read_timeout: options.header_read_timeout,
            _permit: permit,
        };
        connections.spawn(connection.run(stream, acceptor.clone()));
    }
    drop(listener);
    match tokio::time::timeout(options.drain, graceful.shutdown()).await {
        Ok(()) => Served::Drained,
        Err(_) => {
            connections.shutdown().await;
            Served::Cut
        }
    }
}

/// The next connection, once there is room for one.
async fn accept(
    listener: &TcpListener,
    free: &Arc<Semaphore>,
) -> (TcpStream, OwnedSemaphorePermit) {
    let permit = free.clone().acquire_owned().await.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return (stream, permit),
            Err(error) => {
                // Out of file descriptors, or the peer went: passes by itself.
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

struct Connection {
    app: Router,
    watcher: Watcher,
    header_read_timeout: Duration,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    async fn run(self, stream: TcpStream, acceptor: Option<TlsAcceptor>) {
        // Answers are written whole; waiting for more to send only adds latency.
        let _ = stream.set_nodelay(true);
        let Some(acceptor) = acceptor else { return self.http(stream).await };
        match tokio::time::timeout(self.header_read_timeout, acceptor.accept(stream)).await {
            Ok(Ok(stream)) => self.http(stream).await,
            Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
            Err(_) => tracing::debug!("a TLS handshake took too long"),
        }
    }

    async fn http(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.header_read_timeout)
            .serve_connection(
                TokioIo::new(Refusing::new(stream)),
                TowerToHyperService::new(self.app),
            );
        if let Err(error) = self.watcher.watch(connection).await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
