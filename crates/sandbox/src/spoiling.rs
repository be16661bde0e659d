//! Answers that are spoiled on their way: cut short, not JSON, or dripping. The call behind them was done and kept as always.

use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::stream;

const PIECES: u32 = 10;
/// Long enough for the half to go out before the connection ends.
const BEFORE_THE_CUT: Duration = Duration::from_millis(50);

/// How an answer is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spoiling {
    /// Half of it, then the connection ends.
    Truncated,
    /// A page of some proxy in its place.
    NoJson,
    /// In small pieces, for so long.
    Dripped(Duration),
}

impl Spoiling {
    /// The spoiled body of an answer.
    pub(crate) fn body(self, whole: String) -> Body {
        match self {
            Self::NoJson => Body::from("<html><body><h1>Bad gateway</h1></body></html>\n"),
            Self::Truncated => {
                let half = Bytes::copy_from_slice(&whole.as_bytes()[..whole.len() / 2]);
                Body::from_stream(stream::unfold(Some(half), |half| async move {
                    if let Some(half) = half {
                        return Some((Ok(half), None));
                    }
                    tokio::time::sleep(BEFORE_THE_CUT).await;
                    let cut = std::io::Error::new(std::io::ErrorKind::ConnectionAborted, "cut by a fault");
                    Some((Err(cut), None))
                }))
            }
            Self::Dripped(time) => {
                let pieces = pieces(&whole);
                let pause = time / PIECES;
                Body::from_stream(stream::unfold(pieces.into_iter(), move |mut left| async move {
                    let piece = left.next()?;
                    tokio::time::sleep(pause).await;
                    Some((Ok::<_, std::io::Error>(piece), left))
                }))
            }
        }
    }
}

fn pieces(whole: &str) -> Vec<Bytes> {
    let size = whole.len().div_ceil(PIECES as usize).max(1);
    whole.as_bytes().chunks(size).map(Bytes::copy_from_slice).collect()
}
