//! `[phaxio]` and `[inbound]`: the provider account and what it sends us.

use std::collections::BTreeMap;
use std::time::Duration;

use url::Url;

use crate::base::secret::Secret;

/// `[phaxio]`
#[derive(Debug, Clone)]
pub struct PhaxioConfig {
    /// `api_key`
    pub api_key: Option<Secret>,
    /// `api_secret`: also the key of Faxbot's signature scheme
    pub api_secret: Option<Secret>,
    /// `callback_token`: key of Phaxio's own signature scheme
    pub callback_token: Option<Secret>,
    /// `api_url`, default `https://api.phaxio.com/v2.1`
    pub api_url: Url,
    /// `callback_url`, default `{public_url}/phaxio-callback`; byte for byte as signed, so not a [`Url`]
    pub callback_url: String,
    /// `requests_per_second`, default 1: pace towards the provider
    pub requests_per_second: f64,
    /// `timeout_seconds`, default 30: one upstream request
    pub timeout: Duration,
    /// `verify_signature`, default true: callbacks about sent faxes need a proof
    pub verify_signature: bool,
}

/// `[inbound]`
#[derive(Debug, Clone)]
pub struct InboundConfig {
    /// `enabled`, default false
    pub enabled: bool,
    /// `verify_signature`, default true
    pub verify_signature: bool,
    /// `routes`: owner by called number (E.164); others belong to `inbound`
    pub routes: BTreeMap<String, String>,
}
