//! The system's clock. Nothing else in the crates reads it to judge a delivery.

/// Reads the system's clock.
#[cfg(not(all(target_family = "wasm", target_os = "unknown")))]
pub(crate) fn system_time() -> std::time::SystemTime {
    std::time::SystemTime::now()
}

/// Reads the JavaScript clock: [`std::time::SystemTime::now`] panics on this target.
#[cfg(all(target_family = "wasm", target_os = "unknown", feature = "web-clock"))]
pub(crate) fn system_time() -> std::time::SystemTime {
    use web_time::web::SystemTimeExt as _;

    web_time::SystemTime::now().to_std()
}

#[cfg(all(
    target_family = "wasm",
    target_os = "unknown",
    not(feature = "web-clock"),
    any(feature = "metrics", feature = "test-util"),
))]
compile_error!(
    "pierre-webhook-core: the features metrics and test-util need web-clock here, since this target has no clock"
);
