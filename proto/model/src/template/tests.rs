//! What templates give, what they refuse, and what their errors say.

use proptest::prelude::*;
use serde_json::json;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::*;

fn ctx() -> Value {
    json!({
        "params": { "version": "1.2", "drain": true, "n": 3, "list": [1, "two"], "quoted": "a'b \"c\" $(id)\n", "none": null },
        "target": { "name": "web1", "labels": { "zone": "a1" } },
        "steps": { "install-nginx": { "stdout": "ok" } },
    })
}

fn render(template: &str) -> String {
    Engine::new().render(template, &ctx()).unwrap_or_else(|e| format!("error: {e}"))
}

#[test]
fn texts_are_filled_in_and_nothing_else_changes() {
    for (template, text) in [
        ("plain $(id) { x } \n", "plain $(id) { x } \n"),
        ("v{{ params.version }}\n", "v1.2\n"),
        ("{{ params.quoted }}", "a'b \"c\" $(id)\n"),
        ("{{ params.n + 1 }} {{ params.drain }} [{{ params.none }}]", "4 true []"),
        ("{{ params.list }}", r#"[1,"two"]"#),
        ("{{ target.labels }}", r#"{"zone":"a1"}"#),
        ("{{ steps[\"install-nginx\"].stdout }}", "ok"),
        ("{% for x in params.list %}{{ x }};{% endfor %}", "1;two;"),
        ("{{ params.absent | default('d') }}", "d"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{{ '<&>' | tojson }}", "\"<&>\""),
        ("{{ params.quoted | quote }}", "'a'\\''b \"c\" $(id)\n'"),
        ("{{ 'plain/path' | quote }} {{ '' | quote }}", "plain/path ''"),
        ("{{ 'héé' | b64encode | b64decode }}", "héé"),
        ("{{ '{\"a\": [1]}' | fromjson }}", r#"{"a":[1]}"#),
        (
            "{{ '/etc/nginx/conf' | basename }} {{ '/etc/nginx/conf' | dirname }} {{ 'x' | dirname }}",
            "conf /etc/nginx .",
        ),
        ("{{ 'nginx/1.24' | regex_search('/([0-9.]+)') }}", "1.24"),
        ("{{ 'a1b2' | regex_replace('[0-9]', '_') }}", "a_b_"),
    ] {
        assert_eq!(render(template), text, "{template}");
    }
}

#[test]
fn a_sole_expression_keeps_its_type() {
    let value = json!({
        "n": "{{ params.n }}", "list": "{{ params.list }}", "text": "{{ params.n }} ", "flag": "{{ not params.drain }}",
        "deep": [{ "none": "{{ params.none }}" }, 1.5, null, true], "{{ key }}": "plain",
    });
    let rendered = Engine::new().render_value(&value, &ctx()).expect("renders");
    assert_eq!(
        rendered,
        json!({ "n": 3, "list": [1, "two"], "text": "3 ", "flag": false, "deep": [{ "none": null }, 1.5, null, true], "{{ key }}": "plain" })
    );
}

#[test]
fn conditions_are_true_or_false() {
    let eval = |expr: &str| Engine::new().eval_bool(expr, &ctx());
    assert_eq!(eval("params.drain"), Ok(true));
    assert_eq!(eval("params.n > 2 and target.labels.zone == 'a1'"), Ok(true));
    assert_eq!(eval("steps.absent is defined"), Ok(false));
    assert_eq!(eval("'a' in target.labels.zone"), Ok(true));
}

#[test]
fn errors_name_what_is_wrong_and_what_exists() {
    let engine = Engine::new();
    let mut all = Vec::new();
    for template in [
        "{{ params.verion }}",
        "{{ parms.version }}",
        "line 1\n{{ target.labels.rack }}",
        "{{ params.version.x }}",
        "{{ params.none.x }}",
        "{{ params.list[5] }}",
        "{{ steps.install-nginx.stdout }}",
        "{{ x",
        "{{ 1 + }}",
        "{% if x %}",
        "{{ params.n | nope }}",
        "{{ params.quoted | fromjson }}",
        "{{ 'x' | b64decode }}",
        "{{ all('phases.a') }}",
        "{{ debug() }}",
        "{% include 'x' %}",
        "{{ 'a' + 1 }}",
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}",
        "{{ 'x' * 2000000 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ] {
        let error = engine.render(template, &ctx()).expect_err(template);
        all.push(format!("{template:?}: {error}"));
    }
    for expr in ["{{ params.drain }}", "params.version", "params.list", "", "params.drain and", "params.gone"] {
        let error = engine.eval_bool(expr, &ctx()).expect_err(expr);
        all.push(format!("when {expr:?}: {error}"));
    }
    expect_test::expect![[r#"
        "{{ params.verion }}": unknown name `params.verion` in `{{ params.verion }}`; did you mean `version`?
        "{{ parms.version }}": unknown name `parms` in `{{ parms.version }}`; did you mean `params`?
        "line 1\n{{ target.labels.rack }}": unknown name `target.labels.rack` in `line 1\n{{ target.labels.rack }}` (line 2); there is zone
        "{{ params.version.x }}": unknown name `params.version.x` in `{{ params.version.x }}`; what stands before it has no parts
        "{{ params.none.x }}": unknown name `params.none.x` in `{{ params.none.x }}`; what stands before it is empty
        "{{ params.list[5] }}": unknown name `params.list.5` in `{{ params.list[5] }}`; it is a list of 2
        "{{ steps.install-nginx.stdout }}": unknown name `steps.install` in `{{ steps.install-nginx.stdout }}`; a name with `-` is written as `["install-nginx"]`
        "{{ x": bad syntax: unexpected end of input, expected end of variable block in `{{ x`
        "{{ 1 + }}": bad syntax: unexpected end of variable block in `{{ 1 + }}`
        "{% if x %}": bad syntax: unexpected end of input, expected end of block in `{% if x %}`
        "{{ params.n | nope }}": filter nope is unknown in `{{ params.n | nope }}`
        "{{ params.quoted | fromjson }}": the text is not JSON: expected value at line 1 column 1 in `{{ params.quoted | fromjson }}`
        "{{ 'x' | b64decode }}": the text is not base64 in `{{ 'x' | b64decode }}`
        "{{ all('phases.a') }}": there are no values of all targets for `phases.a` here in `{{ all('phases.a') }}`
        "{{ debug() }}": debug is unknown in `{{ debug() }}`
        "{% include 'x' %}": it reads another template in `{% include 'x' %}`; templates stand alone here
        "{{ 'a' + 1 }}": tried to use + operator on unsupported types string and number in `{{ 'a' + 1 }}`
        "{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}": it takes too long to evaluate in `{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}`; make its loops shorter
        "{{ 'x' * 2000000 }}": the result is larger than 1048576 bytes in `{{ 'x' * 2000000 }}`
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}": recursion limit exceeded in `{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}`
        when "{{ params.drain }}": an expression needs no braces in `{{ params.drain }}`; write it bare: `params.drain`
        when "params.version": the condition gives a text, not true or false in `params.version`; compare it, such as `… == "yes"` or `… > 0`
        when "params.list": the condition gives a list, not true or false in `params.list`; compare it, such as `… == "yes"` or `… > 0`
        when "": the expression is empty; write a condition such as `params.drain`
        when "params.drain and": bad syntax: unexpected end of input, expected expression in `params.drain and`
        when "params.gone": unknown name `params.gone` in `params.gone`; did you mean `none`?"#]].assert_eq(&all.join("\n"));
    let error = engine.render_value(&json!("{{ params.gone }}"), &ctx()).expect_err("unknown");
    assert_eq!(error.kind, TemplateErrorKind::Unknown { name: "params.gone".to_owned() });
    assert_eq!(
        engine.render("{{ 'x' * 2000000 }}", &ctx()).expect_err("large").message,
        "the result is larger than 1048576 bytes"
    );
}

#[test]
fn no_error_shows_a_value() {
    let ctx = json!({ "params": { "password": "hunter2secret" } });
    let engine = Engine::new();
    for template in [
        "{{ params.password.x }}",
        "{{ params.password | fromjson }}",
        "{{ params.password + 1 }}",
        "{{ params.password | int }}",
        "{{ params.password | b64decode }}",
        "{{ params.password() }}",
        "{{ params.password | round }}",
        "{{ params | sum }}",
    ] {
        let error = engine.render(template, &ctx).expect_err(template);
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{template}: {error:?}");
    }
}

fn paths(references: &References) -> String {
    let shown =
        |path: &Vec<String>| format!("{}{}", path.join("."), if references.guarded.contains(path) { "?" } else { "" });
    references.paths.iter().map(shown).collect::<Vec<_>>().join(" ")
}

#[test]
fn references_are_what_a_template_reads() {
    let engine = Engine::new();
    for (template, expected) in [
        ("plain", ""),
        ("{{ params.version }}", "params.version"),
        ("{{ steps['install-nginx'].stdout }} {{ steps.a.out[0] }}", "steps.a.out.0 steps.install-nginx.stdout"),
        ("{% for x in params.list %}{{ x.y }} {{ loop.index }}{% endfor %}", "params.list"),
        ("{% set a = vars.b %}{{ a.c }}", "vars.b"),
        ("{{ vars.x | default(vars.y) }} {{ vars.z is defined and vars.z.w > 1 }}", "vars.x? vars.y vars.z? vars.z.w?"),
        ("{{ 'params.no' }} {# {{ params.no }} #} {% raw %}{{ params.no }}{% endraw %}", ""),
        ("{{ {'a': params.a, 'b': {'c': params.b}} | tojson(indent=true) }}", "params.a params.b"),
        ("{{ params.name.upper() }} {{ range(params.n) }}", "params.n params.name"),
        ("{{ x if params.y else z == 'q' }}", "params.y x z"),
        ("{{ \"}}\" ~ params.a }}", "params.a"),
    ] {
        let references = engine.check(template).expect(template);
        assert_eq!(paths(&references), expected, "{template}");
    }
    let references = engine.check_expr("all('phases.a.steps.b.c') | length > 1 and params.x").expect("an expression");
    assert_eq!(references.all, BTreeSet::from(["phases.a.steps.b.c".to_owned()]));
    assert_eq!(references.roots, BTreeSet::from(["params".to_owned()]));
    let both = engine.check_value(&json!(["{{ a.b | default(1) }}", { "x": "{{ a.b }}" }])).expect("a value");
    assert_eq!(paths(&both), "a.b");
}

#[test]
fn check_finds_what_rendering_would() {
    let engine = Engine::new();
    let all: Vec<String> = [
        "{{ a | defualt(1) }}",
        "{{ a is definde }}",
        "{{ rnage(3) }}",
        "x\n{% include 'b' %}",
        "{{ a.b",
        "{{ a | zzzzzz }}",
    ]
    .iter()
    .map(|template| format!("{template:?}: {}", engine.check(template).expect_err(template)))
    .collect();
    expect_test::expect![[r#"
        "{{ a | defualt(1) }}": unknown filter `defualt` in `{{ a | defualt(1) }}`; did you mean `default`?
        "{{ a is definde }}": unknown test `definde` in `{{ a is definde }}`; did you mean `defined`?
        "{{ rnage(3) }}": unknown function `rnage` in `{{ rnage(3) }}`; did you mean `range`?
        "x\n{% include 'b' %}": `include` reads another template in `x\n{% include 'b' %}` (line 2); templates stand alone here
        "{{ a.b": bad syntax: unexpected end of input, expected end of variable block in `{{ a.b`
        "{{ a | zzzzzz }}": unknown filter `zzzzzz` in `{{ a | zzzzzz }}`; there are abs, attr, b64decode, b64encode, basename, batch, bool, capitalize, count, d, default, dictsort, dirname, first, float, format, fromjson, groupby, indent, int, items, join, last, length, lines, list, lower, map, max, min, quote, regex_replace, regex_search, reject, rejectattr, replace, reverse, round, select, selectattr, slice, sort, split, string, sum, title, tojson, trim, unique, upper, zip"#]].assert_eq(&all.join("\n"));
    engine.check("{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1) }}").expect("a macro");
}

#[test]
fn values_of_all_targets_come_from_the_caller() {
    let values = BTreeMap::from([("phases.a.steps.b.ip".to_owned(), json!({ "web1": "10.0.0.1" }))]);
    let engine = Engine::new().with_all(values);
    assert_eq!(engine.render("{{ all('phases.a.steps.b.ip').web1 }}", &json!({})), Ok("10.0.0.1".to_owned()));
}

#[test]
fn deep_nesting_is_refused_not_a_crash() {
    let engine = Engine::new();
    for open in ["(", "[", "not ", "-", "{'a':"] {
        engine.check_expr(&open.repeat(100_000)).expect_err("too deep");
    }
    for open in ["(", "[", "not ", "-", "{'a':", "1 if 1 else ", "a(", "-(", "not ("] {
        for n in [20, 39, 40, 41, 150] {
            let _ = engine.check_expr(&open.repeat(n));
            let _ = engine.check_expr(&format!(
                "{}1{}",
                open.repeat(n),
                if open.ends_with('(') { ")" } else { "" }.repeat(n)
            ));
        }
    }
    for link in ["+1", ".a", " and 1", "~1", "|d", "[0]", "()", " is defined", " == 1", "**1"] {
        for n in [200, 400, 490, 499, 999, 100_000] {
            let chain = format!("a{}", link.repeat(n));
            let _ = engine.check_expr(&chain);
            let _ = engine.eval_bool(&chain, &json!({ "a": 1 }));
        }
    }
    for (open, close) in [
        ("{% if 1 %}", "{% endif %}"),
        ("{% if 1 %}{% elif 1 %}", ""),
        ("{% elif 1 %}", ""),
        ("{% for a in [1] %}", "{% endfor %}"),
        ("{% macro a() %}", "{% endmacro %}"),
    ] {
        for n in [20, 39, 40, 100_000] {
            let _ =
                engine.render(&format!("{{% if 1 %}}{}{}{{% endif %}}", open.repeat(n), close.repeat(n)), &json!({}));
        }
    }
    engine.check_expr(&format!("{}x{}", "(".repeat(39), ")".repeat(39))).expect("deep enough for people");
    engine.check_expr(&format!("a{}", " + 1".repeat(499))).expect("long enough for people");
    let mut value = json!("{{ 1 }}");
    for _ in 0..100 {
        value = json!([value]);
    }
    engine.render_value(&value, &json!({})).expect_err("too deep");
}

proptest! {
    #[test]
    fn any_text_arrives_as_it_is(text in any::<String>()) {
        let ctx = json!({ "params": { "x": text } });
        let engine = Engine::new();
        prop_assert_eq!(engine.render("{{ params.x }}", &ctx), Ok(text.clone()));
        prop_assert_eq!(engine.render_value(&json!("{{ params.x }}"), &ctx), Ok(json!(text)));
        let quoted = engine.render("{{ params.x | tojson | fromjson | tojson }}", &ctx).expect("renders");
        prop_assert_eq!(serde_json::from_str::<Value>(&quoted).expect("JSON"), json!(text));
    }

    #[test]
    fn nothing_panics(text in "\\PC{0,40}|(\\{\\{|\\}\\}|\\{%|%\\}|[a-c.|()'\"\\[\\] 0-9+]|is |not |default|\\{#|raw){0,20}") {
        let engine = Engine::new();
        let _ = engine.check(&text);
        let _ = engine.check_expr(&text);
        let _ = engine.render(&text, &ctx());
        let _ = engine.render_value(&json!(text), &ctx());
        let _ = engine.eval_bool(&text, &ctx());
    }
}
