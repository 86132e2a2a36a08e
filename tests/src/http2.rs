//! A client of cleartext HTTP/2 (with prior knowledge) that can leave streams half sent.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::{
    Error, SendStream,
    client::{Builder, ResponseFuture, SendRequest},
};
use tokio::{net::TcpStream, task::JoinHandle};

use crate::client::{Request, Response};

/// A connection. A task of the runtime in which it was opened drives it.
pub struct Http2 {
    sender: SendRequest<Bytes>,
    driver: JoinHandle<Result<(), Error>>,
}

/// A request whose body is still to be sent.
pub struct Stream {
    pub body: SendStream<Bytes>,
    pub response: ResponseFuture,
}

impl Http2 {
    pub async fn open(address: SocketAddr) -> Self {
        // Many small unread responses are not an attack here.
        Self::open_as(address, Builder::new().data_frame_budget(usize::MAX)).await
    }

    pub async fn open_as(address: SocketAddr, settings: &Builder) -> Self {
        let socket = TcpStream::connect(address).await.expect("a listening server");
        socket.set_nodelay(true).expect("no delay");
        let (sender, connection) = settings.handshake(socket).await.expect("a server of HTTP/2");
        Self { sender, driver: tokio::spawn(connection) }
    }

    /// Sends the head as soon as the server allows another stream.
    pub async fn start(&self, request: &Request) -> Result<Stream, Error> {
        let mut head = http::Request::post(format!("http://test{}", request.path));
        for (name, value) in &request.headers {
            head = head.header(name, value.as_slice());
        }
        let mut sender = self.sender.clone().ready().await?;
        let (response, body) = sender.send_request(head.body(()).expect("a request"), false)?;
        Ok(Stream { body, response })
    }

    /// Sends the whole request as fast as the server's windows allow, and reads the response.
    pub async fn exchange(&self, request: &Request) -> Result<Response, Error> {
        let mut stream = self.start(request).await?;
        // It fails if the server has already responded and reset the stream.
        let _ = stream.body.send_data(request.body.clone().into(), true);
        stream.receive().await
    }

    /// Closes the connection at once, even if streams are open.
    pub async fn abort(self) {
        self.driver.abort();
        assert!(self.driver.await.is_err_and(|error| error.is_cancelled()), "it was open");
    }
}

impl Stream {
    pub async fn receive(self) -> Result<Response, Error> {
        let (head, mut body) = self.response.await?.into_parts();
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), value.to_str().expect("text").to_owned())
        });
        let mut response =
            Response { status: head.status.as_u16(), headers: headers.collect(), body: Vec::new() };
        while let Some(data) = body.data().await {
            let data = data?;
            body.flow_control().release_capacity(data.len())?;
            response.body.extend(data);
        }
        Ok(response)
    }
}
