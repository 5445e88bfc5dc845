//! What the tests stand on: the real program, a provider, a bucket, bad lines, documents and patience.

#![allow(dead_code, reason = "not every helper is used by every generation of tests")]

pub(crate) mod chaos;
pub(crate) mod client;
pub(crate) mod delivery;
pub(crate) mod dice;
pub(crate) mod documents;
pub(crate) mod frames;
pub(crate) mod gate;
pub(crate) mod house;
pub(crate) mod pebble;
pub(crate) mod platter;
pub(crate) mod ports;
pub(crate) mod provider;
pub(crate) mod raw;
pub(crate) mod s3;
pub(crate) mod wait;
pub(crate) mod world;

pub(crate) use world::World;
