//! Faxes that arrive.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const PDF: &[u8] = b"%PDF-1.4\n1 0 obj\n<< /Type /Page >>\nendobj\n%%EOF\n";

#[tokio::test]
async fn each_version_brings_the_document_in_its_part() {
    let mut room = Room::new().await;
    let url = room.site.url("/inbound");
    for (version, part) in [("v1", "filename"), ("v2", "file"), ("v2.1", "file")] {
        let order = json!({
            "to": "+12125550100", "from": "+12125550199", "pdf": STANDARD.encode(PDF), "version": version,
            "callback_url": url,
        });
        let id = room.control("/simulator/inbound", order).await["id"]
            .as_u64()
            .unwrap();
        let hit = room.site.next().await;
        assert_signed(&hit, &room.site);
        assert_eq!(hit.form.files.len(), 1);
        assert_eq!(hit.form.files[0].part, part);
        assert_eq!(hit.form.files[0].content, PDF);
        let fax = fax_of(&hit);
        assert_eq!(
            (
                &fax["direction"],
                &fax["from_number"],
                &fax["to_number"],
                &fax["num_pages"]
            ),
            (
                &json!("received"),
                &json!("+12125550199"),
                &json!("+12125550100"),
                &json!(1)
            )
        );
        let file = room
            .http
            .get(room.simulator.url(&format!("/v2.1/faxes/{id}/file")))
            .basic_auth("simulated-key", Some("simulated-secret"))
            .send()
            .await
            .unwrap();
        assert_eq!(file.headers()["content-type"], "application/pdf");
        assert_eq!(file.bytes().await.unwrap(), PDF);
    }
}

#[tokio::test]
async fn documents_can_stay_away_and_receptions_fail() {
    let mut room = Room::with(|config| config.signature = Scheme::Sha256).await;
    let url = room.site.url("/inbound");
    let order = json!({ "pages": 3, "with_file": false, "callback_url": url });
    room.control("/simulator/inbound", order).await;
    let hit = room.site.next().await;
    assert!(hit.form.files.is_empty());
    assert_eq!(fax_of(&hit)["num_pages"], 3);
    assert_eq!(
        hit.headers["x-phaxio-signature"],
        sign::faxbot("simulated-secret", &hit.body)
    );
    let order = json!({ "success": false, "callback_url": url, "version": "v1" });
    let id = room.control("/simulator/inbound", order).await["id"].clone();
    let hit = room.site.next().await;
    assert_eq!(hit.form.get("success"), Some("false"));
    assert_eq!(fax_of(&hit)["error_id"], 117);
    assert_eq!(
        room.call(Method::GET, &format!("/v2.1/faxes/{id}/file"), &[])
            .await
            .0,
        404
    );
}

#[tokio::test]
async fn deliveries_repeat_multiply_or_get_lost() {
    let mut room = Room::with(|config| config.time_scale = 1.0).await;
    let url = room.site.url("/inbound");
    room.site.answers.lock().push_back(503);
    room.control("/simulator/inbound", json!({ "callback_url": url }))
        .await;
    let first = room.site.next().await;
    room.control("/simulator/clock", json!({ "advance_seconds": 300 }))
        .await;
    assert_eq!(room.site.next().await.body, first.body);

    room.control("/simulator/inbound", json!({ "callback_url": url, "copies": 3 }))
        .await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        ids.push(fax_of(&room.site.next().await)["id"].clone());
    }
    assert!(ids.windows(2).all(|pair| pair[0] == pair[1]), "{ids:?}");

    let lost = room
        .control(
            "/simulator/inbound",
            json!({ "callback_url": url, "deliver": false }),
        )
        .await["id"]
        .clone();
    let listed = room.get("/v2.1/faxes?direction=received").await;
    assert_eq!(listed["paging"]["total"], 3);
    assert_eq!(listed["data"][0]["id"], lost);
    assert!(room.site.hits.try_recv().is_err());
}

#[tokio::test]
async fn a_test_reception_calls_back() {
    let site = Site::start().await;
    let inbound = site.url("/inbound");
    let mut room = Room::with(|config| config.inbound_url = Some(inbound)).await;
    room.site = site;
    let form = reqwest::multipart::Form::new()
        .text("direction", "received")
        .text("from_number", "+12125550199")
        .part("file", reqwest::multipart::Part::bytes(PDF).file_name("a.pdf"));
    let answer: Value = room
        .http
        .post(room.simulator.url("/v2.1/faxes"))
        .basic_auth("simulated-key", Some("simulated-secret"))
        .multipart(form)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(
        answer,
        json!({
            "success": true,
            "message": "Test fax received from +12125550199 to +18773346654.  Calling back now...",
        })
    );
    let hit = room.site.next().await;
    assert_eq!(hit.form.get("event_type"), Some("fax_received"));
    assert_eq!(hit.form.files[0].content, PDF);
}
