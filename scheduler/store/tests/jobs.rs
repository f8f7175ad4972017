//! Summaries, the list of jobs in pages, and plans.

use autoexec_store::{Commit, JobQuery, Store, StoreError};

use crate::fixture::{Home, NOW, append, job, plan};

#[test]
fn a_summary_is_replaced_and_comes_back_whole() {
    let home = Home::new();
    let mut store = home.open();
    let mut summary = job(5, "running", false);
    summary.labels = r#"{"team":"ops"}"#.to_owned();
    append(&mut store, |c| c.jobs.push(summary.clone()));
    assert_eq!(store.reader().job(5).unwrap(), Some(summary.clone()));
    summary.state = "succeeded".to_owned();
    (summary.is_final, summary.finished_ms) = (true, Some(NOW + 99));
    append(&mut store, |c| c.jobs.push(summary.clone()));
    assert_eq!(store.reader().job(5).unwrap(), Some(summary));
    assert_eq!(store.reader().job(6).unwrap(), None);
}

#[test]
fn pages_are_newest_first_without_gaps_or_repeats() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| {
        c.jobs = (1..=25).map(|id| job(id, if id % 2 == 0 { "running" } else { "failed" }, id % 2 == 1)).collect();
        // Equal times: the id decides.
        c.jobs.iter_mut().for_each(|j| j.created_ms = NOW + j.id / 4);
    });
    let mut query = JobQuery { limit: 4, ..JobQuery::default() };
    let (mut ids, mut pages) = (Vec::new(), 0);
    loop {
        let page = store.reader().jobs(&query).unwrap();
        assert!(page.jobs.len() <= 4);
        ids.extend(page.jobs.iter().map(|j| j.id));
        pages += 1;
        query.after = page.next;
        if page.next.is_none() {
            break;
        }
        // A job that is submitted meanwhile does not shift the pages.
        append(&mut store, |c| c.jobs.push(job(1000 + pages, "queued", false)));
    }
    assert_eq!(ids, (1..=25).rev().collect::<Vec<_>>());
    assert_eq!(pages, 7);
}

#[test]
fn filters_by_state_name_and_being_over() {
    let home = Home::new();
    let mut store = home.open();
    append(&mut store, |c| {
        c.jobs =
            vec![job(1, "running", false), job(2, "failed", true), job(3, "succeeded", true), job(10, "paused", false)];
        c.jobs[1].name = "it's; DROP TABLE jobs".to_owned();
    });
    let ids = |query: JobQuery| store.reader().jobs(&query).unwrap().jobs.iter().map(|j| j.id).collect::<Vec<_>>();
    let states =
        |states: &[&str]| JobQuery { states: states.iter().map(|&s| s.to_owned()).collect(), ..JobQuery::default() };
    let name = |glob: &str| JobQuery { name_glob: Some(glob.to_owned()), ..JobQuery::default() };
    assert_eq!(ids(states(&["running", "failed"])), [2, 1]);
    assert_eq!(ids(states(&["nothing"])), [0; 0]);
    assert_eq!(ids(name("job-*")), [10, 3, 1]);
    assert_eq!(ids(name("job-?")), [3, 1]);
    assert_eq!(ids(name("it's; DROP*")), [2]);
    assert_eq!(ids(JobQuery { is_final: Some(true), ..JobQuery::default() }), [3, 2]);
    assert_eq!(ids(JobQuery { is_final: Some(false), ..name("*1*") }), [10, 1]);
}

#[test]
fn plans_are_kept_by_digest() {
    let home = Home::new();
    let mut store = home.open();
    let text = "targets: ".repeat(10_000);
    append(&mut store, |c| c.plans = vec![plan("aa", &text), plan("bb", "small"), plan("bb", "small")]);
    append(&mut store, |c| c.plans = vec![plan("bb", "small")]);
    assert_eq!(store.reader().plan("aa").unwrap().unwrap(), text.as_bytes());
    assert_eq!(store.reader().plan("cc").unwrap(), None);
    let mut named = job(1, "queued", false);
    named.plan_digest = Some("bb".to_owned());
    append(&mut store, |c| c.jobs.push(named.clone()));
    let infos = store.reader().plans(10).unwrap();
    assert_eq!(
        infos.iter().map(|p| (p.digest.as_str(), p.bytes, p.jobs)).collect::<Vec<_>>(),
        [("aa", 90_000, 0), ("bb", 5, 1)]
    );
    assert_eq!(store.reader().plans(1).unwrap().len(), 1);

    let refuse = |store: &mut autoexec_store::EmbeddedStore, fill: &dyn Fn(&mut Commit)| {
        let mut commit = Commit::new(NOW);
        fill(&mut commit);
        store.append(commit).unwrap_err()
    };
    let error = refuse(&mut store, &|c| c.plans = vec![plan("bb", "other")]);
    assert!(matches!(error, StoreError::PlanConflict { .. }) && error.is_refusal());
    let error = refuse(&mut store, &|c| c.plans = vec![plan("dd", "x"), plan("dd", "y")]);
    assert!(matches!(error, StoreError::PlanConflict { .. }));
    named.plan_digest = Some("zz".to_owned());
    let error = refuse(&mut store, &|c| c.jobs = vec![named.clone()]);
    assert!(matches!(error, StoreError::PlanMissing { job: 1, .. }) && error.is_refusal());
    append(&mut store, |c| {
        c.jobs = vec![named.clone()];
        c.plans = vec![plan("zz", "in the same commit")];
    });
}
