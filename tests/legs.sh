# SPDX-License-Identifier: MIT
# The legs of `./run test`, sourced by it: each is a build and a way to run the tests on it.
# shellcheck shell=bash

readonly LEGS=(gcc norseq valgrind clang asan tsan aarch64)

# What is wrong with the tree or the installation does not depend on how it is run.
readonly ONCE='tidy|model|house|cli|demo|bench|scale|shows|golden|valgrind'

legs_list() {
    cat <<'END'
gcc       everything, optimised, by gcc
norseq    the same programs with GLIBC_TUNABLES=glibc.pthread.rseq=0
valgrind  the same programs under valgrind
clang     everything, optimised, by clang
asan      AddressSanitizer and UndefinedBehaviorSanitizer
tsan      ThreadSanitizer
aarch64   cross-built, under qemu
bare      not part of the whole: demo and test in a new bare root (as root; takes long)
END
}

# legs_check LEG...: refuses a name that is none
legs_check() {
    local leg
    for leg in "$@"; do
        declare -F "leg_$leg" >/dev/null ||
            die 2 "unknown leg '$leg': ./run test --list names them"
    done
}

leg_gcc() {
    compile gcc && suite gcc -LE valgrind
}

leg_norseq() {
    compile gcc && GLIBC_TUNABLES=glibc.pthread.rseq=0 suite gcc -LE "$ONCE"
}

leg_valgrind() {
    compile gcc && suite gcc -L valgrind
}

leg_clang() {
    compile clang && suite clang -LE 'tidy|model|scale|valgrind'
}

leg_asan() {
    compile asan && suite asan -LE 'tidy|model|house|bench|valgrind'
}

# Without the demo, whose libraries are not built for it: it takes their locks for none. Old
# run-times of the sanitizer do not start where addresses are much randomised.
leg_tsan() {
    local launch=()
    setarch -R true 2>/dev/null && launch=(setarch -R)
    compile tsan && suite tsan -LE "$ONCE"
}

leg_aarch64() {
    logged aarch64-sysroot tests/aarch64/sysroot.sh build/sysroot &&
        compile aarch64 && suite aarch64 -LE "$ONCE"
}

leg_bare() {
    tests/house/bare-root.sh
}

# suite PRESET CTEST-ARGUMENT...: runs the tests of build/PRESET that the arguments choose, by
# the command in `launch` if a leg has set one.
suite() {
    local preset=$1 launch=("${launch[@]}")
    shift
    "${launch[@]}" ctest --test-dir "build/$preset" --parallel "$(nproc)" --timeout 300 \
        --no-tests=error --output-on-failure --output-junit "$PWD/build/log/results.xml" "$@"
}

# attribute NAME: a number from the head of the results, 0 if there is none
attribute() {
    local value
    value=$(sed -n "s/^[[:space:]]*$1=\"\([0-9]*\)\".*/\1/p;/<testcase/q" build/log/results.xml \
        2>/dev/null | head -n 1)
    echo "${value:-0}"
}

# legs_run [LEG...]: runs them all whatever fails, adds up, ends with the sums.
legs_run() {
    local leg passed=0 failed=0 skipped=0 report=() counts start
    for leg in "${@:-${LEGS[@]}}"; do
        start=$SECONDS
        leg_count "$leg"
        report+=("$(printf '%-9s %4d passed %3d failed %3d skipped %5d s' "$leg" "${counts[@]}" \
            $((SECONDS - start)))")
        ((passed += counts[0], failed += counts[1], skipped += counts[2])) || true
    done
    printf '\n'
    printf '%s\n' "${report[@]}"
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    ((failed == 0))
}

# leg_count LEG: runs it and sets `counts`; a leg that did not get to its tests failed once.
leg_count() {
    local all failures skips passed
    rm -f build/log/results.xml
    say "leg $1"
    counts=(0 0 0)
    "leg_$1" || counts=(0 1 0)
    [[ -f build/log/results.xml ]] || return 0
    all=$(attribute tests) failures=$(attribute failures)
    skips=$(($(attribute skipped) + $(attribute disabled)))
    ((failures >= counts[1])) || failures=${counts[1]}
    passed=$((all - failures - skips))
    counts=($((passed > 0 ? passed : 0)) "$failures" "$skips")
}
