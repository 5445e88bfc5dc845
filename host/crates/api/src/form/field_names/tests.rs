//! Names that are known, and what is said about the others.

use super::*;

fn refused(result: Result<(), Problem>) -> String {
    result.expect_err("refused").detail().to_owned()
}

#[test]
fn unknown_fields_name_the_nearest_one() {
    for (given, nearest) in [
        ("too", "`to`"),
        ("TO", "`to`"),
        ("sent_at", "`send_at`"),
        ("headertext", "`header_text`"),
        ("cover[subjekt]", "`cover[subject]`"),
        ("halftoning", "`halftone`"),
    ] {
        let detail = refused(check_send(given, false));
        assert!(detail.ends_with(nearest), "{detail}");
    }
    assert!(refused(check_resend("file")).contains("not a field"));
    assert!(refused(check_send("document", true)).contains("belongs in the part `file`"));
    for known in ["to", "tag[case]", "file[]", "cover[message]"] {
        assert!(check_send(known, false).is_ok(), "{known}");
    }
    assert!(check_send("tag[case", false).is_err());
    assert!(!refused(check_send(&"x\u{1b}".repeat(9000), false)).contains('\u{1b}'));
}
