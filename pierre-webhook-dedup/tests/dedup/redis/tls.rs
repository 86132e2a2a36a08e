//! `rediss://` connects only to a server whose certificate is valid for its name.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use pierre_webhook_dedup::{RedisStore, Store};
use pierre_webhook_tests::redis_server::{FREE_PORT, RedisServer, Reply, skip};

use super::until_it_claims;
use crate::unique::{LONG, key, owner};

/// If it is set, this process is the client and prints its outcome.
const URL: &str = "PIERRE_WEBHOOK_TEST_REDIS_URL";

/// The variable that names the roots is read once per process, so each case runs in its own.
#[tokio::test]
async fn a_certificate_is_verified_with_the_roots_that_the_variable_names() {
    if let Ok(url) = std::env::var(URL) {
        return be_the_client(&url).await;
    }
    let directory = std::env::temp_dir().join(format!("pierre-webhook-tls-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    verify(&directory);
    std::fs::remove_dir_all(&directory).unwrap();
}

fn verify(directory: &Path) {
    let Some(server) = server(directory) else { return };
    let Reply::List(answer) = server.ask(&["CONFIG", "GET", "tls-port"]) else { panic!("no list") };
    let Some(Reply::Text(port)) = answer.get(1) else { panic!("{answer:?}") };
    let roots = directory.join("root.pem");
    for (host, roots, expected) in [
        ("localhost", Some(&roots), "it claims and completes"),
        ("127.0.0.1", Some(&roots), "certificate not valid for name"),
        ("localhost", None, "no connection to Redis: "),
    ] {
        let mut client = Command::new(std::env::current_exe().unwrap());
        client
            .args(["redis::tls::", "--nocapture"])
            .env(URL, format!("rediss://{host}:{port}"))
            .env_remove("SSL_CERT_FILE")
            .env_remove("SSL_CERT_DIR");
        if let Some(roots) = roots {
            client.env("SSL_CERT_FILE", roots);
        }
        let output = client.output().unwrap();
        let told = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && told.contains(expected), "{host} {roots:?}: {told}");
    }
    // Cleartext doesn't get around it.
    let cleartext = Command::new(std::env::current_exe().unwrap())
        .args(["redis::tls::", "--nocapture"])
        .env(URL, format!("redis://localhost:{port}"))
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&cleartext.stdout).contains("it claims"));
}

async fn be_the_client(url: &str) {
    let store = match RedisStore::connect(url).await {
        Ok(store) => store,
        Err(error) => return println!("{error}"),
    };
    let (key, owner) = (key(), owner());
    until_it_claims(&store).await;
    assert!(store.complete(key, owner, LONG).await.unwrap());
    println!("it claims and completes");
}

fn server(directory: &Path) -> Option<RedisServer> {
    // A server without TLS doesn't know the option; one with TLS has nowhere to listen.
    let Ok(tried) = Command::new("redis-server").args(["--port", "0", "--tls-port", "0"]).output()
    else {
        return skip("redis-server is not installed");
    };
    if [tried.stdout, tried.stderr]
        .iter()
        .any(|told| String::from_utf8_lossy(told).contains("Bad directive"))
    {
        return skip("redis-server knows no TLS");
    }
    if Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_err() {
        return skip("openssl is not installed");
    }
    let path = |file: &str| directory.join(file).to_str().unwrap().to_owned();
    let (root, root_key) = (path("root.pem"), path("root.key"));
    let (own, own_key) = (path("server.pem"), path("server.key"));
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"];
    let root_is = ["-subj", "/CN=test root", "-keyout", &root_key, "-out", &root];
    openssl(&[&["req", "-x509"][..], &curve, &root_is].concat());
    let own_is = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"];
    let signed =
        ["-addext", "basicConstraints=critical,CA:FALSE", "-CA", &root, "-CAkey", &root_key];
    let to = ["-keyout", own_key.as_str(), "-out", &own];
    openssl(&[&["req", "-x509"][..], &curve, &own_is, &signed, &to].concat());
    RedisServer::with(&[
        "--tls-port",
        FREE_PORT,
        "--tls-cert-file",
        &own,
        "--tls-key-file",
        &own_key,
        "--tls-ca-cert-file",
        &root,
        "--tls-auth-clients",
        "no",
    ])
}

fn openssl(arguments: &[&str]) {
    let output = Command::new("openssl").args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
