//! Executes the effects of [`Follow`] on a connection and the clock. It
//! decides nothing.

use std::collections::VecDeque;
use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};
use tonic::Streaming;

use super::step::{Follow, FollowEffect, FollowInput, FollowItem, FollowPolicy};
use crate::client::connection::DaemonClient;
use crate::client::error::{ClientError, ConnectionLoss};
use crate::pb;

/// The RPC of events, as errors name it.
pub const WATCH_EVENTS: &str = "WatchEvents";

type OpenedStream = Result<Streaming<pb::Event>, ClientError>;

/// Where the next input comes from. It is kept between calls, so that a caller
/// may stop waiting at any time without losing anything.
enum InputSource {
    Opening(Pin<Box<dyn Future<Output = OpenedStream> + Send>>),
    Streaming(Box<Streaming<pb::Event>>),
    Waiting(Pin<Box<Sleep>>),
    /// Following ended.
    Stopped,
}

/// The events of one daemon, for as long as they are wanted.
pub struct StreamFollower {
    client: DaemonClient,
    /// Which events; the resume point is set for each stream.
    request: pb::WatchRequest,
    follow: Follow,
    source: InputSource,
    effects: VecDeque<FollowEffect>,
}

impl StreamFollower {
    /// Follows the events that `request` asks for, from the first call of
    /// [`Self::next`] on.
    #[must_use]
    pub fn new(client: DaemonClient, request: pb::WatchRequest, policy: FollowPolicy) -> Self {
        let mut follower = Self {
            client,
            request,
            follow: Follow::new(policy),
            source: InputSource::Stopped,
            effects: VecDeque::new(),
        };
        follower.step(FollowInput::Start);
        follower
    }

    /// The next item. It is cancel safe. After an error it waits for ever.
    ///
    /// # Errors
    /// What the policy does not retry.
    pub async fn next(&mut self) -> Result<FollowItem, ClientError> {
        loop {
            match self.effects.pop_front() {
                Some(FollowEffect::Deliver(item)) => return Ok(item),
                Some(FollowEffect::Open(resume)) => self.source = self.opening(resume),
                Some(FollowEffect::SetTimer(until)) => {
                    let until = Instant::from_std(until);
                    self.source = InputSource::Waiting(Box::pin(sleep_until(until)));
                }
                Some(FollowEffect::Stop(error)) => {
                    self.source = InputSource::Stopped;
                    return Err(error);
                }
                None => {
                    let input = self.input().await;
                    self.step(input);
                }
            }
        }
    }

    /// Treats the stream as failed: the caller found out by another request
    /// that the daemon was lost.
    pub fn fail(&mut self, error: ClientError) {
        self.step(FollowInput::Failed(error));
    }

    fn step(&mut self, input: FollowInput) {
        self.effects.extend(self.follow.step(input, Instant::now().into_std()));
    }

    fn opening(&self, resume: Option<pb::ResumePoint>) -> InputSource {
        let client = self.client.clone();
        let request = pb::WatchRequest { resume, ..self.request.clone() };
        InputSource::Opening(Box::pin(async move {
            let mut grpc = client.grpc.clone();
            match grpc.watch_events(request).await {
                Ok(response) => Ok(response.into_inner()),
                Err(status) => Err(ClientError::of_stream(WATCH_EVENTS, client.server(), &status)),
            }
        }))
    }

    async fn input(&mut self) -> FollowInput {
        match &mut self.source {
            InputSource::Opening(opening) => match opening.await {
                Ok(stream) => {
                    self.source = InputSource::Streaming(Box::new(stream));
                    FollowInput::Opened
                }
                Err(error) => FollowInput::Failed(error),
            },
            InputSource::Streaming(stream) => match stream.message().await {
                Ok(Some(event)) => FollowInput::Received(event),
                Ok(None) => {
                    FollowInput::Failed(self.client.lost(WATCH_EVENTS, ConnectionLoss::Stopping))
                }
                Err(status) => FollowInput::Failed(ClientError::of_stream(
                    WATCH_EVENTS,
                    self.client.server(),
                    &status,
                )),
            },
            InputSource::Waiting(sleep) => {
                sleep.as_mut().await;
                FollowInput::TimerFired
            }
            InputSource::Stopped => std::future::pending().await,
        }
    }
}
