//! The examples of the design, every written form, and that batches always partition the targets.

use proptest::prelude::*;

use super::cut::*;

fn cut(spec: &str, total: u32) -> Vec<u32> {
    spec.parse::<BatchSpec>().expect(spec).cut(total)
}

#[test]
fn examples_of_the_design() {
    assert_eq!(cut("1 5", 16), [1, 5, 5, 5]);
    assert_eq!(cut("1 30%", 15), [1, 5, 5, 4]);
    assert_eq!(cut("+5", 100), [5, 10, 15, 20, 25, 25]);
    assert_eq!(cut("*2", 100), [2, 4, 8, 16, 32, 38]);
    assert_eq!(cut("count: 3", 10), [4, 3, 3]);
    assert_eq!(cut("1 5% 25% *2", 100), [1, 5, 25, 50, 19]);
    assert_eq!(cut("12.5%", 8), [1; 8]);
    assert_eq!(cut("count: 7", 3), [1, 1, 1]);
    assert_eq!(cut("100%", 412), [412]);
    assert_eq!(cut("0.1%", 3), [1, 1, 1]);
    assert!(cut("5", 0).is_empty());
    assert!(cut("count=2", 0).is_empty());
}

#[test]
fn every_written_form() {
    for (json, shown) in [
        (r#""1 5% 25% *2""#, "1 5% 25% *2"),
        (r#"[1, "5%", "+3"]"#, "1 5% +3"),
        (r#"{"count": 3}"#, "count: 3"),
        ("10", "10"),
        (r#""1,5""#, "1 5"),
    ] {
        let spec: BatchSpec = serde_json::from_str(json).expect(json);
        assert_eq!(spec.to_string(), shown);
        let again: BatchSpec = serde_json::from_value(serde_json::to_value(&spec).expect("json")).expect("reads back");
        assert_eq!(again, spec);
    }
}

#[test]
fn errors_point_and_help() {
    let text = ["", "0", "1 0%", "1 x", "101%", "1.25%", "-1", "count: 0", "1 *", "+0", "５"]
        .map(|text| format!("{text:?}: {}", text.parse::<BatchSpec>().expect_err(text)))
        .join("\n");
    expect_test::expect![[r#"
        "": the batch expression is empty (at character 1); write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch
        "0": `0` would make an empty batch (at character 1); write 1 or more
        "1 0%": `0%` would make an empty batch (at character 3); write 1 or more
        "1 x": `x` is not a part of a batch expression (at character 3); write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch
        "101%": `101%` is more than 100% (at character 1); write a share such as `5%` or `12.5%`
        "1.25%": `1.25%` has more than one decimal (at character 1); write a share such as `5%` or `12.5%`
        "-1": `-1` is not a part of a batch expression (at character 1); write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch
        "count: 0": `0` is not a number of batches (at character 1); write `count: 3`
        "1 *": `*` is not a part of a batch expression (at character 3); write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch
        "+0": `+0` would make an empty batch (at character 1); write 1 or more
        "５": `５` is not a part of a batch expression (at character 1); write parts such as `1 5% 25% *2`, where `N` counts, `N%` is a share, `+N` adds to and `*N` multiplies the previous batch"#]]
    .assert_eq(&text);
    for json in [r#"{"count": 0}"#, r#"{"size": 2}"#, "{}", "[]", "[0]", "-1", "true", "1.5"] {
        serde_json::from_str::<BatchSpec>(json).expect_err(json);
    }
}

fn part() -> impl Strategy<Value = BatchPart> {
    prop_oneof![
        (1u32..).prop_map(BatchPart::Count),
        (1u16..=1000).prop_map(|tenths| BatchPart::Percent(Percent { tenths })),
        (1u32..).prop_map(BatchPart::Plus),
        (1u32..).prop_map(BatchPart::Times),
    ]
}

proptest! {
    #[test]
    fn batches_partition_the_targets(
        spec in prop_oneof![
            prop::collection::vec(part(), 1..6).prop_map(BatchSpec::Parts),
            (1u32..).prop_map(BatchSpec::Count),
        ],
        total in 0u32..20_000,
    ) {
        let sizes = spec.cut(total);
        prop_assert_eq!(sizes.iter().map(|n| u64::from(*n)).sum::<u64>(), u64::from(total));
        prop_assert!(sizes.iter().all(|n| *n > 0));
        prop_assert_eq!(spec.to_string().parse::<BatchSpec>(), Ok(spec));
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,16}|[0-9%+* .,count:]{0,16}") {
        let _ = text.parse::<BatchSpec>();
        let _ = text.parse::<Percent>();
    }
}
