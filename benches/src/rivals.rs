//! Other libraries that do the same work: a MAC over timestamp and body, the age check, the comparison.

use std::time::{SystemTime, UNIX_EPOCH};

use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;

use crate::sample::{SECRET, Sample};

/// The bytes of `SECRET` in Base64, as the libraries for Standard Webhooks expect it.
const BASE64_SECRET: &str = "whsec_d2hzZWNfazN5Rm9yRG9jc09ubHlfMmY2Yw==";

/// How the check is usually written by hand.
pub fn by_hand(headers: &HeaderMap, body: &[u8]) -> Option<serde_json::Value> {
    if signature_by_hand(headers, body) { serde_json::from_slice(body).ok() } else { None }
}

pub fn signature_by_hand(headers: &HeaderMap, body: &[u8]) -> bool {
    let check = || {
        let header = headers.get("x-pierre-signature")?.to_str().ok()?;
        let mut timestamp = None;
        let mut signature = None;
        for element in header.split(',') {
            match element.trim().split_once('=')? {
                ("t", value) => timestamp = Some(value),
                ("sha256", value) => signature = Some(value),
                _ => {}
            }
        }
        let timestamp = timestamp?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
        if now.abs_diff(timestamp.parse().ok()?) > 300 {
            return None;
        }
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).ok()?;
        mac.update(format!("{timestamp}.").as_bytes());
        mac.update(body);
        mac.verify_slice(&hex::decode(signature?).ok()?).ok()
    };
    check().is_some()
}

/// `ring`, keyed once. Only the MAC and the comparison are measured. Its `verify` takes a single slice.
pub struct Ring(ring::hmac::Key);

impl Ring {
    pub fn new() -> Self {
        Self(ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes()))
    }

    pub fn verify(&self, sample: &Sample) -> bool {
        let mut signed = Vec::with_capacity(sample.body.len() + 32);
        signed.extend_from_slice(sample.now.to_string().as_bytes());
        signed.push(b'.');
        signed.extend_from_slice(&sample.body);
        let claimed = sample.signature.rsplit_once('=').and_then(|(_, hex)| hex::decode(hex).ok());
        claimed.is_some_and(|claimed| ring::hmac::verify(&self.0, &signed, &claimed).is_ok())
    }
}

impl Default for Ring {
    fn default() -> Self {
        Self::new()
    }
}

/// A delivery with the headers of Standard Webhooks.
pub struct Standard {
    webhook: standardwebhooks::Webhook,
    svix: svix::webhooks::Webhook,
    headers: HeaderMap,
}

impl Standard {
    pub fn new(sample: &Sample) -> Self {
        let webhook = standardwebhooks::Webhook::new(BASE64_SECRET).expect("a secret");
        let id = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W";
        let signature = webhook.sign(id, sample.now as i64, &sample.body).expect("a signature");
        let now = sample.now.to_string();
        let mut headers = sample.good.clone();
        for prefix in ["webhook", "svix"] {
            for (name, value) in [("id", id), ("timestamp", &now), ("signature", &signature)] {
                let name: http::HeaderName = format!("{prefix}-{name}").parse().expect("a name");
                headers.insert(name, HeaderValue::from_str(value).expect("a value"));
            }
        }
        let svix = svix::webhooks::Webhook::new(BASE64_SECRET).expect("a secret");
        Self { webhook, svix, headers }
    }

    pub fn verify(&self, body: &[u8]) -> bool {
        self.webhook.verify(body, &self.headers).is_ok()
    }

    pub fn verify_by_svix(&self, body: &[u8]) -> bool {
        self.svix.verify(body, &self.headers).is_ok()
    }
}
