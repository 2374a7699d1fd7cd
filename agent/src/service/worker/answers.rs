//! What is done about what the collector said, or did not say.

use std::time::{Duration, Instant};

use evidence::Timestamp;
use evidence::wire::{CheckInResponse, Pace, Refusal, RefusalCode};

use super::talk::{Delivery, Heard, client};
use super::{REMIND, Timing, Worker, some_fraction};
use crate::clock;
use crate::delivery::{ExchangeError, Trouble, Validity, member_config};
use crate::schedule::Retry;
use crate::service::ServiceError;
use crate::service::keeper::Settled;
use crate::service::report::{Noted, StatementRefused};
use crate::spool::{LossReason, SpoolError};

/// Clocks that differ by more than this spoil evidence: the collector refuses statements from more than five minutes ahead.
const CLOCK_TOLERANCE: i64 = 60;

/// Between two attempts to renew the client certificate.
const RENEWAL_RETRY: Duration = Duration::from_mins(30);

impl Worker {
    pub(super) async fn hear(&mut self, heard: Heard, timing: &mut Timing) -> Result<(), ServiceError> {
        let now = Instant::now();
        match heard {
            Heard::Delivery(delivery) => {
                let answered = match &delivery.answer {
                    Ok(_) => true,
                    Err(ExchangeError::Trouble(trouble)) => trouble.is_answer(),
                    Err(_) => false,
                };
                let pace = delivery.answer.as_ref().ok().and_then(|answer| answer.pace);
                let later = self.delivered(delivery).await?;
                if let Some(pace) = pace {
                    self.take_pace(pace, timing, now)?;
                }
                if std::mem::take(&mut self.restate) {
                    timing.schedule.restate(now);
                }
                timing.deliver_at = (self.keeper.spool().waiting() > 0).then(|| Instant::now() + later);
                if answered {
                    timing.schedule.heard(now, some_fraction());
                }
            }
            Heard::CheckIn(Ok(answer)) => {
                self.checked_in(&answer, timing, now)?;
                self.reached(timing, now);
            }
            Heard::Renewal(Ok(client_pem)) => {
                self.renewed(&client_pem)?;
                self.reached(timing, now);
            }
            Heard::Renewal(Err(trouble)) => {
                // Check-ins go on meanwhile; there is a third of the certificate's life for this.
                self.renew_not_before = now + RENEWAL_RETRY;
                self.trouble(&trouble);
            }
            Heard::CheckIn(Err(trouble)) => {
                timing.schedule.heard(now, some_fraction());
                self.trouble(&trouble);
            }
            Heard::Broken => {
                tracing::error!("a request broke off; this is a fault of the agent");
                timing.schedule.heard(now, some_fraction());
                timing.deliver_at = Some(now + self.retry.failed(some_fraction()));
            }
        }
        self.write_report();
        Ok(())
    }

    /// The collector answered: whatever waits need not wait for the next retry.
    fn reached(&mut self, timing: &mut Timing, now: Instant) {
        timing.schedule.heard(now, some_fraction());
        self.heard_from();
        if self.keeper.spool().waiting() > 0 && self.report.refused.is_none() && self.keeper.is_at_peace() {
            timing.deliver_at = Some(now);
        }
    }

    fn heard_from(&mut self) {
        self.report.heard_at = Some(clock::now());
        if self.report.unreachable.take().is_some() {
            tracing::info!("the collector can be reached again");
        }
        self.reminded = None;
    }

    fn trouble(&mut self, trouble: &Trouble) {
        let detail = trouble.to_string();
        let known = self
            .report
            .unreachable
            .as_ref()
            .is_some_and(|noted| noted.detail == detail);
        if !known || self.reminded.is_none_or(|at| at.elapsed() > REMIND) {
            tracing::warn!(waiting = self.keeper.spool().waiting(), "{detail}");
            self.reminded = Some(Instant::now());
        }
        let now = clock::now();
        if trouble.is_answer() {
            self.report.heard_at = Some(now);
        }
        self.report.unreachable = Some(Noted::going_on(self.report.unreachable.take(), detail, now));
    }

    /// Takes an answer to a delivery; returns how long to wait before the next one.
    pub(super) async fn delivered(&mut self, delivery: Delivery) -> Result<Duration, ServiceError> {
        let answer = match delivery.answer {
            Ok(answer) => answer,
            Err(ExchangeError::Gone { digest, sequence }) => {
                tracing::error!(%digest, sequence, "facts are gone; the waiting statements are given up and declared lost");
                return self.forfeit(LossReason::SpoolDamaged);
            }
            Err(ExchangeError::Store(error)) => return self.not_kept(error.into()),
            Err(ExchangeError::Trouble(trouble)) => {
                self.trouble(&trouble);
                return Ok(self.retry.failed(some_fraction()));
            }
        };
        self.heard_from();
        let now = clock::now();
        let settled = match self.keeper.settle(&delivery.batch, &answer, now) {
            Ok(settled) => settled,
            Err(error) => return self.not_kept(error),
        };
        match settled {
            Settled::Accepted(count) => {
                tracing::debug!(count, waiting = self.keeper.spool().waiting(), "delivered");
                self.retry.succeeded();
                self.report.refused = None;
                self.report.spool = None;
                Ok(Duration::ZERO)
            }
            Settled::Refused { sequence, refusal } => {
                if self.keeper.has_receipt_before(sequence, refusal.code)
                    && let Ok(shown) = self.client.checkpoint().await
                    && let Some(alarm) = self.keeper.settle_refusal(sequence, &refusal, &shown, now)?
                {
                    tracing::error!(kind = alarm.alarm.kind, "THE LOG CONTRADICTS ITSELF: {}", alarm.detail);
                }
                let made = delivery.batch.first().map_or(now, |record| record.observed_at);
                if refusal.code == RefusalCode::ClockAhead && made.since(now) > CLOCK_TOLERANCE {
                    tracing::error!(
                        sequence,
                        "statements were made while the clock was ahead, until {made}; they are given up and declared lost"
                    );
                    return self.forfeit(LossReason::ClockAhead);
                }
                self.refused(sequence, &refusal, now);
                Ok(if refusal.code.may_pass_later() {
                    self.retry.failed(some_fraction())
                } else {
                    Retry::refused(some_fraction())
                })
            }
            Settled::Contradiction(alarm) => {
                tracing::error!(
                    kind = alarm.alarm.kind,
                    proof = %self.keeper.proof_place(),
                    "THE LOG CONTRADICTS ITSELF: {}. Both checkpoints are kept as proof, and no receipt of this history is \
                     accepted. Ask the collector's administrator; show the proof to your auditor",
                    alarm.detail
                );
                Ok(Retry::refused(some_fraction()))
            }
            Settled::Disbelieved(disbelief) => {
                tracing::error!("{disbelief}; the statements are kept and sent again");
                self.report.unreachable = Some(Noted::going_on(
                    self.report.unreachable.take(),
                    disbelief.to_string(),
                    now,
                ));
                Ok(self.retry.failed(some_fraction()))
            }
            Settled::StillMissing { sequence } => {
                tracing::error!(
                    sequence,
                    "the collector lacks facts that were just sent to it; trying again"
                );
                Ok(self.retry.failed(some_fraction()))
            }
        }
    }

    fn forfeit(&mut self, reason: LossReason) -> Result<Duration, ServiceError> {
        self.report.refused = None;
        self.restate = true;
        match self.keeper.forfeit(reason) {
            Ok(()) => Ok(Duration::ZERO),
            Err(error) => self.not_kept(error),
        }
    }

    /// A receipt that cannot be written down (a full disk) does not count: the statements are sent again. Only a damaged
    /// spool ends the service; the next start repairs it.
    fn not_kept(&mut self, error: ServiceError) -> Result<Duration, ServiceError> {
        if matches!(error, ServiceError::Spool(SpoolError::Damaged { .. })) {
            return Err(error);
        }
        tracing::error!(%error, "the collector's answer could not be kept; trying again");
        self.report.spool = Some(Noted::going_on(
            self.report.spool.take(),
            error.to_string(),
            clock::now(),
        ));
        Ok(self.retry.failed(some_fraction()))
    }

    fn refused(&mut self, sequence: u64, refusal: &Refusal, now: Timestamp) {
        let before = self
            .report
            .refused
            .take()
            .filter(|refused| refused.sequence == sequence);
        if before.as_ref().is_none_or(|before| before.code != refusal.code) {
            tracing::error!(
                sequence,
                code = ?refusal.code,
                "the collector refuses a statement: {}. It is kept, with all after it, and tried again",
                refusal.detail
            );
        }
        self.report.refused = Some(StatementRefused {
            sequence,
            since: before.map_or(now, |before| before.since),
            code: refusal.code,
            detail: refusal.detail.clone(),
        });
    }

    fn checked_in(&mut self, answer: &CheckInResponse, timing: &mut Timing, now: Instant) -> Result<(), ServiceError> {
        let wall = clock::now();
        let ahead = wall.since(answer.clock);
        if ahead.abs() > CLOCK_TOLERANCE
            && self
                .report
                .clock_ahead_seconds
                .is_none_or(|was| was.abs() <= CLOCK_TOLERANCE)
        {
            tracing::warn!(
                "this host's clock says {wall}, the collector's {}: check the time synchronisation (timedatectl status)",
                answer.clock
            );
        }
        self.report.clock_ahead_seconds = Some(ahead);
        self.take_pace(answer.pace, timing, now)?;
        if let Some(head) = self.keeper.spool().head() {
            timing.schedule.wall_clock(wall.since(head.observed_at), now);
        }
        Ok(())
    }

    fn take_pace(&mut self, pace: Pace, timing: &mut Timing, now: Instant) -> Result<(), ServiceError> {
        if pace != self.keeper.member().pace()? {
            tracing::info!(?pace, "the collector sets another pace");
            if let Err(error) = self.keeper.member().set_pace(pace) {
                tracing::warn!(%error, "the pace is forgotten at the next start");
            }
            timing.schedule.set_pace(pace, now);
        }
        Ok(())
    }

    fn renewed(&mut self, pem: &str) -> Result<(), ServiceError> {
        let ca = self.keeper.member().ca()?;
        // A certificate that does not fit its key, or cannot be read, must not replace the one that works.
        let usable = member_config(&ca, pem).is_ok();
        let Some(validity) = Validity::of_pem(pem).ok().filter(|_| usable) else {
            tracing::error!(
                "the renewed certificate cannot be used; the old one is kept and the next is asked for later"
            );
            return Ok(());
        };
        // Not again at once, even if a clock that is wrong says so.
        self.renew_not_before = Instant::now() + RENEWAL_RETRY;
        self.keeper.member().replace_client(pem)?;
        self.client = client(&self.keeper)?;
        self.validity = validity;
        self.report.certificate_until = Some(validity.not_after);
        tracing::info!(until = %validity.not_after, "the client certificate was renewed");
        Ok(())
    }
}
