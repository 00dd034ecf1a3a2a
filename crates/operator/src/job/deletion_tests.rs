//! Named scenarios of a job's deletion.

use firesteel_k8s::status::Phase;

use super::driver::{Class, Driver};
use super::fixtures::Story;
use super::observed::{Action, Cleanup};

const SHUFFLE: &str = "storage: {shuffle: {url: 's3://bucket/shuffle'}}";

fn running() -> Story {
    Story::with(SHUFFLE).running()
}

fn is_held(story: &Story) -> bool {
    story.job.metadata.finalizers.is_some()
}

#[test]
fn only_a_job_with_shuffle_files_to_delete_is_held() {
    assert!(is_held(&running()));
    assert!(!is_held(&Story::with("").running()));
    assert!(!is_held(&Story::with("storage: {shuffle: {url: 's3://b/x', cleanup: Keep}}").running()));
}

#[test]
fn the_job_is_held_before_anything_is_launched() {
    let story = running();
    let held = story.actions.iter().position(|action| *action == Action::AddFinalizer);
    let launched = story.actions.iter().position(|action| matches!(action, Action::Launch { .. }));
    assert!(held.unwrap() < launched.unwrap());
}

#[test]
fn deleting_stops_the_driver_then_deletes_the_files_then_lets_go() {
    let mut story = running();
    story.is_deleted();
    assert_eq!(story.phase(), Phase::Stopping);
    assert!(story.stops_gracefully() && !story.did(&Action::StartCleanup));
    story.driver = Driver::Absent;
    story.settle();
    assert!(story.did(&Action::StartCleanup) && is_held(&story));
    story.cleanup = Cleanup::Done;
    story.look();
    assert!(!is_held(&story));
    assert_eq!(story.told("CleanupAbandoned"), 0);
}

#[test]
fn files_that_cannot_be_deleted_do_not_hold_the_job_for_ever() {
    let mut story = running();
    story.is_deleted();
    story.driver = Driver::Absent;
    story.settle();
    story.cleanup = Cleanup::Failed;
    story.later(290);
    assert!(is_held(&story));
    story.now += jiff::SignedDuration::from_secs(11);
    story.look();
    assert!(!is_held(&story));
    assert_eq!(story.told("CleanupAbandoned"), 1);
}

#[test]
fn a_job_that_succeeded_has_no_files_left() {
    let mut story = running();
    story.ends(Class::Success, None, 0);
    story.job.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(story.now));
    story.look();
    assert!(!is_held(&story) && !story.did(&Action::StartCleanup));
}

#[test]
fn a_job_that_never_began_is_let_go_at_once() {
    let mut story = Story::with(&format!("suspend: true, {SHUFFLE}"));
    story.settle();
    assert!(is_held(&story));
    story.job.metadata.deletion_timestamp = Some(k8s_openapi::apimachinery::pkg::apis::meta::v1::Time(story.now));
    story.look();
    assert!(!is_held(&story));
}

#[test]
fn a_deleted_job_launches_nothing_more() {
    let mut story = Story::with(&format!("retry: {{limit: 3}}, {SHUFFLE}")).running();
    story.fails(1);
    let launches = story.launches();
    story.is_deleted();
    story.later(60);
    assert_eq!(story.launches(), launches);
}

#[test]
fn without_a_finaliser_deletion_is_the_clusters_business() {
    let mut story = Story::with("").running();
    story.actions.clear();
    story.is_deleted();
    assert!(story.actions.is_empty());
}
