//! Files that cannot be opened, and a disk that fails while the program runs.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::backends::InMemoryBackend;
use redb::{StorageBackend, TableDefinition};

use super::super::disk::Disk;
use super::super::schema::{self, META};
use super::super::{copy, file};
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
    assert_eq!(fs::read_to_string(place("notes.txt")).unwrap(), "buy milk\n".repeat(1000));
    let _held = Store::open(&place("held")).unwrap();
    let text = refused(&place("held"));
    assert!(text.contains("in use by another process"), "{text}");
    let left: Vec<_> =
        fs::read_dir(directory.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left.len(), 3, "nothing is left lying about: {left:?}");
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
    assert!(text.contains("schema version 99, and this sqswatch knows 3"), "{text}");
}

#[test]
fn the_database_of_another_program_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TableDefinition::<u64, u64>::new("invoices")).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let text = refused(&path);
    assert!(text.contains("another program") && text.contains("`invoices`"), "{text}");
    let database = Database::open(&path).unwrap();
    assert_eq!(database.begin_read().unwrap().list_tables().unwrap().count(), 1, "nothing was added");
}

/// Cuts and overwrites a valid file at many places: it opens or is refused, never ends the program, and a refused file is
/// as it was.
#[test]
fn a_damaged_file_is_refused_untouched_or_opened_but_never_panics() {
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
            if Store::open(&path).and_then(|store| store.pending("ops", 99)).is_err() {
                refusals += 1;
                assert!(fs::read(&path).unwrap() == damaged, "a refused file was changed ({part} of 24)");
            }
        }
    }
    assert!(refusals > 10, "only {refusals} of 46 damaged files were noticed");
}

/// A disk that can be made to fail, and that keeps what was on it when it is opened again.
#[derive(Clone, Debug, Default)]
struct Frail {
    data: Arc<InMemoryBackend>,
    broken: Arc<AtomicBool>,
    /// Reading fails as well.
    dead: Arc<AtomicBool>,
}

impl Frail {
    fn check(&self) -> io::Result<()> {
        match self.broken.load(Ordering::SeqCst) {
            true => Err(io::Error::from(io::ErrorKind::StorageFull)),
            false => Ok(()),
        }
    }

    fn open(&self) -> Result<Database, StoreError> {
        let database = file::builder(0).create_with_backend(self.clone())?;
        schema::prepare(&database)?;
        Ok(database)
    }

    fn store(&self) -> Store {
        let (database, memory) = (self.open().unwrap(), file::in_memory().unwrap());
        copy::all(&database, &memory).unwrap();
        let again = self.clone();
        Store::with(memory, Disk::sound(database, move || again.open()))
    }

    fn fail(&self, fails: bool) {
        self.broken.store(fails, Ordering::SeqCst);
    }
}

impl StorageBackend for Frail {
    fn len(&self) -> io::Result<u64> {
        self.data.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        if self.dead.load(Ordering::SeqCst) {
            return Err(io::Error::other("no medium"));
        }
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
    let disk = Frail::default();
    (disk.store(), disk.broken)
}

fn rules(store: &Store) -> Vec<String> {
    all(store, "ops").iter().map(|entry| entry.notification.alarm.rule.to_string()).collect()
}

fn peril(store: &Store) -> (u64, u64, u64) {
    let Peril { undelivered, settled, changes, why } = store.peril().unwrap().expect("the disk is full");
    assert!(!why.is_empty() && !why.contains('\n'), "{why}");
    (undelivered, settled, changes)
}

#[test]
fn a_full_disk_stops_nothing_and_is_made_good() {
    for dead in [false, true] {
        let disk = Frail::default();
        let store = disk.store();
        let changed = |rule: &str| (key(rule), Some(alarm(&["ops"])));
        owe(
            &store,
            vec![debt("before", Event::Firing, 0, &["ops"]), debt("told", Event::Firing, 0, &["ops"])],
        );
        assert_eq!((store.is_writable(), store.peril().unwrap()), (true, None));

        disk.fail(true);
        disk.dead.store(dead, Ordering::SeqCst);
        let batch = Batch {
            alarms: vec![changed("during"), changed("more")],
            debts: vec![debt("during", Event::Firing, 1, &["ops"])],
            ..Batch::default()
        };
        store.commit(&batch, at(1)).unwrap();
        assert!(!store.is_writable());
        assert_eq!(peril(&store), (1, 0, 2));
        store.commit(&Batch { alarms: batch.alarms.clone(), ..Batch::default() }, at(1)).unwrap();
        store.acknowledge(&all(&store, "ops")[1], at(2)).unwrap();
        assert_eq!(peril(&store), (1, 1, 4));
        assert_eq!(rules(&store), ["before", "during"]);
        assert!(store.come_back().is_err() && store.come_back().is_err());
        assert!(store.take_failures() >= 2);

        disk.fail(false);
        disk.dead.store(false, Ordering::SeqCst);
        store.come_back().unwrap();
        assert_eq!((store.is_writable(), store.peril().unwrap()), (true, None));
        owe(&store, vec![debt("after", Event::Firing, 2, &["ops"])]);
        assert_eq!(rules(&store), ["before", "during", "after"]);
        drop(store);
        let again = disk.store();
        assert_eq!(rules(&again), ["before", "during", "after"]);
        assert_eq!(again.alarms().unwrap().len(), 2);
        assert_eq!(again.history(9).unwrap().len(), 1);
    }
}

#[test]
fn what_was_forgotten_in_memory_is_forgotten_on_disk_too() {
    let disk = Frail::default();
    let store = disk.store();
    let write = |alarm| {
        let batch = Batch { alarms: vec![(key("dlq"), alarm)], ..Batch::default() };
        store.commit(&batch, at(0)).unwrap();
    };
    write(Some(alarm(&["ops"])));
    disk.fail(true);
    write(None);
    disk.fail(false);
    store.come_back().unwrap();
    drop(store);
    assert!(disk.store().alarms().unwrap().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    /// Whatever is done while the disk comes and goes, memory is as if it had never failed, and so is the disk in the end.
    #[test]
    fn a_disk_that_comes_and_goes_changes_nothing(steps in proptest::collection::vec((0u8..5, any::<bool>()), 1..16)) {
        let (disk, sound) = (Frail::default(), Store::memory());
        let store = disk.store();
        for (step, (action, fails)) in steps.into_iter().enumerate() {
            disk.fail(fails);
            for store in [&store, &sound] {
                match action {
                    0 | 1 => owe(store, vec![debt(&format!("rule-{}", step % 3), Event::Firing, step as i64, &["ops", "chat"])]),
                    2 => owe(store, vec![debt(&format!("rule-{}", step % 3), Event::Resolved, step as i64, &["ops"])]),
                    3 => all(store, "ops").first().into_iter().for_each(|entry| store.acknowledge(entry, at(9)).unwrap()),
                    _ => all(store, "ops").first().into_iter().for_each(|entry| store.park(entry, Reason::Refused, at(9)).unwrap()),
                }
            }
            prop_assert_eq!(store.come_back().is_ok(), store.is_writable());
        }
        disk.fail(false);
        store.come_back().unwrap();
        drop(store);
        let again = disk.store();
        for destination in ["ops", "chat"] {
            prop_assert_eq!(all(&again, destination), all(&sound, destination));
        }
        prop_assert_eq!(again.history(99).unwrap(), sound.history(99).unwrap());
        prop_assert_eq!(again.outbox_summary().unwrap(), sound.outbox_summary().unwrap());
    }
}
