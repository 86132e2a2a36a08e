//! Errors and `Debug` output contain no password, and nothing else of a URL.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread::spawn,
};

use pierre_webhook_dedup::{RedisStore, Store, StoreError};
use pierre_webhook_tests::redis_server::{RedisServer, free_port};

use crate::unique::{LONG, is_yours, key, owner};

#[tokio::test]
async fn the_password_of_a_redis_url_is_used_and_never_printed() {
    let Some(server) = RedisServer::with(&["--requirepass", "hunter2"]) else { return };
    let address = server.address();
    let store = RedisStore::connect(&format!("redis://:hunter2@{address}")).await.unwrap();
    assert!(is_yours(&store.claim(key(), owner(), LONG).await.unwrap()));
    assert_eq!(format!("{store:?}"), "RedisStore { .. }");

    let error = RedisStore::connect(&format!("redis://:hunter3@{address}")).await.unwrap_err();
    assert_eq!(error.to_string(), "no connection to Redis: the user or the password was refused");
    shows_nothing(&error);
    let error =
        RedisStore::connect(&format!("redis://hunter4:hunter5@{address}")).await.unwrap_err();
    shows_nothing(&error);
    let error = RedisStore::connect(&format!("redis://{address}")).await.unwrap_err();
    assert!(error.to_string().starts_with("Redis answered NOAUTH "), "{error}");
}

#[tokio::test]
async fn an_error_prints_no_password_if_redis_is_down_or_echoes_commands() {
    let port = free_port();
    let error =
        RedisStore::connect(&format!("redis://:hunter2@127.0.0.1:{port}")).await.unwrap_err();
    assert!(error.to_string().starts_with("no connection to Redis: Connection refused"), "{error}");
    shows_nothing(&error);

    let echo = "-ERR unknown command 'AUTH', with args beginning with: 'hunter2' \r\n";
    for protocol in ["2", "3"] {
        let url = format!("redis://:hunter2@{}?protocol={protocol}", answers(echo));
        shows_nothing(&RedisStore::connect(&url).await.unwrap_err());
    }
    shows_nothing(
        &RedisStore::connect(&format!("redis://:hunter2@{}", answers("hunter2\r\n")))
            .await
            .unwrap_err(),
    );
}

#[tokio::test]
async fn an_invalid_redis_url_is_an_error_before_connecting() {
    for url in ["", "http://:hunter2@localhost", "redis://:hunter2@", "redis://localhost/hunter2"] {
        let error = RedisStore::connect_lazy(url).unwrap_err();
        assert_eq!(error.to_string(), "not a URL of Redis: it cannot be read", "{url}");
        shows_nothing(&error);
    }
    RedisStore::connect_lazy(&format!("redis://127.0.0.1:{}", free_port())).unwrap();
}

#[tokio::test]
async fn a_server_that_is_too_old_is_an_error_that_names_the_needed_version() {
    // Redis 6.2 answers a `SET` with `NX` and `GET` like this.
    let store =
        RedisStore::connect_lazy(&format!("redis://{}", answers("-ERR syntax error\r\n"))).unwrap();
    let error = store.claim(key(), owner(), LONG).await.unwrap_err();
    let expected = "Redis 7.0 or later is needed: the server does not know SET with NX and GET";
    assert_eq!(error.to_string(), expected);
}

fn shows_nothing(error: &StoreError) {
    let mut shown = format!("{error} {error:?}");
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        shown += &format!(" {error} {error:?}");
        cause = error.source();
    }
    assert!(!shown.contains("hunter"), "{shown}");
}

/// The address of a server that answers every command with one line.
fn answers(line: &'static str) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    spawn(move || {
        let Ok((mut stream, _)) = listener.accept() else { return };
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut bytes) {
            for _ in bytes[..count].iter().filter(|byte| **byte == b'*') {
                if stream.write_all(line.as_bytes()).is_err() {
                    return;
                }
            }
        }
    });
    address
}
