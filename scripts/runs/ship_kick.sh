#!/usr/bin/env bash
# Repeats the kick generator that ships: gathers kicks, trains, exports and judges it.
# Usage: scripts/runs/ship_kick.sh OUT (an empty folder). About 30 CPU-minutes.
set -euo pipefail
out=${1:?give a folder}
export OMP_NUM_THREADS=1
python scripts/runs/kick_sources.py "$out/kicks"
neurdsp kick train fast --run-dir "$out/run" --samples "$out/kicks/free"
neurdsp kick export-fast "$out/run" -o "$out/default.safetensors" --name default
# The distances need aisfx: pip install --no-deps aisfx
neurdsp kick evaluate "$out/default.safetensors" --per-word 200 -n 300 --recordings "$out/kicks/held" --training "$out/kicks/free" --json > "$out/figures.json"
python scripts/runs/describe_kick.py "$out/default.safetensors" "$out/figures.json" -o "$out/default.md"
neurdsp kick generate -m "$out/default.safetensors" -n 64 -o "$out/sheet"
