.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
export VIRTUAL_ENV := $(CURDIR)/$(VENV)

.PHONY: help
help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-22s %s\n", $$1, $$2}'

$(UV):
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(v < (3, 11) and f"neurdsp needs Python 3.11 or newer; {sys.executable} is {v.major}.{v.minor}. Try: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade uv

.PHONY: demo
demo: $(UV) ## Install the light wheel and try everything that ships: amp, drums, kicks, a beat; write demo/
	$(UV) pip install --quiet --reinstall-package neurdsp '.[plot]'
	$(BIN)/neurdsp demo -o demo

.PHONY: dependencies
dependencies: $(UV)
	$(UV) pip install --quiet --group dev --requirements pyproject.toml --extra train --extra plot

.PHONY: develop
develop: dependencies ## Install everything for development, editable
	$(BIN)/maturin develop --uv --release --quiet

# The standalone player needs the headers of ALSA and JACK: it is built and tested where they are.
STANDALONE := $(shell pkg-config --exists alsa jack 2>/dev/null && echo --features neurdsp-plugin/standalone)
# The crates that have tests, with the same features in every command, so that no crate is compiled twice.
CRATES := --workspace --exclude neurdsp-py $(STANDALONE)
BUILD_TESTS := cargo build --quiet $(CRATES) --lib --bins --tests --examples

.PHONY: build-tests
build-tests:
	$(BUILD_TESTS)

# A stage of `make test`: its name and its targets. `--jobs` without a number leaves cargo its own number of jobs.
TIMES := target/test-times.txt
define stage
@echo "== $(1)"
@SECONDS=0; $(MAKE) --no-print-directory $(2) && printf '%5d s  %s\n' $$SECONDS '$(1)' >> $(TIMES)
endef

.PHONY: test
test: ## Lint, then run all the Rust and Python tests, and print the time of each stage
	@mkdir -p target && rm -f $(TIMES)
	$(call stage,install and build,--jobs build-tests develop)
	$(call stage,lint,--jobs lint)
	$(call stage,test Rust,test-rust)
	$(call stage,test Python,test-python)
	@cat $(TIMES)

.PHONY: test-rust
test-rust: ## Run the Rust tests
	cargo test --quiet $(CRATES)

# The slowest tests are printed, and one process for each core takes the next test that is left.
.PHONY: test-python
test-python: develop ## Run the Python tests, slow ones too
	$(BUILD_TESTS)
	target/debug/xtask bundle --library target/debug/libneurdsp_plugin.so
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal --durations 15

.PHONY: lint
lint: lint-rust lint-python ## Check formatting, lints, types and the documentation of the crates

.PHONY: lint-rust
lint-rust:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet $(STANDALONE) -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --quiet $(STANDALONE)

.PHONY: lint-python
lint-python: develop
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest neurdsp._core --allowlist tests/stubtest_allowlist.txt

.PHONY: format
format: $(UV) ## Format the Rust and the Python code
	cargo fmt --all
	$(UV) tool run ruff format .

.PHONY: bench
bench: ## Run the Criterion benches
	cargo bench

# zig links against the symbols of an older glibc than this machine has.
MATURIN := $(UV) tool run --from 'maturin[zig]>=1.9,<2' maturin

.PHONY: wheel
wheel: $(UV) ## Build the wheel and the sdist into dist/, check them and use them
	cargo xtask licences neurdsp-py LICENSE-THIRD-PARTY
	rm -f dist/*.whl dist/*.tar.gz
	$(MATURIN) sdist --out dist
	$(MATURIN) build --quiet --release --zig --compatibility manylinux2014 --out dist
	$(UV) run --quiet --script scripts/wheel/check.py dist
	$(UV) run --quiet --script scripts/wheel/install.py dist

.PHONY: plugin
plugin: ## Build the VST3 and CLAP plugin into target/bundled/
	cargo xtask bundle --release

# Debian's Rust, whose sources of std are there to be built for Windows: packages rustc-web cargo-web rust-web-src
# gcc-mingw-w64-x86-64.
WINDOWS := x86_64-pc-windows-gnu
WINDOWS_OUT := target/windows/$(WINDOWS)/release
WINDOWS_BUILD := PATH=/usr/bin:$$PATH RUSTC=/usr/bin/rustc RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR=target/windows \
    CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=x86_64-w64-mingw32-gcc \
    /usr/bin/cargo build --release -Zbuild-std=std,panic_unwind --target $(WINDOWS) -p neurdsp-plugin
.PHONY: plugin-windows
plugin-windows: ## Cross-build the plugin for Windows into target/bundled/
	$(WINDOWS_BUILD)
	x86_64-w64-mingw32-strip $(WINDOWS_OUT)/neurdsp_plugin.dll
	cargo xtask bundle --release --target $(WINDOWS) --library $(WINDOWS_OUT)/neurdsp_plugin.dll

.PHONY: plugin-wine
plugin-wine: ## Test the build for Windows under Wine, against the one for Linux
	@command -v wine >/dev/null && command -v Xvfb >/dev/null \
	    || { echo "make plugin-wine needs Wine and a screen: apt-get install --no-install-recommends wine wine64 xvfb"; exit 1; }
	$(MAKE) plugin-windows
	$(WINDOWS_BUILD) --example guest
	x86_64-w64-mingw32-gcc -shared -o $(WINDOWS_OUT)/examples/bcryptprimitives.dll plugin/tests/host/bcryptprimitives.c
	cargo test $(CRATES) --test wine -- --ignored --nocapture --test-threads 1

.PHONY: screenshots
screenshots: ## Take the pictures of the plugin's editor for the documentation
	cargo test $(CRATES) --test editor --test presets --test drums_editor --test companion_editor --test kick_editor
	$(BIN)/python scripts/screenshots.py

# A zip for players: `cargo xtask release` fills the folder, and refuses what may not be passed on.
define zip-release
name=$$(cargo xtask release $(1)) && cd dist && rm -f "$$name.zip" && $(PYTHON) -m zipfile -c "$$name.zip" "$$name" \
    && rm -r "$$name" && ls -l "$$name.zip"
endef

.PHONY: plugin-release
plugin-release: plugin ## Zip the plugin with its licences into dist/
	$(call zip-release)

.PHONY: plugin-release-windows
plugin-release-windows: plugin-windows ## The same of the build for Windows
	$(call zip-release,--target $(WINDOWS))

# Needs pkg-config and the headers of ALSA and JACK: packages pkg-config libasound2-dev libjack-jackd2-dev.
.PHONY: standalone
standalone: ## Build the player as a program of its own, target/release/neurdsp-amp
	cargo build --release -p neurdsp-plugin --features standalone --bin neurdsp-amp

.PHONY: docs
docs: develop ## Build the documentation into site/
	$(UV) pip install --quiet --group docs
	$(BIN)/mkdocs build --strict

.PHONY: clean
clean: ## Remove everything that the other targets made
	rm -rf $(VENV) target demo site dist LICENSE-THIRD-PARTY
