//! Shapes, signatures, retries and disorder of callbacks.

use super::*;

#[tokio::test]
async fn each_version_has_its_fields() {
    for (version, names) in [
        ("v1", &["fax", "success", "is_test", "direction"][..]),
        ("v2", &["fax", "success", "is_test", "direction"][..]),
        ("v2.1", &["fax", "event_type"][..]),
    ] {
        let mut room = Room::with(|config| config.webhook_version = version.parse().unwrap()).await;
        let id = room.send("+12125550142").await;
        let hit = room.site.next().await;
        let got: Vec<_> = hit.form.fields.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(got, names, "{version}");
        assert_signed(&hit, &room.site);
        let fax = fax_of(&hit);
        assert_eq!(fax["id"].as_u64(), Some(id));
        match version {
            "v1" => assert!(fax["requested_at"].is_i64() && fax["recipients"][0]["number"] == "2125550142"),
            "v2" => assert!(fax.get("barcodes").is_none() && fax["created_at"].is_string()),
            _ => assert!(fax["barcodes"].is_array()),
        }
    }
    let mut room = Room::with(|config| config.webhook_version = WebhookVersion::Flat).await;
    let id = room.send("+12125550142").await;
    let hit = room.site.next().await;
    assert_eq!(hit.form.get("fax[id]"), Some(id.to_string().as_str()));
    assert_eq!(hit.form.get("fax[status]"), Some("success"));
}

#[tokio::test]
async fn each_scheme_signs_its_way() {
    let mut room = Room::new().await;
    let signature = |hit: &Hit| {
        hit.headers
            .get("x-phaxio-signature")
            .map(|value| value.to_str().unwrap().to_owned())
    };
    for scheme in ["sha1", "sha256", "none", "wrong"] {
        room.send_with("+12125550142", &[("tag[sim_scheme]", scheme)])
            .await;
        let hit = room.site.next().await;
        let right = expected(&hit, &room.site);
        let signed = signature(&hit);
        match scheme {
            "sha1" => assert_eq!(signed, Some(right)),
            "sha256" => assert_eq!(signed, Some(sign::faxbot("simulated-secret", &hit.body))),
            "none" => assert_eq!(signed, None),
            _ => assert!(signed.is_some_and(|wrong| wrong != right && wrong.len() == 40)),
        }
    }
}

#[tokio::test]
async fn without_a_token_nothing_is_signed() {
    let mut room = Room::with(|config| config.callback_token = None).await;
    room.send("+12125550142").await;
    let hit = room.site.next().await;
    assert!(!hit.headers.contains_key("x-phaxio-signature"));
}

#[tokio::test]
async fn a_failed_delivery_is_repeated_on_schedule_with_the_same_bytes() {
    let mut room = Room::with(|config| {
        config.time_scale = 1.0;
        config.completion = Duration::ZERO;
    })
    .await;
    let waits: Vec<u64> = [300, 600, 1200, 1800].into_iter().chain([21_600; 12]).collect();
    room.site
        .answers
        .lock()
        .extend(std::iter::repeat_n(500, waits.len()));
    let id = room.send("+12125550142").await;
    let first = room.site.next().await;
    for wait in &waits {
        room.control("/simulator/clock", json!({ "advance_seconds": wait }))
            .await;
        let again = room.site.next().await;
        assert_eq!(again.body, first.body);
        assert_eq!(
            again.headers["x-phaxio-signature"],
            first.headers["x-phaxio-signature"]
        );
    }
    // The last one was received: it is noted once the answer is back.
    let attempts = loop {
        let inside = room.inside(id).await;
        let attempts = inside["callbacks"].as_array().unwrap().clone();
        if attempts.len() == waits.len() + 1 {
            break attempts;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(
        (&attempts[0]["status"], &attempts[16]["status"]),
        (&json!(500), &json!(200))
    );
    assert_eq!(attempts[16]["attempt"], 17);
}

/// Only where a machine has more than one loopback address (Linux).
#[cfg(target_os = "linux")]
#[tokio::test]
async fn each_attempt_comes_from_another_address() {
    let mut room = Room::with(|config| {
        config.time_scale = 1.0;
        config.completion = Duration::ZERO;
    })
    .await;
    room.site.answers.lock().extend([500; 3]);
    room.send("+12125550142").await;
    let mut sources = vec![room.site.next().await.from];
    for wait in [300, 600, 1200] {
        room.control("/simulator/clock", json!({ "advance_seconds": wait }))
            .await;
        let source = room.site.next().await.from;
        assert!(!sources.contains(&source), "{source} after {sources:?}");
        sources.push(source);
    }
}

#[tokio::test]
async fn callbacks_come_twice_out_of_order_or_not_at_all() {
    let mut room = Room::new().await;
    room.send("+12125559980").await;
    let (one, two) = (room.site.next().await, room.site.next().await);
    assert_eq!(one.body, two.body);

    room.send("+12125559981").await;
    let (end, page) = (room.site.next().await, room.site.next().await);
    assert_eq!(end.form.get("event_type"), Some("fax_completed"));
    assert_eq!(page.form.get("event_type"), Some("transmitting_page"));
    assert_eq!(fax_of(&page)["status"], "inprogress");
    assert_signed(&page, &room.site);

    let id = room.send("+12125559983").await;
    assert_eq!(room.finished(id).await["status"], "success");
    // Whatever is delivered from now on belongs to the next fax.
    let next = room.send("+12125550142").await;
    assert_eq!(fax_of(&room.site.next().await)["id"].as_u64(), Some(next));
    assert_eq!(room.inside(id).await["callbacks"], json!([]));
}

#[tokio::test]
async fn a_callback_can_overtake_the_answer() {
    let mut room = Room::new().await;
    let id = room.send("+12125559982").await;
    // The answer is here, so the callback must have been.
    let hit = room.site.hits.try_recv().unwrap();
    assert_eq!(fax_of(&hit)["id"].as_u64(), Some(id));
}

#[tokio::test]
async fn pages_and_retries_under_way_are_told_when_wanted() {
    let mut room = Room::new().await;
    room.send_with("+12125559935", &[("tag[sim]", "retry,callback_inflight")])
        .await;
    let mut events = Vec::new();
    for _ in 0..3 {
        let hit = room.site.next().await;
        assert_signed(&hit, &room.site);
        events.push(hit.form.get("event_type").unwrap().to_owned());
        if events.len() == 2 {
            assert_eq!(hit.form.get("retry_count"), Some("1"));
            assert_eq!(hit.form.get("recipient_phone_number"), Some("+12125559935"));
        }
    }
    assert_eq!(events, ["transmitting_page", "retry_scheduled", "fax_completed"]);
}

#[tokio::test]
async fn credentials_in_the_address_become_a_header_and_mail_is_no_request() {
    let mut room = Room::new().await;
    let with_user = room.site.url("/callback").replace("http://", "http://user:word@");
    room.send_with("+12125550142", &[("callback_url", &with_user)])
        .await;
    let hit = room.site.next().await;
    assert_eq!(hit.headers["authorization"], "Basic dXNlcjp3b3Jk");
    assert_eq!(
        hit.headers["x-phaxio-signature"],
        sign::phaxio("simulated-callback-token", &with_user, &hit.form.fields, &[])
    );
    let id = room
        .send_with("+12125550142", &[("callback_url", "mailto:fax@example.test")])
        .await;
    room.finished(id).await;
    assert_eq!(room.inside(id).await["callbacks"], json!([]));
}

#[tokio::test]
async fn a_test_can_send_any_callback_again() {
    let mut room = Room::new().await;
    let id = room.send("+12125550142").await;
    room.site.next().await;
    room.site.answers.lock().push_back(401);
    let order = json!({
        "fax": id.to_string(), "url": room.site.url("/other?x=1"), "version": "v1", "scheme": "wrong",
        "status": "failure",
    });
    let told = room.control("/simulator/callback", order).await;
    assert_eq!(told["status"], 401);
    let hit = room.site.next().await;
    assert_eq!(
        (hit.path.as_str(), hit.form.get("success")),
        ("/other?x=1", Some("false"))
    );
    assert_ne!(
        hit.headers["x-phaxio-signature"].to_str().unwrap(),
        expected(&hit, &room.site)
    );
}
