//! What is sent is what arrives, for every message.

use autoexec_model::view::TargetRow;
use autoexec_wire::pb;
use proptest::prelude::*;

use crate::cases::{Read, all};
use crate::samples::Samples;

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_message_comes_back_as_it_was(text in any::<String>(), number in any::<u32>()) {
        for case in all(&Samples::new(&text, number)) {
            prop_assert_eq!((case.read)(&case.bytes), Read::Same, "{}", case.name);
        }
    }
}

#[test]
fn the_same_value_always_has_the_same_bytes() {
    let sample = Samples::new("é", 7);
    for (one, other) in all(&sample).into_iter().zip(all(&sample)) {
        assert_eq!(one.bytes, other.bytes, "{}", one.name);
    }
}

#[test]
fn keys_of_free_form_values_keep_their_order() {
    let row = Samples::new("", 1).target_row();
    let json = serde_json::to_string(&row.outputs).unwrap();
    let back = TargetRow::try_from(pb::TargetRow::from(row)).unwrap();
    assert_eq!(serde_json::to_string(&back.outputs).unwrap(), json);
}

#[test]
fn secrets_are_not_in_the_debug_text_of_a_message() {
    let mut request = Samples::new("", 1).plan_request();
    request.params = vec![("password".into(), "hunter2".into())];
    request.files.truncate(1);
    request.files[0].bytes = b"hunter3".to_vec();
    let message = pb::PlanRequest::from(request);
    let text = format!("{message:?}");
    assert!(text.contains("password"), "{text}");
    assert!(!text.contains("hunter2") && !text.contains(&format!("{:?}", b"hunter3")), "{text}");

    let mut grant = Samples::new("", 1).grant();
    grant.params.insert("password".into(), "hunter2".into());
    let grant = pb::Grant::from(grant);
    let bytes = format!("{:?}", grant.params);
    assert!(!format!("{grant:?}").contains(bytes.trim_matches(['[', ']'])));
}
