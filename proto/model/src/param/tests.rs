//! What an engineer sees when a parameter is right or wrong.

use expect_test::{Expect, expect};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::*;
use crate::diagnostic::SourceFile;
use crate::yaml::{self, Entries};

fn specs(text: &str) -> Entries<ParamSpec> {
    let src = SourceFile::new("job.yaml", text);
    let specs: Entries<ParamSpec> = yaml::parse(&src).unwrap_or_else(|errors| panic!("{errors}"));
    let broken = check_declarations(&specs);
    assert!(broken.is_empty(), "{broken:?}");
    specs
}

/// The one parameter `x`, declared so.
fn spec(text: &str) -> ParamSpec {
    specs(&format!("x: {text}\n")).get("x").expect("x").clone()
}

fn given(value: Value) -> Map<String, Value> {
    value.as_object().expect("an object").clone()
}

fn show(errors: &[ParamError]) -> String {
    let lines = errors.iter().map(|error| match &error.hint {
        Some(hint) => format!("{error}; {hint}"),
        None => error.to_string(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn refused(declared: &str, value: &Value, expected: Expect) {
    let error = spec(declared).check("x", value).expect_err("a wrong value");
    expected.assert_eq(&show(&[error]));
}

fn broken(declared: &str, expected: Expect) {
    let text = format!("x: {declared}\n");
    let src = SourceFile::new("job.yaml", &text);
    let specs: Entries<ParamSpec> = yaml::parse(&src).unwrap_or_else(|errors| panic!("{errors}"));
    let errors = check_declarations(&specs);
    assert_eq!(errors.len(), 1, "{errors:?}");
    expected.assert_eq(&errors[0].to_diagnostic(&src).to_string());
}

#[test]
fn every_type_takes_its_values_in_a_normal_form() {
    for (declared, value, normal) in [
        ("{}", json!("1.10"), json!("1.10")),
        ("{ type: string, min: 2, max: 3 }", json!("äöü"), json!("äöü")),
        ("{ type: string, pattern: 'b' }", json!("abc"), json!("abc")),
        ("{ type: int, min: -5, max: 5 }", json!(-5), json!(-5)),
        ("{ type: float, max: 1.5 }", json!(1), json!(1)),
        ("{ type: float }", json!(0.25), json!(0.25)),
        ("{ type: bool }", json!(false), json!(false)),
        ("{ type: select, options: [a, {value: 8080, label: HTTP}] }", json!(8080), json!(8080)),
        ("{ type: multiselect, options: [a, b, c], max: 2 }", json!(["c", "a"]), json!(["c", "a"])),
        ("{ type: json }", json!({"a": [1, null]}), json!({"a": [1, null]})),
        ("{ type: secret, min: 8 }", json!("long enough"), json!("long enough")),
        ("{ type: date, min: 2025-01-01 }", json!("2025-01-31"), json!("2025-01-31")),
        ("{ type: datetime }", json!("2025-01-31T14:00:00+02:00"), json!("2025-01-31T12:00:00Z")),
        ("{ type: duration, max: 1h }", json!("90s"), json!("1m30s")),
    ] {
        let got = spec(declared).check("x", &value).unwrap_or_else(|error| panic!("{declared}: {error}"));
        assert_eq!(got, normal, "{declared}");
    }
}

#[test]
fn wrong_values_are_explained() {
    refused(
        "{ type: string }",
        &json!(1.1),
        expect![[r#"parameter `x`: expected a text, found the number 1.1; put it in quotes: "1.1""#]],
    );
    refused(
        "{ type: string }",
        &json!(true),
        expect![[r#"parameter `x`: expected a text, found the boolean true; put it in quotes: "true""#]],
    );
    refused("{ type: string }", &json!(["a"]), expect!["parameter `x`: expected a text, found a list"]);
    refused(
        "{ type: string, min: 3, help: Three letters at least. }",
        &json!("ab"),
        expect!["parameter `x`: its length is 2 characters; the smallest allowed is 3; Three letters at least."],
    );
    refused("{ type: string, pattern: '^a+$' }", &json!("ab"), expect!["parameter `x`: `ab` does not match `^a+$`"]);
    refused("{ type: int }", &json!("5"), expect!["parameter `x`: expected a whole number, found the text `5`"]);
    refused("{ type: int }", &json!(1.5), expect!["parameter `x`: expected a whole number, found the number 1.5"]);
    refused("{ type: int, max: 10 }", &json!(11), expect!["parameter `x`: the value is 11; the largest allowed is 10"]);
    refused(
        "{ type: float, min: 0.5 }",
        &json!(0.25),
        expect!["parameter `x`: the value is 0.25; the smallest allowed is 0.5"],
    );
    refused("{ type: bool }", &json!("yes"), expect!["parameter `x`: expected true or false, found the text `yes`"]);
    refused(
        "{ type: select, options: [blue, green] }",
        &json!("gren"),
        expect!["parameter `x`: `gren` is not one of the options; did you mean `green`?"],
    );
    refused(
        "{ type: select, options: [blue, green] }",
        &json!("x"),
        expect!["parameter `x`: `x` is not one of the options; options: blue, green"],
    );
    refused(
        "{ type: select, options: ['8080'] }",
        &json!(8080),
        expect![
            "parameter `x`: `8080` is not one of the options; the option is of another type: put the value in quotes, or take them away"
        ],
    );
    refused(
        "{ type: multiselect, options: [a, b] }",
        &json!(["a", "a"]),
        expect!["parameter `x`: `a` is chosen twice"],
    );
    refused(
        "{ type: multiselect, options: [a, b], max: 1 }",
        &json!(["a", "b"]),
        expect!["parameter `x`: the number of choices is 2; the largest allowed is 1"],
    );
    refused(
        "{ type: multiselect, options: [a, b] }",
        &json!("a"),
        expect!["parameter `x`: expected a list of options, found the text `a`"],
    );
    refused(
        "{ type: date }",
        &json!("31.1.2025"),
        expect!["parameter `x`: `31.1.2025` is not a day such as 2025-01-31"],
    );
    refused(
        "{ type: date, max: 2025-12-31 }",
        &json!("2026-01-01"),
        expect!["parameter `x`: the day is 2026-01-01; the largest allowed is 2025-12-31"],
    );
    refused(
        "{ type: datetime }",
        &json!("2025-01-31T14:00:00"),
        expect![
            "parameter `x`: `2025-01-31T14:00:00` is not a moment such as 2025-01-31T14:00:00Z; end it with `Z` or an offset such as `+02:00`: a moment without one is another moment elsewhere"
        ],
    );
    refused(
        "{ type: duration }",
        &json!(30),
        expect![[
            r#"parameter `x`: expected a length of time such as 30s, found the number 30; write the unit as well: "30s""#
        ]],
    );
    refused(
        "{ type: duration }",
        &json!("30"),
        expect!["parameter `x`: `30` is not a length of time such as 30s or 1h30m"],
    );
    refused(
        "{ type: duration, max: 1h }",
        &json!("2h"),
        expect!["parameter `x`: the length of time is 2h; the largest allowed is 1h"],
    );
    refused("{ type: file }", &json!("/etc/passwd"), expect!["parameter `x`: a file must be given by its path"]);
    refused(
        "{ type: file, max: 10 }",
        &json!({"name": "a", "sha256": "00", "size": 11}),
        expect!["parameter `x`: its size is 11 bytes; the largest allowed is 10"],
    );
}

#[test]
fn secrets_are_never_repeated() {
    for declared in [
        "{ type: secret, pattern: '^a$' }",
        "{ type: secret, min: 100 }",
        "{ type: int, secret: true }",
        "{ type: int, secret: true, max: 3 }",
        "{ type: duration, secret: true }",
        "{ type: date, secret: true }",
        "{ type: bool, secret: true }",
        "{ type: select, options: [a], secret: true }",
        "{ type: multiselect, options: [a], secret: true }",
    ] {
        for value in [json!("hunter2"), json!(8_675_309), json!(["hunter2"]), json!({"hunter2": 8_675_309})] {
            if let Err(error) = spec(declared).check("x", &value) {
                let shown = format!("{error} {error:?}");
                assert!(!shown.contains("hunter2") && !shown.contains("8675309"), "{declared}: {shown}");
            }
        }
        if let Err(error) = spec(declared).parse_text("x", "hunter2") {
            assert!(!format!("{error:?}").contains("hunter2"), "{declared}: {error:?}");
        }
    }
    assert!(spec("{ type: secret }").is_secret() && spec("{ secret: true }").is_secret() && !spec("{}").is_secret());
}

#[test]
fn text_from_the_command_line_is_read_by_type() {
    for (declared, text, value) in [
        ("{ type: string }", "1.10", json!("1.10")),
        ("{ type: string }", "", json!("")),
        ("{ type: int }", "-7", json!(-7)),
        ("{ type: float }", "2.5", json!(2.5)),
        ("{ type: bool }", "true", json!(true)),
        ("{ type: json }", r#"{"a": [1]}"#, json!({"a": [1]})),
        ("{ type: select, options: [a, 8080] }", "8080", json!(8080)),
        ("{ type: multiselect, options: [a, b, 1] }", "b, 1", json!(["b", 1])),
        ("{ type: multiselect, options: [a] }", "", json!([])),
        ("{ type: duration }", "90s", json!("1m30s")),
    ] {
        assert_eq!(spec(declared).parse_text("x", text).unwrap_or_else(|error| panic!("{text}: {error}")), value);
    }
    let wrong = [
        ("{ type: int }", "1.10"),
        ("{ type: bool }", "yes"),
        ("{ type: float }", "inf"),
        ("{ type: json }", "{a"),
        ("{ type: file }", "/etc/hosts"),
        ("{ type: int }", "99999999999999999999"),
    ];
    let errors: Vec<ParamError> =
        wrong.iter().map(|(declared, text)| spec(declared).parse_text("x", text).expect_err(text)).collect();
    expect![[r#"
        parameter `x`: `1.10` is not a whole number
        parameter `x`: `yes` is not true or false
        parameter `x`: `inf` is not a number
        parameter `x`: `{a` is not JSON; key must be a string at line 1 column 2
        parameter `x`: a file must be given by its path
        parameter `x`: `99999999999999999999` is not a whole number"#]]
    .assert_eq(&show(&errors));
}

#[test]
fn defaults_and_absent_values_are_filled_in() {
    let specs = specs(
        "a: { required: true }\nb: { type: int, default: 3 }\nc: { type: bool }\nd: { type: duration, default: 90s }\n",
    );
    let values = resolve_params(&specs, &given(json!({"a": "x"}))).expect("values");
    assert_eq!(Value::Object(values.clone()), json!({"a": "x", "b": 3, "c": null, "d": "1m30s"}));
    assert_eq!(values.keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    let values = resolve_params(&specs, &given(json!({"a": "x", "b": null, "c": true}))).expect("null is not given");
    assert_eq!(Value::Object(values), json!({"a": "x", "b": 3, "c": true, "d": "1m30s"}));
}

#[test]
fn every_wrong_value_is_reported_at_once() {
    let specs =
        specs("version: { required: true, help: Version to install. }\nport: { type: int }\ndrain: { type: bool }\n");
    let errors =
        resolve_params(&specs, &given(json!({"prot": 1, "zzz": 1, "port": "x", "drain": true}))).expect_err("errors");
    expect![[r#"
        parameter `prot`: there is no such parameter; did you mean `port`?
        parameter `zzz`: there is no such parameter; parameters: version, port, drain
        parameter `version`: a value is required; Version to install.
        parameter `port`: expected a whole number, found the text `x`"#]]
    .assert_eq(&show(&errors));
    let errors = resolve_params(&Entries::new(), &given(json!({"x": 1}))).expect_err("an error");
    expect!["parameter `x`: there is no such parameter; none is declared"].assert_eq(&show(&errors));
}

#[test]
fn broken_declarations_point_into_the_file() {
    broken(
        "{ type: string, default: 1.10 }",
        expect![[r#"
            job.yaml:1:29: parameter `x`: the default is wrong: expected a text, found the number 1.1
              1 | x: { type: string, default: 1.10 }
                |                             ^^^^
              hint: put it in quotes: "1.10""#]],
    );
    broken(
        "{ type: int, default: 5, max: 3 }",
        expect![[r#"
        job.yaml:1:26: parameter `x`: the default is wrong: the value is 5; the largest allowed is 3
          1 | x: { type: int, default: 5, max: 3 }
            |                          ^"#]],
    );
    broken(
        "{ type: string, pattern: '(' }",
        expect![[r#"
        job.yaml:1:29: parameter `x`: the pattern is not a regular expression: unclosed group
          1 | x: { type: string, pattern: '(' }
            |                             ^^^"#]],
    );
    broken(
        "{ type: int, pattern: a }",
        expect![[r#"
        job.yaml:1:26: parameter `x`: a parameter of type int takes no pattern
          1 | x: { type: int, pattern: a }
            |                          ^"#]],
    );
    broken(
        "{ type: select }",
        expect![[r#"
        job.yaml:1:1: parameter `x`: a parameter of type select needs options
          1 | x: { type: select }
            | ^"#]],
    );
    broken(
        "{ type: int, options: [1] }",
        expect![[r#"
        job.yaml:1:27: parameter `x`: a parameter of type int takes no options
          1 | x: { type: int, options: [1] }
            |                           ^
          hint: use type: select"#]],
    );
    broken(
        "{ type: select, options: [a, b, a] }",
        expect![[r#"
        job.yaml:1:36: parameter `x`: the option `a` is written twice
          1 | x: { type: select, options: [a, b, a] }
            |                                    ^"#]],
    );
    broken(
        "{ type: multiselect, options: ['a,b'] }",
        expect![[r#"
        job.yaml:1:35: parameter `x`: the option `a,b` has a comma, which separates choices
          1 | x: { type: multiselect, options: ['a,b'] }
            |                                   ^^^^^"#]],
    );
    broken(
        "{ type: bool, min: 1 }",
        expect![[r#"
        job.yaml:1:23: parameter `x`: a parameter of type bool takes no min
          1 | x: { type: bool, min: 1 }
            |                       ^"#]],
    );
    broken(
        "{ type: duration, max: 30 }",
        expect![[r#"
        job.yaml:1:27: parameter `x`: max must be a length of time such as 30s, not `30`
          1 | x: { type: duration, max: 30 }
            |                           ^^"#]],
    );
    broken(
        "{ required: true, default: a }",
        expect![[r#"
        job.yaml:1:31: parameter `x`: a required parameter cannot have a default
          1 | x: { required: true, default: a }
            |                               ^
          hint: remove one of them"#]],
    );
    broken(
        "{ type: secret, default: hunter2 }",
        expect![[r#"
            job.yaml:1:29: parameter `x`: a secret cannot have a default
              hint: anyone who reads this file would know it"#]],
    );
    broken(
        "{ type: file, default: a }",
        expect![[r#"
        job.yaml:1:27: parameter `x`: a file cannot have a default
          1 | x: { type: file, default: a }
            |                           ^"#]],
    );
    broken(
        "{ type: select, options: [blue, green], default: red }",
        expect![[r#"
        job.yaml:1:53: parameter `x`: the default is wrong: `red` is not one of the options
          1 | x: { type: select, options: [blue, green], default: red }
            |                                                     ^^^
          hint: options: blue, green"#]],
    );
    let src = SourceFile::new("job.yaml", "my-param: {}\n");
    let specs: Entries<ParamSpec> = yaml::parse(&src).expect("a map");
    expect![[r#"
        job.yaml:1:1: parameter `my-param`: the name cannot be used
          1 | my-param: {}
            | ^^^^^^^^
          hint: use letters, digits and `_`, beginning with a letter: the name becomes an environment variable"#]]
    .assert_eq(&check_declarations(&specs)[0].to_diagnostic(&src).to_string());
}

proptest! {
    #[test]
    fn text_arrives_as_it_was_typed(text in "\\PC{0,100}") {
        prop_assert_eq!(spec("{ type: string }").parse_text("x", &text).expect("any text"), json!(text));
    }

    #[test]
    fn what_was_checked_is_accepted_again(kind in 0usize..ParamType::ALL.len(), text in "[-0-9a-zT:.Z{}\\[\\],\" ]{0,24}") {
        let kind = ParamType::ALL[kind];
        let options = ["a", "b"].map(|value| ParamOption { value: value.into(), label: None }.into()).to_vec();
        let spec = ParamSpec { kind, options, ..ParamSpec::default() };
        if let Ok(value) = spec.parse_text("x", &text) {
            prop_assert_eq!(spec.check("x", &value), Ok(value));
        }
    }
}
