# How the commands of it/bin set themselves up; sourced by them.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../../.." && pwd)

# Ends a command that can't do its job here.
die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 2
}

say() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# require COMMAND PACKAGE...: the packages are Debian's
require() {
    command -v "$1" > /dev/null || die "$1 is missing: install it (Debian: apt-get install ${*:2})"
}

is_jdk_25() {
    [[ -x $1/bin/java && -f $1/release ]] && grep -q '^JAVA_VERSION="25[."]' "$1/release"
}

find_jdk_25() {
    local home
    for home in "${JAVA_HOME:-}" "${JAVA25_HOME:-}" /usr/lib/jvm/*25* /opt/*25* \
        "$HOME"/.sdkman/candidates/java/25* "$HOME"/.jdks/*25*; do
        if is_jdk_25 "$home"; then
            echo "$home"
            return
        fi
    done
    die "needs a JDK 25: install one under /usr/lib/jvm or set JAVA_HOME to one"
}

# Whether a file is older than one of the sources, or not there.
is_stale() {
    local built=$1
    shift
    [[ ! -e $built ]] || [[ -n $(find "$@" -type f -newer "$built" -print -quit) ]]
}

# build MODULE LOG [OPTION...]: builds a module and those before it; Maven's options
build() {
    local module=$1 log=$2
    shift 2
    require mvn maven
    say "building with Maven, which takes a minute or two the first time"
    mkdir -p "$(dirname "$log")"
    if ! (cd "$root" && mvn -q -B -DskipTests -Dformat=skip -pl "$module" -am "$@" package) &> "$log"; then
        cat "$log" >&2
        die "the build failed"
    fi
}

# prepare_test_runner LOG: has Maven fetch what it needs beyond a build to run a test, if need be
prepare_test_runner() {
    local log=$1
    if [[ -d $HOME/.m2/repository/org/apache/maven/surefire/surefire-junit-platform ]]; then return; fi
    (cd "$root" && mvn -q -B -Dformat=skip -Dexec.skip -pl conscrypt-ktls -am -Dtest=HostNamesTest \
        package) &> "$log" || die "Maven can't run a test, see $log"
}

jar_sources=("$root/pom.xml" "$root/native/src" "$root/loom-uring/src/main")
