#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Shows that a clone and one command suffice: demo and test in a new, bare Debian 12 root.
set -euo pipefail

usage() {
    cat <<'END'
usage: tests/house/bare-root.sh [--root FOLDER] [VERB...]

Makes a minimal Debian 12 by debootstrap (which must be installed; as root), clones this
repository's last commit into it, and runs `./run VERB` there, by default demo and test. The
root gets this machine's way to its package archive. It is removed in the end.

  --root FOLDER   a copy of this prepared root is used instead of a new one

Environment: MIRROR, where debootstrap finds its packages; TMPDIR, where the root is made.
END
}

say() {
    printf '==> %s\n' "$*" >&2
}

# make_root FOLDER: what the archive calls minbase, and git
make_root() {
    if [[ -n $prepared ]]; then
        say "copying $prepared"
        cp -a "$prepared/." "$1"
    else
        say "debootstrap of bookworm"
        debootstrap --variant=minbase --include=git,ca-certificates bookworm "$1" \
            ${MIRROR:+"$MIRROR"} >"$1.log" 2>&1 || { tail -n 20 "$1.log" >&2 && return 1; }
    fi
}

# share_network FOLDER: names, archive, keys and certificates as this machine has them
share_network() {
    local path
    [[ -e /etc/apt/sources.list ]] || : >"$1/etc/apt/sources.list"
    for path in /etc/resolv.conf /etc/hosts /etc/apt/apt.conf.d /etc/apt/sources.list.d/debian.* \
        /etc/apt/sources.list /etc/ssl/certs /usr/share/keyrings/debian-archive-keyring.gpg; do
        [[ -e $path ]] || continue
        mkdir -p "$1$(dirname "$path")"
        rm -rf "$1$path" # it may hold links, which outside of the root lead to this machine's
        cp -aLT "$path" "$1$path"
    done
    # Hooks of programs that a bare root does not have.
    grep -lE 'Post-Invoke|Pre-Install' "$1"/etc/apt/apt.conf.d/* | xargs -r rm -f
}

enter() {
    local root=$1 variable kept=()
    shift
    for variable in http_proxy https_proxy no_proxy; do
        [[ -z ${!variable-} ]] || kept+=("$variable=${!variable}")
    done
    chroot "$root" /usr/bin/env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
        "${kept[@]}" "$@"
}

# Its own mounts, which vanish with the namespace whatever happens to the script.
mount_kernel() {
    mount -t proc proc "$1/proc"
    mount --rbind /sys "$1/sys"
    mount --rbind /dev "$1/dev"
}

run_verb() {
    local start=$SECONDS status=0
    say "./run $2 in $1"
    enter "$1" /src/tidepool/run "$2" || status=$?
    say "./run $2: exit $status after $((SECONDS - start)) s"
    return "$status"
}

# remove_root: at the end, however that comes about
remove_root() {
    umount -R "$root/dev" "$root/sys" "$root/proc" 2>/dev/null || true
    rm -rf --one-file-system "$root" "$root.log"
}

prepared='' root=''

main() {
    local source status=0 verb
    [[ ${1-} != --help ]] || { usage && return; }
    [[ ${1-} != --root ]] || { prepared=$2 && shift 2; }
    ((EUID == 0)) || { usage >&2 && return 2; }
    [[ -n ${BARE_ROOT-} ]] || BARE_ROOT=1 exec unshare --mount --propagation private "$BASH" "$0" \
        ${prepared:+--root "$prepared"} "$@"
    source=$(dirname "$(readlink -f "$0")")/../..
    root=$(mktemp -d "${TMPDIR:-/var/tmp}/tidepool-bare.XXXXXX")
    trap remove_root EXIT
    make_root "$root"
    share_network "$root"
    git clone -q "$source" "$root/src/tidepool"
    mount_kernel "$root"
    (($#)) || set -- demo test
    for verb in "$@"; do
        run_verb "$root" "$verb" || status=1
    done
    return "$status"
}

main "$@"
