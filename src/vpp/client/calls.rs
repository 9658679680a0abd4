//! Typed calls over a connection: from a message to its answer, through the
//! connection's task.

use std::marker::PhantomData;

use tokio::sync::oneshot;

use super::connection::{Connection, InbandCommand, SpokenIn};
use super::driver::{CallToken, DriverCommand};
use super::error::{Applied, CallError, Retval};
use crate::vpp::session::{Call, CallAnswer, CallFailure, Encoded, EndReason, Expect, SMALL_REPLY};
use crate::vpp::wire::{
    CliInband, CliInbandReply, ControlPing, ControlPingReply, Dump, Message, Reply, Request,
    WireError, read_reply,
};

/// A call that is not sent yet, and what waits for its answer.
pub(super) type PreparedCall<A> = (Call<CallToken>, Pending<A>);

/// The same of a write, whatever its message is.
pub(super) type PreparedWrite = (Call<CallToken>, Confirmation);

/// Waits for the answer of one call.
pub(super) struct Pending<A> {
    call: &'static str,
    outcome: oneshot::Receiver<Result<CallAnswer, CallFailure>>,
    answer: PhantomData<fn() -> A>,
}

impl<A: Reply> Pending<A> {
    /// The one reply, whatever it returns.
    pub(super) async fn any(self) -> Result<A, CallError> {
        let call = self.call;
        let malformed = |error| CallError::Malformed { call, error };
        match outcome(self.call, self.outcome).await? {
            CallAnswer::One(body) => read_logged(&body).map_err(malformed),
            CallAnswer::Rows(_) => Err(CallError::TooLong { call }),
        }
    }

    /// The one reply, if it does not return an error.
    pub(super) async fn one(self) -> Result<A, CallError> {
        let call = self.call;
        let reply = self.any().await?;
        check(call, reply.retval())?;
        Ok(reply)
    }

    pub(super) async fn rows(self) -> Result<Vec<A>, CallError> {
        let call = self.call;
        let bodies = match outcome(self.call, self.outcome).await? {
            CallAnswer::Rows(rows) => rows,
            CallAnswer::One(row) => vec![row],
        };
        let rows: Result<_, WireError> = bodies
            .iter()
            .map(|body| {
                let (_, row) = read_reply::<A>(body)?;
                tracing::debug!(api_message = A::NAME, fields = ?row, "vpp-api-recv-multi");
                Ok(row)
            })
            .collect();
        rows.map_err(|error| CallError::Malformed { call, error })
    }
}

/// Waits for the return value of one write, of whatever kind.
pub(super) struct Confirmation {
    call: &'static str,
    outcome: oneshot::Receiver<Result<CallAnswer, CallFailure>>,
    retval: fn(&[u8]) -> Result<i32, WireError>,
}

impl Confirmation {
    pub(super) async fn wait(self) -> Result<(), CallError> {
        let call = self.call;
        let body = match outcome(call, self.outcome).await? {
            CallAnswer::One(body) => body,
            CallAnswer::Rows(_) => return Err(CallError::TooLong { call }),
        };
        let retval = (self.retval)(&body).map_err(|error| CallError::Malformed { call, error })?;
        check(call, retval)
    }
}

async fn outcome(
    call: &'static str,
    outcome: oneshot::Receiver<Result<CallAnswer, CallFailure>>,
) -> Result<CallAnswer, CallError> {
    match outcome.await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(failure)) => Err(CallError::from_failure(call, failure)),
        // The task is gone without an outcome: its runtime stopped.
        Err(_) => {
            Err(CallError::Lost { call, applied: Applied::MayBe, why: EndReason::LeftUnconfirmed })
        }
    }
}

fn check(call: &'static str, retval: i32) -> Result<(), CallError> {
    if retval < 0 {
        return Err(CallError::Refused { call, retval: Retval(retval) });
    }
    Ok(())
}

fn read_logged<A: Reply>(body: &[u8]) -> Result<A, WireError> {
    let (_, reply) = read_reply::<A>(body)?;
    tracing::debug!(api_message = A::NAME, fields = ?reply, "vpp-api-recv");
    Ok(reply)
}

fn retval_of<A: Reply>(body: &[u8]) -> Result<i32, WireError> {
    read_logged::<A>(body).map(|reply| reply.retval())
}

fn logged(message: &impl Message) -> Option<String> {
    tracing::enabled!(tracing::Level::DEBUG).then(|| format!("{message:?}"))
}

impl<D> Connection<D> {
    /// A call with one reply that takes `cost` bytes of VPP's send buffer.
    pub(super) fn single<M: SpokenIn<D>>(
        &self,
        message: &M,
        cost: usize,
    ) -> Result<PreparedCall<M::Answer>, CallError> {
        self.prepare(message, cost)
    }

    /// A line of VPP's CLI whose output takes `cost` bytes of VPP's send
    /// buffer.
    pub(super) fn line(
        &self,
        command: &impl InbandCommand<D>,
        cost: usize,
    ) -> Result<PreparedCall<CliInbandReply>, CallError> {
        let cmd = command.line().into_owned().into_bytes();
        self.prepare(&CliInband { cmd }, cost)
    }

    /// A call of dumps that one fence closes, whose rows take `cost` bytes of
    /// VPP's send buffer.
    pub(super) fn dumps<M: SpokenIn<D> + Dump>(
        &self,
        dumps: &[M],
        cost: usize,
    ) -> Result<PreparedCall<M::Answer>, CallError> {
        let (token, outcome) = oneshot::channel();
        let id = self.id::<M>()?;
        let call = Call {
            name: M::NAME,
            fields: tracing::enabled!(tracing::Level::DEBUG).then(|| format!("{dumps:?}")),
            requests: dumps.iter().map(|dump| Encoded::new(id, dump)).collect(),
            expect: Expect::Rows {
                details: self.id::<M::Answer>()?,
                ping: self.id::<ControlPing>()?,
                ping_reply: self.id::<ControlPingReply>()?,
            },
            cost,
            urgent: false,
            patience: self.state().patience,
            token,
        };
        Ok((call, Pending { call: M::NAME, outcome, answer: PhantomData }))
    }

    /// A write, whose reply has nothing but a return value.
    pub(super) fn write<M: SpokenIn<D>>(
        &self,
        message: &M,
        urgent: bool,
    ) -> Result<PreparedWrite, CallError> {
        let (call, pending) = self.single(message, SMALL_REPLY)?;
        let retval = retval_of::<M::Answer>;
        let confirmation = Confirmation { call: M::NAME, outcome: pending.outcome, retval };
        Ok((Call { urgent, ..call }, confirmation))
    }

    /// Hands calls to the connection's task, in one piece.
    pub(super) async fn submit(&self, calls: Vec<Call<CallToken>>) {
        let Err(back) = self.state().commands.send(DriverCommand::Submit(calls)).await else {
            return;
        };
        let why = self.state().ended.borrow().unwrap_or(EndReason::LeftUnconfirmed);
        if let DriverCommand::Submit(calls) = back.0 {
            for call in calls {
                drop(call.token.send(Err(CallFailure::NeverSent(why))));
            }
        }
    }

    /// Sends one message and waits for its reply.
    pub(super) async fn ask<M: SpokenIn<D>>(&self, message: &M) -> Result<M::Answer, CallError> {
        let (call, pending) = self.single(message, SMALL_REPLY)?;
        self.submit(vec![call]).await;
        pending.one().await
    }

    fn prepare<M: Request>(
        &self,
        message: &M,
        cost: usize,
    ) -> Result<PreparedCall<M::Answer>, CallError> {
        let (token, outcome) = oneshot::channel();
        let call = Call {
            name: M::NAME,
            fields: logged(message),
            requests: vec![Encoded::new(self.id::<M>()?, message)],
            expect: Expect::One(self.id::<M::Answer>()?),
            cost,
            urgent: false,
            patience: self.state().patience,
            token,
        };
        Ok((call, Pending { call: M::NAME, outcome, answer: PhantomData }))
    }

    fn id<M: Message>(&self) -> Result<u16, CallError> {
        let id = self.state().table.id_of::<M>();
        id.ok_or_else(|| CallError::Missing { message: M::key() })
    }
}
