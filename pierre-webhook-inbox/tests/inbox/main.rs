//! The inbox over SQLite and over a real PostgreSQL: one contract, and what is special about each.

mod contract;
mod database;
mod delivery;
mod eventually;
mod postgres;
mod receiver;
mod sqlite;
mod working;
