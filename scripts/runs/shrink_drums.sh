#!/usr/bin/env bash
# Shows distillation and pruning on the shipped drum separator, with the figures of docs/drums-training.md.
#
#   scripts/runs/shrink_drums.sh BANK [MINUTES]     MINUTES of CPU time for each of three trainings, 2 by default
#
# BANK is that of `neurdsp drumsep prepare`. Everything stays in runs/shrink/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

bank=${1:?give the bank of neurdsp drumsep prepare}
minutes=${2:-2}
work=runs/shrink
neurdsp=.venv/bin/neurdsp
mkdir -p "$work"

quick=(--minutes "$minutes" --json --set training.clock=cpu --set training.precision=float32 --set training.compile=false
    --set training.batch_size=2 --set training.validate_seconds=3600 --set data.validation_clips=6)
small=(--set model.width=32 --set model.hidden=32 --set model.mixer=32 --set model.head=40
    --set training.ema_decay=0.97 --set training.warmup_steps=20)

"$neurdsp" drumsep train "$bank" --run-dir "$work/alone" --overwrite "${quick[@]}" "${small[@]}"
"$neurdsp" drumsep export "$work/alone" -o "$work/alone.safetensors" --overwrite
"$neurdsp" drumsep distil draft "$bank" -o "$work/taught.safetensors" --overwrite "${quick[@]}" "${small[@]}"
"$neurdsp" drumsep prune draft "$bank" -o "$work/half.safetensors" --keep 0.5 --overwrite "${quick[@]}"

# All of them on the same mixtures of test kits, by the files in the engine.
[ -d "$work/test" ] || "$neurdsp" drumsep render "$bank" -o "$work/test" --split test --clips 12 --seconds 10
for model in draft "$work"/{alone,taught,half}.safetensors; do
    "$neurdsp" drumsep evaluate "$model" "$work/test" --json > "$work/$(basename "$model" .safetensors).json"
done
