//! The model file: round trips, other readers, and a refusal that names whatever is wrong.

use crate::common::{model_file, raw_file};
use neurdsp_models::{LoadedModel, ModelFile, Tensor, load};

fn refusal(bytes: &[u8]) -> String {
    match ModelFile::from_bytes(bytes) {
        Err(error) => error.to_string(),
        Ok(_) => "accepted".to_owned(),
    }
}

/// The refusal of a good file after a change.
fn refusal_of(change: impl Fn(&mut ModelFile)) -> String {
    let mut file = model_file();
    change(&mut file);
    match LoadedModel::from_file(&file) {
        Err(error) => error.to_string(),
        Ok(_) => "accepted".to_owned(),
    }
}

#[test]
fn a_file_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    let mut file = model_file();
    file.metadata.insert("foreign".to_owned(), "\"quoted\"\n\u{1F3B8}".to_owned());
    file.write(&path).unwrap();
    assert_eq!(ModelFile::read(&path).unwrap(), file);
    assert_eq!(std::fs::read(&path).unwrap(), file.to_bytes().unwrap());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn an_independent_reader_reads_what_is_written_and_the_reverse() {
    let file = model_file();
    let bytes = file.to_bytes().unwrap();
    let other = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(other.len(), file.tensors.len());
    for (name, tensor) in &file.tensors {
        let view = other.tensor(name).unwrap();
        let expected: Vec<u8> =
            tensor.to_f32(name).unwrap().iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!((view.shape(), view.data()), (tensor.shape.as_slice(), expected.as_slice()));
    }
    let metadata = file.metadata.clone().into_iter().collect();
    let theirs = safetensors::serialize(other.tensors(), Some(metadata)).unwrap();
    assert_eq!(ModelFile::from_bytes(&theirs).unwrap(), file);
}

#[test]
fn a_good_file_loads_and_proves_itself() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named_as_you_like.bin");
    model_file().write(&path).unwrap();
    let model = load(&path).unwrap();
    assert_eq!((model.architecture(), model.sample_rate()), ("amp.wavenet", 48_000.0));
    assert_eq!((model.n_parameters(), model.receptive_field()), (35, 7));
    let result = model.verify().unwrap();
    assert!(result.passed() && result.n_samples == 64, "{result:?}");
}

#[test]
fn a_damaged_weight_fails_the_verification() {
    let mut file = model_file();
    file.tensors.get_mut("output_conv.bias").unwrap().as_f32_mut().unwrap()[0] += 0.01;
    let result = LoadedModel::from_file(&file).unwrap().verify().unwrap();
    assert!(!result.passed() && result.error_db > -60.0, "{result:?}");
}

#[test]
fn a_header_that_lies_is_refused_by_name() {
    let entry = |dtype: &str, shape: &str, offsets: &str| {
        format!(r#"{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#)
    };
    let huge = "[4294967296,4294967296,4294967296]";
    let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
    let unclosed = format!(r#"{{"a":{}"#, "[".repeat(100_000));
    let cases = [
        (raw_file("", 0), "the header is malformed: it does not start with '{'"),
        (raw_file("{", 0), "the header is malformed: it ends within an object"),
        (raw_file("{\u{1}", 0), "the header is malformed: a key is not in double quotes"),
        (raw_file(&deep, 0), "the header's entry a is malformed: it is a list, but must be text"),
        (raw_file(&unclosed, 0), "the header is malformed: it ends within a list"),
        (raw_file(r#"{"a":1}"#, 0), "the header's entry a is malformed: it is 1, but must be an object"),
        (raw_file(r#"{"a\n":1}"#, 0), r#"a tensor's name is malformed: "a\\n" is empty or has control"#),
        (raw_file(r#"{"__metadata__":{"k":1}}"#, 0), "the header's entry __metadata__ is malformed"),
        (raw_file(r#"{"__metadata__":{"k":"1","k":"2"}}"#, 0), "the metadata key k is defined twice"),
        (raw_file(r#"{"a":{},"a":{}}"#, 0), "the header's entry a is malformed: dtype is missing"),
        (
            raw_file(&entry("F64", "[1]", "[0,8]"), 8),
            "the tensor a is stored as F64, but must be F32, F16, BF16 or I8",
        ),
        (
            raw_file(&entry("F16", "[1]", "[0,4]"), 4),
            "the tensor a is malformed: data_offsets [0, 4] do not fit its shape [1] in F16",
        ),
        (
            raw_file(&entry("I8", "[2]", "[0,1]"), 1),
            "the tensor a is malformed: data_offsets [0, 1] do not fit its shape [2] in I8",
        ),
        (
            raw_file(&entry("I8", "[2147483649]", "[0,1]"), 1),
            "the tensor a is malformed: its shape [2147483649",
        ),
        (raw_file(&entry("F32", huge, "[0,4]"), 4), "the tensor a is malformed: its shape [4294967296, "),
        (
            raw_file(&entry("F32", "[2]", "[0,4]"), 4),
            "the tensor a is malformed: data_offsets [0, 4] do not fit",
        ),
        (
            raw_file(&entry("F32", "[1]", "[4,0]"), 4),
            "the tensor a is malformed: data_offsets [4, 0] do not fit",
        ),
        (raw_file(&entry("F32", "[1]", "[4,8]"), 8), "the tensor a is malformed: its data start at byte 4"),
        (
            raw_file(&entry("F32", "[1]", "[0,4]"), 3),
            "the file is malformed: its header describes 4 bytes of data",
        ),
        (
            raw_file(&entry("F32", "[1]", "[0,4]"), 5),
            "the file is malformed: its header describes 4 bytes of data",
        ),
        (
            raw_file(&entry("F32", "[-1]", "[0,4]"), 4),
            "the header's entry a is malformed: it is -1, but must be a whole number",
        ),
        (
            raw_file(&entry("F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]"), 4),
            "the number of axes of the tensor a is 9",
        ),
        (vec![0; 7], "the file is malformed: 7 bytes are too few"),
        (
            vec![0xff; 64],
            "the size of the header in bytes is 18446744073709551615, over the limit of 4194304",
        ),
        (
            (1_u64 << 20).to_le_bytes().to_vec(),
            "the file is malformed: it ends within its header of 1048576 bytes",
        ),
    ];
    for (bytes, message) in cases {
        let refusal = refusal(&bytes);
        assert!(refusal.starts_with(message), "{refusal:?} is not {message:?}");
        assert!(!refusal.contains('\n') && refusal.len() < 400, "{refusal:?}");
    }
    let twice = entry("F32", "[1]", "[0,4]")
        .replace("}}", r#"},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#);
    assert_eq!(refusal(&raw_file(&twice, 8)), "the tensor a is defined twice");
}

#[test]
fn a_model_that_claims_the_impossible_is_refused_by_name() {
    let set = |key: &'static str, value: &'static str| {
        refusal_of(move |file| drop(file.metadata.insert(key.to_owned(), value.to_owned())))
    };
    let config = "neurdsp.config";
    let billion = r#"{"channels":1000000000,"num_layers":2,"kernel_size":3,"dilation_base":2}"#;
    let start = std::time::Instant::now();
    assert_eq!(set(config, billion), "channels is 1000000000, but must be 1 to 1024");
    assert!(start.elapsed().as_millis() < 100);
    assert!(set(config, r#"{"channels":2}"#).contains("num_layers is missing"));
    let extra = r#"{"channels":2,"num_layers":2,"kernel_size":3,"dilation_base":2,"gated":true}"#;
    assert!(set(config, extra).contains("gated is not known; known: channels, num_layers"));
    let wide = r#"{"channels":4,"num_layers":2,"kernel_size":3,"dilation_base":2}"#;
    assert_eq!(
        set(config, wide),
        "the tensor layers.0.conv.weight has shape [2, 2, 3], but must have [4, 4, 3]"
    );
    assert_eq!(
        set("neurdsp.architecture", "amp.tube"),
        "the architecture is \"amp.tube\", but this neurdsp runs only: amp.wavenet, amp.parametric, nam.wavenet, \
         nam.lstm, nam.convnet, nam.linear, nam.container"
    );
    let stereo = set("neurdsp.audio", r#"{"sample_rate":48000,"channels":2}"#);
    assert_eq!(stereo, "channels in neurdsp.audio is 2, but must be 1, because amp.wavenet is mono");
    assert!(set("neurdsp.format", "2.0").contains("install a newer neurdsp that reads format 2.x"));
}

#[test]
fn a_missing_or_extra_tensor_is_named() {
    for name in model_file().tensors.keys() {
        let message = refusal_of(|file| drop(file.tensors.remove(name)));
        assert!(message.contains(&format!(" {name}")), "{message}");
    }
    let extra = refusal_of(|file| {
        file.tensors.insert("layers.2.conv.bias".to_owned(), Tensor::new(vec![2], vec![0.0; 2]).unwrap());
    });
    assert!(extra.contains("layers.2.conv.bias"), "{extra}");
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let file = model_file();
    let absent = file.write(folder.path().join("absent/model.safetensors")).unwrap_err().to_string();
    assert!(absent.contains("absent does not exist; create it first"), "{absent}");
    let taken = folder.path().join("taken");
    std::fs::create_dir(&taken).unwrap();
    assert!(file.write(&taken).unwrap_err().to_string().contains("it is a folder or a device"));
    let mut torn = model_file();
    torn.tensors.get_mut("output_conv.bias").unwrap().shape = vec![2];
    assert!(torn.write(folder.path().join("torn")).unwrap_err().to_string().contains("output_conv.bias"));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn what_is_not_a_file_is_refused_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    let message = load(folder.path()).unwrap_err().to_string();
    assert!(message.ends_with("it is a folder, not a model file"), "{message}");
    let missing = folder.path().join("missing.safetensors");
    let message = load(&missing).unwrap_err().to_string();
    assert!(message.starts_with(&format!("{}: cannot open the file: ", missing.display())), "{message}");
    let empty = folder.path().join("empty");
    std::fs::write(&empty, b"").unwrap();
    let error = load(&empty).unwrap_err();
    assert!(
        error.is_unsupported()
            && error.to_string().contains("neither a safetensors model file, a .nam file nor"),
        "{error}"
    );
}

#[cfg(unix)]
#[test]
fn an_endless_device_is_not_read() {
    let message = load("/dev/zero").unwrap_err().to_string();
    assert_eq!(message, "/dev/zero: the path is malformed: it is a device or pipe, not a model file");
}
