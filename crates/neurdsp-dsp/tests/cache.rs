//! What a cache gives is what computing gives, whatever happens to its files and whoever else uses them.

use neurdsp_dsp::{
    Error, Features, Filterbank, Key, LogScale, Magnitude, MelCache, MelConfig, PadMode, Projection, Sample,
    Spectrogram, StftConfig, Window,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

fn noise(seed: u64, length: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f32 / (1u32 << 30) as f32 - 1.0
    };
    (0..length).map(|_| next()).collect()
}

fn plan<T: Sample>(config: StftConfig) -> Spectrogram<T> {
    let mel = MelConfig { n_mels: 20, ..MelConfig::new(16_000.0, config.n_fft) };
    let mel = Projection::Bands(Filterbank::mel(&mel).expect("the filters are sound"));
    let log = Some(LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 });
    Spectrogram::new(config, Magnitude::Power, mel, log).expect("the plan is sound")
}

fn small() -> Spectrogram<f32> {
    plan(StftConfig::new(256))
}

/// The files of features in a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let folders = fs::read_dir(folder).into_iter().flatten().flatten();
    let inside = folders.filter_map(|entry| fs::read_dir(entry.path()).ok());
    let mut files: Vec<_> = inside.flatten().flatten().map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[test]
fn every_parameter_and_every_sample_makes_another_key() {
    let base = StftConfig::new(256);
    let audio = noise(1, 2000);
    let mut other = audio.clone();
    other[1999] = f32::from_bits(other[1999].to_bits() ^ 1);
    let mut window = base.window.clone();
    window[100] = window[100].next_up();
    let configs = [
        base.clone(),
        StftConfig { hop_length: 65, ..base.clone() },
        StftConfig { window, ..base.clone() },
        StftConfig { window: Window::Hann.symmetric(256), ..base.clone() },
        StftConfig { pad: 0, ..base.clone() },
        StftConfig { pad_mode: PadMode::Reflect, ..base.clone() },
        StftConfig { drop_last: true, ..base.clone() },
    ];
    let mut keys: Vec<Key> =
        configs.iter().map(|config| Key::new(&plan::<f32>(config.clone()), &audio, "")).collect();
    let bins = Projection::Bins(20);
    for (magnitude, log) in [
        (Magnitude::Power, None),
        (Magnitude::Root { eps: 0.0 }, None),
        (Magnitude::Root { eps: 1e-9 }, None),
        (Magnitude::Power, Some(LogScale { floor: 1e-5, offset: 0.0, scale: 1.0 })),
        (Magnitude::Power, Some(LogScale { floor: 1e-5, offset: 0.0, scale: 2.0 })),
    ] {
        let plan = Spectrogram::<f32>::new(base.clone(), magnitude, bins.clone(), log).unwrap();
        keys.push(Key::new(&plan, &audio, ""));
    }
    let double = plan::<f64>(base.clone());
    keys.push(Key::of_single(&double, &audio, ""));
    keys.push(Key::new(&double, &audio.iter().map(|x| f64::from(*x)).collect::<Vec<_>>(), ""));
    keys.push(Key::new(&small(), &audio, "normalised"));
    keys.push(Key::new(&small(), &other, ""));
    keys.push(Key::new(&small(), &audio[..1999], ""));
    let n_keys = keys.len();
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), n_keys);
    // And the same gives the same, through its bytes and from another plan.
    let key = Key::new(&small(), &audio, "");
    assert_eq!(Key::from_bytes(&key.to_bytes()), key);
    assert!(keys.contains(&key));
}

#[test]
fn a_folder_outlives_its_cache() {
    let folder = tempfile::tempdir().unwrap();
    let (single, double) = (small(), plan::<f64>(StftConfig::new(256)));
    let audio = noise(2, 5000);
    let wide: Vec<f64> = audio.iter().map(|x| f64::from(*x)).collect();
    for round in 0..2 {
        let cache = MelCache::open(folder.path(), 1 << 20, 1 << 20).unwrap();
        for _ in 0..2 {
            let found = cache.get_or_compute(&single, &audio).unwrap();
            assert_eq!(found.as_f32().unwrap(), single.process(&audio).unwrap());
            assert_eq!((found.n_rows(), found.n_frames()), (20, single.n_frames(5000).unwrap()));
            let found = cache.get_or_compute(&double, &wide).unwrap();
            assert_eq!(found.as_f64().unwrap(), double.process(&wide).unwrap());
        }
        let stats = cache.stats();
        let wanted = if round == 0 { (2, 0, 2) } else { (2, 2, 0) };
        assert_eq!((stats.memory_hits, stats.disk_hits, stats.misses), wanted);
        assert_eq!((stats.entries, stats.damaged, stats.failed_writes), (2, 0, 0));
        let length = files(folder.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum();
        assert_eq!(stats.disk_bytes, length);
    }
}

/// Cut at every length, and with every byte changed: the features come out right, and the file is sound again.
#[test]
fn any_damage_is_found_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let plan = small();
    let audio = noise(3, 200);
    let cache = || MelCache::open(folder.path(), 0, 1 << 20).unwrap();
    let wanted = plan.process(&audio).unwrap();
    cache().get_or_compute(&plan, &audio).unwrap();
    let file = files(folder.path()).remove(0);
    let sound = fs::read(&file).unwrap();
    let cut = (0..sound.len()).step_by(7).map(|length| sound[..length].to_vec());
    let changed = (0..sound.len()).map(|at| {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x41;
        bytes
    });
    let longer = [[&sound[..], &[0]].concat()];
    let mut n_damaged = 0;
    let cache = cache();
    for bytes in cut.chain(changed).chain(longer) {
        fs::write(&file, &bytes).unwrap();
        let found = cache.get_or_compute(&plan, &audio).unwrap();
        assert_eq!(found.as_f32().unwrap(), wanted);
        n_damaged += 1;
        assert_eq!(cache.stats().damaged, n_damaged);
        assert_eq!(fs::read(&file).unwrap(), sound);
    }
    assert_eq!(cache.stats().disk_hits, 0);
}

/// Numbers in the header that would need all the memory there is, with a hash that fits them.
#[test]
fn a_header_cannot_ask_for_memory() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, audio) = (small(), noise(4, 200));
    let cache = MelCache::open(folder.path(), 0, u64::MAX).unwrap();
    cache.get_or_compute(&plan, &audio).unwrap();
    let file = files(folder.path()).remove(0);
    let sound = fs::read(&file).unwrap();
    for (n_rows, n_frames) in [(u64::MAX, 1), (1 << 32, 1 << 32), (1 << 40, 1), (0, 0), (u64::MAX, u64::MAX)]
    {
        let mut bytes = sound.clone();
        bytes[64..72].copy_from_slice(&n_rows.to_ne_bytes());
        bytes[72..80].copy_from_slice(&n_frames.to_ne_bytes());
        let mut hash = blake3::Hasher::new();
        hash.update(&bytes[..80]).update(&bytes[112..]);
        bytes[80..112].copy_from_slice(hash.finalize().as_bytes());
        fs::write(&file, &bytes).unwrap();
        cache.get_or_compute(&plan, &audio).unwrap();
    }
    assert_eq!(cache.stats().damaged, 5);
}

#[test]
fn the_folder_keeps_within_its_limit_and_drops_what_was_used_least_recently() {
    let folder = tempfile::tempdir().unwrap();
    let plan = small();
    let length = |count: u64| count * (112 + 4 * 20 * plan.n_frames(3000).unwrap() as u64);
    let cache = MelCache::open(folder.path(), 0, length(32)).unwrap();
    let clips: Vec<_> = (0..40).map(|seed| noise(seed, 3000)).collect();
    let old = SystemTime::now() - Duration::from_secs(1000);
    for (turn, clip) in clips.iter().take(32).enumerate() {
        cache.get_or_compute(&plan, clip).unwrap();
        // Files within one tick of the clock have one age: make the order plain.
        for file in files(folder.path()) {
            let file = fs::File::options().append(true).open(file).unwrap();
            if file.metadata().unwrap().modified().unwrap() > old + Duration::from_secs(100) {
                file.set_modified(old + Duration::from_secs(turn as u64)).unwrap();
            }
        }
    }
    assert_eq!(files(folder.path()).len(), 32);
    cache.get_or_compute(&plan, &clips[0]).unwrap();
    cache.get_or_compute(&plan, &clips[32]).unwrap();
    // Down to a sixteenth of free room: three had to go, and the first, used just now, was not among them.
    assert_eq!(files(folder.path()).len(), 30);
    assert_eq!(cache.stats().evictions, 3);
    let hits = cache.stats().disk_hits;
    cache.get_or_compute(&plan, &clips[0]).unwrap();
    assert_eq!(cache.stats().disk_hits, hits + 1);
    for clip in &clips {
        cache.get_or_compute(&plan, clip).unwrap();
        assert!(files(folder.path()).len() <= 32);
    }
    // A smaller limit holds from the beginning; nothing too large is kept; clearing leaves nothing.
    let less = MelCache::open(folder.path(), 0, length(4)).unwrap();
    assert!(files(folder.path()).len() <= 4);
    less.get_or_compute(&plan, &noise(99, 100_000)).unwrap();
    assert!(less.stats().disk_bytes <= length(4));
    less.clear();
    assert_eq!(files(folder.path()), Vec::<PathBuf>::new());
    assert_eq!(less.stats().disk_bytes, 0);
}

#[test]
fn what_killed_writers_left_goes_and_what_others_keep_there_stays() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("ab");
    fs::create_dir(&inside).unwrap();
    let names = ["song.mel", "notes.tmp", ".0123456789abcdef-1.tmp", ".0123456789abcdef-2.tmp"];
    for name in names {
        fs::write(inside.join(name), [1; 100]).unwrap();
    }
    let file = fs::File::options().append(true).open(inside.join(names[2])).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(7200)).unwrap();
    let cache = MelCache::open(folder.path(), 0, 50).unwrap();
    cache.clear();
    let left: Vec<_> = files(folder.path());
    assert_eq!(left, [inside.join(names[3]), inside.join(names[1]), inside.join(names[0])]);
}

#[test]
fn threads_share_one_cache_and_folders_many() {
    let folder = tempfile::tempdir().unwrap();
    let plan = small();
    let clips: Vec<_> = (0..12).map(|seed| noise(seed, 1500)).collect();
    let wanted: Vec<_> = clips.iter().map(|clip| plan.process(clip).unwrap()).collect();
    // Too little room for all, in memory and on disk: what one thread reads another removes.
    let size = 4 * wanted[0].len();
    let open = || MelCache::open(folder.path(), 5 * size, 7 * size as u64).unwrap();
    let caches = [open(), open()];
    std::thread::scope(|scope| {
        for thread in 0..6_usize {
            let (cache, plan, clips, wanted) = (&caches[thread % 2], &plan, &clips, &wanted);
            scope.spawn(move || {
                for turn in 0..300 {
                    let index = (turn * (2 * thread + 1) + thread) % clips.len();
                    let found = cache.get_or_compute(plan, &clips[index]).unwrap();
                    assert_eq!(found.as_f32().unwrap(), wanted[index]);
                }
            });
        }
    });
    for cache in &caches {
        let stats = cache.stats();
        assert_eq!(stats.memory_hits + stats.disk_hits + stats.misses, 900);
        assert!(stats.memory_hits > 0 && stats.evictions > 0, "{stats:?}");
        assert_eq!((stats.damaged, stats.failed_writes), (0, 0));
        assert!(stats.memory_bytes <= 5 * size);
    }
}

#[test]
fn a_folder_that_fails_costs_the_caching_only() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, audio) = (small(), noise(5, 1000));
    let occupied = folder.path().join("file");
    fs::write(&occupied, "no folder").unwrap();
    assert!(matches!(MelCache::open(&occupied, 0, 1000), Err(Error::Folder { .. })));
    let cache = MelCache::open(folder.path().join("cache"), 0, 1 << 20).unwrap();
    fs::remove_dir_all(folder.path().join("cache")).unwrap();
    fs::write(folder.path().join("cache"), "no folder any more").unwrap();
    for _ in 0..2 {
        let found = cache.get_or_compute(&plan, &audio).unwrap();
        assert_eq!(found.as_f32().unwrap(), plan.process(&audio).unwrap());
    }
    assert_eq!((cache.stats().misses, cache.stats().failed_writes), (2, 2));
}

#[test]
fn bad_audio_is_refused_each_time_and_never_kept() {
    let cache = MelCache::in_memory(1 << 20);
    let audio = [0.0, f32::NAN, 1.0];
    for _ in 0..2 {
        assert!(cache.get_or_compute(&small(), &audio).is_err());
        assert!(cache.get_or_compute(&small(), &[]).is_err());
    }
    assert_eq!(cache.stats().entries, 0);
    assert!(Features::new(2, 3, vec![0.0_f32; 5]).is_err());
}
