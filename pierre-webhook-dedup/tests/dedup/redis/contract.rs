//! The store contract over Redis, each check with a server of its own.

use pierre_webhook_dedup::{RedisStore, store_contract};
use pierre_webhook_tests::redis_server::RedisServer;

mod over_tcp {
    use super::*;

    store_contract!(|check| {
        let Some(server) = RedisServer::start() else { return };
        check(&RedisStore::connect(&server.url()).await.unwrap()).await
    });
}

mod connected_lazily {
    use super::*;

    store_contract!(|check| {
        let Some(server) = RedisServer::start() else { return };
        check(&RedisStore::connect_lazy(&server.url()).unwrap()).await
    });
}

mod in_the_newer_protocol {
    use super::*;

    store_contract!(|check| {
        let Some(server) = RedisServer::start() else { return };
        let url = format!("{}?protocol=resp3", server.url());
        check(&RedisStore::connect(&url).await.unwrap()).await
    });
}

mod over_a_unix_socket {
    use super::*;

    store_contract!(|check| {
        let Some(server) = RedisServer::with(&["--unixsocket", "socket"]) else { return };
        let url = format!("unix://{}", server.directory().join("socket").display());
        check(&RedisStore::connect(&url).await.unwrap()).await
    });
}
