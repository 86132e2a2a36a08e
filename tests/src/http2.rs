//! A client of cleartext HTTP/2 with prior knowledge, which can leave streams half sent.

use std::net::SocketAddr;

use bytes::Bytes;
use h2::{
    Error, SendStream,
    client::{Builder, ResponseFuture, SendRequest},
};
use tokio::{net::TcpStream, task::JoinHandle};

use crate::client::{Request, Response};

/// A connection. It is driven by a task of the runtime that it was opened in.
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
        // Small answers that wait to be read are no attack on this side.
        Self::open_as(address, Builder::new().data_frame_budget(usize::MAX)).await
    }

    pub async fn open_as(address: SocketAddr, settings: &Builder) -> Self {
        let socket = TcpStream::connect(address).await.expect("a listening server");
        socket.set_nodelay(true).expect("no delay");
        let (sender, connection) = settings.handshake(socket).await.expect("a server of HTTP/2");
        Self { sender, driver: tokio::spawn(connection) }
    }

    /// Sends the head, once the server allows one more stream.
    pub async fn start(&self, request: &Request) -> Result<Stream, Error> {
        let mut head = http::Request::post(format!("http://test{}", request.path));
        for (name, value) in &request.headers {
            head = head.header(name, value.as_slice());
        }
        let mut sender = self.sender.clone().ready().await?;
        let (response, body) = sender.send_request(head.body(()).expect("a request"), false)?;
        Ok(Stream { body, response })
    }

    /// Sends the whole request as fast as the server's windows let it, and reads the answer.
    pub async fn exchange(&self, request: &Request) -> Result<Response, Error> {
        let mut stream = self.start(request).await?;
        // It fails where the server has answered and reset the stream meanwhile.
        let _ = stream.body.send_data(request.body.clone().into(), true);
        stream.receive().await
    }

    /// Closes the connection, whatever is under way.
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
