//! Deliveries of received faxes, made and signed here: as large as need be and without a provider in between.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A signed `POST /phaxio-inbound`.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// `content-type`
    pub content_type: String,
    /// `x-phaxio-signature`: HMAC-SHA256 of the body.
    pub signature: String,
    /// The form.
    pub body: Vec<u8>,
}

impl Delivery {
    /// The fax `id` with its document.
    pub fn of(id: u64, pdf: &[u8], secret: &str) -> Self {
        const BOUNDARY: &str = "----delivery-7d1f0b";
        let fax = format!(
            "{{\"id\":{id},\"direction\":\"received\",\"num_pages\":1,\"status\":\"success\",\"is_test\":false,\
             \"from_number\":\"+12125550177\",\"to_number\":\"+12125550100\"}}"
        );
        let mut body = Vec::with_capacity(pdf.len() + 1024);
        for (name, value) in [
            ("fax", fax.as_str()),
            ("direction", "received"),
            ("success", "true"),
        ] {
            let part =
                format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
            body.extend_from_slice(part.as_bytes());
        }
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"fax.pdf\"\r\n\
             Content-Type: application/pdf\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(pdf);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(&body);
        Self {
            content_type: format!("multipart/form-data; boundary={BOUNDARY}"),
            signature: hex::encode(mac.finalize().into_bytes()),
            body,
        }
    }

    /// Sends it to the service at `base`; the status of the answer.
    pub async fn send(self, http: &reqwest::Client, base: &str) -> u16 {
        let request = http
            .post(format!("{base}/phaxio-inbound"))
            .header("content-type", self.content_type)
            .header("x-phaxio-signature", self.signature)
            .body(self.body);
        request.send().await.expect("an answer").status().as_u16()
    }
}
