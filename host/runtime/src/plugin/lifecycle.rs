//! What becomes of a plugin from its loading to its end: its migrations, its role, its `start` and its `stop`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::error::LoadError;
use crate::generation::Generation;
use crate::instance::Plain;

use super::Plugin;

impl Plugin {
    /// Applies the plugin's migrations, once. To be called before any other call.
    ///
    /// # Errors
    /// Where a migration fails; then the plugin must not be used.
    pub(crate) async fn migrate(&self) -> Result<(), LoadError> {
        if !self.migrated.load(Ordering::Acquire) {
            crate::migrations::apply(self).await?;
            self.migrated.store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Gives its role the rights that its grants name. To be called after everybody's migrations, and before `start`.
    ///
    /// # Errors
    /// Where there is no such role, or the database's user can't take it or give it its rights.
    pub(crate) async fn grant_role(&self) -> Result<(), LoadError> {
        if let (Some(database), Some(actor)) = (&self.access.database, &self.access.actor) {
            database.grant_role(actor).await.map_err(Box::new)?;
        }
        Ok(())
    }

    /// Calls its `start`, after which other plugins may call it. To be called once, after its migrations.
    ///
    /// # Errors
    /// Where the plugin's own start fails; then the plugin must not be used.
    pub(crate) async fn start(&self, among: &Arc<Generation>) -> Result<(), LoadError> {
        let started = match &self.exports.lifecycle {
            None => Ok(()),
            Some(lifecycle) => {
                let lifecycle = lifecycle.clone();
                let call = self.call_of("lifecycle.start");
                let scope = self.scope();
                scope.pin(among);
                let started = self
                    .call(&scope, &call, move |store, instance| {
                        Box::pin(async move {
                            lifecycle
                                .load(&mut *store, instance)?
                                .call_start(store)
                                .await
                        })
                    })
                    .await;
                scope.finish().await;
                started.and_then(|answer| {
                    answer.map_err(|failure| self.failed(&call, failure.message))
                })
            }
        };
        started.map_err(|cause| LoadError::Start {
            plugin: Arc::clone(&self.name),
            cause: Box::new(cause),
        })?;
        self.started.store(true, Ordering::Release);
        Ok(())
    }

    pub(crate) fn has_started(&self) -> bool {
        self.started.load(Ordering::Acquire)
    }

    /// Calls the plugin's `stop`, and drops its instances. A failure is only logged: the plugin goes in any case.
    pub(crate) async fn stop(&self, among: &Arc<Generation>) {
        self.call_stop(among).await;
        self.warm.close();
    }

    async fn call_stop(&self, among: &Arc<Generation>) {
        let Some(lifecycle) = self.exports.lifecycle.clone() else {
            return;
        };
        let scope = self.scope();
        scope.pin(among);
        let stopped = self
            .call(
                &scope,
                &self.call_of("lifecycle.stop"),
                move |store, instance| {
                    Box::pin(async move {
                        lifecycle
                            .load(&mut *store, instance)?
                            .call_stop(store)
                            .await
                            .map(Plain)
                    })
                },
            )
            .await;
        scope.finish().await;
        if let Err(error) = stopped {
            tracing::warn!(plugin = %self.name, "{error}");
        }
    }
}
