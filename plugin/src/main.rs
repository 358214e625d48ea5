//! The amp player as a program, on JACK or ALSA. `--help` lists the options.

fn main() -> std::process::ExitCode {
    if neurdsp_plugin::run_standalone() {
        std::process::ExitCode::SUCCESS
    } else {
        std::process::ExitCode::FAILURE
    }
}
