//! The client of the provider against the simulator: whatever goes wrong on the way, what the client concludes must be
//! what the provider knows.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

use std::net::SocketAddr;
use std::time::Duration;

use faxgate_base::secret::Secret;
use faxgate_config::phaxio::PhaxioConfig;
use faxgate_domain::number::E164;
use faxgate_domain::provider::ProviderStatus;
use faxgate_provider::phaxio::{
    CancelOutcome, CreateFax, CreateOutcome, Direction, FaxInfo, JOB_TAG, LookupError, Phaxio,
};
use faxgate_simulator::SimulatorConfig;
use futures_util::StreamExt;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use faxgate_testkit::documents;
use faxgate_testkit::network::chaos_proxy::{ChaosProxy, Fault};
use faxgate_testkit::service::provider::Provider;
use faxgate_testkit::wait;

const JOB: &str = "01jdz00000000000000000000a";

fn config(api_url: &str) -> PhaxioConfig {
    PhaxioConfig {
        api_key: Some(Secret::new("simulated-key".into())),
        api_secret: Some(Secret::new("simulated-secret".into())),
        callback_token: None,
        api_url: api_url.parse().expect("address"),
        callback_url: String::new(),
        requests_per_second: 1.0,
        timeout: Duration::from_secs(20),
        verify_signature: true,
    }
}

fn client(api_url: &str) -> Phaxio {
    Phaxio::new(&config(api_url)).expect("client")
}

/// A client that gives up on an answer soon.
fn hasty(api_url: &str) -> Phaxio {
    let mut config = config(api_url);
    config.timeout = Duration::from_secs(2);
    Phaxio::new(&config).expect("client")
}

async fn provider() -> Provider {
    Provider::start(SimulatorConfig {
        time_scale: 1000.0,
        ..SimulatorConfig::default()
    })
    .await
}

fn fax(to: &str, content_url: &str) -> CreateFax {
    CreateFax {
        to: E164::new(to).expect("number"),
        content_url: content_url.to_owned(),
        callback_url: "http://127.0.0.1:9/phaxio-callback?job_id=1".to_owned(),
        tags: vec![
            (JOB_TAG.to_owned(), JOB.to_owned()),
            ("order".to_owned(), "7 & 8".to_owned()),
        ],
        header_text: Some("Grüße".to_owned()),
        caller_id: None,
        batch_delay: None,
    }
}

/// Serves one document to everybody.
async fn document(content: Vec<u8>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let addr = listener.local_addr().expect("address");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = [0; 4096];
            let _ = stream.read(&mut head).await;
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                content.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.write_all(&content).await;
        }
    });
    addr
}

fn kind(outcome: &CreateOutcome) -> &'static str {
    match outcome {
        CreateOutcome::Taken { .. } => "taken",
        CreateOutcome::NotSent { .. } => "not sent",
        CreateOutcome::RateLimited { .. } => "rate limited",
        CreateOutcome::Refused(_) => "refused",
        CreateOutcome::Unauthorized { .. } => "unauthorized",
        CreateOutcome::Unsure { .. } => "unsure",
    }
}

async fn found(client: &Phaxio) -> Vec<FaxInfo> {
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    client
        .find_by_tag(JOB_TAG, JOB, now - hour, now + hour)
        .await
        .expect("list")
}

/// What was concluded must be what the provider has, and a look-up must find exactly that.
async fn check(what: &str, outcome: &CreateOutcome, provider: &Provider) {
    let known = provider.faxes_of(JOB).await;
    let looked_up = found(&client(&provider.api_url())).await;
    assert_eq!(looked_up.len(), known.len(), "{what}");
    match outcome {
        CreateOutcome::Taken { provider_id } => {
            assert_eq!(known.len(), 1, "{what}");
            assert_eq!(known[0]["id"].to_string(), *provider_id, "{what}");
            assert_eq!(looked_up[0].provider_id(), provider_id, "{what}");
        }
        CreateOutcome::Unsure { .. } => assert!(known.len() < 2, "{what}"),
        _ => assert_eq!(known.len(), 0, "{what}: {outcome:?}"),
    }
    for fax in &looked_up {
        assert_eq!(
            fax.update.job.map(|job| job.to_string()).as_deref(),
            Some(JOB),
            "{what}"
        );
    }
}

#[tokio::test]
async fn each_behaviour_is_concluded_from_rightly() {
    for (behaviour, concluded, taken) in [
        ("success", "taken", 1),
        ("accept_then_drop", "unsure", 1),
        ("drop", "unsure", 0),
        ("answer_lost", "unsure", 1),
        ("garbage_answer", "unsure", 1),
        ("cut_answer", "unsure", 1),
        ("mute_answer", "unsure", 1),
        ("success_false", "refused", 0),
        ("unprocessable", "refused", 0),
        ("unauthorized", "unauthorized", 0),
        ("rate_limit", "rate limited", 0),
        ("rate_limit_retry_after", "rate limited", 0),
        ("error_500", "unsure", 0),
        ("error_500_after_accept", "unsure", 1),
        ("bad_gateway", "unsure", 0),
        ("bad_gateway_after_accept", "unsure", 1),
        ("gateway_timeout_after_accept", "unsure", 1),
        ("unavailable", "not sent", 0),
        ("unavailable_retry_after", "not sent", 0),
        ("unavailable_after_accept", "unsure", 1),
        ("callback_before_answer", "taken", 1),
    ] {
        let provider = provider().await;
        provider
            .script(json!({ "behaviour": behaviour, "retry_after": null }))
            .await;
        let client = match behaviour {
            "answer_lost" => hasty(&provider.api_url()),
            _ => client(&provider.api_url()),
        };
        let outcome = client
            .create(&fax("+12125550142", "http://127.0.0.1:9/fax.pdf"))
            .await;
        assert_eq!(kind(&outcome), concluded, "{behaviour}: {outcome:?}");
        check(behaviour, &outcome, &provider).await;
        assert_eq!(provider.faxes_of(JOB).await.len(), taken, "{behaviour}");
        let counts = provider.requests().await;
        assert_eq!(counts["by_job"][JOB]["requests"], 1, "{behaviour}");
    }
}

#[tokio::test]
async fn waits_that_the_provider_asks_for_are_heard() {
    for behaviour in ["rate_limit_retry_after", "unavailable_retry_after"] {
        let provider = provider().await;
        provider
            .script(json!({ "behaviour": behaviour, "retry_after": 17 }))
            .await;
        let outcome = client(&provider.api_url())
            .create(&fax("+12125550142", "http://127.0.0.1:9/fax.pdf"))
            .await;
        let (CreateOutcome::RateLimited { retry_after, .. } | CreateOutcome::NotSent { retry_after, .. }) =
            outcome
        else {
            panic!("{behaviour}: {outcome:?}");
        };
        assert_eq!(retry_after, Some(Duration::from_secs(17)), "{behaviour}");
    }
}

#[tokio::test]
async fn a_late_answer_is_unsure_for_who_does_not_wait_and_good_for_who_does() {
    for (patient, concluded) in [(true, "taken"), (false, "unsure")] {
        let provider = provider().await;
        let seconds = if patient { 0.05 } else { 600.0 };
        provider
            .script(json!({ "behaviour": "slow_answer", "seconds": seconds }))
            .await;
        let api = provider.api_url();
        let client = if patient { client(&api) } else { hasty(&api) };
        let outcome = client
            .create(&fax("+12125550142", "http://127.0.0.1:9/fax.pdf"))
            .await;
        assert_eq!(kind(&outcome), concluded, "{outcome:?}");
        check("slow answer", &outcome, &provider).await;
        assert_eq!(provider.faxes_of(JOB).await.len(), 1);
    }
}

#[tokio::test]
async fn a_line_that_breaks_anywhere_leads_to_no_wrong_conclusion() {
    let provider = provider().await;
    let proxy = ChaosProxy::to(provider.addr()).await;
    let api = format!("http://{}/v2.1", proxy.addr);
    let mut kinds = Vec::new();
    let mut troubles = vec![Fault {
        refuse: true,
        ..Fault::default()
    }];
    for at in [
        0, 1, 20, 100, 200, 250, 300, 350, 400, 450, 500, 550, 600, 700, 800,
    ] {
        troubles.push(Fault {
            cut_request_after: Some(at),
            ..Fault::default()
        });
    }
    for at in [0, 1, 15, 60, 100, 150, 200, 210, 220, 230, 240, 250, 260, 300] {
        troubles.push(Fault {
            cut_answer_after: Some(at),
            ..Fault::default()
        });
    }
    for fault in troubles {
        provider.post("/simulator/reset", json!({})).await;
        proxy.set(fault);
        // A client of its own: no connection of before the fault is left.
        let outcome = client(&api)
            .create(&fax("+12125550142", "http://127.0.0.1:9/fax.pdf"))
            .await;
        let what = format!("{fault:?}");
        check(&what, &outcome, &provider).await;
        kinds.push(kind(&outcome));
    }
    assert!(kinds.contains(&"unsure") && kinds.contains(&"taken"), "{kinds:?}");
}

#[tokio::test]
async fn answers_that_never_come_are_unsure_and_found() {
    let provider = provider().await;
    let proxy = ChaosProxy::to(provider.addr()).await;
    proxy.set(Fault {
        swallow_answers: true,
        ..Fault::default()
    });
    let outcome = hasty(&format!("http://{}/v2.1", proxy.addr))
        .create(&fax("+12125550142", "http://127.0.0.1:9/fax.pdf"))
        .await;
    assert_eq!(kind(&outcome), "unsure");
    check("swallowed", &outcome, &provider).await;
    assert_eq!(provider.faxes_of(JOB).await.len(), 1);
}

/// Sends and looks until the fax is finished.
async fn followed(provider: &Provider, to: &str) -> FaxInfo {
    let document = document(documents::pdf(3, "hello")).await;
    let client = client(&provider.api_url());
    let outcome = client
        .create(&fax(to, &format!("http://{document}/fax.pdf")))
        .await;
    let CreateOutcome::Taken { provider_id } = outcome else {
        panic!("{to}: {outcome:?}");
    };
    let (client, id) = (&client, provider_id.as_str());
    wait::until("the fax to finish", || async move {
        let fax = client.fax(id).await.expect("fax");
        let under_way = matches!(
            fax.update.status,
            ProviderStatus::Queued | ProviderStatus::InProgress | ProviderStatus::Unknown
        );
        (!under_way).then_some(fax)
    })
    .await
}

#[tokio::test]
async fn each_fate_is_read_rightly() {
    let provider = provider().await;
    for (digits, status, error) in [
        ("0142", ProviderStatus::Delivered, None),
        ("9912", ProviderStatus::Failed, Some(("lineError", 112))),
        ("9917", ProviderStatus::Failed, Some(("lineError", 17))),
        ("9931", ProviderStatus::Delivered, None),
        ("9932", ProviderStatus::Failed, Some(("lineError", 17))),
        ("9935", ProviderStatus::Delivered, None),
        (
            "9969",
            ProviderStatus::Failed,
            Some(("documentConversionError", 69)),
        ),
        ("9990", ProviderStatus::Delivered, None),
        ("9991", ProviderStatus::Failed, Some(("weatherError", 9001))),
    ] {
        let fax = followed(&provider, &format!("+1212555{digits}")).await;
        assert_eq!(fax.update.status, status, "{digits}");
        let got = fax
            .update
            .error
            .as_ref()
            .map(|error| (error.error_type.as_str(), error.error_id.unwrap_or_default()));
        assert_eq!(got, error, "{digits}");
        assert!(fax.update.completed_at.is_some(), "{digits}");
        assert_eq!(fax.update.pages, Some(3), "{digits}");
        let cost = if status == ProviderStatus::Delivered {
            21
        } else {
            0
        };
        assert_eq!(fax.update.cost_cents, Some(cost), "{digits}");
        assert_eq!(fax.direction, Direction::Sent);
        assert!(fax.is_test && fax.tags.contains(&("order".to_owned(), "7 & 8".to_owned())));
    }
}

#[tokio::test]
async fn what_the_provider_fetched_is_what_was_offered() {
    let provider = provider().await;
    let fax = followed(&provider, "+12125550142").await;
    let content = provider.content(fax.provider_id()).await;
    assert_eq!(content, documents::pdf(3, "hello"));
    let client = client(&provider.api_url());
    let file = client.file(fax.provider_id(), 1 << 20).await.expect("file");
    assert_eq!(file.media_type.as_deref(), Some("application/pdf"));
    let parts: Vec<_> = file.content.collect().await;
    let bytes: Vec<u8> = parts.into_iter().flat_map(|part| part.expect("part")).collect();
    assert_eq!(bytes, content);
    let inside: Value = provider.get("/simulator/faxes").await;
    assert_eq!(inside["faxes"][0]["header_text"], "Grüße");
}

#[tokio::test]
async fn cancelling_reaches_the_provider_and_the_finished_stay() {
    let provider = provider().await;
    let client = client(&provider.api_url());
    let document = document(documents::pdf(1, "hello")).await;
    let outcome = client
        .create(&fax("+12125559936", &format!("http://{document}/fax.pdf")))
        .await;
    let CreateOutcome::Taken { provider_id } = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(client.cancel(&provider_id).await, Ok(CancelOutcome::Scheduled));
    let (client, id) = (&client, provider_id.as_str());
    let fax = wait::until("the cancellation", || async move {
        let fax = client.fax(id).await.expect("fax");
        (fax.update.status == ProviderStatus::Failed).then_some(fax)
    })
    .await;
    assert_eq!(fax.update.error.and_then(|error| error.error_id), Some(75));
    assert!(matches!(
        client.cancel(id).await,
        Ok(CancelOutcome::Refused { reason }) if reason.contains("already complete")
    ));
    assert_eq!(client.cancel("1").await, Err(LookupError::NotFound));
}

#[tokio::test]
async fn lists_see_the_window_every_page_and_nothing_else() {
    let provider = provider().await;
    let client = client(&provider.api_url());
    for _ in 0..30 {
        let outcome = client
            .create(&fax("+12125550142", "http://127.0.0.1:9/fax.pdf"))
            .await;
        assert_eq!(kind(&outcome), "taken");
    }
    // More than the provider's default page holds.
    assert_eq!(found(&client).await.len(), 30);
    let now = Timestamp::now();
    let (minute, hour) = (SignedDuration::from_mins(1), SignedDuration::from_hours(1));
    for (after, before) in [(now - hour, now - minute), (now + minute, now + hour)] {
        let empty = client.find_by_tag(JOB_TAG, JOB, after, before).await;
        assert_eq!(empty, Ok(Vec::new()));
    }
    let other = client
        .find_by_tag(JOB_TAG, "01jdz00000000000000000000b", now - hour, now + hour)
        .await;
    assert_eq!(other, Ok(Vec::new()));
}

#[tokio::test]
async fn received_faxes_are_listed_with_their_numbers() {
    let provider = provider().await;
    provider
        .receive(json!({ "to": "+12125550100", "from": "+12125550199", "pages": 2, "deliver": false }))
        .await;
    provider
        .receive(json!({ "success": false, "deliver": false }))
        .await;
    let now = Timestamp::now();
    let hour = SignedDuration::from_hours(1);
    let list = client(&provider.api_url())
        .received(now - hour, now + hour)
        .await
        .expect("list");
    let faxes: Vec<_> = list.iter().filter_map(FaxInfo::as_received).collect();
    assert_eq!(faxes.len(), 2);
    assert!(!faxes[0].success && faxes[1].success);
    assert_eq!(
        faxes[0].error.as_ref().and_then(|error| error.error_id),
        Some(117)
    );
    assert_eq!(
        (
            faxes[1].sender.as_deref(),
            faxes[1].called.as_deref(),
            faxes[1].pages
        ),
        (Some("+12125550199"), Some("+12125550100"), Some(2))
    );
}

#[tokio::test]
async fn bad_credentials_are_told_apart_and_new_ones_heal() {
    let provider = provider().await;
    let client = client(&provider.api_url());
    provider.credentials(json!({ "api_secret": "changed" })).await;
    let send = fax("+12125550142", "http://127.0.0.1:9/fax.pdf");
    assert_eq!(kind(&client.create(&send).await), "unauthorized");
    assert_eq!(client.fax("1").await, Err(LookupError::Unauthorized));
    client.replace_credentials(
        Some(Secret::new("simulated-key".into())),
        Some(Secret::new("changed".into())),
    );
    assert_eq!(kind(&client.create(&send).await), "taken");
    assert_eq!(client.fax("1").await, Err(LookupError::NotFound));
}
