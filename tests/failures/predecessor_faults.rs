//! Each fault that was seen in the service this one takes over from has a test here or is pointed to from here.
//!
//! | fault | test |
//! |---|---|
//! | genuine callbacks refused or misread | `sending::send::every_callback_shape_and_both_signatures_are_understood` |
//! | signed body replayed with another job | `sending::callbacks::a_signed_body_cannot_be_replayed_against_another_job` |
//! | final states regress, page count that is no number | `sending::callbacks::the_first_end_stays…`, `sending::callbacks::bodies_of_any_shape…` |
//! | callback before the answer overwritten | `sending::callbacks::a_callback_before_the_answer_is_kept` |
//! | sent again blindly, permanent refusals retried | below |
//! | jobs lost by `kill -9` | `failures::crashes` |
//! | foreign status words shown to clients | below |
//! | numbers guessed | below |
//! | text cut, blackened, refused | below, and the converter's own tests |
//! | documents not looked into | `http_edge::requests::refusals_say_what_to_do` |
//! | body read before authentication | `http_edge::requests::a_huge_upload_with_a_bad_key_is_refused_before_it_is_read` |
//! | limits by route, failures unlimited, no `Retry-After` | `http_edge::requests::a_limited_key…`, `http_edge::requests::guessing_keys_is_slowed_down` |
//! | expiry offset lost, dead token from a revoked key, `*` no admin | `confidentiality::tenants` |
//! | HTTPS enforcement swallowed | `http_edge::requests::a_public_address_in_clear_is_refused_at_start` |
//! | inbound lost, link nowhere, credentials sent to named hosts | `receiving::inbound`, below |
//! | tokens and numbers in logs | `confidentiality::secrets` |
//! | every key reads every job | `confidentiality::tenants` |

use std::time::Duration;

use serde_json::json;

use faxgate_testkit::TestInstallation;
use faxgate_testkit::documents;
use faxgate_testkit::service::client::Fax;
use faxgate_testkit::service::installation::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn an_uncertain_request_is_never_repeated_blindly() {
    let installation = TestInstallation::start().await;
    // Taken by the provider, but the answer never arrives, breaks, is an error or is nonsense.
    for end in [
        "9900", "9902", "9903", "9904", "9905", "9906", "9950", "9954", "9956", "9957",
    ] {
        let id = installation
            .admin
            .accepted(&Fax::pdf(&format!("+1212555{end}"), documents::pdf(1, "once")))
            .await;
        let job = installation.admin.reaches(&id, "SUCCESS").await;
        assert_eq!(job["attempts"], 1, "{end}: {job:#}");
        // A good one in between: after five failures in a row nothing would be sent for a while.
        let good = installation
            .admin
            .accepted(&Fax::pdf("+12125550142", documents::pdf(1, "good")))
            .await;
        installation.admin.reaches(&good, "SUCCESS").await;
        assert_eq!(installation.provider.faxes_of(&id).await.len(), 1, "{end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_effect_is_repeated() {
    let installation = TestInstallation::start().await;
    for end in ["9901", "9928", "9929", "9951", "9952", "9953", "9955"] {
        let id = installation
            .admin
            .accepted(&Fax::pdf(&format!("+1212555{end}"), documents::pdf(1, "again")))
            .await;
        installation.admin.reaches(&id, "SUCCESS").await;
        assert_eq!(installation.provider.faxes_of(&id).await.len(), 1, "{end}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_for_good_is_told_and_not_repeated() {
    let installation = TestInstallation::start().await;
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125559922", documents::pdf(1, "no")))
        .await;
    let job = installation.admin.reaches(&id, "FAILED").await;
    assert_eq!(job["attempts"], 1);
    assert!(!job["error"].as_str().expect("words").is_empty());
    assert_eq!(
        installation.provider.requests().await["by_job"][&id]["requests"],
        1
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_provider_stay_inside() {
    let mut setup = Setup::new();
    setup.provider.completion = Duration::from_secs(20);
    let installation = setup.start().await;
    for end in ["9931", "9990", "9986", "9935"] {
        let id = installation
            .admin
            .accepted(&Fax::pdf(&format!("+1212555{end}"), documents::pdf(1, "words")))
            .await;
        let known = ["queued", "in_progress", "SUCCESS"];
        faxgate_testkit::wait::until("the end", || async {
            let job = installation.admin.job(&id).await;
            let status = job["status"].as_str().expect("status").to_owned();
            assert!(known.contains(&status.as_str()), "{end}: {job:#}");
            (status == "SUCCESS").then_some(())
        })
        .await;
    }
    let id = installation
        .admin
        .accepted(&Fax::pdf("+12125559932", documents::pdf(1, "partly")))
        .await;
    installation.admin.reaches(&id, "FAILED").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_understood_or_refused_and_never_guessed() {
    let mut setup = Setup::new();
    setup.set("disabled", true);
    let installation = setup.start().await;
    for (dialled, kept) in [
        ("2125550142", "+12125550142"),
        ("(212) 555-0142", "+12125550142"),
        ("+15551234567", "+15551234567"),
        ("  +1 212 555 0142\n", "+12125550142"),
        (
            "+\u{ff11}\u{ff12}\u{ff11}\u{ff12}\u{ff15}\u{ff15}\u{ff15}\u{ff10}\u{ff11}\u{ff14}\u{ff12}",
            "+12125550142",
        ),
        ("+44 20 7946 0018", "+442079460018"),
    ] {
        let answer = installation
            .admin
            .send(&Fax::pdf(dialled, documents::pdf(1, "x")))
            .await;
        assert_eq!(answer.status, 202, "{dialled:?}: {}", answer.text());
        assert_eq!(answer.json()["to"], kept, "{dialled:?}");
    }
    for bad in [
        "+000000",
        "12",
        "+1212555014212125550142",
        "fax",
        "+1 212 555 0142 ext. 7",
        "+",
        "../etc",
    ] {
        installation
            .admin
            .send(&Fax::pdf(bad, documents::pdf(1, "x")))
            .await
            .problem(400);
    }
    let german = installation
        .admin
        .send(&Fax::pdf("030 123456", documents::pdf(1, "x")).field("region", "DE"))
        .await;
    assert_eq!(german.json()["to"], "+4930123456", "{}", german.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_every_kind_is_taken_and_counted() {
    let mut setup = Setup::new();
    setup.set("disabled", true);
    let installation = setup.start().await;
    let utf16: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain("Größe\n".encode_utf16().flat_map(u16::to_le_bytes))
        .collect();
    let long_line = "word ".repeat(30_000);
    let awkward = format!("{}€", "a".repeat(65_535));
    let lines = |n: usize| "line\n".repeat(n).into_bytes();
    for (what, document, pages) in [
        ("UTF-16", utf16, Some(1)),
        ("Latin-1", b"Gr\xf6\xdfe\n".to_vec(), Some(1)),
        ("a mark at the start", b"\xef\xbb\xbfhello\n".to_vec(), Some(1)),
        ("a form feed", b"one\x0ctwo\n".to_vec(), Some(2)),
        ("a long line", long_line.into_bytes(), None),
        ("a character across 65,536", awkward.into_bytes(), None),
        ("57 lines", lines(57), None),
    ] {
        let fax = Fax {
            document,
            ..Fax::text("+12125550142", "")
        };
        let answer = installation.admin.send(&fax).await;
        assert_eq!(answer.status, 202, "{what}: {}", answer.text());
        if let Some(pages) = pages {
            assert_eq!(answer.json()["pages"], pages, "{what}");
        }
    }
    // A blank page at the end came from a line count that fits exactly: no count may do that.
    let mut before = 1;
    for n in 40..75 {
        let fax = Fax {
            document: lines(n),
            ..Fax::text("+12125550142", "")
        };
        let pages = installation.admin.send(&fax).await.json()["pages"]
            .as_u64()
            .expect("pages");
        assert!(
            pages == before || pages == before + 1,
            "{n} lines make {pages} pages"
        );
        before = pages;
    }
    assert_eq!(before, 2);
    let latest = Fax {
        file_name: "latest-lab.txt".to_owned(),
        ..Fax::text("+12125550142", &"result\n".repeat(200))
    };
    assert!(
        installation.admin.send(&latest).await.json()["pages"].as_u64() > Some(2),
        "names mean nothing"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_go_to_the_provider_alone() {
    let mut setup = Setup::new();
    setup.set("inbound.enabled", true);
    let installation = setup.start().await;
    let trap = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("port");
    let trap_url = format!("http://{}/doc.pdf", trap.local_addr().expect("address"));
    // Signed as Faxbot expects it, naming a host of the sender's choice.
    let body =
        format!("fax%5Bid%5D=424242&fax%5Bdirection%5D=received&fax%5Bstatus%5D=success&file_url={trap_url}");
    let signature = {
        use hmac::Mac;
        let key = faxgate_testkit::service::installation::API_SECRET.as_bytes();
        let mut mac = hmac::Hmac::<sha2::Sha256>::new_from_slice(key).expect("key");
        mac.update(body.as_bytes());
        hex::encode(mac.finalize().into_bytes())
    };
    let anybody = installation.admin.without_key();
    let request = anybody
        .request(http::Method::POST, "/phaxio-inbound")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-phaxio-signature", signature)
        .body(body);
    let answer = anybody.ask(request).await;
    assert_ne!(
        answer.status,
        200,
        "a fax whose document is nowhere is not acknowledged: {}",
        answer.text()
    );
    let knock = tokio::time::timeout(Duration::from_millis(300), trap.accept()).await;
    assert!(
        knock.is_err(),
        "somebody came to an address that a callback named"
    );
    assert_eq!(
        installation.admin.get("/inbound").await.json()["items"],
        json!([])
    );
}
