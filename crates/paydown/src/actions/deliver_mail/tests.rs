//! The outbox emptied: sent once, tried again later, given up in the end, and never two at the same mail.

use super::*;
use crate::actions::create_link::{revoke_links, send_invoice};
use crate::mail::testing::{Fixture, MERCHANT, fixture};
use crate::mail::transport::Outgoing;
use async_trait::async_trait;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use store::mails::MailState;

#[derive(Default)]
struct Post {
    broken: AtomicBool,
    taken: Mutex<Vec<MailId>>,
}

#[async_trait]
impl Transport for Post {
    async fn send(&self, outgoing: &Outgoing) -> Result<()> {
        anyhow::ensure!(!self.broken.load(Ordering::Relaxed), "451 try later\r\n");
        self.taken.lock().unwrap().push(outgoing.id);
        Ok(())
    }
}

async fn queued() -> (Fixture, Arc<Post>) {
    let fixture = fixture().await;
    send_invoice(&fixture.app, MERCHANT, fixture.invoice).await.unwrap();
    (fixture, Arc::default())
}

async fn due(fixture: &Fixture, post: &Arc<Post>, limit: i64) -> Result<usize> {
    let transport: Arc<dyn Transport> = Arc::clone(post) as _;
    deliver_due(&fixture.app, transport, limit).await
}

#[tokio::test]
async fn what_is_due_is_sent_once() {
    let (fixture, post) = queued().await;
    assert_eq!(due(&fixture, &post, 0).await.unwrap(), 0);
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 1);
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 0);
    let mail = fixture.mails().await.remove(0);
    assert_eq!((mail.state, mail.tries), (MailState::Sent, 1));
    assert_eq!(*post.taken.lock().unwrap(), [mail.about.id]);
}

#[tokio::test]
async fn no_more_mails_are_claimed_than_go_at_once_and_all_are_sent() {
    let fixture = fixture().await;
    for _ in 0..17 {
        send_invoice(&fixture.app, MERCHANT, fixture.invoice).await.unwrap();
    }
    let post = Arc::<Post>::default();
    let mut taken = Vec::new();
    for _ in 0..4 {
        taken.push(due(&fixture, &post, 100).await.unwrap());
    }
    assert_eq!(taken, [8, 8, 1, 0]);
    assert!(fixture.mails().await.iter().all(|mail| mail.state == MailState::Sent));
    assert_eq!(post.taken.lock().unwrap().len(), 17);
}

#[tokio::test]
async fn a_refused_mail_waits_longer_each_time_and_goes_under_its_id() {
    let (fixture, post) = queued().await;
    post.broken.store(true, Ordering::Relaxed);
    for minutes in [1, 5, 30, 120, 360, 360] {
        assert_eq!(due(&fixture, &post, 20).await.unwrap(), 1);
        let mail = fixture.mails().await.remove(0);
        assert_eq!(mail.state, MailState::Queued);
        assert!(mail.last_error.as_deref().unwrap_or_default().contains("451"), "{mail:?}");
        assert_eq!(mail.next_at, fixture.app.clock.now() + SignedDuration::from_mins(minutes));
        fixture.clock.advance(SignedDuration::from_mins(minutes) - SignedDuration::from_secs(1));
        assert_eq!(due(&fixture, &post, 20).await.unwrap(), 0);
        fixture.clock.advance(SignedDuration::from_secs(1));
    }
    post.broken.store(false, Ordering::Relaxed);
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 1);
    assert_eq!(fixture.mails().await[0].state, MailState::Sent);
}

#[tokio::test]
async fn after_three_days_a_mail_is_given_up() {
    let (fixture, post) = queued().await;
    post.broken.store(true, Ordering::Relaxed);
    fixture.clock.advance(GIVE_UP_AFTER);
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 1);
    let mail = fixture.mails().await.remove(0);
    assert_eq!(mail.state, MailState::Dropped);
    assert!(mail.last_error.unwrap().starts_with("given up: "));
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 0);
}

#[tokio::test]
async fn a_mail_without_reason_is_dropped_with_it() {
    let (fixture, post) = queued().await;
    revoke_links(&fixture.app, MERCHANT, fixture.invoice, "test".to_owned()).await.unwrap();
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 1);
    let mail = fixture.mails().await.remove(0);
    assert_eq!(
        (mail.state, mail.last_error.as_deref()),
        (MailState::Dropped, Some("its link was taken back"))
    );
    assert!(post.taken.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_mail_that_is_being_sent_is_nobody_elses_until_its_lease_ends() {
    let (fixture, post) = queued().await;
    let now = fixture.app.clock.now();
    let claim = async move |tx: &mut Tx| mails::claim_due(tx, now, now + LEASE, 20).await;
    assert_eq!(fixture.app.store.write(claim).await.unwrap().len(), 1);
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 0);
    fixture.clock.advance(LEASE);
    assert_eq!(due(&fixture, &post, 20).await.unwrap(), 1);
    assert_eq!(fixture.mails().await[0].tries, 2);
}
