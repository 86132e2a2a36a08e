//! The server: connections, and when it ends.

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

/// How the run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// There were as many deliveries as were asked for, or it cannot go on.
    Counted,
    TimedOut,
    Interrupted,
}

pub(super) async fn bind(address: IpAddr, port: u16) -> Result<TcpListener, Failure> {
    TcpListener::bind((address, port)).await.map_err(|error| {
        Failure::io(format_args!("cannot listen on {address}, port {port}"), &error)
    })
}

/// Serves until an end comes. What is under way by then is answered, and reported.
pub(super) async fn serve(
    listener: TcpListener,
    state: &Arc<State>,
    time: Option<Duration>,
) -> Ended {
    /// For answers that are under way.
    const GRACE: Duration = Duration::from_secs(2);

    let connections = GracefulShutdown::new();
    let ended = tokio::select! {
        biased;
        () = interruption() => Ended::Interrupted,
        () = state.is_done() => Ended::Counted,
        () = after(time) => Ended::TimedOut,
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
    /// Until a descriptor is free again.
    const PAUSE: Duration = Duration::from_millis(100);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => serve_connection(stream, connections, Arc::clone(state)),
            Err(_) => sleep(PAUSE).await,
        }
    }
}

fn serve_connection(stream: TcpStream, connections: &GracefulShutdown, state: Arc<State>) {
    // Without it small answers would merely be later.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| answer(Arc::clone(&state), request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .preserve_header_case(true)
        // A sender that says that it is at its end still reads the answer.
        .half_close(true)
        .serve_connection(TokioIo::new(stream), service);
    // What breaks a connection is no delivery, or is reported as one whose body broke off.
    tokio::spawn(connections.watch(connection));
}

/// In a task of its own, so that a delivery is reported even where its sender has gone.
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
