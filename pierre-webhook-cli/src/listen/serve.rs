//! The server: its connections, and when it stops.

use std::{convert::Infallible, future, net::IpAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use tokio::{
    net::{TcpListener, TcpStream},
    time::{sleep, timeout},
};

use super::state::State;
use crate::exit::{Failure, interruption};

/// Why the server stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// `--count` was reached, or the command cannot continue.
    Done,
    TimedOut,
    Interrupted,
}

pub(super) async fn bind(address: IpAddr, port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((address, port)).await.map_err(|error| {
        Failure::io(format_args!("cannot listen on {address}, port {port}"), &error)
    })
}

/// Serves until Ctrl-C, `--count` or `--timeout`. Requests in progress are still answered and reported.
pub(super) async fn serve(
    listener: TcpListener,
    state: &Arc<State>,
    limit: Option<Duration>,
) -> Ended {
    /// For requests in progress.
    const GRACE: Duration = Duration::from_secs(2);

    let connections = GracefulShutdown::new();
    let ended = tokio::select! {
        biased;
        () = interruption() => Ended::Interrupted,
        () = state.counts.is_done() => Ended::Done,
        () = after(limit) => Ended::TimedOut,
        never = accept(&listener, &connections, state) => match never {},
    };
    drop(listener);
    let _ = timeout(GRACE, connections.shutdown()).await;
    ended
}

async fn after(time: Option<Duration>) {
    match time {
        Some(time) => sleep(time).await,
        None => future::pending().await,
    }
}

async fn accept(
    listener: &TcpListener,
    connections: &GracefulShutdown,
    state: &Arc<State>,
) -> Infallible {
    /// `accept` fails without a free file descriptor. Wait for one.
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => serve_connection(stream, connections, Arc::clone(state)),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn serve_connection(stream: TcpStream, connections: &GracefulShutdown, state: Arc<State>) {
    // A failure only delays small answers.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&state), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .preserve_header_case(true)
        // A sender that has closed its half of the connection still reads the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    // An error here doesn't concern a delivery, or that delivery is reported as incomplete.
    tokio::spawn(connections.watch(connection));
}

/// Handles a request in its own task, so that it is reported even if the sender disconnects.
async fn answer(
    state: Arc<State>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let answered = tokio::spawn(state.handle(request)).await;
    Ok(answered.unwrap_or_else(|_| {
        let mut response = Response::new(Full::default());
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    }))
}
