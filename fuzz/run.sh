#!/bin/sh
# Builds the fuzz targets and runs each of them, or those that are named, for FUZZ_SECONDS seconds.
#
# Runs on stable Rust: coverage comes from LLVM's pass, which `cargo fuzz` uses as well. AddressSanitizer, whose runtime
# comes with Rust, finds reads beyond the input and tells libFuzzer what is compared with what; stable Rust wants to be
# told that we know what we do (RUSTC_BOOTSTRAP). FUZZ_SANITIZER=none does without.
set -eu
cd "$(dirname "$0")"
seconds=${FUZZ_SECONDS:-600}
sanitizer=${FUZZ_SANITIZER:-address}
made=${CARGO_TARGET_DIR:-../target}/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')

if ! command -v c++ >/dev/null; then
    echo "skipped: libFuzzer is built with a C++ compiler, and there is none (on Debian, apt install g++)"
    exit 0
fi
if [ "$sanitizer" = address ] && ! ls "$(rustc --print target-libdir)"/librustc-*_rt.asan.a >/dev/null 2>&1; then
    echo "This Rust comes without AddressSanitizer: fuzzing without it."
    sanitizer=none
fi

flags="-Cpasses=sancov-module -Ccodegen-units=1"
for option in level=4 inline-8bit-counters pc-table trace-compares; do
    flags="$flags -Cllvm-args=-sanitizer-coverage-$option"
done
if [ "$sanitizer" = address ]; then
    export RUSTC_BOOTSTRAP=1
    flags="$flags -Zsanitizer=address"
fi
# With --target the flags are for the targets only, not for build scripts.
RUSTFLAGS=$flags cargo build --locked --release --target "$host" --target-dir "$made"

[ $# -gt 0 ] || set -- $(ls targets | sed 's/\.rs$//')
for target; do
    corpus=$made/corpus/$target
    artifacts=$made/artifacts/$target
    mkdir -p "$corpus" "$artifacts" "$made/seeds/$target"
    "${PYTHON:-python3}" seeds.py "$target" "$made/seeds/$target"
    mkdir -p "regressions/$target"
    echo "fuzzing $target for $seconds seconds"
    "$made/$host/release/$target" -dict=http.dict -max_len=4096 -timeout=10 -rss_limit_mb=1024 \
        -max_total_time="$seconds" -artifact_prefix="$artifacts/" -print_final_stats=1 ${FUZZ_OPTIONS:-} \
        "$corpus" "$made/seeds/$target" "regressions/$target" >"$made/$target.log" 2>&1 || {
        grep -a -A 4 -e 'panicked at' -e '^SUMMARY' "$made/$target.log" || tail -n 40 "$made/$target.log"
        echo "fuzzing $target failed: put the file from $artifacts into fuzz/regressions/$target under a name that says what it is"
        exit 1
    }
    sed -n 's/^stat::number_of_executed_units: */  executions: /p; s/^stat::average_exec_per_sec: */  a second:   /p' "$made/$target.log"
done
