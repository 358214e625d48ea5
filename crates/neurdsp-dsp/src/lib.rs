//! Windows, STFT, mel filterbanks and what is built on them. No machine learning here.
