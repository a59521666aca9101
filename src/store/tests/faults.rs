//! Files that cannot be opened, and a disk that fails while the program runs.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::StorageBackend;
use redb::backends::InMemoryBackend;

use super::super::schema::META;
use super::*;

#[track_caller]
fn refused(path: &Path) -> String {
    match Store::open(path) {
        Ok(_) => panic!("{} was opened", path.display()),
        Err(error) => error.to_string(),
    }
}

#[test]
fn each_way_not_to_open_has_its_text() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let text = refused(&place("nowhere/state.redb"));
    assert!(
        text.contains("does not exist") && text.contains("nowhere") && text.contains("hint: create it"),
        "{text}"
    );
    fs::create_dir(place("directory")).unwrap();
    let text = refused(&place("directory"));
    assert!(text.starts_with("cannot open") && text.contains("hint: "), "{text}");
    fs::write(place("notes.txt"), "buy milk\n".repeat(1000)).unwrap();
    let text = refused(&place("notes.txt"));
    assert!(text.contains("damaged or not a sqswatch store"), "{text}");
    let _held = Store::open(&place("held")).unwrap();
    let text = refused(&place("held"));
    assert!(text.contains("in use by another process"), "{text}");
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(META).unwrap().insert("schema", 99).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let text = refused(&path);
    assert!(text.contains("schema version 99, and this sqswatch knows 2"), "{text}");
}

/// Cuts and overwrites a valid file at many places: it opens or is refused, and never ends the program.
#[test]
fn a_damaged_file_is_refused_or_opened_but_never_panics() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let store = Store::open(&path).unwrap();
    owe(&store, (0..50).map(|n| debt(&format!("rule-{n}"), Event::Firing, n, &["ops"])).collect());
    drop(store);
    let whole = fs::read(&path).unwrap();
    let mut refusals = 0;
    for part in 1..24 {
        let place = whole.len() * part / 24;
        let mut overwritten = whole.clone();
        overwritten[place..].iter_mut().take(64).for_each(|byte| *byte = !*byte);
        for damaged in [whole[..place].to_vec(), overwritten] {
            fs::write(&path, &damaged).unwrap();
            refusals += usize::from(Store::open(&path).and_then(|store| store.pending("ops", 99)).is_err());
        }
    }
    assert!(refusals > 10, "only {refusals} of 46 damaged files were noticed");
}

/// A disk that can be made to fail, and that keeps what was on it when it is opened again.
#[derive(Clone, Debug)]
struct Disk {
    data: Arc<InMemoryBackend>,
    broken: Arc<AtomicBool>,
}

impl Disk {
    fn check(&self) -> io::Result<()> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(io::Error::from(io::ErrorKind::StorageFull)),
            false => Ok(()),
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        self.data.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.data.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.check()?;
        self.data.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.check()?;
        self.data.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.check()?;
        self.data.write(offset, data)
    }
}

/// A store on a disk that is full while the flag is set.
pub fn breakable() -> (Store, Arc<AtomicBool>) {
    let disk = Disk { data: Arc::new(InMemoryBackend::new()), broken: Arc::default() };
    let broken = disk.broken.clone();
    let open = move || {
        disk.check().map_err(|source| StoreError::NotWritable { path: "disk".into(), source })?;
        Ok(builder().create_with_backend(disk.clone())?)
    };
    (Store::with(Box::new(open)).unwrap(), broken)
}

#[test]
fn a_full_disk_loses_nothing_and_heals_by_itself() {
    let (store, broken) = breakable();
    owe(&store, vec![debt("before", Event::Firing, 0, &["ops"])]);
    assert!(store.is_writable());

    broken.store(true, Ordering::SeqCst);
    let batch = Batch { debts: vec![debt("during", Event::Firing, 1, &["ops"])], ..Batch::default() };
    for _ in 0..3 {
        assert!(store.commit(&batch, at(1)).is_err());
        assert!(!store.is_writable());
    }

    broken.store(false, Ordering::SeqCst);
    store.commit(&batch, at(2)).unwrap();
    assert!(store.is_writable());
    let rules: Vec<String> =
        all(&store, "ops").iter().map(|entry| entry.notification.alarm.rule.to_string()).collect();
    assert_eq!(rules, ["before", "during"]);
}
