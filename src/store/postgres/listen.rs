//! Listens for `NOTIFY pgrst, 'reload schema'` on a connection of its own.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/listener.html>

use std::future::poll_fn;
use std::sync::Weak;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio_postgres::AsyncMessage;

use super::keep::Listening;
use super::{Shared, fault};
use crate::telemetry::Event;

/// First wait after the connection broke; doubled each time.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(32);

/// Listens until the store is gone. What may have been missed while nobody listened is made up for by a reload.
pub(super) async fn listen(shared: Weak<Shared>, listening: Listening, missed: bool) {
    let mut wait = FIRST_WAIT;
    let mut missed = missed;
    loop {
        let broken = listen_once(&shared, &listening, missed).await;
        let Some(store) = shared.upgrade() else { return };
        let (cause, listened) = match broken {
            Ok(()) => ("the connection was closed".to_owned(), true),
            Err(error) => (fault::of(&error).in_full(), false),
        };
        store.telemetry.record(&Event::StoreFailed { doing: "listen for a changed schema", cause: &cause });
        drop(store);
        if listened {
            wait = FIRST_WAIT;
        }
        missed = true;
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// One connection, from its start to its end.
async fn listen_once(shared: &Weak<Shared>, listening: &Listening, missed: bool) -> Result<(), tokio_postgres::Error> {
    let (client, mut connection) = listening.config.connect(listening.tls.clone()).await?;
    let command = format!("LISTEN \"{}\"", listening.channel.replace('"', "\"\""));
    let (heard, mut hear) = tokio::sync::mpsc::channel::<String>(1);
    let pump = async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            match message {
                // One that waits already will read the schema anew: more of them say nothing more.
                Ok(AsyncMessage::Notification(told)) => drop(heard.try_send(told.payload().to_owned())),
                Ok(_) => {}
                Err(_) => return,
            }
        }
    };
    let work = async {
        client.batch_execute(&command).await?;
        let _told = Told::begin(shared);
        if missed {
            reload(shared).await;
        }
        while let Some(payload) = hear.recv().await {
            if matches!(payload.as_str(), "" | "reload schema") {
                reload(shared).await;
            }
        }
        Ok(())
    };
    let ((), result) = tokio::join!(pump, work);
    result
}

/// While it is there, changes of the schema are told.
struct Told<'a>(&'a Weak<Shared>);

impl<'a> Told<'a> {
    fn begin(shared: &'a Weak<Shared>) -> Self {
        set_listening(shared, true);
        Self(shared)
    }
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        set_listening(self.0, false);
    }
}

fn set_listening(shared: &Weak<Shared>, is_listening: bool) {
    if let Some(store) = shared.upgrade() {
        store.is_listening.store(is_listening, Ordering::Release);
    }
}

async fn reload(shared: &Weak<Shared>) {
    let Some(store) = shared.upgrade() else { return };
    if let Err(error) = store.reload().await {
        let cause = error.in_full();
        store.telemetry.record(&Event::StoreFailed { doing: "load the catalog", cause: &cause });
    }
}
