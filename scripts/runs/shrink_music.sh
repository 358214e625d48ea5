#!/usr/bin/env bash
# Makes the shipped music networks smaller in every way there is, with the figures of docs/music-speed.md.
#
#   scripts/runs/shrink_music.sh DATA                 DATA is the folder with groove.safetensors and so on
#   NETWORKS="groove harmony" scripts/runs/shrink_music.sh DATA
#
# scripts/runs/ship_music.sh makes DATA, in runs/music/data. Everything stays in runs/small/; what is there is not made again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

data=${1:?give the folder with prepared data}
work=runs/small
neurdsp=.venv/bin/neurdsp
networks=${NETWORKS:-emotion melody harmony dynamics groove}
mkdir -p "$work"

declare -A steps=([emotion]=2400 [melody]=400 [harmony]=600 [dynamics]=1000 [groove]=1000)
# The emotion network shipped after two trainings: in int8 it needs little more, at a low rate.
declare -A int8_steps=([emotion]=200) int8_options=([emotion]="--set training.learning_rate=0.0003 --set training.validate_steps=100")
# Students of half the widths and less.
declare -A student=(
    [emotion]="--set model.first=48 --set model.second=128 --set model.hidden=176 --set model.hop_length=1024"
    [melody]="--set model.heads=2 --set model.hidden=192"
    [harmony]="--set model.first=144 --set model.second=88"
    [dynamics]="--set model.first=76 --set model.second=44"
    [groove]="--set model.first=78 --set model.second=44"
)
budget() { # fewer steps in int8, which torch only imitates
    echo --steps "$1" --set training.validate_steps=$(($1 < 200 ? $1 : 200)) --json
}

for network in $networks; do
    prepared=$data/$network.safetensors
    n=${steps[$network]}
    in_int8="$(budget "${int8_steps[$network]:-$((n / 4))}") ${int8_options[$network]:-}"
    made() { [ -f "$work/$network-$1.json" ]; }
    if ! made half; then
        "$neurdsp" music prune "$network" "$prepared" -o "$work/$network-half.safetensors" --overwrite $(budget "$n") > "$work/.json"
        mv "$work/.json" "$work/$network-half.json"
    fi
    # The half is trained on in int8: as a file it has half of the weights, each in a byte.
    if ! made half-int8; then
        "$neurdsp" music quantise "$work/$network-half.safetensors" "$prepared" -o "$work/$network-half-int8.safetensors" \
            --overwrite $in_int8 > "$work/.json"
        mv "$work/.json" "$work/$network-half-int8.json"
    fi
    if ! made int8; then
        "$neurdsp" music quantise "$network" "$prepared" -o "$work/$network-int8.safetensors" --overwrite $in_int8 > "$work/.json"
        mv "$work/.json" "$work/$network-int8.json"
    fi
    if ! made student; then
        # shellcheck disable=SC2086  # several words
        "$neurdsp" music distil "$network" "$prepared" -o "$work/$network-student.safetensors" --overwrite $(budget $((2 * n))) \
            ${student[$network]} > "$work/.json"
        mv "$work/.json" "$work/$network-student.json"
    fi
done
.venv/bin/python scripts/runs/shrink_music_table.py "$work"
