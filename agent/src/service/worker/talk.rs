//! One thing at a time is said to the collector, so that one connection is enough.

use evidence::wire::{CheckInResponse, DeliverResponse, MAX_BATCH, RenewRequest};
use tokio::task::JoinHandle;

use crate::delivery::{
    Address, Client, ExchangeError, TlsError, TlsIdentity, Trouble, Validity, exchange, member_config,
};
use crate::service::ServiceError;
use crate::service::keeper::Keeper;
use crate::spool::Record;

/// Bytes of envelopes in one request, about: bounds what is sent again after a broken connection.
const BATCH_BYTES: usize = 256 * 1024;

/// What is being said.
pub(super) enum Talk {
    Nothing,
    Delivery(JoinHandle<Delivery>),
    CheckIn(JoinHandle<Result<CheckInResponse, Trouble>>),
    Renewal(JoinHandle<Renewal>),
}

/// What was heard.
pub(super) enum Heard {
    Delivery(Delivery),
    CheckIn(Result<CheckInResponse, Trouble>),
    Renewal(Renewal),
    /// The task panicked.
    Broken,
}

pub(super) struct Delivery {
    pub batch: Vec<Record>,
    pub answer: Result<DeliverResponse, ExchangeError>,
}

pub(super) type Renewal = Result<String, Trouble>;

impl Talk {
    /// Waits for the answer; for ever if nothing was asked.
    pub(super) async fn answer(&mut self) -> Heard {
        let heard = match self {
            Self::Nothing => std::future::pending().await,
            Self::Delivery(task) => task.await.map(Heard::Delivery),
            Self::CheckIn(task) => task.await.map(Heard::CheckIn),
            Self::Renewal(task) => task.await.map(Heard::Renewal),
        };
        *self = Self::Nothing;
        heard.unwrap_or(Heard::Broken)
    }
}

pub(super) fn client(keeper: &Keeper) -> Result<Client, ServiceError> {
    let member = keeper.member();
    let tls = member_config(&member.ca()?, &member.client()?)?;
    Ok(Client::new(Address::parse(&member.identity().collector)?, tls)?)
}

pub(super) fn validity(keeper: &Keeper) -> Result<Validity, ServiceError> {
    let unreadable = |_| TlsError::Pem {
        what: "client certificate",
        reason: "not X.509".to_owned(),
    };
    Ok(Validity::of_pem(&keeper.member().client()?).map_err(unreadable)?)
}

/// A delivery of what waits now; it can run while the keeper takes new statements.
pub(super) fn deliver(
    keeper: &Keeper,
    client: &Client,
) -> Result<impl Future<Output = Delivery> + Send + use<>, ServiceError> {
    let batch = keeper.spool().batch(MAX_BATCH, BATCH_BYTES)?;
    let (client, store) = (client.clone(), keeper.store().clone());
    let (known, pace) = (keeper.known().checkpoint().size, keeper.member().pace()?);
    Ok(async move {
        let answer = exchange(&client, &batch, known, pace, &store).await;
        Delivery { batch, answer }
    })
}

pub(super) async fn renew(client: &Client) -> Renewal {
    let identity = TlsIdentity::generate().map_err(|error| Trouble::Answer {
        authority: client.address().authority(),
        reason: error.to_string(),
    })?;
    let request = RenewRequest {
        tls_request: identity.request().to_owned(),
    };
    let answer = client.renew(&request).await?;
    Ok(identity.with_certificate(&answer.certificate))
}
