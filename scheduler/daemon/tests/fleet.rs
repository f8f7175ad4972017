//! What there is to work with, and names that are almost right.

use autoexec_model::api::{JobRef, OutputQuery, SchemaKind, Source, TargetsQuery};
use autoexec_model::refusal::Code;
use autoexec_wire::session::{RunnerMessage, SchedulerMessage};

use crate::hand::Hand;
use crate::house::{House, ONE, request, submit, with_file};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_is_almost_right_is_not_found_with_the_right_one() {
    let house = House::new().await;
    let client = house.client().await;
    let refusal = client.show(JobRef::Last, false).await.unwrap_err();
    assert_eq!((refusal.code, refusal.message.as_str()), (Code::NotFound, "there is no job yet"));
    submit(&client, request(&ONE.replace("one", "roll-nginx"), 2)).await;
    let job = client.show(JobRef::Name("roll-nginx".into()), false).await.unwrap().id;
    assert_eq!(client.show(JobRef::Last, false).await.unwrap().id, job);
    let refusal = client.show(JobRef::Name("rol-nginx".into()), false).await.unwrap_err();
    assert_eq!(refusal.code, Code::NotFound);
    assert_eq!(refusal.hints, ["did you mean `roll-nginx`?"]);
    let refusal = client.tool("wait-tpc".into()).await.unwrap_err();
    assert_eq!((refusal.code, refusal.hints[0].as_str()), (Code::NotFound, "did you mean `wait-tcp`?"));
    let query = OutputQuery { job, targets: Some("h3".into()), ..OutputQuery::default() };
    let refusal = client.output(query).await.err().unwrap();
    assert_eq!(refusal.code, Code::NotFound);
    assert!(refusal.hints[0].contains("did you mean `h"), "{refusal:?}");
    let unknown = [
        client.show(JobRef::Id(99), true).await.err(),
        client.targets(TargetsQuery { job: 99, ..TargetsQuery::default() }).await.err(),
        client.watch(99, 0).await.err(),
        client.explain(JobRef::Id(99), None).await.err(),
        client.operate(99, autoexec_model::api::Operation::Pause, "ann".into()).await.err(),
    ];
    for refusal in unknown {
        let refusal = refusal.unwrap();
        assert_eq!((refusal.code, refusal.message.as_str()), (Code::NotFound, "there is no job 99"));
        assert!(refusal.hints[0].contains("autoexec jobs"), "{refusal:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tools_targets_and_schemas_are_shown() {
    let house = House::new().await;
    let client = house.client().await;
    let tools = client.tools().await.unwrap();
    assert!(tools.iter().any(|tool| tool.name == "copy" && tool.origin == "shipped"), "{tools:?}");
    let help = client.tool("copy".into()).await.unwrap();
    assert!(help.help.iter().any(|line| line.text.starts_with("dest ")), "{:?}", help.help);
    for kind in SchemaKind::ALL {
        let schema: serde_json::Value = serde_json::from_str(&client.schema(kind).await.unwrap()).unwrap();
        assert!(
            schema.get("properties").is_some() || schema.get("$ref").is_some() || schema.get("anyOf").is_some(),
            "{kind:?}"
        );
    }
    let source = Source { name: "hosts.yaml".into(), bytes: b"hosts: [\"w[1-3]\"]\n".to_vec() };
    let found = client.list_targets(Some(source.clone()), Some("w[2-3]".into())).await.unwrap();
    assert_eq!(found.iter().map(|target| target.name.as_str()).collect::<Vec<_>>(), ["w2", "w3"]);
    assert_eq!(client.list_targets(Some(source), Some("x".into())).await.unwrap_err().code, Code::NotFound);
    let found = client.list_targets(None, Some("a,b".into())).await.unwrap();
    assert_eq!(found.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runners_get_the_tools_and_files_of_a_plan_by_digest_also_after_a_restart() {
    let mut house = House::new().await;
    let client = house.client().await;
    let spec = "name: f\nparams: { motd: { type: file, required: true } }\nsteps:\n  - { tool: copy, with: { src: '{{ params.motd }}', dest: /tmp/x } }\n";
    let content: Vec<u8> = (0..700_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    submit(&client, with_file(request(spec, 1), "motd", &content)).await;
    house.restart().await;
    let client = house.client().await;
    let mut hand = Hand::join(&client, "r1", Vec::new()).await;
    let grant = hand.grant().await;
    let autoexec_model::plan::Action::Tool { digest, .. } = &grant.phase.steps[0].action else { panic!("a tool") };
    hand.say(RunnerMessage::NeedTool { digest: digest.clone() }).await;
    match hand.heard().await {
        SchedulerMessage::Tool(package) => assert_eq!(autoexec_tools::package::digest(&package), *digest),
        other => panic!("not a tool: {other:?}"),
    }
    hand.say(RunnerMessage::NeedFile { sha256: grant.files[0].sha256.clone() }).await;
    let mut got = Vec::new();
    loop {
        match hand.heard().await {
            SchedulerMessage::File { offset, bytes, end, .. } => {
                assert_eq!(offset, got.len() as u64);
                got.extend(bytes);
                if end {
                    break;
                }
            }
            other => panic!("not a file: {other:?}"),
        }
    }
    assert!(got == content, "the file arrives as it is");
    assert_eq!(grant.files[0].size, content.len() as u64);
}
