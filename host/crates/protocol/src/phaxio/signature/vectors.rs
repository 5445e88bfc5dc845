//! Known signatures, for the tests of everybody who signs or checks.

/// A signature of [`super::SignatureScheme::Form`].
#[derive(Debug, Clone, Copy)]
pub struct FormVector {
    /// Key.
    pub token: &'static str,
    /// Address as it was given to the provider.
    pub url: &'static str,
    /// Names and values.
    pub fields: &'static [(&'static str, &'static str)],
    /// Part names and bytes.
    pub files: &'static [(&'static str, &'static [u8])],
    /// The header's value.
    pub signature: &'static str,
}

/// A signature of [`super::SignatureScheme::Body`].
#[derive(Debug, Clone, Copy)]
pub struct BodyVector {
    /// Key.
    pub secret: &'static str,
    /// The body.
    pub body: &'static [u8],
    /// The header's value.
    pub signature: &'static str,
}

/// A sent fax, as callbacks carry it.
pub const SENT: &str = r#"{"id":123456,"direction":"sent","num_pages":1,"status":"success","is_test":true,"cost":7,"tags":{},"recipients":[{"phone_number":"+15558675309","status":"success"}]}"#;

/// A received fax, as callbacks carry it.
pub const RECEIVED: &str = r#"{"id":98765,"direction":"received","num_pages":1,"status":"success","is_test":true,"from_number":"+15551230000","to_number":"+15559870000"}"#;

/// Address of the callbacks about [`SENT`].
pub const CALLBACK_URL: &str = "https://fax.example.test/phaxio-callback?job_id=abc123";

/// Address of the callbacks about [`RECEIVED`].
pub const INBOUND_URL: &str = "https://fax.example.test/phaxio-inbound";

const PDF: &[u8] = b"%PDF-1.4\nfake\n";
const TEST: &[(&str, &str)] = &[("test", "true")];
const COMPLETED: &[(&str, &str)] = &[("fax", SENT), ("event_type", "fax_completed")];

/// 1 to 3 are in the tests of the vendor's Ruby client, 4 was seen in an integration; 5 to 10 were computed by hand
/// from the description. 6 and 7 differ from 5 in the address alone: neither may be taken for it.
pub const FORM: [FormVector; 10] = [
    FormVector {
        token: "test-webhook-token",
        url: "example.com",
        fields: TEST,
        files: &[],
        signature: "64a735ef0c47a0ae671e381c046648f0966deb29",
    },
    FormVector {
        token: "1234567890",
        url: "example.com",
        fields: TEST,
        files: &[],
        signature: "15adeecb7eca79676ece07ee4bc1bbba2c69eddd",
    },
    FormVector {
        token: "test-webhook-token",
        url: "example.com",
        fields: TEST,
        files: &[("file", b""), ("file", b"")],
        signature: "1d2426c242a8c5de7eb1d9b662b7fda1d0b6edab",
    },
    FormVector {
        token: "test-token",
        url: "https://example.com/webhook",
        fields: &[("success", "true"), ("fax_id", "123")],
        files: &[],
        signature: "79033d13d0f7c0b7b86ee256ea5c6b56b239fa2c",
    },
    FormVector {
        token: "0123456789",
        url: CALLBACK_URL,
        fields: COMPLETED,
        files: &[],
        signature: "55af46383f485912ae9ea3e7a18f2766cf9990d4",
    },
    FormVector {
        token: "0123456789",
        url: "http://fax.example.test/phaxio-callback?job_id=abc123",
        fields: COMPLETED,
        files: &[],
        signature: "440ffcba7aa1b3f919b8a9f3b7db8f1b4673ca4e",
    },
    FormVector {
        token: "0123456789",
        url: "https://fax.example.test/phaxio-callback",
        fields: COMPLETED,
        files: &[],
        signature: "85098df064e611666c2adbf03c97993901b099f3",
    },
    FormVector {
        token: "0123456789",
        url: CALLBACK_URL,
        fields: &[
            ("fax", SENT),
            ("success", "true"),
            ("is_test", "true"),
            ("direction", "sent"),
        ],
        files: &[],
        signature: "8bca5b238136e529d5f621a51b82af885d85860b",
    },
    FormVector {
        token: "0123456789",
        url: INBOUND_URL,
        fields: &[
            ("fax", RECEIVED),
            ("direction", "received"),
            ("is_test", "true"),
            ("success", "true"),
        ],
        files: &[("file", PDF)],
        signature: "fd5a7681857313a206051a7f2cfa6aff6760e465",
    },
    FormVector {
        token: "0123456789",
        url: INBOUND_URL,
        fields: &[("fax", RECEIVED), ("event_type", "fax_received")],
        files: &[("file", PDF)],
        signature: "932fd81d0dfa89fd354f5fe242c1836eb58e4371",
    },
];

/// RFC 4231, test case 2.
pub const BODY: [BodyVector; 1] = [BodyVector {
    secret: "Jefe",
    body: b"what do ya want for nothing?",
    signature: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
}];
