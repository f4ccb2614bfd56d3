#!/bin/sh
# cargo build, for an older glibc than this machine's: packaging/older-glibc.sh 2.28 --release …
#
# cargo-zigbuild links against the symbols of that version. It comes from PyPI, with zig, into an environment below
# target/. Where it cannot be had, cargo links against the glibc that is here, and a sentence says so. Either way the
# results lie in target/MACHINE-unknown-linux-gnu/.
set -eu
glibc=$1
shift
target=$(uname -m)-unknown-linux-gnu
tools=${CARGO_TARGET_DIR:-target}/venv-zig

have_zig() { "$tools/bin/cargo-zigbuild" --version && "$tools/bin/python" -m ziglang version; }

get_zig() {
    rm -rf "$tools"
    "${PYTHON:-python3}" -m venv "$tools" && "$tools/bin/python" -m pip install --quiet ziglang cargo-zigbuild
}

if have_zig >/dev/null 2>&1 || get_zig >&2; then
    PATH=$(cd "$tools/bin" && pwd):$PATH exec "${CARGO:-cargo}" zigbuild --target "$target.$glibc" "$@"
fi
echo "warning: cargo-zigbuild is not to be had from PyPI: linking against this machine's glibc, not $glibc" >&2
exec "${CARGO:-cargo}" build --target "$target" "$@"
