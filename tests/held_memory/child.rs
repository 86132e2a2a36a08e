//! A server as a process of its own, so that its memory is the server's alone. It ends when its standard input does.

use std::{
    convert::Infallible,
    env, fs,
    future::pending,
    io::{BufRead, BufReader, Read, stdin},
    net::SocketAddr,
    process::{self, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, web};
use axum::{Router, routing::post};
use http::{StatusCode, request::Parts};
use pierre_webhook_core::{Delivery, Verifier};
use pierre_webhook_tests::{
    client::PATIENCE,
    sample::verifier,
    server::{Actix, Server},
};
use tower_http::timeout::TimeoutLayer;

const SETTINGS: &str = "HELD_MEMORY_SERVER";
const READY: &str = "listens at ";

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Framework {
    Axum,
    Actix,
}

/// What the server does with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mode {
    /// Verifies with a fixed verifier.
    Verify,
    /// Looks up a verifier, and never finds one.
    LookUp,
    /// As [`LookUp`](Self::LookUp), for no longer than [`TIMEOUT`].
    LookUpInTime,
    /// Verifies, and keeps every delivery.
    Keep,
    /// Verifies, and keeps every delivery with a body of its own.
    KeepDetached,
}

const MODES: [Mode; 5] =
    [Mode::Verify, Mode::LookUp, Mode::LookUpInTime, Mode::Keep, Mode::KeepDetached];

pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

impl Mode {
    fn timeout(self) -> Duration {
        if self == Self::LookUpInTime { TIMEOUT } else { Duration::from_secs(600) }
    }

    async fn find(self) -> Result<Option<Verifier>, Infallible> {
        match self {
            Self::LookUp | Self::LookUpInTime => pending().await,
            _ => Ok(Some(verifier())),
        }
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<Delivery>>>);

impl Kept {
    fn take(&self, mode: Mode, mut delivery: Delivery) {
        if mode == Mode::KeepDetached {
            delivery.detach_body();
        }
        if matches!(mode, Mode::Keep | Mode::KeepDetached) {
            self.0.lock().expect("no panic").push(delivery);
        }
    }
}

/// Serves, if this process was started to, until its standard input ends.
pub(crate) fn serve_if_told() {
    let Ok(settings) = env::var(SETTINGS) else { return };
    let (framework, mode) = settings.split_once(' ').expect("two words");
    let mode = MODES.into_iter().find(|known| format!("{known:?}") == mode).expect("a mode");
    let server = if framework == "Axum" { axum(mode) } else { actix(mode) };
    println!("{READY}{}", server.address);
    stdin().read_to_end(&mut Vec::new()).expect("a parent");
    process::exit(0)
}

fn axum(mode: Mode) -> Server {
    use pierre_webhook_tower::{VerifyWebhookLayer, Webhook};

    let kept = Kept::default();
    let handler = async move |webhook: Webhook| kept.take(mode, webhook.into_inner());
    let layer = VerifyWebhookLayer::new(move |_: &Parts| mode.find());
    let timeout = TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, mode.timeout());
    let route = post(handler).layer::<_, Infallible>(layer).layer(timeout);
    Server::axum(Router::new().route("/webhooks", route))
}

fn actix(mode: Mode) -> Server {
    use pierre_webhook_actix::{Webhook, WebhookConfig};

    let kept = Kept::default();
    let config = WebhookConfig::new(move |_: &HttpRequest| mode.find()).timeout(mode.timeout());
    // A head that is not complete stays as long as the measurement takes.
    let settings = Actix { speaks_http2: true, head_timeout: PATIENCE };
    Server::actix_as(settings, move |app| {
        let kept = kept.clone();
        let handler = move |webhook: Webhook| {
            kept.take(mode, webhook.into_inner());
            async { "" }
        };
        app.service(
            web::resource("/webhooks").app_data(config.clone()).route(web::post().to(handler)),
        );
    })
}

pub(crate) struct Child {
    pub(crate) address: SocketAddr,
    process: process::Child,
}

impl Child {
    /// `test` is the name of the test that calls [`serve_if_told`].
    pub(crate) fn start(test: &str, framework: Framework, mode: Mode) -> Self {
        let mut process = Command::new(env::current_exe().expect("a path"))
            .args([test, "--exact", "--nocapture"])
            .env(SETTINGS, format!("{framework:?} {mode:?}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(process.stdout.take().expect("it is piped"));
        // From here on it is ended, whatever comes.
        let mut child = Self { address: ([127, 0, 0, 1], 0).into(), process };
        // The test harness prints too.
        let address = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| line.split_once(READY).map(|(_, address)| address.trim().to_owned()));
        child.address = address.expect("a server").parse().expect("an address");
        child
    }

    /// Bytes that the process allocated and that are in memory.
    pub(crate) fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()));
        let status = status.expect("a running server");
        let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("Linux");
        line.split_whitespace().next().expect("KiB").parse::<usize>().expect("a number") << 10
    }

    /// The same, once it stands still.
    pub(crate) fn settled(&self) -> usize {
        const STILL: u32 = 4;
        let start = Instant::now();
        let (mut last, mut since) = (self.resident(), 0);
        while since < STILL && start.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(30));
            let now = self.resident();
            since = if now.abs_diff(last) < 64 << 10 { since + 1 } else { 0 };
            last = now;
        }
        last
    }

    /// By how much memory grows, with what `hold` returns still held.
    pub(crate) fn growth<T>(&self, hold: impl FnOnce(SocketAddr) -> T) -> (usize, T) {
        let before = self.settled();
        let held = hold(self.address);
        (self.settled().saturating_sub(before), held)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
