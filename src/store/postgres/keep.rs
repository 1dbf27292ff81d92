//! Lets go of what nobody uses: idle connections, and in the end the one that listens, so that a database that scales to
//! zero can, and an idle instance does nothing.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_postgres::Config;

use super::tls::Connector;
use super::{Shared, listen};

/// The least time between two looks.
const LOOK_LEAST: Duration = Duration::from_millis(100);

/// What is needed to listen.
#[derive(Clone)]
pub(super) struct Listening {
    pub(super) config: Config,
    pub(super) tls: Connector,
    pub(super) channel: String,
}

/// Runs until the store is gone. Nothing happens between the last connection's end and the next request.
pub(super) async fn keep(shared: Weak<Shared>, used: Arc<Notify>, listening: Option<Listening>) {
    let mut has_slept = false;
    while shared.strong_count() > 0 {
        used.notified().await;
        let listener =
            listening.clone().map(|what| Listener(tokio::spawn(listen::listen(shared.clone(), what, has_slept))));
        while let Some(store) = shared.upgrade() {
            let is_used = store.pool.close_unused(store.settings.idle_timeout);
            let look = (store.settings.idle_timeout / 2).max(LOOK_LEAST);
            drop(store);
            if !is_used {
                break;
            }
            tokio::time::sleep(look).await;
        }
        drop(listener);
        has_slept = true;
    }
}

/// A task that ends when this is dropped.
struct Listener(tokio::task::JoinHandle<()>);

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.abort();
    }
}
