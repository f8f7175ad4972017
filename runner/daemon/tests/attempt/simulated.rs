//! Simulated targets: the same job behaves the same every time, and failures are those that were asked for.

use super::{Lab, on};

const JOB: &str = "name: sim\nsteps:\n  - { id: s, run: anything, timeout: 1s }\n";

fn inventory(options: &str, hosts: u32) -> String {
    format!("defaults: {{ transport: sim, sim: {{ {options} }} }}\nhosts: [\"h[1-{hosts}]\"]\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_targets_fail_as_they_are_told_to() {
    let lab = Lab::new().await;
    for (options, state, outcome, class) in [
        ("latency: 1ms", "succeeded", "exited", "succeeded"),
        ("fail: 100%", "failed", "exited", "failed"),
        ("unreachable: 100%", "failed", "unreachable", "unreachable"),
        ("hang: 100%", "failed", "timed_out", "timed_out"),
    ] {
        let id = lab.submit_as(on(JOB, &inventory(options, 3))).await;
        let view = lab.end(id, state).await;
        assert_eq!(view.outcomes[class], 3, "{options}: {:?}", view.outcomes);
        assert!(lab.targets(id).await.iter().all(|row| row.outcome.as_deref() == Some(outcome)), "{options}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_seed_fails_the_same_targets() {
    let lab = Lab::new().await;
    let mut runs = Vec::new();
    for seed in [7, 7, 8] {
        let mut request = on(JOB, &inventory(&format!("fail: 40%, jitter: 5ms, seed: {seed}"), 40));
        request.overrides.budget = Some("failed=100%".into());
        let id = lab.submit_as(request).await;
        lab.end(id, "failed").await;
        runs.push(lab.targets(id).await.into_iter().map(|row| row.verdict).collect::<Vec<_>>());
    }
    assert_eq!(runs[0], runs[1]);
    assert_ne!(runs[0], runs[2]);
    let failed = runs[0].iter().filter(|verdict| *verdict == "failed").count();
    assert!((5..30).contains(&failed), "{failed} of 40 at 40%");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simulated_targets_that_say_the_same_are_one_cluster() {
    let lab = Lab::new().await;
    let id = lab.submit_as(on(JOB, &inventory("output: 'kernel 6.1 on {{ target.name }}'", 30))).await;
    lab.end(id, "succeeded").await;
    let clusters = lab.client.show(autoexec_model::api::JobRef::Id(id), true).await.unwrap().clusters;
    assert_eq!(clusters.len(), 1, "{clusters:?}");
    assert_eq!((clusters[0].size, clusters[0].targets.as_str()), (30, "h[1-30]"));
    assert!(clusters[0].sample.starts_with("kernel 6.1 on h1"), "{clusters:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_simulated_target_that_hangs_can_be_cancelled() {
    let lab = Lab::new().await;
    let id = lab.submit_as(on("name: c\nsteps: [{ id: s, run: x, timeout: 1h }]\n", &inventory("hang: 100%", 2))).await;
    let running = async {
        while lab.client.show(autoexec_model::api::JobRef::Id(id), false).await.unwrap().open.get("running") != Some(&2)
        {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(super::PATIENCE, running).await.unwrap();
    lab.cancel(id).await;
    assert_eq!(lab.end(id, "cancelled").await.counts["cancelled"], 2);
}
