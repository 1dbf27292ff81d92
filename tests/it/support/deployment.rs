//! One schema on each of the three stores, for what must hold on all of them.

use std::path::{Path, PathBuf};

use super::{Start, postgres, write_migrations};

/// Where instances of one deployment find their data.
pub enum Home {
    /// SQLite in place, on this volume.
    InPlace(PathBuf),
    /// A shared log, on this volume.
    SharedLog(PathBuf),
    /// Postgres behind this DSN.
    Postgres(String),
}

/// A deployment of which any number of instances can be started.
pub struct Deployment {
    pub home: Home,
    folder: tempfile::TempDir,
}

impl Deployment {
    /// One for each store that this machine has. `name`: of the database, where it needs one of its own.
    pub fn on_each_store(name: &str, schema: &str) -> Vec<Self> {
        let mut all = vec![Self::in_place(schema), Self::shared_log(schema)];
        all.extend(Self::postgres(name, schema));
        all
    }

    pub fn in_place(schema: &str) -> Self {
        Self::new(schema, |folder| Home::InPlace(folder.join("volume")))
    }

    pub fn shared_log(schema: &str) -> Self {
        Self::new(schema, |folder| Home::SharedLog(folder.join("volume")))
    }

    pub fn postgres(name: &str, schema: &str) -> Option<Self> {
        let dsn = postgres::cluster()?.create_database(name);
        Some(Self::new(schema, |_| Home::Postgres(dsn)))
    }

    fn new(schema: &str, home: impl FnOnce(&Path) -> Home) -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_migrations(folder.path(), &[schema]);
        let home = home(folder.path());
        Self { home, folder }
    }

    /// How another instance is started; everything is allowed.
    pub fn instance(&self) -> Start<'_> {
        let start = Start { folder: self.folder.path(), env: Vec::new() }
            .with("DB_TX_END", "commit-allow-override")
            .with("ACCESS", "open")
            .with("MIGRATIONS", self.folder.path().join("migrations").display());
        match &self.home {
            Home::InPlace(volume) => start.with("VOLUME", volume.display()).with("VOLUME_MODE", "in-place"),
            Home::SharedLog(volume) => start.with("VOLUME", volume.display()).with("VOLUME_MODE", "shared-log"),
            Home::Postgres(dsn) => start.with("DATABASE_URL", dsn),
        }
    }

    /// Where its instances run.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What a failed assertion says of it.
    pub fn name(&self) -> &'static str {
        match self.home {
            Home::InPlace(_) => "in place",
            Home::SharedLog(_) => "shared log",
            Home::Postgres(_) => "Postgres",
        }
    }
}
