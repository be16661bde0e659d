//! A list that is too long for one reading is read all the same, from its old end, to its new one.

use super::*;
use gateway::ProcessorEvent;

const MOST: usize = 5;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

/// A processor with one event at each of these seconds, which lists the newest five of a span, all of a single second.
fn list(seconds: &[i64], span: Span) -> Result<EventList, CallError> {
    let (from, to) = (span.from.as_second(), span.to.map_or(i64::MAX, Timestamp::as_second));
    let within: Vec<i64> = seconds.iter().copied().filter(|second| (from..=to).contains(second)).collect();
    let complete = within.len() <= MOST || from == to;
    let newest = if complete { &within[..] } else { &within[within.len() - MOST..] };
    Ok(EventList { events: newest.iter().map(|second| listed(*second)).collect(), complete })
}

fn listed(second: i64) -> ListedEvent {
    let event = ProcessorEvent {
        id: format!("evt_{second}"),
        kind: EventKind::NotOurs("plan.created".to_owned()),
        created_at: at(second),
        live: false,
        object_id: None,
        object_kind: None,
        session_id: None,
        payment_intent_id: None,
        attempt: None,
        setup: None,
    };
    ListedEvent { event, raw: "{}".to_owned() }
}

#[tokio::test]
async fn every_event_of_a_long_list_is_read_and_each_reading_gets_further() {
    let mut seconds: Vec<i64> = (0..40).map(|number| 1_000 + number * 37 % 500).collect();
    seconds.extend([1_200; 9]); // more in one second than one reading takes
    seconds.sort_unstable();
    let (mut from, mut read, mut readings) = (at(0), Vec::new(), 0);
    loop {
        let (list, to) =
            readable(|span| std::future::ready(list(&seconds, span)), from).await.expect("it is read");
        read.extend(list.events.iter().map(|listed| listed.event.created_at.as_second()));
        readings += 1;
        assert!(readings < 100, "it does not end");
        match to {
            Some(to) => {
                assert!(to >= from, "a reading that gets no further");
                from = to + SignedDuration::from_secs(1);
            }
            None => break,
        }
    }
    assert_eq!(read, seconds, "all, oldest first, none twice");
}

#[tokio::test]
async fn a_short_list_is_one_reading() {
    let (list, to) =
        readable(|span| std::future::ready(list(&[7, 8, 9], span)), at(0)).await.expect("it is read");
    assert_eq!((list.events.len(), to), (3, None));
}
