#!/usr/bin/env bash
# Trains the preset `seed` on own synthesis and on the kicks of Debian packages, and writes a page about the run.
#
#   scripts/runs/kick_seed.sh [MINUTES [VOCODER_MINUTES [SYNTHESISED]]]
#
# MINUTES of CPU time for each of the three stages, 10 by default: enough to see that each learns, not for a model
# to use. The vocoder, which learns slowest, may have minutes of its own. SYNTHESISED kicks, 2,000 by default. Everything on the way stays in runs/kick-seed/; a call that was
# stopped goes on where it was.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

minutes=${1:-10}
vocoder_minutes=${2:-$minutes}
work=runs/kick-seed
packages=(hydrogen-drumkits hydrogen-data sonic-pi-samples)
neurdsp=.venv/bin/neurdsp
python=.venv/bin/python

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "kick_seed: install first: sudo apt-get install ${missing[*]}" >&2
    exit 2
fi

[ -d "$work/synthesis" ] || "$python" scripts/runs/kick_synthesis.py "$work/synthesis" "${3:-2000}"
"$neurdsp" kick aggregate "$work/synthesis" /usr/share/hydrogen/data/drumkits /usr/share/sonic-pi/samples \
    --word kick --word bd_ --word bassdrum --max-kb 2000 -o "$work/data"
"$neurdsp" kick prepare "$work/data"

settings=(vocabulary.min_count=3 vae.kl_epochs=2 vocoder.validation_kicks=2)
for stage in vae diffusion vocoder; do
    settings+=("$stage.epochs=null" "$stage.training.steps=null" "$stage.training.minutes=$minutes"
        "$stage.training.clock=cpu" "$stage.training.threads=1" "$stage.training.ema_decay=0.99"
        "$stage.training.validate_seconds=$(awk "BEGIN { print 6 * $minutes }")")
done
settings+=(vae.training.batch_size=8 vae.training.learning_rate=0.0005)
settings+=(diffusion.training.learning_rate=0.0005 diffusion.training.accumulate_batches=1)
settings+=(vocoder.training.batch_size=2 "vocoder.training.minutes=$vocoder_minutes")
options=()
for setting in "${settings[@]}"; do options+=(--set "$setting"); done
"$neurdsp" kick train seed "$work/data/prepared" -r "$work/run" "${options[@]}"
"$neurdsp" kick export "$work/run" -o "$work/kick.safetensors" --name "seed, $minutes minutes a stage" --overwrite
"$python" scripts/runs/kick_faults.py "$work/data" > "$work/faults.txt"
"$python" scripts/runs/kick_seed_report.py "$work/run" "$work/data/prepared" "$work/kick.safetensors" \
    "$work/report.html"
echo "$work/report.html"
