//! Each delivery once: over memory and Redis, in a handler, as a layer, through real HTTP.

mod actix;
mod cancelled;
mod contract;
mod disconnect;
mod faulty;
mod layer;
mod memory;
mod once;
mod redis;
mod renewal;
mod store_failure;
mod trace;
