//! Deliveries over https.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    thread,
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use tokio_rustls::rustls::{
    ServerConfig, ServerConnection, StreamOwned, crypto::ring, pki_types::PrivateKeyDer,
};

use crate::{command::run, folder::Folder};

/// Starts a server that answers 204. Returns its URL and its certificate.
fn server(name: &str) -> (String, String) {
    let CertifiedKey { cert, signing_key } =
        generate_simple_self_signed([name.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    // The thread ends with the test process.
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            let mut read = [0; 4096];
            if stream.read(&mut read).is_ok() {
                let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n");
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    (format!("https://{name}:{port}/"), cert.pem())
}

#[test]
fn a_certificate_is_trusted_only_with_its_ca_file() {
    let folder = Folder::new();
    for name in ["localhost", "127.0.0.1"] {
        let (url, pem) = server(name);
        let file = folder.write("ca.pem", pem);
        let ended = run(&["send", "push", &url, "--ca-file", &file]).is(0);
        assert!(ended.stdout.contains("204 No Content"), "{ended:?}");
        let ended = run(&["send", "push", &url]).is(3);
        assert!(!ended.stdout.contains("204"), "{ended:?}");
    }
}

#[test]
fn another_certificate_for_the_same_name_is_not_trusted() {
    let folder = Folder::new();
    let (url, _) = server("localhost");
    let (_, other) = server("localhost");
    let file = folder.write("ca.pem", other);
    let ended = run(&["send", "push", &url, "--ca-file", &file]).is(3);
    assert!(ended.stdout.contains("no answer"), "{ended:?}");
}

#[test]
fn a_ca_file_without_certificates_is_an_error() {
    let folder = Folder::new();
    let file = folder.write("ca.pem", "nothing");
    let ended = run(&["send", "push", "https://localhost:1/", "--ca-file", &file]).is(3);
    assert!(ended.stderr.contains("holds no certificate"), "{ended:?}");
}
